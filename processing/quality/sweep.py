"""One way over a slide for all checks: every field of tissue is decoded once and seen by each."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from processing.quality.check import CELL, Field
from processing.quality.slide_view import SlideView
from storage.records.geometry import Region

_BLOCK = 8
"""Cells along a field."""
HALO = 32
"""Working pixels around a field, as far as the slide goes."""
_THREADS = 2
_AHEAD = 4


def grid_of(slide: SlideView) -> tuple[int, int]:
    """Columns and rows of cells at the working level; the last may be cut by the slide's edge."""
    size = slide.working_size
    return -(-size.width // CELL), -(-size.height // CELL)


def tissue_cells(slide: SlideView) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """The part of every cell that is tissue, [row, column]."""
    columns, rows = grid_of(slide)
    tissue = slide.tissue
    return tissue.by_cells(CELL >> (tissue.level - slide.working), columns, rows)


def fields(slide: SlideView) -> Iterator[Field]:
    """Every block that holds tissue, decoded ahead by threads."""
    share = tissue_cells(slide)
    rows, columns = share.shape
    places = [
        (row, column)
        for row in range(0, rows, _BLOCK)
        for column in range(0, columns, _BLOCK)
        if share[row : row + _BLOCK, column : column + _BLOCK].any()
    ]
    waiting: list[Future[Field]] = []
    with ThreadPoolExecutor(_THREADS, "fields") as threads:
        for row, column in places:
            part = share[row : row + _BLOCK, column : column + _BLOCK]
            waiting.append(threads.submit(_field, slide, row, column, part))
            if len(waiting) > _AHEAD:
                yield waiting.pop(0).result()
        for one in waiting:
            yield one.result()


def _field(
    slide: SlideView,
    row: int,
    column: int,
    share: np.ndarray[tuple[int, int], np.dtype[np.float32]],
) -> Field:
    x, y = column * CELL, row * CELL
    size = slide.working_size
    left, top = min(HALO, x), min(HALO, y)
    right = min(x + share.shape[1] * CELL + HALO, size.width)
    bottom = min(y + share.shape[0] * CELL + HALO, size.height)
    region = Region(x - left, y - top, right - x + left, bottom - y + top)
    pixels = slide.region(slide.working, region)
    um = slide.um if slide.um is not None else float("nan")
    return Field(pixels, x, y, left, top, share.shape[1], share.shape[0], share, um)
