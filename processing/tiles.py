"""Tiles and regions of published pyramids, as JPEG for the browser or as pixels.

What is stored as JPEG is passed on as it is; channels are rendered when they are asked for. Levels
that do not exist yet are made from the next finer one, by the same function that will store them,
and kept in a folder until then.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from processing import jpeg
from processing.auto_window import auto_window
from processing.downsample import WHITE, parent_tile
from processing.jpeg import Pixels
from processing.plane_cache import PlaneCache
from processing.plane_codec import Plane, decode_plane
from processing.rendering import render
from processing.tile_codec import decode_tile
from storage.errors import NotFound
from storage.records.channels import ShownChannel, Window, default_choice
from storage.records.geometry import Region, Size, deep_zoom_top, tile_region
from storage.records.slide import (
    JpegEncoding,
    LevelOrigin,
    PlaneEncoding,
    PyramidPlan,
    StoredLevel,
)
from storage.shards import write_parts
from storage.tiles import OpenPyramid, TileStore

SHOWN = JpegEncoding(92, "444")
"""How pixels that are not stored as JPEG are shown."""
RENDERED = JpegEncoding(95, "444")
"""Channels: saturated colours on black show JPEG's traces sooner than tissue does."""
_MOST_REGION = 2**28
_LOOKED_AT = 1024
"""Pixels a side of what a window is found from."""
Choice = tuple[ShownChannel, ...]
"""The channels somebody sees, none of them for black."""
_T = TypeVar("_T", bound=np.generic)


