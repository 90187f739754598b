"""Which frame shows which part of an image: a grid, with holes, or fields laid anywhere.

Source: DICOM PS3.3 C.7.6.17.3 (the order of TILED_FULL), C.8.12.6.1 (positions, 1-based).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.errors import Damaged
from storage.records.geometry import Size

Frames = NDArray[np.int32]
"""Numbers of frames or tiles, or pixels inside one: a level has millions at most."""
_MOST_PIECES = 64
"""Of one tile; fields that overlap on all sides make nine."""


@dataclass(frozen=True)
class Tiles:
    """Tiles numbered row by row, each made of one frame, of several, or of none."""

    grid: Size
    """Columns and rows."""
    firsts: Frames
    """Where in `frames` the pieces of each tile begin, and behind them the number of pieces."""
    frames: Frames
    left: Frames
    """Of each piece in its tile, in pixels, negative where it reaches in from the left."""
    top: Frames

    @cached_property
    def one_each(self) -> Frames | None:
        """Frame numbers [row, column], -1 for a hole; None where frames do not fill tiles."""
        counts = np.diff(self.firsts)
        if counts.max(initial=0) > 1 or self.left.any() or self.top.any():
            return None
        found = np.full(len(counts), -1, np.int32)
        found[counts == 1] = self.frames
        return found.reshape(self.grid.height, self.grid.width)

    @property
    def has_holes(self) -> bool:
        """A tile or more has no frame."""
        return bool(np.diff(self.firsts).min(initial=1) == 0)

    @property
    def sample(self) -> int:
        """Number of a frame there is. Errors: Damaged."""
        if not len(self.frames):
            raise Damaged("every tile of a level is missing")
        return int(self.frames[0])

    def pieces(self, tile: int) -> list[tuple[int, int, int]]:
        """(frame, left, top) of each piece of a tile, the last one on top."""
        own = slice(int(self.firsts[tile]), int(self.firsts[tile + 1]))
        parts = self.frames[own].tolist(), self.left[own].tolist(), self.top[own].tolist()
        return list(zip(*parts, strict=True))


def full_tiles(grid: Size, first: int) -> Tiles:
    """Frames one after the other from `first` on, row by row."""
    none = np.broadcast_to(np.int32(0), grid.area)
    numbers = np.arange(grid.area + 1, dtype=np.int32)
    return Tiles(grid, numbers, numbers[:-1] + np.int32(first), none, none)


def placed_tiles(
    size: Size, tile: Size, frames: NDArray[np.int64], corners: NDArray[np.int64]
) -> Tiles:
    """Frames with their upper left corners [(x, y)] in the image's pixels. Errors: Damaged."""
    x, y = corners[:, 0], corners[:, 1]
    if (corners < 0).any() or (x >= size.width).any() or (y >= size.height).any():
        raise Damaged("a frame lies outside the image")
    grid = Size(-(-size.width // tile.width), -(-size.height // tile.height))
    parts = []
    # A frame that is not on the grid reaches into the tiles right of and below its own.
    for over_x in (0, 1):
        for over_y in (0, 1):
            column, row = x // tile.width + over_x, y // tile.height + over_y
            left, top = x - column * tile.width, y - row * tile.height
            inside = (left + tile.width > 0) & (top + tile.height > 0)
            inside &= (column < grid.width) & (row < grid.height)
            number = row * grid.width + column
            parts.append(np.stack([number, frames, left, top])[:, inside])
    pieces = np.concatenate(parts, axis=1)
    ordered = pieces[:, np.lexsort((pieces[1], pieces[0]))].astype(np.int32)
    number, frame, left, top = ordered
    firsts = np.searchsorted(number, np.arange(grid.area + 1, dtype=np.int32)).astype(np.int32)
    if np.diff(firsts).max(initial=0) > _MOST_PIECES:
        raise Damaged("frames lie over each other many times")
    return Tiles(grid, firsts, frame, left, top)


def paste(out: NDArray[Any], part: NDArray[Any], left: int, top: int) -> None:
    """Lay a picture into another with its corner at (left, top), cut off at the sides."""
    x, y = max(left, 0), max(top, 0)
    right = min(left + part.shape[1], out.shape[1])
    bottom = min(top + part.shape[0], out.shape[0])
    if right > x and bottom > y:
        out[y:bottom, x:right] = part[y - top : bottom - top, x - left : right - left]
