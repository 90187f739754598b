"""Phase two: the missing levels are made, and every tile is decoded and hashed on the way.

One Dask task is one shard, which can be repeated without harm; threads, since every codec
here releases the interpreter lock. A tile is read once: its bytes are hashed, its pixels go
into the next coarser level, or are held against it where the scanner delivered that one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dask.threaded
import numpy as np
from dask.callbacks import Callback
from numpy.typing import NDArray

from processing.comparison import Differing, differing_tiles
from processing.downsample import WHITE, parent_pixels
from processing.jpeg import Pixels
from processing.source_levels import Progress
from processing.tile_codec import decode_tile, encode_tile
from storage.errors import Damaged, StoreDamaged
from storage.merkle import ABSENT_LEAF, DIGEST_BYTES, leaf
from storage.pyramids import PyramidDraft, shard_blocks
from storage.records.geometry import TileBlock
from storage.records.slide import LevelOrigin, PyramidPlan, StoredLevel
from storage.shards import Chunk, Shard

ShardPath = Callable[[int, int, int], Path]
"""Where the shard at (level, row, column) lies."""


@dataclass(frozen=True)
class Examined:
    """What decoding and hashing every tile of a pyramid came to."""

    digests: dict[int, NDArray[np.uint8]]
    """By level: [row, column, 32], the leaves of its tree."""
    damaged: list[tuple[int, int, int]] = field(default_factory=list)
    """(level, column, row) of tiles that cannot be decoded."""
    differing: list[Differing] = field(default_factory=list)

    @classmethod
    def of(cls, plan: PyramidPlan) -> Examined:
        """Room for every tile of a plan."""
        grids = {at.level: at.size.in_tiles(plan.tile_edge) for at in plan.levels}
        return cls(
            {
                level: np.zeros((grid.height, grid.width, DIGEST_BYTES), np.uint8)
                for level, grid in grids.items()
            }
        )


def complete_levels(
    plan: PyramidPlan,
    present: Collection[int],
    published: ShardPath,
    draft: PyramidDraft,
    progress: Progress,
) -> Examined:
    """Make every level that is not `present` from the next finer one, which may be missing too.

    `published` finds the shards of those present. Whole shards that a killed run left in the
    draft are kept. Errors: StoreDamaged, OSError.
    """
    examined = Examined.of(plan)
    shelf = _Shelf(plan, lambda *at: (published if at[0] in present else draft.shard_path)(*at))
    tasks = dict[Any, Any]()
    for level in plan.levels[1:]:
        made_here = level.level not in present
        step = _Step(plan, level, shelf, examined, draft if made_here else None)
        if made_here:
            draft.add_level(level, plan)
        for row, column, block in shard_blocks(level, plan):
            below = [] if level.level - 1 in present else _shards_below(plan, level, (row, column))
            tasks[level.level, row, column] = (step, row, column, block, below)
    _compute(tasks, sum(at.size.in_tiles(plan.tile_edge).area for at in plan.levels[1:]), progress)
    _examine_rest(plan, shelf, examined)
    return examined


def _shards_below(
    plan: PyramidPlan, level: StoredLevel, place: tuple[int, int]
) -> list[tuple[int, int, int]]:
    """Keys of the (up to four) shards that a shard is made from, if they are tasks too."""
    (row, column), finer = place, level.level - 1
    grid = plan.levels[finer].size.in_tiles(plan.tile_edge * plan.shard_tiles)
    return [
        (finer, y, x)
        for y in range(2 * row, min(2 * row + 2, grid.height))
        for x in range(2 * column, min(2 * column + 2, grid.width))
    ]


class _Shelf:
    """Opens shards of one pyramid, wherever their level lies now."""

    def __init__(self, plan: PyramidPlan, path: ShardPath) -> None:
        self._plan, self._path = plan, path

    def tiles(self, level: int) -> _LevelTiles:
        """A level's tiles for one task; its few shards are closed with it."""
        grid = self._plan.levels[level].size.in_tiles(self._plan.tile_edge)
        return _LevelTiles(self._path, level, self._plan.shard_tiles, (grid.width, grid.height))


class _LevelTiles:
    def __init__(self, path: ShardPath, level: int, per: int, grid: tuple[int, int]) -> None:
        self._path, self._level, self._per, self._grid = path, level, per, grid
        self._shards = dict[tuple[int, int], Shard | None]()

    def holds(self, column: int, row: int) -> bool:
        """True for places inside the level."""
        return column < self._grid[0] and row < self._grid[1]

    def tile(self, column: int, row: int) -> bytes | None:
        """A tile's stored bytes, None where it is absent."""
        per = self._per
        key = row // per, column // per
        if key not in self._shards:
            self._shards[key] = Shard.open(self._path(self._level, *key), per * per)
        shard = self._shards[key]
        return None if shard is None else shard.chunk((row % per) * per + column % per)


