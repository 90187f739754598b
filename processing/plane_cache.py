"""Decoded tiles of channels, so that a window can be moved without decoding anew."""

from __future__ import annotations

import threading
from collections import OrderedDict

from processing.plane_codec import Plane

_MOST_BYTES = 96 * 2**20
"""A full screen of four 16-bit channels is 64 MiB."""

Place = tuple[str, int, int, int, int]
"""Slide id, level, column, row, channel."""


class PlaneCache:
    """The tiles last used, bounded in bytes. Thread-safe."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes, self._bytes = most_bytes, 0
        self._kept: OrderedDict[Place, Plane] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, place: Place) -> Plane | None:
        """A tile, None when it is not kept."""
        with self._lock:
            if place in self._kept:
                self._kept.move_to_end(place)
            return self._kept.get(place)

    def put(self, place: Place, plane: Plane) -> None:
        """Keep a tile, at the price of those not used for longest."""
        with self._lock:
            if place in self._kept:
                return
            self._kept[place] = plane
            self._bytes += plane.nbytes
            while self._bytes > self._most_bytes:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= dropped.nbytes
