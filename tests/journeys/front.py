"""nginx in front of a running svartid, with the configuration that `svartid front` prints."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.journeys.running import Running, free_port, wait_for

SUBJECT = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


@dataclass(frozen=True)
class FrontDoor:
    """Where nginx answers, and what it wrote."""

    url: str
    certificate: Path
    log: Path

    def client(self, token: str | None = None, **headers: str) -> httpx.Client:
        """A client that trusts the certificate made for this test."""
        given = headers | ({"Authorization": f"Bearer {token}"} if token else {})
        trust = ssl.create_default_context(cafile=str(self.certificate))
        return httpx.Client(base_url=self.url, headers=given, verify=trust)


def nginx_program() -> str:
    """Where nginx is; without it the test is skipped, or fails where programs are required."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        if os.environ.get("SVARTID_REQUIRE_SLIDES") == "1":
            pytest.fail("nginx is not here; tests/system-packages.sh installs it")
        pytest.skip("no nginx here: tests/system-packages.sh installs it")
    return found


@contextmanager
def front_door(up: Running, folder: Path, *words: str) -> Iterator[FrontDoor]:
    """nginx on a free port of loopback until the end of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    program, port = nginx_program(), free_port()
    key, certificate = folder / "tls.key", folder / "tls.crt"
    made = ["openssl", "req", "-x509", "-keyout", key, "-out", certificate, "-days", "2"]
    subprocess.run([*made, *CURVE, *SUBJECT], check=True, capture_output=True)
    printed = up.run(
        "front", "--certificate", certificate, "--key", key, "--listen", f"127.0.0.1:{port}",
        "--app", f"127.0.0.1:{up.port}", "--scratch", folder / "scratch", *words,
    )  # fmt: skip
    assert printed.returncode == 0, printed.stderr
    configuration = folder / "front.conf"
    configuration.write_text(printed.stdout)
    door = FrontDoor(f"https://localhost:{port}", certificate, folder / "nginx.log")
    with door.log.open("wb") as log:
        command = [program, "-e", "stderr", "-g", "daemon off;", "-c", str(configuration)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_for(lambda: _answers(door), 10, f"nginx answers: {door.log.read_text()}")
        yield door
    finally:
        process.terminate()
        process.wait(10)


def _answers(door: FrontDoor) -> bool:
    try:
        with door.client() as client:
            return client.get("/healthz").status_code == 200
    except httpx.HTTPError:
        return False
