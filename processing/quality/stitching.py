"""Seams: lines along which a scanner laid two stripes or tiles beside each other out of place.

At every pair of neighbouring columns (and rows) the shift along the line is measured by its
gradient: how far the one must slide to look like the other. Tissue slides a little at random, a
seam the same way cell after cell. Every line is looked at, known boundaries of tiles among them.
Source: Lucas and Kanade, IJCAI 1981 (least squares on gradients), for one direction.
"""

from __future__ import annotations

import cv2
import numpy as np

from processing.quality.check import CELL, Field, Measured
from processing.quality.line_spots import spots_of
from processing.quality.lines import Sums, Values, grey_across, lines_in, runs_along
from processing.quality.slide_view import SlideView
from storage.records.quality import Basis

_LEAST = 0.35
"""Working pixels."""
_SURELY = 8.0
_TEXTURE = 2.0
"""Grey levels squared by pixel: less gradient than this on average tells of no place."""


class Stitching:
    """`stitch.shift`."""

    id, version, basis, unit = "stitch.shift", "1", Basis.RULE, "px"

    def begin(self, slide: SlideView) -> StitchingLook:
        """Begin to look."""
        return StitchingLook(slide)


class StitchingLook:
    """Of one slide."""

    def __init__(self, slide: SlideView) -> None:
        self._slide = slide
        self._sums = Sums.both(slide.working_size)

    def see(self, seen: Field) -> None:
        """How neighbouring columns and rows lie to each other."""
        grey = cv2.cvtColor(seen.pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
        for sums in self._sums:
            own, cells = grey_across(seen, grey, sums.vertical)
            if cells and own.shape[1] > 1:
                sums.put(seen, *_shifts(own, cells))

    def end(self) -> Measured:
        """How many seams, and the widest in pixels of level 0."""
        lines = [line for sums in self._sums for line in lines_in(sums, _LEAST, _SURELY)]
        factor = 2**self._slide.working
        widest = max((line.size for line in lines), default=0.0) * factor
        figures = {"seams": len(lines), "largest_px": round(widest, 2)}
        return Measured(figures, spots=spots_of(self._slide, lines, factor))


def _shifts(own: Values, cells: int) -> tuple[Values, Values]:
    """Sums of gradient across times along, and along squared, [cell, pair of columns]."""
    along = np.zeros_like(own)
    along[1:-1] = (own[2:] - own[:-2]) * np.float32(0.5)
    across = own[:, 1:] - own[:, :-1]
    between = (along[:, 1:] + along[:, :-1]) * np.float32(0.5)
    shape = cells, CELL, across.shape[1]
    slope, step = between.reshape(shape), across.reshape(shape)
    top = np.einsum("krc,krc->kc", slope, step)
    bottom = np.einsum("krc,krc->kc", slope, slope)
    flat = (bottom < _TEXTURE * CELL) | runs_along(bottom, np.einsum("krc,krc->kc", step, step))
    top[flat] = bottom[flat] = 0
    return top, bottom
