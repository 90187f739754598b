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
    """This worker's name and lock, and the question whether another still holds its own."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self.owner = f"{socket.gethostname()[:32]}:{uuid.uuid4().hex[:12]}"
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        self._descriptor = os.open(self._path(self.owner), os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        return self

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
        if not path.exists():
            return False
        if is_locked(path):
            return True
        path.unlink(missing_ok=True)
        return False

    def _path(self, owner: str) -> Path:
        return self._run / f"worker-{owner.split(':')[1]}.lock"


def is_locked(path: Path) -> bool:
    """True when a living process holds the lock file."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
