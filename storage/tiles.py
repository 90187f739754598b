"""Stored tile bytes by (level, column, row), with bounded caches of open shards.

No decoding, no zarr-python, no database: a cached index and one pread. Thread-safe.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from storage import ngff
from storage.errors import NotFound
from storage.pyramids import Pyramids
from storage.records.slide import PyramidRecord, StoredLevel
from storage.shards import Shard

MOST_SHARDS = 512
"""Open shards a process keeps: descriptors are few, an index is 4 KiB."""
MOST_SLIDES = 1024
"""Slides whose geometry a process keeps, some 6 KB each."""


class OpenPyramid:
    """A published pyramid as the tile path needs it: geometry, and which levels are present."""

    __slots__ = ("folder", "present", "record", "stamp")

    def __init__(
        self, folder: Path, stamp: int, record: PyramidRecord, present: tuple[StoredLevel, ...]
    ) -> None:
        self.folder, self.stamp, self.record = folder, stamp, record
        self.present = {at.level: at for at in present}


class TileStore:
    """Reads tiles of every published pyramid; one per process."""

    def __init__(self, pyramids: Pyramids) -> None:
        self._pyramids = pyramids
        self._open: OrderedDict[str, OpenPyramid] = OrderedDict()
        self._shards: OrderedDict[tuple[str, int, int, int, int], Shard | None] = OrderedDict()
        self._lock = threading.Lock()

    def pyramid(self, slide_id: str) -> OpenPyramid:
        """The pyramid as it is now (a stat tells when levels were added); NotFound."""
        folder = self._pyramids.path(slide_id)
        try:
            stamp = (folder / "zarr.json").stat().st_mtime_ns
        except OSError:
            raise NotFound(f"no slide {slide_id}") from None
        with self._lock:
            known = self._open.get(slide_id)
            if known is not None and known.stamp == stamp:
                self._open.move_to_end(slide_id)
                return known
        record, present = self._pyramids.describe(slide_id)
        fresh = OpenPyramid(folder, stamp, record, present)
        with self._lock:
            self._forget_shards(slide_id)
            self._open[slide_id] = fresh
            while len(self._open) > MOST_SLIDES:
                self._open.popitem(last=False)
        return fresh

    def stored(
        self, pyramid: OpenPyramid, level: int, column: int, row: int, channel: int = 0
    ) -> bytes | None:
        """Bytes of a tile as stored; None when level or tile is absent. StoreDamaged."""
        if level not in pyramid.present:
            return None
        per = pyramid.record.plan.shard_tiles
        shard = self._shard(pyramid, (level, row // per, column // per, channel))
        if shard is None:
            return None
        return shard.chunk((row % per) * per + column % per)

    def _shard(self, pyramid: OpenPyramid, place: tuple[int, int, int, int]) -> Shard | None:
        key = (pyramid.record.slide_id, *place)
        with self._lock:
            if key in self._shards:
                self._shards.move_to_end(key)
                return self._shards[key]
        per = pyramid.record.plan.shard_tiles
        shard = Shard.open(pyramid.folder / ngff.shard_key(*place), per * per)
        with self._lock:
            self._shards[key] = shard
            while len(self._shards) > MOST_SHARDS:
                self._shards.popitem(last=False)
        return shard

    def _forget_shards(self, slide_id: str) -> None:
        for key in [key for key in self._shards if key[0] == slide_id]:
            del self._shards[key]
