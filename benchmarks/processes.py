"""Servers as process trees: started, waited for, weighed, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from benchmarks.measure import Missing

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PATIENCE = 60.0


@contextmanager
def running(
    commands: Sequence[Sequence[str]], environment: Mapping[str, str], log: Path
) -> Iterator[list[int]]:
    """Start the processes of one server, give their ids, end them and all they started."""
    started: list[subprocess.Popen[bytes]] = []
    try:
        with log.open("ab") as said:
            for command in commands:
                started.append(
                    subprocess.Popen(
                        command,
                        env=os.environ | dict(environment),
                        stdout=said,
                        stderr=said,
                        start_new_session=True,
                    )
                )
        yield [process.pid for process in started]
    finally:
        for process in started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def fetch(port: int, path: str, header: str = "") -> tuple[int, bytes]:
    """One request over a connection of its own: status and body."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    name, _, value = header.partition(": ")
    try:
        connection.request("GET", path, headers={name: value} if name else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wait_for(port: int, path: str, header: str, log: Path, patience: float = _PATIENCE) -> bytes:
    """The body at `path` as soon as it is answered with 200; Missing when it never is."""
    end = time.monotonic() + patience
    last = "no answer"
    while time.monotonic() < end:
        try:
            status, body = fetch(port, path, header)
        except (OSError, HTTPException) as error:
            last = str(error)
        else:
            if status == 200:
                return body
            last = f"answered {status}"
        time.sleep(0.2)
    said = log.read_text(errors="replace").strip().splitlines()[-1:] or [""]
    raise Missing(f"did not serve: {last}; {said[0]}")


def tree(roots: Sequence[int]) -> list[int]:
    """The processes and all their descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parent = int(_fields(int(entry.name))[1])
                children.setdefault(parent, []).append(int(entry.name))
    found = list(roots)
    for pid in found:
        found += children.get(pid, [])
    return found


def cpu_seconds(roots: Sequence[int]) -> float:
    """User and system time of a tree so far."""
    return sum(sum(int(f) for f in _fields(pid)[11:13]) for pid in tree(roots)) / _TICKS


def resident_mb(roots: Sequence[int]) -> float:
    """Resident memory of a tree now."""
    pages = sum(int(_fields(pid)[21]) for pid in tree(roots))
    return round(pages * _PAGE / 2**20, 1)


def _fields(pid: int) -> list[str]:
    """Fields of /proc/PID/stat after the name, so that index 0 is the state."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
