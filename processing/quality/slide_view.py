"""A stored slide as checks see it: any part at any level, decoded no larger than needed.

Frames: everything is in pixels of the level it names. The working level is the coarsest with at
most 1.15 µm along a pixel: fine enough for what is out of focus by 1.5 µm (docs/quality.md).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np

from processing import jpeg
from processing.jpeg import Pixels
from processing.quality.tissue import TissueMask, find_tissue
from processing.tile_codec import decode_tile
from storage.errors import Damaged, StoreDamaged
from storage.records.geometry import Region, Size
from storage.records.slide import JpegEncoding, PyramidRecord, StoredLevel

ReadTile = Callable[[int, int, int], bytes | None]
"""The stored bytes of the tile at (level, column, row); None where there is none."""
ReadAssociated = Callable[[str], bytes | None]
"""The encoded bytes of label, overview or thumbnail, by name."""
WORKING_UM = 1.15
_OVERVIEW = 8
"""The tissue is looked for at this many working pixels."""
_HALVINGS = 3
"""As far as a JPEG is decoded smaller by itself."""
_DARK, _SHINES = 48, 64
"""Grey levels: more than half of the slide is darker, and something is lighter."""
_STRIP = 64
"""Rows of the overview that are made at a time."""
_CACHE_BYTES = 96 * 2**20


@dataclass(frozen=True, slots=True)
class Order:
    """What the laboratory says of the glass, as far as the image belongs to one."""

    barcode: str = ""
    stain: str = ""
    """The code of the stain or antibody as ordered."""
    stain_class: str = ""
    """`he`, `ihc`, `special` or empty."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """Figures of `stain.background`, by name, of slides from the same scanner in the same stain."""

    slides: tuple[Mapping[str, float], ...] = ()


@dataclass(slots=True)
class _Cache:
    most: int
    kept: OrderedDict[tuple[int, int, int, int], Pixels | None] = field(default_factory=OrderedDict)
    bytes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: tuple[int, int, int, int]) -> tuple[bool, Pixels | None]:
        with self.lock:
            if key not in self.kept:
                return False, None
            self.kept.move_to_end(key)
            return True, self.kept[key]

    def put(self, key: tuple[int, int, int, int], pixels: Pixels | None) -> None:
        with self.lock:
            self.kept[key] = pixels
            self.bytes += 0 if pixels is None else pixels.nbytes
            while self.bytes > self.most and len(self.kept) > 1:
                _, old = self.kept.popitem(last=False)
                self.bytes -= 0 if old is None else old.nbytes


class SlideView:
    """One slide in colour, open for checks; thread-safe."""

    def __init__(
        self,
        record: PyramidRecord,
        present: Mapping[int, StoredLevel],
        read_tile: ReadTile,
        read_associated: ReadAssociated,
        order: Order | None = None,
    ) -> None:
        self.record, self.present, self.order = record, present, order or Order()
        self.read_tile, self.read_associated = read_tile, read_associated
        mpp = record.metadata.mpp
        self.cohort = Cohort()
        """What other slides looked like, put here by who knows them."""
        self.mpp = mpp.mean if mpp else None
        """µm along a pixel of level 0; None where nobody says."""
        self.working = self._working_level()
        self._cache = _Cache(_CACHE_BYTES)
        self._tissue: TissueMask | None = None
        self._lock = threading.Lock()

    @property
    def size(self) -> Size:
        """Pixels of level 0."""
        return self.record.plan.size

    @property
    def edge(self) -> int:
        """Pixels along a tile."""
        return self.record.plan.tile_edge

    @property
    def um(self) -> float | None:
        """µm along a pixel of the working level; None where nobody says."""
        return None if self.mpp is None else self.mpp * 2**self.working

    @property
    def working_size(self) -> Size:
        """Pixels of the working level."""
        return self.size.at_level(self.working)

    @property
    def tissue(self) -> TissueMask:
        """Where there is tissue; found when first asked for."""
        with self._lock:
            if self._tissue is None:
                level = self.working + _OVERVIEW.bit_length() - 1
                whole = self._whole(level)
                um = None if self.mpp is None else self.mpp * 2**level
                self._tissue = find_tissue(whole, level, um)
            return self._tissue

    @property
    def is_on_dark_ground(self) -> bool:
        """True for something that shines on black: fluorescence kept as a picture in colour."""
        light = self.tissue.overview.max(axis=2)
        return float(np.median(light)) < _DARK and float(np.percentile(light, 99.5)) > _SHINES

    def _whole(self, level: int) -> Pixels:
        """A coarse level, a strip at a time: what it is made from may not fit into memory."""
        size = self.size.at_level(level)
        tops = range(0, size.height, _STRIP)
        strips = [
            self.region(level, Region(0, top, size.width, min(_STRIP, size.height - top)))
            for top in tops
        ]
        return np.concatenate(strips)

    def region(self, level: int, region: Region) -> Pixels:
        """RGB of a part of a level, stored or not: [row, column, 3]; white where no tile is.

        Made from the coarsest stored level that is fine enough, or from a finer one where a tile
        cannot be decoded; of level 0 it is white: `tiles.missing` counts it, the others go on.
        """
        return self._made(level, region, max(at for at in self.present if at <= level))

    def _made(self, level: int, region: Region, source: int) -> Pixels:
        down = max(level - source, 0)
        step = self.edge >> min(down, _HALVINGS)
        shrunk = source + min(down, _HALVINGS)
        factor = 2 ** (level - shrunk) if level >= shrunk else 1
        out = np.full((region.height * factor, region.width * factor, 3), 255, np.uint8)
        size = self.size.at_level(shrunk)
        x0, y0 = region.x * factor, region.y * factor
        x1 = min(x0 + out.shape[1], size.width)
        y1 = min(y0 + out.shape[0], size.height)
        for row in range(y0 // step, -(-y1 // step)):
            for column in range(x0 // step, -(-x1 // step)):
                tile = self._tile(source, column, row, min(down, _HALVINGS))
                if tile is None:
                    continue
                left, top = max(column * step, x0), max(row * step, y0)
                right, bottom = min((column + 1) * step, x1), min((row + 1) * step, y1)
                out[top - y0 : bottom - y0, left - x0 : right - x0] = tile[
                    top - row * step : bottom - row * step,
                    left - column * step : right - column * step,
                ]
        if factor == 1:
            return out
        size_out = (region.width, region.height)
        return cv2.resize(out, size_out, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)

    def _tile(self, level: int, column: int, row: int, halvings: int) -> Pixels | None:
        key = (level, column, row, halvings)
        known, pixels = self._cache.get(key)
        if known:
            return pixels
        try:
            data = self.read_tile(level, column, row)
            pixels = None if data is None else self._decoded(data, level, halvings)
        except (Damaged, StoreDamaged):
            pixels = self._instead(level, column, row, halvings)
        self._cache.put(key, pixels)
        return pixels

    def _instead(self, level: int, column: int, row: int, halvings: int) -> Pixels | None:
        """A tile out of the next finer level; None where there is none."""
        finer = max((at for at in self.present if at < level), default=None)
        if finer is None:
            return None
        step, size = self.edge >> halvings, self.size.at_level(level + halvings)
        region = Region(column * step, row * step, step, step).clipped(size)
        if region is None:
            return None
        tile = np.full((step, step, 3), 255, np.uint8)
        made = self._made(level + halvings, region, finer)
        tile[: region.height, : region.width] = made
        return tile

    def _decoded(self, data: bytes, level: int, halvings: int) -> Pixels:
        encoding, size = self.present[level].encoding, self.edge >> halvings
        if isinstance(encoding, JpegEncoding):
            if not halvings:
                return jpeg.decode(data, (self.edge, self.edge))
            small = jpeg.decode_smaller(data, self.edge, size)
        else:
            small = decode_tile(data, encoding, self.edge)
        if small.shape[:2] != (size, size):
            return cv2.resize(small, (size, size), interpolation=cv2.INTER_AREA).astype(
                np.uint8, copy=False
            )
        return small

    def _working_level(self) -> int:
        """Where the pixel size is unknown: as if it were a quarter of a µm, the usual one."""
        mpp = self.mpp or 0.25
        level = 0
        while mpp * 2 ** (level + 1) <= WORKING_UM:
            level += 1
        return level
