"""Decoded tiles and strips kept while their neighbours are read, bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from processing.jpeg import Pixels

_MOST_BYTES = 2**26


class SegmentCache:
    """The segments last used, at least one. Thread-safe; two threads may decode the same one."""

    def __init__(self, decode: Callable[[int], Pixels], most_bytes: int = _MOST_BYTES) -> None:
        self._decode, self._most_bytes = decode, most_bytes
        self._kept: OrderedDict[int, Pixels] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __call__(self, index: int) -> Pixels:
        """A decoded segment, from memory or afresh."""
        with self._lock:
            if index in self._kept:
                self._kept.move_to_end(index)
                return self._kept[index]
        decoded = self._decode(index)
        with self._lock:
            if index not in self._kept:
                self._kept[index] = decoded
                self._bytes += decoded.nbytes
            while self._bytes > self._most_bytes and len(self._kept) > 1:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= dropped.nbytes
        return decoded
