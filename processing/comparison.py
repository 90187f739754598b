"""Does a level show what the level it was scanned beside shows: a scanner's word against itself.

A file can have a clean overview above a dead base: tiles that were never written, or written
black. Both are decoded anyway when a pyramid is completed, so they are held against each other.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.jpeg import Pixels
from storage.records.geometry import Size

MOST_DIFFERENCE = 12.0
"""Grey levels, mean over a tile. Of ten genuine slides none has more than 4.0 anywhere."""
MOST_OFFSET = 40.0
"""The same where the coarser level is plain: glass that one level calls white, one light grey."""
_PLAIN = 8.0
"""Grey levels between the darkest and the lightest cell of a plain place."""
_CELLS = 4
"""Along each side of a finer tile's footprint: finer than a tile, coarser than any resampling."""
_SMALLEST_CELL = 16


class Differing(NamedTuple):
    """A tile that does not show what a coarser level shows in its place."""

    level: int
    column: int
    row: int
    coarser: int
    difference: float
    """Grey levels, mean over the tile."""


class Placed(NamedTuple):
    """Where a tile lies: (column, row), level's size, pixels of a side, (level, finer level)."""

    place: tuple[int, int]
    size: Size
    edge: int
    levels: tuple[int, int]


def differing_tiles(made: Pixels, stored: Pixels, at: Placed) -> list[Differing]:
    """Tiles of the finer level in which two square pictures of one place differ.

    `made` comes from the finer level, `stored` is what the coarser one holds; both may be smaller
    than the tile, and of different size. RGB. Where less than a cell of a tile lies inside the
    image, it is not compared.
    """
    coarser, finer = at.levels
    across = 1 << (coarser - finer)
    cells = max(1, min(_CELLS, at.edge // across // _SMALLEST_CELL))
    means = [_means(picture, across * cells) for picture in (made, stored)]
    blocks = (across, cells, across, cells)
    inside = _inside(at, across * cells).reshape(blocks)
    apart = np.abs(means[0] - means[1]).mean(axis=2).reshape(blocks)
    light = means[1].mean(axis=2).reshape(blocks)
    count = inside.sum(axis=(1, 3))
    difference = (apart * inside).sum(axis=(1, 3)) / np.maximum(count, 1)
    darkest = np.where(inside, light, 255).min(axis=(1, 3))
    plain = np.where(inside, light, 0).max(axis=(1, 3)) - darkest < _PLAIN
    limit = np.where(plain, MOST_OFFSET, MOST_DIFFERENCE)
    column, row = at.place[0] * across, at.place[1] * across
    return [
        Differing(finer, column + x, row + y, coarser, float(difference[y, x]))
        for y, x in np.argwhere((difference > limit) & (count > 0)).tolist()
    ]


def _means(picture: Pixels, side: int) -> NDArray[np.int16]:
    """The picture as `side` x `side` means."""
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA).astype(np.int16)


def _inside(at: Placed, side: int) -> NDArray[np.bool_]:
    """Which of the cells lie wholly inside the image: past it scanners write what they like."""
    ends = np.arange(1, side + 1) * at.edge / side
    columns = ends <= at.size.width - at.place[0] * at.edge
    rows = ends <= at.size.height - at.place[1] * at.edge
    inside: NDArray[np.bool_] = rows[:, None] & columns
    return inside
