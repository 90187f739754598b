"""Scratches of a blunt or chipped knife: thin lines across the tissue where it is torn or crowded.

A scratch is lighter than the tissue on both sides of it, or darker in the stain's own colour; it
is long, thin, and does not care for what it crosses. What is dark without colour is an edge of
glass and left to that check. At about 8 µm a pixel.
"""

from __future__ import annotations

import cv2
import numpy as np

from processing.quality.beneath import beneath
from processing.quality.check import CellMap, Measured, NotEvaluated
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
RULE = LineRule(least_mm=1.5, share=0.7, more_than_around=0.5)
LIGHTER, DARKER = 0.12, 0.3
"""Density, summed over the colours, by which a line differs from what is beside it."""
LIGHTER_SHARE = 0.3
"""And the part of the tissue's density that a light line lacks."""
_WITHOUT_COLOUR = 0.88
"""Of what a dark line absorbs, the part that is alike in all colours: more is glass."""
_THIN = 9
"""Pixels: what is wider is a cleft or a fold."""
_HALO_UM, _WIDTH_UM = 24.0, 150.0
_COARSEST_UM = 20.0
"""µm along a pixel of the overview from which a scratch no longer shows."""
_STANDS_MM = 0.75
"""Of a line that lies in tissue at least; less is the rim of the section."""


class Scratch:
    """`edge.scratch`."""

    id, version, basis, unit = "edge.scratch", "1", Basis.RULE, "mm"

    def begin(self, slide: SlideView) -> ScratchLook:
        """Begin to look."""
        return ScratchLook(slide)


class ScratchLook:
    """Of one slide."""

    def __init__(self, slide: SlideView) -> None:
        self._slide = slide

    def end(self) -> Measured:
        """How long the scratches are that cross tissue. Errors: NotEvaluated."""
        tissue = self._slide.tissue
        um = tissue.um or _UM
        if um > _COARSEST_UM:
            raise NotEvaluated("too_coarse")
        found = scratches(tissue, um)
        over = sum(line.pixels for line in found) * um / 1000
        figures = {"over_tissue_mm": round(over, 2), "lines": len(found)}
        lines = drawn_lines(found, tissue.mask.shape).astype(np.float32)
        drawn = CellMap(lines, 2**tissue.level, classes=("scratch",)) if found else None
        return Measured(figures, drawn, spots_of(found, tissue), ("lines_by_rule",))


def scratches(tissue: TissueMask, um: float) -> list[LongLine]:
    """Light and dark lines with tissue on both sides, `um` µm along a pixel of the overview."""
    density = density_of(tissue.overview, tissue.background)
    whole, least = density.sum(axis=2), density.min(axis=2)
    thin = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_THIN, _THIN)).astype(np.uint8)
    beside = cv2.morphologyEx(whole, cv2.MORPH_CLOSE, thin)
    gap = beside - whole
    light = (gap > LIGHTER) & (gap > LIGHTER_SHARE * beside)
    ridge = whole - cv2.morphologyEx(whole, cv2.MORPH_OPEN, thin)
    glass = least - cv2.morphologyEx(least, cv2.MORPH_OPEN, thin)
    dark = (ridge > DARKER) & (3 * glass < _WITHOUT_COLOUR * ridge)
    found = find_lines(light, um, RULE) + find_lines(dark, um, RULE)
    return [line for line in found if _in_tissue(line, tissue, um)]


def _in_tissue(line: LongLine, tissue: TissueMask, um: float) -> bool:
    marks = drawn_lines([line], tissue.mask.shape)
    under = beneath(tissue, marks, um, _WIDTH_UM, _HALO_UM)
    return length_within([line], under) * um / 1000 >= _STANDS_MM
