"""How far out of focus tissue is, in µm, cell by cell (about 128 µm).

The radius of the disk over which a point of light is spread; 1.1 µm a µm of defocus at NA 0.75.
Measured at the working level only: at 2 µm a pixel a blur of 1.5 µm can hardly be seen (qc: scale
decides, not the model). Trained on synthetic defocus; a finding is never more than a look until a
site has validated the check.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.quality.check import CELL, CellGrid, CellMap, Cells, Field, Measured, NotEvaluated
from processing.quality.focus_features import Block, features
from processing.quality.focus_model import REF, focus_model
from processing.quality.slide_view import WORKING_UM, SlideView
from storage.records.quality import Basis, Spot

BAD_UM = 1.5
"""From here on a cell counts as out of focus."""
LEAST_TISSUE = 0.25
"""The part of a cell that is tissue from which it is measured."""
STEP_UM = 0.05
_MOST_SPOTS = 20


class Focus:
    """`focus.radius`."""

    id, version, basis, unit = "focus.radius", "1", Basis.MODEL, "um"

    def begin(self, slide: SlideView) -> FocusLook:
        """Begin to look. Errors: NotEvaluated where a pixel's size is unknown or too large."""
        if slide.um is None:
            raise NotEvaluated("mpp_unknown")
        if slide.um > WORKING_UM:
            raise NotEvaluated("too_coarse")
        return FocusLook(slide)


class FocusLook:
    """Of one slide."""

    def __init__(self, slide: SlideView) -> None:
        self._slide, self._model = slide, focus_model()
        size = slide.working_size
        columns, rows = -(-size.width // CELL), -(-size.height // CELL)
        self._radii, self._tissue = CellGrid(columns, rows), CellGrid(columns, rows)
        self._shown = 0.0

    def see(self, seen: Field) -> None:
        """Measure all cells of a field that hold enough tissue."""
        self._shown += float(seen.tissue.sum())
        enough = seen.tissue >= LEAST_TISSUE
        if not enough.any():
            return
        block = Block(seen.left, seen.top, seen.columns, seen.rows)
        radii = self._model.radius(features(seen.pixels, block, seen.um))
        for row, column in np.argwhere(enough).tolist():
            self._radii.put(seen, row, column, float(radii[row, column]))
            self._tissue.put(seen, row, column, float(seen.tissue[row, column]))

    def end(self) -> Measured:
        """What the radii come to. Errors: NotEvaluated where no cell holds enough tissue."""
        radii, slide = self._radii.values, self._slide
        known = radii[np.isfinite(radii)]
        if not len(known) or slide.um is None:
            raise NotEvaluated("no_tissue")
        bad = np.nan_to_num(radii) >= BAD_UM
        tissue = np.nan_to_num(self._tissue.values)
        area = tissue * (slide.um * CELL / 1000) ** 2
        spots = _spots(bad, radii, area, slide)
        p50, p95 = np.percentile(known, (50, 95)).tolist()
        figures = {
            "bad_area_pct": round(100 * float(tissue[bad].sum() / tissue.sum()), 2),
            "p50": round(p50, 2),
            "p95": round(p95, 2),
            "largest_bad_mm2": max((spot.area_mm2 or 0 for spot in spots), default=0.0),
            "measured_pct": round(100 * float(tissue.sum()) / self._shown, 1),
        }
        drawn = CellMap(radii, CELL << slide.working, STEP_UM)
        return Measured(figures, drawn, spots, ("synthetic",), REF)


def _spots(bad: NDArray[np.bool_], radii: Cells, area: Cells, slide: SlideView) -> tuple[Spot, ...]:
    """The largest regions of bad cells by mm² of tissue; boxes in pixels of level 0."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bad.astype(np.uint8), connectivity=8)
    areas = np.bincount(labels.ravel(), area.ravel(), count)
    largest = 1 + np.argsort(-areas[1:], kind="stable")[:_MOST_SPOTS]
    side, spots = CELL << slide.working, []
    for number in largest.tolist():
        column, row, columns, rows = stats[number, :4].tolist()
        x, y = column * side, row * side
        width = min(columns * side, slide.size.width - x)
        height = min(rows * side, slide.size.height - y)
        most = round(float(radii[labels == number].max()), 2)
        spots.append(Spot((x, y, width, height), round(float(areas[number]), 4), most))
    return tuple(spots)