class Tiles:
    """Tiles of all slides; one per process. Thread-safe."""

    def __init__(self, store: TileStore, made: Path) -> None:
        self._store, self._made = store, made
        self._making, self._rendering = threading.Semaphore(2), threading.Semaphore(2)
        self._planes = PlaneCache()

    def pyramid(self, slide_id: str) -> OpenPyramid:
        """The pyramid as it is now. Errors: NotFound."""
        return self._store.pyramid(slide_id)

    def stored(self, pyramid: OpenPyramid, level: int, column: int, row: int) -> bytes | None:
        """The stored bytes when they are JPEG and there; the quick way, one pread.

        None for a cold slide, whose tiles have to be thawed: `shown` does.
        """
        if pyramid.cold:
            return None
        if level in pyramid.present and isinstance(pyramid.present[level].encoding, JpegEncoding):
            return self._store.stored(pyramid, level, column, row)
        return None

    def shown(
        self,
        pyramid: OpenPyramid,
        level: int,
        column: int,
        row: int,
        choice: Choice | None = None,
    ) -> bytes:
        """A JPEG of any tile inside the grid: stored, made, rendered or white. Errors: NotFound.

        `choice` says how channels are shown; None is the slide's own way.
        """
        plan = pyramid.record.plan
        grid = plan.size.at_level(level).in_tiles(plan.tile_edge)
        if not (0 <= column < grid.width and 0 <= row < grid.height and 0 <= level < 64):
            raise NotFound(f"no tile {column}_{row} on that level")
        if level >= len(plan.levels):
            return self._tiny(pyramid, level, choice)
        if plan.channels is not None:
            whole = tile_region(column, row, plan.tile_edge)
            return jpeg.encode(self.region(pyramid, level, whole, choice), RENDERED)
        data = self._stored_or_made(pyramid, level, column, row)
        if data is None:
            return _white(plan.tile_edge)
        if plan.levels[level].encoding is None:
            return jpeg.encode(decode_tile(data, None, plan.tile_edge), SHOWN)
        return data

    def region(
        self, pyramid: OpenPyramid, level: int, region: Region, choice: Choice | None = None
    ) -> Pixels:
        """RGB of a region in the level's own pixels; white outside. Errors: NotFound, Damaged.

        Channels are rendered by `choice`, or as the slide proposes; black outside.
        """
        plan = pyramid.record.plan
        _check_region(plan, level, region)
        if plan.channels is not None:
            shown = default_choice(plan.channels) if choice is None else choice
            with self._rendering:
                planes = ((self.plane(pyramid, level, at.number, region), at) for at in shown)
                return render(planes, (region.height, region.width))
        out = np.full((region.height, region.width, 3), WHITE, np.uint8)
        encoding, edge = plan.levels[level].encoding, plan.tile_edge
        for column, row, inside in _tiles_of(region, plan.levels[level].size, edge):
            data = self._stored_or_made(pyramid, level, column, row)
            if data is not None:
                tile = decode_tile(data, encoding, edge)
                _paste(out, region, inside, tile, (column * edge, row * edge))
        return out

    def plane(self, pyramid: OpenPyramid, level: int, channel: int, region: Region) -> Plane:
        """Exact samples of one channel; zero outside. Errors: NotFound, Damaged."""
        plan = pyramid.record.plan
        _check_region(plan, level, region)
        encoding, edge = plan.levels[level].encoding, plan.tile_edge
        if not isinstance(encoding, PlaneEncoding) or not 0 <= channel < plan.planes:
            raise NotFound("the slide has no such channel")
        out: Plane = np.zeros((region.height, region.width), encoding.dtype)
        for column, row, inside in _tiles_of(region, plan.levels[level].size, edge):
            place = (level, column, row, channel)
            tile = self._planes.get((pyramid.record.slide_id, *place))
            if tile is None:
                data = self._stored_or_made(pyramid, *place)
                if data is None:
                    continue
                tile = decode_plane(data, encoding, edge)
                self._planes.put((pyramid.record.slide_id, *place), tile)
            _paste(out, region, inside, tile, (column * edge, row * edge))
        return out

    def auto_windows(self, pyramid: OpenPyramid, region: Region) -> list[Window]:
        """A window for every channel from what a region (level-0 pixels) shows.

        Looks at the finest level on which the region is no larger than a screen. Errors: NotFound.
        """
        plan = pyramid.record.plan
        inside = region.clipped(plan.size)
        if plan.channels is None or inside is None:
            raise NotFound("there are no channels at that place")
        longest = max(inside.width, inside.height)
        level = min(max(longest // _LOOKED_AT, 1).bit_length(), len(plan.levels)) - 1
        seen = Region(
            inside.x >> level,
            inside.y >> level,
            max(inside.width >> level, 1),
            max(inside.height >> level, 1),
        )
        with self._rendering:
            planes = (self.plane(pyramid, level, at, seen) for at in range(plan.planes))
            return [auto_window([plane], plan.channels.most) for plane in planes]

    def thumbnail(self, pyramid: OpenPyramid, longest: int = 512) -> bytes:
        """A JPEG of the whole slide from the level that is just large enough."""
        levels = pyramid.record.plan.levels
        sizes = [max(at.size.width, at.size.height) for at in levels]
        level = max([at for at, size in enumerate(sizes) if size >= longest], default=0)
        size = levels[level].size
        pixels = self.region(pyramid, level, Region(0, 0, size.width, size.height))
        return jpeg.encode(pixels, JpegEncoding(85, "420"))

    def _stored_or_made(
        self, pyramid: OpenPyramid, level: int, column: int, row: int, channel: int = 0
    ) -> bytes | None:
        """Bytes as stored (JPEG or lossless); None for a hole."""
        if level in pyramid.present:
            data = self._store.stored(pyramid, level, column, row, channel)
            if data is not None or _inside_stored(pyramid, level, column, row):
                return data
        if level == 0:
            return None
        kept = self._made / pyramid.record.slide_id / f"{level}_{column}_{row}_{channel}"
        try:
            return kept.read_bytes()
        except FileNotFoundError:
            return self._make(pyramid, (level, column, row, channel), kept)

    def _make(
        self, pyramid: OpenPyramid, place: tuple[int, int, int, int], kept: Path
    ) -> bytes | None:
        level, column, row, channel = place
        plan = pyramid.record.plan
        finer = plan.levels[level - 1]
        grid = finer.size.in_tiles(plan.tile_edge)
        children = [
            self._stored_or_made(pyramid, finer.level, x, y, channel)
            if x < grid.width and y < grid.height
            else None
            for y in (2 * row, 2 * row + 1)
            for x in (2 * column, 2 * column + 1)
        ]
        made_as = plan.levels[level]
        if made_as.origin is not LevelOrigin.DERIVED and isinstance(made_as.encoding, JpegEncoding):
            made_as = StoredLevel(level, made_as.size, LevelOrigin.DERIVED, JpegEncoding())
        with self._making:
            data, _ = parent_tile(children, plan.tile_edge, finer, made_as, (column, row))
        if data is not None:
            kept.parent.mkdir(exist_ok=True)
            write_parts(kept, [data], sync=False, alone=False)
        return data

    def _tiny(self, pyramid: OpenPyramid, level: int, choice: Choice | None) -> bytes:
        """Deep Zoom's levels below one tile: the smallest level halved, at its exact size."""
        plan = pyramid.record.plan
        last = plan.levels[-1]
        whole = Region(0, 0, last.size.width, last.size.height)
        pixels = self.region(pyramid, last.level, whole, choice)
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


def _check_region(plan: PyramidPlan, level: int, region: Region) -> None:
    if not 0 <= level < len(plan.levels):
        raise NotFound(f"levels go from 0 to {len(plan.levels) - 1}")
    if region.width * region.height > _MOST_REGION:
        raise NotFound("a region this large does not fit in memory; ask for parts")


def _tiles_of(region: Region, size: Size, edge: int) -> Iterator[tuple[int, int, Region]]:
    """(column, row, the region's part inside the image) of every tile a region touches."""
    inside = region.clipped(size)
    if inside is not None:
        for row in range(inside.y // edge, (inside.bottom - 1) // edge + 1):
            for column in range(inside.x // edge, (inside.right - 1) // edge + 1):
                yield column, row, inside


def _paste(
    out: NDArray[_T],
    region: Region,
    inside: Region,
    tile: NDArray[_T],
    corner: tuple[int, int],
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
