"""Decoded tiles of channels, kept while they or their neighbours are asked for again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

from processing.plane_codec import Plane

_MOST_BYTES = 96 * 2**20
"""A full screen of four 16-bit channels is 64 MiB."""
WHILE_READ = 48 * 2**20
"""For a reader, which goes through a file once: a row of a source's tiles across a shard."""


class PlaneCache:
    """The tiles last used, at least one, bounded in bytes over all channels. Thread-safe."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes, self._bytes = most_bytes, 0
        self._kept: OrderedDict[Hashable, Plane] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, place: Hashable) -> Plane | None:
        """A tile, None when it is not kept."""
        with self._lock:
            if place in self._kept:
                self._kept.move_to_end(place)
            return self._kept.get(place)

    def put(self, place: Hashable, plane: Plane) -> None:
        """Keep a tile, at the price of those not used for longest."""
        with self._lock:
            if place in self._kept:
                return
            self._kept[place] = plane
            self._bytes += plane.nbytes
            while self._bytes > self._most_bytes and len(self._kept) > 1:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= dropped.nbytes
