"""Tiles that are not there, cannot be decoded, or are of one colour where there is tissue around.

Exact: every tile of level 0 over tissue is looked at. A scanner that skips glass leaves tiles out
on purpose; only where the tissue found on the coarser level says there should be one does it count.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processing.quality.check import CellMap, Field, Measured
from processing.quality.slide_view import SlideView, is_damaged
from storage.records.quality import Basis, Spot

_TISSUE = 0.25
"""The part of a tile that is tissue from which an empty one is missed."""
_PRESENT, _MISSING, _DAMAGED = 0, 1, 2


class MissingTiles:
    """`tiles.missing`."""

    id, version, basis, unit = "tiles.missing", "1", Basis.EXACT, "mm2"
    wants_fields = False

    def begin(self, slide: SlideView) -> MissingTilesLook:
        """Begin to look."""
        return MissingTilesLook(slide)


class MissingTilesLook:
    """Of one slide."""

    def __init__(self, slide: SlideView) -> None:
        self._slide = slide

    def see(self, seen: Field) -> None:
        """Nothing: the stored bytes tell."""

    def end(self) -> Measured:
        """How many are missing, and how much tissue that is."""
        slide, edge = self._slide, self._slide.edge
        grid = slide.size.in_tiles(edge)
        tissue = slide.tissue
        share = tissue.by_cells(max(edge >> tissue.level, 1), grid.width, grid.height)
        state = np.zeros((grid.height, grid.width), np.float32)
        for row, column in np.argwhere(share > 0).tolist():
            state[row, column] = self._state(column, row, float(share[row, column]))
        spots = tuple(_spots(state, edge, slide.mpp))
        missing, damaged = int((state == _MISSING).sum()), int((state == _DAMAGED).sum())
        side = None if slide.mpp is None else slide.mpp * edge / 1000
        figures = {
            "missing": missing,
            "damaged": damaged,
            "missing_mm2": float(missing) if side is None else round(missing * side**2, 4),
        }
        drawn = CellMap(state, edge, classes=("missing", "damaged"))
        return Measured(figures, drawn if missing or damaged else None, spots)

    def _state(self, column: int, row: int, share: float) -> int:
        slide = self._slide
        level = min(slide.present)
        data = slide.read_tile(level, column, row)
        if data is None:
            return _MISSING if share >= _TISSUE else _PRESENT
        return _DAMAGED if is_damaged(slide, level, column, row) else _PRESENT


def _spots(state: NDArray[np.float32], edge: int, mpp: float | None) -> list[Spot]:
    area = None if mpp is None else (mpp * edge / 1000) ** 2
    return [
        Spot((column * edge, row * edge, edge, edge), area)
        for row, column in np.argwhere(state > 0)[:200].tolist()
    ]
