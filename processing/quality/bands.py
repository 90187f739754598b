"""Steps of brightness along straight lines: a lamp that flickers, a stripe that was lit less.

What neighbouring columns (and rows) differ by, on a logarithmic scale, is averaged over a cell's
height; tissue differs both ways, a band one way, cell after cell.
"""

from __future__ import annotations

import cv2
import numpy as np

from processing.quality.check import CELL, Field, Measured
from processing.quality.line_spots import spots_of
from processing.quality.lines import Sums, Values, grey_across, lines_in, runs_along
from processing.quality.slide_view import SlideView
from storage.records.quality import Basis

_LEAST = 0.025
_SURELY = 8.0
_MOST = 0.06
"""A pixel's part in the mean is limited to this, so that no edge of a nucleus outweighs a row."""
_FAR = 0.3
_LOG = np.log(np.maximum(np.arange(256, dtype=np.float32), 4))


class Bands:
    """`band.step`."""

    id, version, basis, unit = "band.step", "1", Basis.RULE, "%"

    def begin(self, slide: SlideView) -> BandsLook:
        """Begin to look."""
        return BandsLook(slide)


class BandsLook:
    """Of one slide."""

    def __init__(self, slide: SlideView) -> None:
        self._slide = slide
        self._sums = Sums.both(slide.working_size)

    def see(self, seen: Field) -> None:
        """How bright neighbouring columns and rows are."""
        grey = _LOG[cv2.cvtColor(seen.pixels, cv2.COLOR_RGB2GRAY)]
        for sums in self._sums:
            own, cells = grey_across(seen, grey, sums.vertical)
            if cells and own.shape[1] > 1:
                sums.put(seen, *_steps(own, cells))

    def end(self) -> Measured:
        """How many steps, and the largest in per cent of the light."""
        lines = [line for sums in self._sums for line in lines_in(sums, _LEAST, _SURELY)]
        largest = 100 * float(np.expm1(max((line.size for line in lines), default=0.0)))
        figures = {"steps": len(lines), "largest_pct": round(largest, 2)}
        return Measured(figures, spots=spots_of(self._slide, lines, 100))


def _steps(own: Values, cells: int) -> tuple[Values, Values]:
    """From a mean, one step of Newton towards the middle that outliers do not move (Huber's)."""
    step = (own[:, 1:] - own[:, :-1]).reshape(cells, CELL, -1)
    slope = np.diff(own[:, 1:].reshape(cells, CELL, -1), axis=1)
    fibres = runs_along(
        np.einsum("krc,krc->kc", slope, slope), np.einsum("krc,krc->kc", step, step)
    )
    mean = np.clip(step, -_FAR, _FAR).mean(axis=1)
    step -= mean[:, None]
    inside = np.count_nonzero(np.abs(step) < _MOST, axis=1).astype(np.float32)
    moved = np.clip(step, -_MOST, _MOST).sum(axis=1) / np.maximum(inside, np.float32(CELL / 4))
    return mean + moved, np.where(fibres, 0, 1).astype(np.float32)
