"""A tile of the next coarser level from the four below it.

One function serves the pyramid's second phase and tiles made on first sight: the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from processing.jpeg import Pixels
from processing.tile_codec import encode_tile, half_tile
from storage.errors import Damaged
from storage.records.slide import StoredLevel

WHITE = 255


def join_quarters(quarters: Sequence[Pixels | None], edge: int) -> Pixels:
    """Four half-size tiles (top left, top right, bottom left, bottom right) as one tile."""
    half = edge // 2
    tile = np.full((edge, edge, 3), WHITE, np.uint8)
    for at, quarter in enumerate(quarters):
        if quarter is not None:
            y, x = (at // 2) * half, (at % 2) * half
            tile[y : y + half, x : x + half] = quarter
    return tile


def parent_tile(
    children: Sequence[bytes | None], edge: int, finer: StoredLevel, level: StoredLevel
) -> tuple[bytes | None, int]:
    """The tile above four tiles of the `finer` level, and how many of them are damaged.

    None for the tile when all four are absent. A damaged child leaves white, and is counted.
    """
    quarters, damaged = list[Pixels | None](), 0
    for child in children:
        try:
            quarters.append(None if child is None else half_tile(child, finer.encoding, edge))
        except Damaged:
            quarters.append(None)
            damaged += 1
    if all(quarter is None for quarter in quarters):
        return None, damaged
    return encode_tile(join_quarters(quarters, edge), level.encoding), damaged
