"""The application alone on a data folder of its own: slides read in, web processes, one reader."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.journeys.running import COMMAND, clean_environment

READER = "far"
_PATIENCE = 400


@dataclass(frozen=True)
class Subject:
    """A slide that has been read in; its size in level-0 pixels."""

    name: str
    slide_id: str
    width: int
    height: int


@dataclass(frozen=True)
class Site:
    """Where it listens, the reader's password, and the slides."""

    port: int
    password: str
    subjects: Sequence[Subject]

    @property
    def url(self) -> str:
        """Without the slow line."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def site(folder: Path, slides: Sequence[Path]) -> Iterator[Site]:
    """Prefect and the watch folder are left out: nothing here waits for them."""
    data = str(folder / "data")
    lines = [json.loads(line) for line in _svartid("ingest", *slides, "--json", data=data)]
    (_, password, *_) = " ".join(
        _svartid("user", "add", READER, "--role", "pathologist", data=data)
    ).split()
    found = {at["slide_id"]: at for at in map(json.loads, _svartid("slides", "--json", data=data))}
    subjects = [
        Subject(slide.name, line["slide_id"], at["width"], at["height"])
        for slide, line in zip(slides, lines, strict=True)
        for at in [found[line["slide_id"]]]
    ]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    words = [sys.executable, "-m", "uvicorn", "viewers.app:create_app", "--factory"]
    words += ["--no-access-log", "--log-level", "error", "--port", str(port)]
    with subprocess.Popen(words, env=clean_environment(SVARTID_DATA=data)) as process:
        try:
            _wait(port)
            yield Site(port, password, subjects)
        finally:
            process.terminate()


def _svartid(*words: str | Path, data: str) -> list[str]:
    done = subprocess.run(
        [COMMAND, *map(str, words), "--data", data],
        capture_output=True, text=True, check=True, env=clean_environment(),
    )  # fmt: skip
    return [line for line in done.stdout.splitlines() if line.strip()]


def _wait(port: int) -> None:
    for _ in range(_PATIENCE):
        try:
            urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
            return
        except URLError:
            time.sleep(0.1)
    raise RuntimeError("the server did not start")
