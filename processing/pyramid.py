"""Building a pyramid: phase one copies or encodes the scanner's levels, phase two adds the rest.

One Dask task is one shard, which can be repeated without harm; threads, since every codec
here releases the interpreter lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import dask.threaded
from dask.callbacks import Callback

from processing.downsample import parent_tile
from processing.plane_codec import encode_plane
from processing.readers.base import SlideReader
from processing.tile_codec import encode_tile
from processing.tiling import Sourced
from storage.errors import StoreDamaged
from storage.pyramids import PyramidDraft, shard_blocks
from storage.records.geometry import TileBlock, tile_region
from storage.records.slide import LevelOrigin, PlaneEncoding, PyramidPlan, StoredLevel
from storage.shards import Chunk, Shard

Progress = Callable[[int, int], None]
"""Called with tiles done and tiles to do."""
ShardPath = Callable[..., Path]
"""Where the shard at (level, row, column) lies; `channel=` for another than the first."""


class Written(NamedTuple):
    """What one shard, or all of a phase, came to."""

    tiles: int
    faulty: int
    """Tiles absent in the source (phase one), or found damaged (phase two)."""


def copy_source_levels(
    reader: SlideReader, sourced: Sourced, draft: PyramidDraft, progress: Progress
) -> Written:
    """Phase one: the scanner's levels into the draft.

    JPEG tiles are copied byte for byte, other pixels are encoded once. Errors: SlideError.
    """
    plan, tasks = sourced.plan, dict[Any, Any]()
    for level in plan.from_source():
        draft.add_level(level, plan)
        source = sourced.source_of[level.level]
        for channel in range(plan.planes):
            shard = SourceShard(reader, plan, level, source, draft.plane(channel), channel)
            for row, column, block in shard_blocks(level, plan):
                tasks[level.level, channel, row, column] = (shard, row, column, block)
    return _compute(tasks, plan.from_source(), plan, progress)


@dataclass(frozen=True)
class SourceShard:
    """Makes the shards of a level that the source has, and writes them into a draft."""

    reader: SlideReader
    plan: PyramidPlan
    level: StoredLevel
    source: int
    draft: PyramidDraft | None = None
    channel: int = 0

    def chunks(self, block: TileBlock) -> tuple[list[Chunk | None], int]:
        """Tiles of a block, and how many the scanner left out."""
        if self.level.origin is LevelOrigin.COPIED:
            chunks = self.reader.jpeg_tiles(self.source, block)
        else:
            chunks = [(self._encode(x, y),) for x, y in block.places()]
        return chunks, sum(chunk is None for chunk in chunks)

    def __call__(self, row: int, column: int, block: TileBlock) -> Written:
        """Write one shard."""
        assert self.draft is not None  # noqa: S101 - a shard without a draft is only compared
        chunks, absent = self.chunks(block)
        place = (self.level.level, row, column)
        self.draft.write_shard(place, block, chunks, self.plan.shard_tiles)
        return Written(len(chunks), absent)

    def _encode(self, column: int, row: int) -> bytes:
        region, encoding = tile_region(column, row, self.plan.tile_edge), self.level.encoding
        if isinstance(encoding, PlaneEncoding):
            return encode_plane(self.reader.plane(self.source, self.channel, region))
        return encode_tile(self.reader.pixels(self.source, region), encoding)


def derive_levels(
    plan: PyramidPlan, published: ShardPath, draft: PyramidDraft, progress: Progress
) -> Written:
    """Phase two: every missing level from the next finer one, which may be missing itself.

    `published` finds the shards of phase one. Whole shards that a killed run left in the draft
    are kept. Errors: StoreDamaged, OSError.
    """
    tasks, derived = dict[Any, Any](), {at.level for at in plan.derived()}
    for level in plan.derived():
        draft.add_level(level, plan)
        finer = plan.levels[level.level - 1]
        made_here = finer.level in derived
        for channel in range(plan.planes):
            plane = draft.plane(channel)
            found = plane.shard_path if made_here else partial(published, channel=channel)
            shard = DerivedShard(plan, level, found, plane)
            for row, column, block in shard_blocks(level, plan):
                below = _shards_below(finer, plan, row, column, channel) if made_here else []
                tasks[level.level, channel, row, column] = (shard, row, column, block, below)
    return _compute(tasks, plan.derived(), plan, progress)


def _shards_below(
    finer: StoredLevel, plan: PyramidPlan, row: int, column: int, channel: int
) -> list[tuple[int, int, int, int]]:
    """Keys of the (up to four) shards that a derived shard is made from."""
    grid = finer.size.in_tiles(plan.tile_edge * plan.shard_tiles)
    return [
        (finer.level, channel, y, x)
        for y in range(2 * row, min(2 * row + 2, grid.height))
        for x in range(2 * column, min(2 * column + 2, grid.width))
    ]


@dataclass(frozen=True)
class DerivedShard:
    """Makes the shards of a level from the next finer one, and writes them into a draft."""

    plan: PyramidPlan
    level: StoredLevel
    finer_path: ShardPath
    draft: PyramidDraft | None = None

    def chunks(self, block: TileBlock) -> tuple[list[Chunk | None], int]:
        """Tiles of a block, and how many of the tiles below are damaged."""
        finer = self.plan.levels[self.level.level - 1]
        below = _Below(self.finer_path, finer.level, self.plan.shard_tiles)
        chunks, damaged = list[Chunk | None](), 0
        for x, y in block.places():
            children = [below.tile(2 * x + i, 2 * y + j) for j in (0, 1) for i in (0, 1)]
            tile, bad = parent_tile(children, self.plan.tile_edge, finer, self.level, (x, y))
            chunks.append(None if tile is None else (tile,))
            damaged += bad
        return chunks, damaged

    def __call__(self, row: int, column: int, block: TileBlock, _below: Any) -> Written:  # noqa: ANN401
        """Write one shard, unless a killed run left it whole."""
        assert self.draft is not None  # noqa: S101 - a shard without a draft is only compared
        place, per = (self.level.level, row, column), self.plan.shard_tiles
        if _is_whole(self.draft.shard_path(*place), per):
            return Written(block.columns * block.rows, 0)
        chunks, damaged = self.chunks(block)
        self.draft.write_shard(place, block, chunks, per)
        return Written(len(chunks), damaged)


def _is_whole(path: Path, per: int) -> bool:
    """A shard with a sound index was finished before: it got its name only when whole."""
    try:
        return Shard.open(path, per * per) is not None
    except StoreDamaged:
        return False


class _Below:
    """The shards under one derived shard, opened when first needed."""

    def __init__(self, path: ShardPath, level: int, per: int) -> None:
        self._path, self._level, self._per = path, level, per
        self._shards = dict[tuple[int, int], Shard | None]()

    def tile(self, column: int, row: int) -> bytes | None:
        per = self._per
        key = row // per, column // per
        if key not in self._shards:
            self._shards[key] = Shard.open(self._path(self._level, *key), per * per)
        shard = self._shards[key]
        return None if shard is None else shard.chunk((row % per) * per + column % per)


def _compute(
    tasks: Mapping[Any, Any],
    levels: tuple[StoredLevel, ...],
    plan: PyramidPlan,
    progress: Progress,
) -> Written:
    """Run the graph, telling of every finished shard."""
    sizes = [level.size.in_tiles(plan.tile_edge) for level in levels]
    total, done = sum(size.area for size in sizes) * plan.planes, 0

    def tell(_key: Any, result: Written, *_rest: Any) -> None:  # noqa: ANN401
        nonlocal done
        done += result.tiles
        progress(done, total)

    progress(0, total)
    with Callback(posttask=tell):  # type: ignore[no-untyped-call]
        results = dask.threaded.get(dict(tasks), list(tasks))
    return Written(total, sum(result.faulty for result in results))
