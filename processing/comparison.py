"""Does a level show what the level it was scanned beside shows: a scanner's word against itself.

A file can have a clean overview above a dead base: tiles that were never written, or written
black. Both are decoded anyway when a pyramid is completed, so they are held against each other.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.downsample import extended
from processing.jpeg import Pixels
from storage.records.geometry import Size

MOST_DIFFERENCE = 12.0
"""Grey levels, mean over a tile. Of ten genuine slides none has more than 3.4 anywhere."""
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


def differing_tiles(
    made: Pixels, stored: Pixels, size: Size, place: tuple[int, int], levels: tuple[int, int]
) -> list[Differing]:
    """Tiles of the finer level in which two pictures [edge, edge, 3] of one place differ.

    `made` comes from the finer of `levels` (coarser, finer), `stored` is what the coarser one
    holds at `place` (column, row); `size` is that level's.
    """
    edge, (coarser, finer) = made.shape[0], levels
    across = 1 << (coarser - finer)
    real = size.width - place[0] * edge, size.height - place[1] * edge
    shown = extended(stored, *(min(side, edge) for side in real))
    apart, limit = _differences(made, shown, across)
    footprint = edge / across
    return [
        Differing(finer, place[0] * across + x, place[1] * across + y, coarser, float(apart[y, x]))
        for y, x in np.argwhere(apart > limit).tolist()
        if x * footprint < real[0] and y * footprint < real[1]
    ]


def _differences(
    made: Pixels, shown: Pixels, across: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean absolute difference in each of `across` x `across` footprints, and the most allowed."""
    cells = max(1, min(_CELLS, made.shape[0] // across // _SMALLEST_CELL))
    side = across * cells
    means = [
        cv2.resize(tile, (side, side), interpolation=cv2.INTER_AREA).astype(np.int16)
        for tile in (made, shown)
    ]
    blocks = (across, cells, across, cells)
    apart = np.abs(means[0] - means[1]).mean(axis=2).reshape(blocks).mean(axis=(1, 3))
    light = means[1].mean(axis=2).reshape(blocks)
    plain = light.max(axis=(1, 3)) - light.min(axis=(1, 3)) < _PLAIN
    return apart, np.where(plain, MOST_OFFSET, MOST_DIFFERENCE)
