"""Phase two: the missing levels are made, and every tile is decoded and hashed on the way.

One Dask task is one shard, which can be repeated without harm; threads, since every codec
here releases the interpreter lock. A tile is read once: its bytes are hashed, its pixels go
into the next coarser level, or are held against it where the scanner delivered that one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import dask.threaded
import numpy as np
from dask.callbacks import Callback
from numpy.typing import NDArray

from processing.comparison import Differing, differing_tiles
from processing.downsample import WHITE, decode_pixels, encode_pixels, parent_pixels
from processing.jpeg import Pixels
from processing.plane_codec import Plane
from processing.source_levels import Progress
from processing.tile_codec import decode_tile
from storage.errors import Damaged, StoreDamaged
from storage.merkle import ABSENT_LEAF, DIGEST_BYTES, leaf
from storage.pyramids import PyramidDraft, shard_blocks
from storage.records.geometry import TileBlock
from storage.records.slide import LevelOrigin, PyramidPlan, StoredLevel
from storage.shards import Chunk, Shard

ShardPath = Callable[[int, int, int, int], Path]
"""Where the shard at (level, row, column) of a channel lies."""
Pictures = Iterator[tuple[tuple[int, int], Pixels | Plane | None]]
"""(column, row) of tiles, each with its pixels made from the finer level."""


@dataclass(frozen=True)
class Examined:
    """What decoding and hashing every tile of a pyramid came to."""

    digests: dict[int, NDArray[np.uint8]]
    """By level: [row, column, 32], the leaves of its tree; channels below one another."""
    damaged: list[tuple[int, int, int]] = field(default_factory=list)
    """(level, column, row) of tiles that cannot be decoded."""
    differing: list[Differing] = field(default_factory=list)

    @classmethod
    def of(cls, plan: PyramidPlan) -> Examined:
        """Room for every tile of a plan."""
        grids = {at.level: at.size.in_tiles(plan.tile_edge) for at in plan.levels}
        return cls(
            {
                level: np.zeros((plan.planes * grid.height, grid.width, DIGEST_BYTES), np.uint8)
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
    shelf = _Shelf(plan, partial(_shard_path, present, published, draft), examined)
    tasks = dict[Any, Any]()
    for level in plan.levels[1:]:
        made_here = level.level not in present
        if made_here:
            draft.add_level(level, plan)
        for channel in range(plan.planes):
            target = draft.plane(channel) if made_here else None
            step = _Step(plan, level, channel, shelf, target)
            for row, column, block in shard_blocks(level, plan):
                place = (channel, row, column)
                below = [] if level.level - 1 in present else _shards_below(plan, level, place)
                tasks[level.level, *place] = (step, row, column, block, below)
    tiles = sum(at.size.in_tiles(plan.tile_edge).area for at in plan.levels[1:])
    _compute(tasks, plan.planes * tiles, progress)
    _examine_rest(plan, shelf)
    return examined


def _shard_path(
    present: Collection[int],
    published: ShardPath,
    draft: PyramidDraft,
    *place: int,
) -> Path:
    level, row, column, channel = place
    if level in present:
        return published(level, row, column, channel)
    return draft.plane(channel).shard_path(level, row, column)


def _shards_below(
    plan: PyramidPlan, level: StoredLevel, place: tuple[int, int, int]
) -> list[tuple[int, int, int, int]]:
    """Keys of the (up to four) shards that a shard is made from, if they are tasks too."""
    (channel, row, column), finer = place, level.level - 1
    grid = plan.levels[finer].size.in_tiles(plan.tile_edge * plan.shard_tiles)
    return [
        (finer, channel, y, x)
        for y in range(2 * row, min(2 * row + 2, grid.height))
        for x in range(2 * column, min(2 * column + 2, grid.width))
    ]


class _Shelf:
    """Hands out the tiles of a pyramid, wherever their level lies now, and notes their digests."""

    def __init__(self, plan: PyramidPlan, path: ShardPath, examined: Examined) -> None:
        self._plan, self._path, self.examined = plan, path, examined

    def tiles(self, level: int, channel: int) -> _LevelTiles:
        """A level's tiles for one task; its few shards are closed with it."""
        grid = self._plan.levels[level].size.in_tiles(self._plan.tile_edge)
        rows = slice(channel * grid.height, (channel + 1) * grid.height)
        return _LevelTiles(
            lambda row, column: self._path(level, row, column, channel),
            self._plan.shard_tiles,
            self.examined.digests[level][rows],
        )