@dataclass(frozen=True)
class _Step:
    """From one level to the next coarser: made when it is missing, compared when it is there."""

    plan: PyramidPlan
    level: StoredLevel
    shelf: _Shelf
    examined: Examined
    draft: PyramidDraft | None
    """Where the level is made; None when it is there."""

    def __call__(self, row: int, column: int, block: TileBlock, _below: Any) -> int:  # noqa: ANN401
        """One shard; its tiles."""
        pictures = self._pictures(block)
        if self.draft is not None:
            self._make(pictures, self.draft, (self.level.level, row, column), block)
        elif self.level.origin is LevelOrigin.DERIVED:
            deque(pictures, maxlen=0)  # made by a run that was killed: the tiles below are hashed
        else:
            self._compare(pictures)
        return block.columns * block.rows

    def _pictures(self, block: TileBlock) -> Iterator[tuple[tuple[int, int], Pixels | None]]:
        """Each place of a block with its pixels out of the finer level, whose tiles are hashed."""
        finer = self.plan.levels[self.level.level - 1]
        below = self.shelf.tiles(finer.level)
        for x, y in block.places():
            children = [_child(below, self.examined, finer.level, at) for at in _four(x, y)]
            pixels, damaged = parent_pixels(children, self.plan.tile_edge, finer, (x, y))
            if damaged:
                self._note_damaged(finer, children, (x, y))
            yield (x, y), pixels

    def _note_damaged(
        self, finer: StoredLevel, children: list[bytes | None], place: tuple[int, int]
    ) -> None:
        for at, child in zip(_four(*place), children, strict=True):
            if child is not None and not _decodes(child, finer, self.plan.tile_edge):
                self.examined.damaged.append((finer.level, *at))

    def _make(
        self,
        pictures: Iterator[tuple[tuple[int, int], Pixels | None]],
        draft: PyramidDraft,
        place: tuple[int, int, int],
        block: TileBlock,
    ) -> None:
        per = self.plan.shard_tiles
        if _is_whole(draft.shard_path(*place), per):
            deque(pictures, maxlen=0)
            return
        chunks: list[Chunk | None] = [
            None if pixels is None else (encode_tile(pixels, self.level.encoding),)
            for _, pixels in pictures
        ]
        draft.write_shard(place, block, chunks, per)

    def _compare(self, pictures: Iterator[tuple[tuple[int, int], Pixels | None]]) -> None:
        edge, own = self.plan.tile_edge, self.shelf.tiles(self.level.level)
        blank = np.full((edge, edge, 3), WHITE, np.uint8)
        levels = self.level.level, _source_below(self.plan, self.level)
        for place, made in pictures:
            stored = own.tile(*place)
            if made is None and stored is None:
                continue
            try:
                shown = blank if stored is None else decode_tile(stored, self.level.encoding, edge)
            except Damaged:
                continue  # told of when it is itself the finer level
            picture = blank if made is None else made
            found = differing_tiles(picture, shown, self.level.size, place, levels)
            self.examined.differing.extend(found)


def _four(column: int, row: int) -> list[tuple[int, int]]:
    """Places of the four tiles below one."""
    return [(2 * column + i, 2 * row + j) for j in (0, 1) for i in (0, 1)]


def _child(
    tiles: _LevelTiles, examined: Examined, level: int, place: tuple[int, int]
) -> bytes | None:
    """A tile's bytes, its digest noted."""
    if not tiles.holds(*place):
        return None
    data = tiles.tile(*place)
    digest = ABSENT_LEAF if data is None else leaf(data)
    examined.digests[level][place[1], place[0]] = np.frombuffer(digest, np.uint8)
    return data


def _source_below(plan: PyramidPlan, level: StoredLevel) -> int:
    """The next finer level that the scanner delivered."""
    return max(
        at.level for at in plan.levels[: level.level] if at.origin is not LevelOrigin.DERIVED
    )


def _decodes(data: bytes, level: StoredLevel, edge: int) -> bool:
    try:
        decode_tile(data, level.encoding, edge)
    except Damaged:
        return False
    return True


def _examine_rest(plan: PyramidPlan, shelf: _Shelf, examined: Examined) -> None:
    """Tiles that lie under no other: the top level, slivers of levels that were rounded up."""
    for level in plan.levels:
        tiles, digests = shelf.tiles(level.level), examined.digests[level.level]
        for row, column in np.argwhere(~digests.any(axis=2)).tolist():
            data = _child(tiles, examined, level.level, (column, row))
            if data is not None and not _decodes(data, level, plan.tile_edge):
                examined.damaged.append((level.level, column, row))


def _is_whole(path: Path, per: int) -> bool:
    """A shard with a sound index was finished before: it got its name only when whole."""
    try:
        return Shard.open(path, per * per) is not None
    except StoreDamaged:
        return False


def _compute(tasks: dict[Any, Any], total: int, progress: Progress) -> None:
    """Run the graph, telling of every finished shard."""
    done = 0

    def tell(_key: Any, tiles: int, *_rest: Any) -> None:  # noqa: ANN401
        nonlocal done
        done += tiles
        progress(done, total)

    progress(0, total)
    with Callback(posttask=tell):  # type: ignore[no-untyped-call]
        dask.threaded.get(tasks, list(tasks))
