"""Stored tile bytes by (level, column, row), with bounded caches of open shards.

No decoding, no zarr-python, no database: a cached index and one pread. Thread-safe.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage import ngff
from storage.cold import open_shard
from storage.errors import NotFound
from storage.pyramids import Pyramids
from storage.records.slide import JpegEncoding, PyramidRecord, StoredLevel
from storage.shards import Shard

MOST_SHARDS = 512
"""Open shards a process keeps: descriptors are few, an index is 4 KiB."""
MOST_SLIDES = 1024
"""Slides whose geometry a process keeps, some 6 KB each."""

Place = tuple[Path, int]
"""A pyramid's folder, and when its zarr.json was last written."""


class OpenPyramid:
    """A published pyramid as the tile path needs it: geometry, and which levels are present."""

    __slots__ = ("cold", "document", "folder", "present", "record", "stamp")

    def __init__(
        self, at: Place, record: PyramidRecord, present: tuple[StoredLevel, ...], *, cold: bool
    ) -> None:
        self.folder, self.stamp = at
        self.document = str(self.folder / "zarr.json")
        self.record, self.cold = record, cold
        self.present = {at.level: at for at in present}


class TileStore:
    """Reads tiles of every published pyramid; one per process."""

    def __init__(self, pyramids: Pyramids) -> None:
        self._pyramids = pyramids
        self._open: OrderedDict[str, OpenPyramid] = OrderedDict()
        self._shards: OrderedDict[tuple[str, int, int, int, int, bool], Shard] = OrderedDict()
        self._lock = threading.Lock()

    def pyramid(self, slide_id: str) -> OpenPyramid:
        """The pyramid as it is now (a stat tells when levels were added); NotFound."""
        with self._lock:
            known = self._open.get(slide_id)
            if known is not None and _stamp(known.document) == known.stamp:
                self._open.move_to_end(slide_id)
                return known
        place = self._place(slide_id)
        record, present = self._pyramids.describe(slide_id)
        fresh = OpenPyramid(place, record, present, cold=self._pyramids.is_cold(place[0]))
        with self._lock:
            self._forget_shards(slide_id)
            self._open[slide_id] = fresh
            while len(self._open) > MOST_SLIDES:
                self._open.popitem(last=False)
        return fresh

    def _place(self, slide_id: str) -> Place:
        for folder in self._pyramids.places(slide_id):
            stamp = _stamp(str(folder / "zarr.json"))
            if stamp is not None:
                return folder, stamp
        raise NotFound(f"no slide {slide_id}")

    def stored(
        self, pyramid: OpenPyramid, level: int, column: int, row: int, channel: int = 0
    ) -> bytes | None:
        """Bytes of a tile as stored; None when level or tile is absent. StoreDamaged.

        Of a cold slide the JPEG it stands for, which takes about a millisecond.
        """
        if level not in pyramid.present:
            return None
        per = pyramid.record.plan.shard_tiles
        shard = self._shard(pyramid, (level, row // per, column // per, channel))
        if shard is None:
            # Gone to the other tier since it was opened? Then the same tile lies there.
            now = self.pyramid(pyramid.record.slide_id)
            moved = now.folder != pyramid.folder
            return self.stored(now, level, column, row, channel) if moved else None
        return shard.chunk((row % per) * per + column % per)

    def lengths(
        self, pyramid: OpenPyramid, level: int, channel: int = 0
    ) -> NDArray[np.int64] | None:
        """Bytes of every stored tile of a level, [row, column], -1 where absent.

        None for a cold slide, whose tiles are stored in less than they come out as. StoreDamaged.
        """
        at, per = pyramid.present[level], pyramid.record.plan.shard_tiles
        if pyramid.cold and isinstance(at.encoding, JpegEncoding):
            return None
        grid = at.size.in_tiles(pyramid.record.plan.tile_edge)
        out = np.full((grid.height, grid.width), -1, np.int64)
        for top in range(0, grid.height, per):
            for left in range(0, grid.width, per):
                shard = self._shard(pyramid, (level, top // per, left // per, channel))
                if shard is None:
                    continue
                whole = shard.index[:, 1].astype(np.int64).reshape(per, per)
                block = out[top : top + per, left : left + per]
                block[:] = whole[: block.shape[0], : block.shape[1]]
        return out

    def _shard(self, pyramid: OpenPyramid, place: tuple[int, int, int, int]) -> Shard | None:
        cold = pyramid.cold and isinstance(pyramid.present[place[0]].encoding, JpegEncoding)
        key = (pyramid.record.slide_id, *place, cold)
        with self._lock:
            if key in self._shards:
                self._shards.move_to_end(key)
                return self._shards[key]
        per = pyramid.record.plan.shard_tiles
        path = pyramid.folder / ngff.shard_key(*place)
        shard = open_shard(path, per * per, cold=cold)
        if shard is None:
            return None
        with self._lock:
            self._shards[key] = shard
            while len(self._shards) > MOST_SHARDS:
                self._shards.popitem(last=False)
        return shard

    def _forget_shards(self, slide_id: str) -> None:
        for key in [key for key in self._shards if key[0] == slide_id]:
            del self._shards[key]


def _stamp(document: str) -> int | None:
    """When it was last written; None when it is not there. On the way of every tile: no Path."""
    try:
        return os.stat(document).st_mtime_ns
    except OSError:
        return None