class _LevelTiles:
    def __init__(
        self, path: Callable[[int, int], Path], per: int, digests: NDArray[np.uint8]
    ) -> None:
        self._path, self._per, self.digests = path, per, digests
        self._shards = dict[tuple[int, int], Shard | None]()

    def tile(self, column: int, row: int) -> bytes | None:
        """A tile's stored bytes, None where it is absent."""
        per = self._per
        key = row // per, column // per
        if key not in self._shards:
            self._shards[key] = Shard.open(self._path(*key), per * per)
        shard = self._shards[key]
        return None if shard is None else shard.chunk((row % per) * per + column % per)

    def child(self, column: int, row: int) -> bytes | None:
        """A tile's bytes, its digest noted; None outside the level too."""
        if row >= self.digests.shape[0] or column >= self.digests.shape[1]:
            return None
        data = self.tile(column, row)
        digest = ABSENT_LEAF if data is None else leaf(data)
        self.digests[row, column] = np.frombuffer(digest, np.uint8)
        return data


@dataclass(frozen=True)
class _Step:
    """From one level to the next coarser: made when it is missing, compared when it is there."""

    plan: PyramidPlan
    level: StoredLevel
    channel: int
    shelf: _Shelf
    draft: PyramidDraft | None
    """Where the level is made; None when it is there."""

    def __call__(self, row: int, column: int, block: TileBlock, _below: Any) -> int:  # noqa: ANN401
        """One shard; its tiles."""
        pictures = self._pictures(block)
        if self.draft is not None:
            self._make(pictures, self.draft, (self.level.level, row, column), block)
        elif self.level.origin is LevelOrigin.DERIVED or self.plan.channels is not None:
            deque(pictures, maxlen=0)  # made by a run that was killed: the tiles below are hashed
        else:
            self._compare(pictures)
        return block.columns * block.rows

    def _pictures(self, block: TileBlock) -> Pictures:
        """Each place of a block with its pixels out of the finer level, whose tiles are hashed."""
        finer = self.plan.levels[self.level.level - 1]
        below = self.shelf.tiles(finer.level, self.channel)
        for x, y in block.places():
            children = [below.child(*at) for at in _four(x, y)]
            pixels, damaged = parent_pixels(children, self.plan.tile_edge, finer, (x, y))
            if damaged:
                self._note_damaged(finer, children, (x, y))
            yield (x, y), pixels

    def _note_damaged(
        self, finer: StoredLevel, children: list[bytes | None], place: tuple[int, int]
    ) -> None:
        for at, child in zip(_four(*place), children, strict=True):
            if child is not None and not _decodes(child, finer, self.plan.tile_edge):
                self.shelf.examined.damaged.append((finer.level, *at))

    def _make(
        self, pictures: Pictures, draft: PyramidDraft, place: tuple[int, int, int], block: TileBlock
    ) -> None:
        per = self.plan.shard_tiles
        if _is_whole(draft.shard_path(*place), per):
            deque(pictures, maxlen=0)
            return
        chunks: list[Chunk | None] = [
            None if pixels is None else (encode_pixels(pixels, self.level.encoding),)
            for _, pixels in pictures
        ]
        draft.write_shard(place, block, chunks, per)

    def _compare(self, pictures: Pictures) -> None:
        edge, own = self.plan.tile_edge, self.shelf.tiles(self.level.level, self.channel)
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
            picture = blank if made is None else made.astype(np.uint8, copy=False)
            found = differing_tiles(picture, shown, self.level.size, place, levels)
            self.shelf.examined.differing.extend(found)


def _four(column: int, row: int) -> list[tuple[int, int]]:
    """Places of the four tiles below one."""
    return [(2 * column + i, 2 * row + j) for j in (0, 1) for i in (0, 1)]


def _source_below(plan: PyramidPlan, level: StoredLevel) -> int:
    """The next finer level that the scanner delivered."""
    return max(
        at.level for at in plan.levels[: level.level] if at.origin is not LevelOrigin.DERIVED
    )


def _decodes(data: bytes, level: StoredLevel, edge: int) -> bool:
    try:
        decode_pixels(data, level.encoding, edge)
    except Damaged:
        return False
    return True


def _examine_rest(plan: PyramidPlan, shelf: _Shelf) -> None:
    """Tiles that lie under no other: the top level, slivers of levels that were rounded up."""
    for level in plan.levels:
        for channel in range(plan.planes):
            tiles = shelf.tiles(level.level, channel)
            for row, column in np.argwhere(~tiles.digests.any(axis=2)).tolist():
                data = tiles.child(column, row)
                if data is not None and not _decodes(data, level, plan.tile_edge):
                    shelf.examined.damaged.append((level.level, column, row))


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
