"""A running `svartid up`, driven from outside: the command, HTTP, the watch folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

COMMAND = Path(sys.executable).with_name("svartid")
READY_WITHIN = 60.0
_PASSWORD = re.compile(r"^password (\S+)", re.MULTILINE)
_TAIL = 6000
T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without what would configure svartid or Prefect from outside."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SVARTID_", "PREFECT_"))
    }
    return kept | more


def wait_for(look: Callable[[], T | None], within: float, what: str) -> T:
    """The first answer of `look` that is not None or False."""
    ends = time.monotonic() + within
    while time.monotonic() < ends:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {within:.0f} s")


class Running:
    """One instance on its own data folder; `with Running(folder) as up:`."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.data, self.log = folder / "data", folder / "up.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._arguments = arguments
        # Checks of quality take a core that the journeys need; the one about them turns them on.
        self._environment = clean_environment(**({"SVARTID_QUALITY": "off"} | environment))
        self._process: subprocess.Popen[bytes] | None = None
        self._tokens: dict[str, str] = {}
        self._began = 0.0
        self.seconds_to_viewer = self.seconds_to_ready = 0.0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self.stop()
        if kind is not None:
            print(self.log_tail())

    def start(self) -> None:
        """Start in a session of its own and wait until everything has come up."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._began = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [COMMAND, "up", *self._words(), "--port", str(self.port), *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,
            )
        try:
            wait_for(self._is_ready, READY_WITHIN, "svartid up is ready")
        except BaseException:
            self.stop()
            print(self.log_tail())
            raise
        self.seconds_to_ready = time.monotonic() - self._began

    def stop(self) -> int:
        """Ask it to end, then kill its process group; its exit code."""
        process = self._process
        if process is None:
            return 0
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        self._process = None
        return process.wait()

    def _is_ready(self) -> bool:
        process = self._process
        if process is None or process.poll() is not None:
            raise AssertionError("svartid up ended by itself")
        try:
            answer = httpx.get(f"{self.url}/readyz", timeout=5)
        except httpx.HTTPError:
            return False
        self.seconds_to_viewer = self.seconds_to_viewer or time.monotonic() - self._began
        return answer.status_code == 200

    def processes(self) -> set[int]:
        """Every process that works on this data folder, whoever started it."""
        mark = f"SVARTID_DATA={self.data}".encode()
        found = set()
        for folder in Path("/proc").iterdir():
            with suppress(OSError):
                if folder.name.isdigit() and mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.add(int(folder.name))
        return found

    @property
    def password(self) -> str:
        """The administrator's, as shown once at the first start."""
        found = _PASSWORD.search(self.log.read_text())
        assert found, self.log_tail()
        return found[1]

    def log_tail(self) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return f"--- {self.log} ---\n{text[-_TAIL:]}"

    def command(self, *words: str | Path, expect: int | None = 0) -> list[dict[str, Any]]:
        """Run a sub-command with --json on this data folder; its lines."""
        done = self.run(*words, "--json")
        assert expect is None or done.returncode == expect, f"{words}: {done.stderr}{done.stdout}"
        return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a sub-command on this data folder."""
        name, *rest = words
        return subprocess.run(
            [COMMAND, str(name), *map(str, rest), *self._words()],
            capture_output=True,
            text=True,
            timeout=240,
            env=self._environment,
        )

    def _words(self) -> tuple[str, ...]:
        return "--data", str(self.data)

    def token(self, role: str) -> str:
        """A bearer token of a program in that role, made once."""
        if role not in self._tokens:
            made = self.command("token", "create", "--user", f"test-{role}", "--role", role)
            self._tokens[role] = str(made[0]["token"])
        return self._tokens[role]

    def client(self, role: str | None) -> httpx.Client:
        """An HTTP client that asks as a program in that role, or as nobody."""
        headers = {"Authorization": f"Bearer {self.token(role)}"} if role else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def get(self, path: str, role: str = "ops") -> Any:  # noqa: ANN401
        """A JSON answer of the API."""
        with self.client(role) as client:
            answer = client.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def intake_of(self, name: str) -> Mapping[str, Any] | None:
        """The intake row of a file by the name it was delivered under."""
        rows = self.get("/api/v1/intake")["intake"]
        return next((row for row in rows if row["name"] == name), None)

    def wait_for_state(self, name: str, *states: str, within: float = 60) -> Mapping[str, Any]:
        def look() -> Mapping[str, Any] | None:
            row = self.intake_of(name)
            return row if row is not None and row["state"] in states else None

        return wait_for(look, within, f"{name} is {' or '.join(states)}\n{self.log_tail()}")

    def drop(self, source: Path, name: str) -> None:
        """Deliver to the watch folder as scanners do: written beside, renamed when whole."""
        part = self.data / "incoming" / f"{name}.part"
        shutil.copyfile(source, part)
        time.sleep(0.7)  # the watcher sees the unfinished name first
        part.rename(part.with_name(name))

    def pyramid(self, slide_id: str) -> Path:
        """The published OME-Zarr of a slide."""
        return self.data / "pyramids" / f"{slide_id}.ome.zarr"
