"""Tiles and regions of published pyramids, as JPEG for the browser or as pixels.

What is stored is passed on as it is. Levels that do not exist yet are made from the next finer
one, by the same function that will store them, and kept in a folder until then.
"""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from processing import jpeg
from processing.downsample import WHITE, parent_tile
from processing.jpeg import Pixels
from processing.tile_codec import decode_tile
from storage.errors import NotFound
from storage.records.geometry import Region, Size, deep_zoom_top
from storage.records.slide import JpegEncoding, LevelOrigin, StoredLevel
from storage.shards import write_parts
from storage.tiles import OpenPyramid, TileStore

SHOWN = JpegEncoding(92, "444")
"""How pixels that are not stored as JPEG are shown."""
_MOST_REGION = 2**28


class Tiles:
    """Tiles of all slides; one per process. Thread-safe."""

    def __init__(self, store: TileStore, made: Path) -> None:
        self._store, self._made = store, made
        self._making = threading.Semaphore(2)

    def pyramid(self, slide_id: str) -> OpenPyramid:
        """The pyramid as it is now. Errors: NotFound."""
        return self._store.pyramid(slide_id)

    def stored(self, pyramid: OpenPyramid, level: int, column: int, row: int) -> bytes | None:
        """The stored bytes when they are JPEG and there; the quick way, one pread.

        None for a cold slide, whose tiles have to be thawed: `shown` does.
        """
        if pyramid.cold:
            return None
        if level in pyramid.present and pyramid.present[level].encoding is not None:
            return self._store.stored(pyramid, level, column, row)
        return None

    def shown(self, pyramid: OpenPyramid, level: int, column: int, row: int) -> bytes:
        """A JPEG of any tile inside the grid: stored, made, or white. Errors: NotFound."""
        plan = pyramid.record.plan
        grid = plan.size.at_level(level).in_tiles(plan.tile_edge)
        if not (0 <= column < grid.width and 0 <= row < grid.height and 0 <= level < 64):
            raise NotFound(f"no tile {column}_{row} on that level")
        if level >= len(plan.levels):
            return self._tiny(pyramid, level)
        data = self._stored_or_made(pyramid, level, column, row)
        if data is None:
            return _white(plan.tile_edge)
        if plan.levels[level].encoding is None:
            return jpeg.encode(decode_tile(data, None, plan.tile_edge), SHOWN)
        return data

    def region(self, pyramid: OpenPyramid, level: int, region: Region) -> Pixels:
        """RGB of a region in the level's own pixels; white outside. Errors: NotFound, Damaged."""
        plan = pyramid.record.plan
        if not 0 <= level < len(plan.levels):
            raise NotFound(f"levels go from 0 to {len(plan.levels) - 1}")
        if region.width * region.height > _MOST_REGION:
            raise NotFound("a region this large does not fit in memory; ask for parts")
        out = np.full((region.height, region.width, 3), WHITE, np.uint8)
        size, edge = plan.levels[level].size, plan.tile_edge
        inside = region.clipped(size)
        if inside is None:
            return out
        for row in range(inside.y // edge, (inside.bottom - 1) // edge + 1):
            for column in range(inside.x // edge, (inside.right - 1) // edge + 1):
                data = self._stored_or_made(pyramid, level, column, row)
                if data is not None:
                    tile = decode_tile(data, plan.levels[level].encoding, edge)
                    _paste(out, region, inside, tile, (column * edge, row * edge))
        return out

    def thumbnail(self, pyramid: OpenPyramid, longest: int = 512) -> bytes:
        """A JPEG of the whole slide from the level that is just large enough."""
        levels = pyramid.record.plan.levels
        sizes = [max(at.size.width, at.size.height) for at in levels]
        level = max([at for at, size in enumerate(sizes) if size >= longest], default=0)
        size = levels[level].size
        pixels = self.region(pyramid, level, Region(0, 0, size.width, size.height))
        return jpeg.encode(pixels, JpegEncoding(85, "420"))

    def _stored_or_made(
        self, pyramid: OpenPyramid, level: int, column: int, row: int
    ) -> bytes | None:
        """Bytes as stored (JPEG or lossless); None for a hole."""
        if level in pyramid.present:
            data = self._store.stored(pyramid, level, column, row)
            if data is not None or _inside_stored(pyramid, level, column, row):
                return data
        if level == 0:
            return None
        kept = self._made / pyramid.record.slide_id / f"{level}_{column}_{row}"
        try:
            return kept.read_bytes()
        except FileNotFoundError:
            return self._make(pyramid, (level, column, row), kept)

    def _make(self, pyramid: OpenPyramid, place: tuple[int, int, int], kept: Path) -> bytes | None:
        level, column, row = place
        plan = pyramid.record.plan
        finer = plan.levels[level - 1]
        grid = finer.size.in_tiles(plan.tile_edge)
        children = [
            self._stored_or_made(pyramid, finer.level, x, y)
            if x < grid.width and y < grid.height
            else None
            for y in (2 * row, 2 * row + 1)
            for x in (2 * column, 2 * column + 1)
        ]
        made_as = plan.levels[level]
        if made_as.origin is not LevelOrigin.DERIVED and made_as.encoding is not None:
            made_as = StoredLevel(level, made_as.size, LevelOrigin.DERIVED, JpegEncoding())
        with self._making:
            data, _ = parent_tile(children, plan.tile_edge, finer, made_as, (column, row))
        if data is not None:
            kept.parent.mkdir(exist_ok=True)
            write_parts(kept, [data], sync=False)
        return data

    def _tiny(self, pyramid: OpenPyramid, level: int) -> bytes:
        """Deep Zoom's levels below one tile: the smallest level halved, at its exact size."""
        plan = pyramid.record.plan
        last = plan.levels[-1]
        whole = Region(0, 0, last.size.width, last.size.height)
        pixels = self.region(pyramid, last.level, whole)
        for smaller in range(last.level + 1, level + 1):
            pixels = _halved(pixels, plan.size.at_level(smaller))
        return jpeg.encode(pixels, SHOWN)


def pyramid_level(size: Size, deep_zoom_level: int) -> int:
    """Our level of a Deep Zoom level (which counts up from 1x1). Errors: NotFound."""
    level = deep_zoom_top(size) - deep_zoom_level
    if level < 0 or deep_zoom_level < 0:
        raise NotFound("no such Deep Zoom level")
    return level


def _inside_stored(pyramid: OpenPyramid, level: int, column: int, row: int) -> bool:
    """False for the sliver by which a level rounded up is larger than the scanner's."""
    plan = pyramid.record.plan
    grid = plan.levels[level].size.in_tiles(plan.tile_edge)
    return column < grid.width and row < grid.height


def _paste(
    out: Pixels, region: Region, inside: Region, tile: Pixels, corner: tuple[int, int]
) -> None:
    left, top = corner
    x0, y0 = max(left, inside.x), max(top, inside.y)
    x1 = min(left + tile.shape[1], inside.right)
    y1 = min(top + tile.shape[0], inside.bottom)
    part = tile[y0 - top : y1 - top, x0 - left : x1 - left]
    out[y0 - region.y : y1 - region.y, x0 - region.x : x1 - region.x] = part


def _halved(pixels: Pixels, size: Size) -> Pixels:
    """Half size, rounded up: the last row and column count twice where they are alone."""
    even = np.pad(pixels, ((0, pixels.shape[0] % 2), (0, pixels.shape[1] % 2), (0, 0)), "edge")
    blocks = even.reshape(size.height, 2, size.width, 2, 3).astype(np.uint16)
    halved: Pixels = ((blocks.sum(axis=(1, 3)) + 2) // 4).astype(np.uint8)
    return halved


def _white(edge: int) -> bytes:
    return jpeg.encode(np.full((edge, edge, 3), WHITE, np.uint8), SHOWN)
