"""Tiles of all levels in one pass over the painting, in the order they are stored."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import NamedTuple

import numpy as np

from .painting import Painting, tissue_of
from .pixels import Pixels, shrunk
from .tissue import BLOCK, Tissue

TILE = 256
DOWNSAMPLES = (1, 4, 16)
"""Levels as Aperio has them. A block is 4 x 4 tiles of the first and one of the second."""

Progress = Callable[[int, int], None]
"""Called with tiles of level 0 done, and of how many."""

_ACROSS = BLOCK // TILE
_WIDEST_OVERVIEW = 2048
_WHOLE = (-1, -1)
_WORKERS = min(4, os.cpu_count() or 1)


class Level(NamedTuple):
    """Size of one level in its own pixels, and of its grid of tiles."""

    width: int
    height: int
    columns: int
    rows: int


class Frame(NamedTuple):
    """One compressed tile; per level they come row by row."""

    level: int
    data: bytes


def levels_of(painting: Painting) -> tuple[Level, ...]:
    """The levels a painting is stored in."""
    made = []
    for downsample in DOWNSAMPLES:
        width, height = painting.width // downsample, painting.height // downsample
        made.append(Level(width, height, -(-width // TILE), -(-height // TILE)))
    return tuple(made)


class _Done(NamedTuple):
    """What is left of a block: tiles of level 0 by row, the tile above, and two small pictures."""

    tiles: list[list[bytes]]
    quarter: bytes
    sixteenth: Pixels
    overview: Pixels


@dataclass
class Pass:
    """One walk over the painting; when `frames` is through, `overview` is the whole slide."""

    painting: Painting
    encode: Callable[[Pixels], bytes]
    progress: Progress | None = None
    overview: Pixels = field(init=False)
    _tissue: Tissue = field(init=False)
    _glass: dict[tuple[int, int], bytes] = field(init=False, default_factory=dict)
    _shrink: int = field(init=False, default=1)

    def __post_init__(self) -> None:
        self._tissue = tissue_of(self.painting)
        while max(self.painting.width, self.painting.height) / self._shrink > _WIDEST_OVERVIEW:
            self._shrink *= 2
        columns, rows = _blocks(self.painting)
        edge = BLOCK // self._shrink
        self.overview = np.empty((rows * edge, columns * edge, 3), np.uint8)

    def frames(self) -> Iterator[Frame]:
        """Every tile of every level; memory holds one row of blocks, compressed."""
        full, quarter, sixteenth = levels_of(self.painting)
        columns, rows = _blocks(self.painting)
        strip = self._bare_strip(columns)
        with ThreadPoolExecutor(_WORKERS) as pool:
            for row in range(rows):
                done = list(pool.map(partial(self._block, row=row), range(columns)))
                for offset in range(min(_ACROSS, full.rows - row * _ACROSS)):
                    tiles = chain.from_iterable(block.tiles[offset] for block in done)
                    yield from (Frame(0, tile) for tile in tiles)
                if row < quarter.rows:
                    yield from (Frame(1, block.quarter) for block in done[: quarter.columns])
                self._collect(done, row, strip)
                if row % _ACROSS == _ACROSS - 1 or row == rows - 1:
                    if row // _ACROSS < sixteenth.rows:
                        yield from self._coarse(strip, sixteenth.columns)
                    strip = self._bare_strip(columns)
                if self.progress:
                    finished = min((row + 1) * _ACROSS, full.rows) * full.columns
                    self.progress(finished, full.rows * full.columns)
        height = -(-self.painting.height // self._shrink)
        width = -(-self.painting.width // self._shrink)
        self.overview = self.overview[:height, :width]

    def _block(self, column: int, row: int) -> _Done:
        """Paint one block and keep only what is stored of it; runs beside others of its row."""
        block = self.painting.block(column, row)
        full = levels_of(self.painting)[0]
        tiles = [
            [
                self._encoded(block, (offset, across))
                for across in range(min(_ACROSS, full.columns - column * _ACROSS))
            ]
            for offset in range(min(_ACROSS, full.rows - row * _ACROSS))
        ]
        small = shrunk(block, TILE, TILE)
        edge = BLOCK // self._shrink
        seen = shrunk(block if self._shrink < _ACROSS else small, edge, edge)
        quarter = self._encoded(block, _WHOLE, small)
        return _Done(tiles, quarter, shrunk(small, TILE // _ACROSS, TILE // _ACROSS), seen)

    def _collect(self, done: list[_Done], row: int, strip: Pixels) -> None:
        """Lay the small pictures of a row of blocks where they belong."""
        edge = TILE // _ACROSS
        top = row % _ACROSS * edge
        small = np.hstack([block.sixteenth for block in done])
        strip[top : top + edge, : small.shape[1]] = small
        edge = BLOCK // self._shrink
        self.overview[row * edge : (row + 1) * edge] = np.hstack([b.overview for b in done])

    def _bare_strip(self, columns: int) -> Pixels:
        """One row of tiles of the coarsest level, still empty."""
        wide = -(-columns // _ACROSS) * TILE
        return np.full((TILE, wide, 3), self._tissue.glass[0, 0], np.uint8)

    def _coarse(self, strip: Pixels, columns: int) -> Iterator[Frame]:
        for column in range(columns):
            tile = strip[:, column * TILE : (column + 1) * TILE]
            yield Frame(2, self.encode(np.ascontiguousarray(tile)))

    def _encoded(self, block: Pixels, key: tuple[int, int], pixels: Pixels | None = None) -> bytes:
        """A tile of the block, or `pixels`, compressed; bare glass is compressed only once."""
        bare = block is self._tissue.glass
        if bare and key in self._glass:
            return self._glass[key]
        if pixels is None:
            top, left = key[0] * TILE, key[1] * TILE
            pixels = np.ascontiguousarray(block[top : top + TILE, left : left + TILE])
        data = self.encode(pixels)
        if bare:
            self._glass[key] = data
        return data


def _blocks(painting: Painting) -> tuple[int, int]:
    """Columns and rows of blocks."""
    return -(-painting.width // BLOCK), -(-painting.height // BLOCK)
