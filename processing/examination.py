"""Every tile of a pyramid looked at once: its bytes hashed, decoded, its picture kept as cells.

Cells are what levels are held against each other by: eight by eight means a tile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from processing import jpeg
from processing.comparison import Differing
from processing.downsample import WHITE, decode_pixels
from processing.jpeg import Pixels
from processing.tile_codec import decode_tile
from storage.errors import Damaged
from storage.merkle import ABSENT_LEAF, DIGEST_BYTES, leaf
from storage.records.slide import JpegEncoding, PlaneEncoding, PyramidPlan, StoredLevel
from storage.shards import Shard

ShardPath = Callable[[int, int, int, int], Path]
"""Where the shard at (level, row, column) of a channel lies."""
CELLS = 8
"""Means along each side of a tile."""


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


class Shelf:
    """Hands out the tiles of a pyramid, wherever their level lies now, and keeps what was seen."""

    def __init__(self, plan: PyramidPlan, path: ShardPath) -> None:
        self.plan, self._path, self.examined = plan, path, Examined.of(plan)
        self._cells = dict[int, NDArray[np.uint8]]()

    def keep_cells(self, level: int) -> None:
        """Remember the cells of a level's tiles, since the next coarser one is there to compare."""
        grid = self.plan.levels[level].size.in_tiles(self.plan.tile_edge)
        room = (grid.height, grid.width, CELLS, CELLS, 3)
        self._cells[level] = np.full(room, WHITE, np.uint8)

    def tiles(self, level: int, channel: int) -> LevelTiles:
        """A level's tiles for one task; its few shards are closed with it."""
        at = self.plan.levels[level]
        rows = at.size.in_tiles(self.plan.tile_edge).height
        return LevelTiles(
            lambda row, column: self._path(level, row, column, channel),
            (at, self.plan.tile_edge, self.plan.shard_tiles),
            self.examined.digests[level][channel * rows : (channel + 1) * rows],
            self._cells.get(level),
            self.examined.damaged,
        )


class LevelTiles:
    """Tiles of one level and channel."""

    def __init__(
        self,
        path: Callable[[int, int], Path],
        shape: tuple[StoredLevel, int, int],
        digests: NDArray[np.uint8],
        cells: NDArray[np.uint8] | None,
        damaged: list[tuple[int, int, int]],
    ) -> None:
        self._path, self._digests, self._damaged = path, digests, damaged
        self._level, self._edge, self._per = shape
        self.cells = cells
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
        if row >= self._digests.shape[0] or column >= self._digests.shape[1]:
            return None
        data = self.tile(column, row)
        self._note(data, column, row)
        return data

    def look(self, data: bytes | None, column: int, row: int) -> None:
        """Note a tile that no coarser level will be made from: digest, cells, whether it decodes.

        Channels are only hashed: the next coarser level decodes them.
        """
        self._note(data, column, row)
        if data is None or isinstance(self._level.encoding, PlaneEncoding):
            return
        try:
            small = small_picture(data, self._level, self._edge)
        except Damaged:
            self._damaged.append((self._level.level, column, row))
            return
        if self.cells is not None:
            self.cells[row, column] = cv2.resize(
                small, (CELLS, CELLS), interpolation=cv2.INTER_AREA
            )

    def rest(self) -> None:
        """Look at every tile that nobody has looked at: they lie under no other."""
        for row, column in np.argwhere(~self._digests.any(axis=2)).tolist():
            data = self.child(column, row)
            if data is not None and not decodes(data, self._level, self._edge):
                self._damaged.append((self._level.level, column, row))

    def _note(self, data: bytes | None, column: int, row: int) -> None:
        digest = ABSENT_LEAF if data is None else leaf(data)
        self._digests[row, column] = np.frombuffer(digest, np.uint8)


def small_picture(data: bytes, level: StoredLevel, edge: int) -> Pixels:
    """A tile of colours at about an eighth of its size. Errors: Damaged."""
    if isinstance(level.encoding, JpegEncoding):
        return jpeg.decode_eighth(data, edge)
    tile = decode_tile(data, level.encoding, edge)
    size = (edge // 8, edge // 8)
    return cv2.resize(tile, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def decodes(data: bytes, level: StoredLevel, edge: int) -> bool:
    """True when a tile can be decoded whole."""
    try:
        decode_pixels(data, level.encoding, edge)
    except Damaged:
        return False
    return True
