"""Processes that end with whoever started them, also when that one is killed outright."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def die_with_parent(number: int = signal.SIGKILL, parent: int | None = None) -> None:
    """Ask Linux to send `number` when the parent dies; elsewhere nothing happens.

    `parent` is who it should be: if that one died before the request, the signal comes at once.
    """
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid() if parent is None else parent
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number))
    if os.getppid() != parent:  # it died in between
        os.kill(os.getpid(), number)


def bound(arguments: Sequence[str]) -> list[str]:
    """A command line that ends with this process, from its first moment on.

    A module that asks for it itself is an orphan if the parent dies while it is imported.
    """
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *arguments]


if __name__ == "__main__":
    die_with_parent(parent=int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606
