"""A room for costly work: some work, some wait at the door, the rest is told to come again.

Whoever waits holds a thread that all routes share; without a bound a few slow pictures would stop
everybody.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from storage.errors import Transient


class Room:
    """`working` at a time, `waiting` more at the door. Thread-safe."""

    def __init__(self, working: int, waiting: int) -> None:
        self._inside = threading.Semaphore(working)
        self._all = threading.Semaphore(working + waiting)

    @contextmanager
    def place(self, *, begun: bool = False) -> Iterator[None]:
        """A place to work in. Errors: Transient when the door is full.

        `begun`: part of the answer is out already, so it waits whatever the queue.
        """
        if not self._all.acquire(blocking=begun):
            raise Transient("too much is being made at this moment")
        try:
            with self._inside:
                yield
        finally:
            self._all.release()
