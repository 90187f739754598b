"""The edge of the coverslip, or a crack in it, where it runs over the slide.

Glass takes light from all colours alike, a stain does not: lines are looked for in the colour that
is absorbed least, where an edge is dark and stained tissue is nearly gone. At about 8 µm a pixel.
"""

from __future__ import annotations

import cv2
import numpy as np

from processing.quality.beneath import beneath
from processing.quality.check import CellMap, Measured
from processing.quality.long_lines import (
    LineRule,
    LongLine,
    drawn_lines,
    find_lines,
    length_within,
    spots_of,
)
from processing.quality.pen_rule import density_of
from processing.quality.slide_view import SlideView
from processing.quality.tissue import TissueMask
from storage.records.quality import Basis

_UM = 8.0
"""Taken for a pixel where nobody says what it measures."""
RULE = LineRule(least_mm=2.5)
DARKER = 0.04
"""Decadic density by which a line is darker than what is beside it, in every colour."""
_THIN = 9
"""Pixels: what is wider is no line; a broad edge is found by the lines along it."""
_HALO_UM, _WIDTH_UM = 60.0, 800.0


class Coverslip:
    """`edge.coverslip`."""

    id, version, basis, unit = "edge.coverslip", "1", Basis.RULE, "mm"

    def begin(self, slide: SlideView) -> CoverslipLook:
        """Begin to look."""
        return CoverslipLook(slide)


class CoverslipLook:
    """Of one slide."""

    def __init__(self, slide: SlideView) -> None:
        self._slide = slide

    def end(self) -> Measured:
        """How long the edges are, over tissue and in all."""
        tissue = self._slide.tissue
        um = tissue.um or _UM
        found = edges(tissue, um)
        figures = {
            "over_tissue_mm": round(over_tissue_mm(found, tissue, um), 2),
            "lines": len(found),
            "length_mm": round(sum(line.pixels for line in found) * um / 1000, 2),
        }
        lines = drawn_lines(found, tissue.mask.shape).astype(np.float32)
        drawn = CellMap(lines, 2**tissue.level, classes=("edge",)) if found else None
        return Measured(figures, drawn, spots_of(found, tissue), ("lines_by_rule",))


def edges(tissue: TissueMask, um: float) -> list[LongLine]:
    """Dark lines without colour, `um` µm along a pixel of the overview."""
    least = density_of(tissue.overview, tissue.background).min(axis=2)
    thin = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_THIN, _THIN))
    ridge = least - cv2.morphologyEx(least, cv2.MORPH_OPEN, thin)
    return find_lines(ridge > DARKER, um, RULE)


def over_tissue_mm(found: list[LongLine], tissue: TissueMask, um: float) -> float:
    """How much of the lines has tissue on both sides, in mm."""
    if not found:
        return 0.0
    marks = drawn_lines(found, tissue.mask.shape)
    under = beneath(tissue, marks, um, _WIDTH_UM, _HALO_UM)
    return length_within(found, under) * um / 1000
