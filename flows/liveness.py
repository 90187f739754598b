"""Who is alive: each worker holds a lock that the kernel lets go when it dies."""

from __future__ import annotations

import fcntl
import os
import socket
import uuid
from pathlib import Path
from types import TracebackType
from typing import Self


class Liveness:
    """This worker's name and lock, and the question whether another still holds its own.

    An owner may carry a `#` and what tells one claim of the same worker from another.
    """

    def __init__(self, run: Path) -> None:
        self._run = run
        self.owner = f"{socket.gethostname()[:32]}:{uuid.uuid4().hex[:12]}"
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        path = self._path(self.owner)
        while True:
            self._descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            if path.exists():
                return self
            os.close(self._descriptor)  # tidied away between opening and locking

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._path(self.owner).unlink(missing_ok=True)
        if self._descriptor is not None:
            os.close(self._descriptor)

    def is_alive(self, owner: str) -> bool:
        """False when the owner is on this machine and dead; others get the benefit of the lease."""
        if owner.split(":")[0] != self.owner.split(":")[0]:
            return True
        path = self._path(owner)
        return path.exists() and not _remove_if_dead(path)

    def _path(self, owner: str) -> Path:
        return self._run / f"worker-{owner.split(':')[1].partition('#')[0]}.lock"


def is_locked(path: Path) -> bool:
    """True when a living process holds the lock file."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # two who ask do not disturb
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def remove_dead_locks(run: Path) -> None:
    """Tidy away the locks of workers that were killed."""
    for path in run.glob("worker-*.lock"):
        _remove_if_dead(path)


def _remove_if_dead(path: Path) -> bool:
    """Remove a worker's lock file if nobody holds it; whether that was so."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
