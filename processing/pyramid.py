"""Phase two: the missing levels are made, and every tile is decoded and hashed on the way.

One Dask task is one shard, which can be repeated without harm; threads, since every codec
here releases the interpreter lock. A tile is read once: its bytes are hashed, its pixels go
into the next coarser level, or are held against it where the scanner delivered that one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import dask.threaded
import numpy as np
from dask.callbacks import Callback
from numpy.typing import NDArray

from processing.comparison import Placed, differing_tiles
from processing.downsample import WHITE, encode_pixels, parent_pixels
from processing.examination import CELLS, Examined, ShardPath, Shelf, decodes, small_picture
from processing.jpeg import Pixels
from processing.plane_codec import Plane
from processing.source_levels import Progress
from storage.errors import Damaged, StoreDamaged
from storage.pyramids import PyramidDraft, shard_blocks
from storage.records.geometry import TileBlock
from storage.records.slide import LevelOrigin, PyramidPlan, StoredLevel
from storage.shards import Chunk, Shard

Pictures = Iterator[tuple[tuple[int, int], Pixels | Plane | None]]
"""(column, row) of tiles, each with its pixels made from the finer level."""


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
    shelf = Shelf(plan, partial(_shard_path, present, published, draft))
    tasks = dict[Any, Any]()
    for level in plan.levels[1:]:
        made_here = level.level not in present
        if made_here:
            draft.add_level(level, plan)
            if level.level + 1 in present and plan.channels is None:
                shelf.keep_cells(level.level)
        for channel in range(plan.planes):
            target = draft.plane(channel) if made_here else None
            step = _Step(plan, level, channel, shelf, target)
            for row, column, block in shard_blocks(level, plan):
                place = (channel, row, column)
                below = [] if level.level - 1 in present else _shards_below(plan, level, place)
                tasks[level.level, *place] = (step, row, column, block, below)
    tiles = sum(at.size.in_tiles(plan.tile_edge).area for at in plan.levels[1:])
    _compute(tasks, plan.planes * tiles, progress)
    for level, channel in product(plan.levels, range(plan.planes)):
        shelf.tiles(level.level, channel).rest()
    return shelf.examined


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


@dataclass(frozen=True)
class _Step:
    """From one level to the next coarser: made when it is missing, compared when it is there."""

    plan: PyramidPlan
    level: StoredLevel
    channel: int
    shelf: Shelf
    draft: PyramidDraft | None
    """Where the level is made; None when it is there."""

    def __call__(self, row: int, column: int, block: TileBlock, _below: Any) -> int:  # noqa: ANN401
        """One shard; its tiles."""
        if self.draft is not None:
            self._make(self.draft, (self.level.level, row, column), block)
        elif self.level.origin is LevelOrigin.DERIVED or self.plan.channels is not None:
            deque(self._pictures(block), maxlen=0)  # the tiles below are looked at all the same
        else:
            self._compare(block)
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
            if child is not None and not decodes(child, finer, self.plan.tile_edge):
                self.shelf.examined.damaged.append((finer.level, *at))

    def _make(self, draft: PyramidDraft, place: tuple[int, int, int], block: TileBlock) -> None:
        per, pictures = self.plan.shard_tiles, self._pictures(block)
        own = self.shelf.tiles(self.level.level, self.channel)
        if _is_whole(draft.shard_path(*place), per):  # by a run that was killed
            deque(pictures, maxlen=0)
            for at in block.places():
                own.look(own.tile(*at), *at)
            return
        chunks = list[Chunk | None]()
        for at, pixels in pictures:
            data = None if pixels is None else encode_pixels(pixels, self.level.encoding)
            own.look(data, *at)
            chunks.append(None if data is None else (data,))
        draft.write_shard(place, block, chunks, per)

    def _compare(self, block: TileBlock) -> None:
        """Hold a level that the scanner delivered against what the finer one shows."""
        edge, own = self.plan.tile_edge, self.shelf.tiles(self.level.level, self.channel)
        blank = np.full((CELLS, CELLS, 3), WHITE, np.uint8)
        levels = self.level.level, _source_below(self.plan, self.level)
        cells = self.shelf.tiles(self.level.level - 1, self.channel).cells
        pictures = self._pictures(block) if cells is None else _joined(cells, block)
        for place, made in pictures:
            stored = own.tile(*place)
            if made is None and stored is None:
                continue
            try:
                shown = blank if stored is None else small_picture(stored, self.level, edge)
            except Damaged:
                continue  # told of when it is itself the finer level
            picture = blank if made is None else made.astype(np.uint8, copy=False)
            where = Placed(place, self.level.size, edge, levels)
            self.shelf.examined.differing.extend(differing_tiles(picture, shown, where))


def _joined(cells: NDArray[np.uint8], block: TileBlock) -> Pictures:
    """Each place of a block with the cells of the four tiles below it as one small picture."""
    for x, y in block.places():
        four = cells[2 * y : 2 * y + 2, 2 * x : 2 * x + 2]
        rows, columns = four.shape[:2]
        tile = np.full((2 * CELLS, 2 * CELLS, 3), WHITE, np.uint8)
        picture = four.transpose(0, 2, 1, 3, 4).reshape(rows * CELLS, columns * CELLS, 3)
        tile[: rows * CELLS, : columns * CELLS] = picture
        yield (x, y), tile


def _four(column: int, row: int) -> list[tuple[int, int]]:
    """Places of the four tiles below one."""
    return [(2 * column + i, 2 * row + j) for j in (0, 1) for i in (0, 1)]


def _source_below(plan: PyramidPlan, level: StoredLevel) -> int:
    """The next finer level that the scanner delivered."""
    return max(
        at.level for at in plan.levels[: level.level] if at.origin is not LevelOrigin.DERIVED
    )


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
