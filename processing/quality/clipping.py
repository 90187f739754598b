"""Light that the scanner's numbers could not hold: tissue lit beyond white, or lost in black.

Counted where it costs something: in tissue, a colour at its highest value beside another that
stains took away, or all three at their lowest. White glass is at its limit on many scanners, and
dark DAB at that of its blue; neither counts.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.quality.check import CELL, Field, Measured, NotEvaluated
from processing.quality.slide_view import SlideView
from storage.records.quality import Basis

_STAINED = 0.85
"""Of the glass's light: what lets less through is stained."""
_BLACK = 4
_BRIGHTEST = 255


class Clipping:
    """`clip`: per cent of the tissue."""

    id, version, basis, unit = "clip", "1", Basis.RULE, "%"

    def begin(self, slide: SlideView) -> ClippingLook:
        """Begin to look."""
        return ClippingLook(slide)


class ClippingLook:
    """Of one slide."""

    def __init__(self, slide: SlideView) -> None:
        self._slide = slide
        self._pixels, self._bright, self._black = 0, 0, 0

    def see(self, seen: Field) -> None:
        """Count the pixels of tissue that are at a limit."""
        own = seen.pixels[
            seen.top : seen.top + seen.rows * CELL, seen.left : seen.left + seen.columns * CELL
        ]
        tissue = self._tissue(seen, own.shape[0], own.shape[1])
        red, green, blue = cv2.split(own)
        highest = cv2.max(cv2.max(red, green), blue)
        lowest = cv2.min(cv2.min(red, green), blue)
        stained = lowest < _STAINED * min(self._slide.tissue.background)
        self._pixels += int(np.count_nonzero(tissue))
        self._bright += int(np.count_nonzero(tissue & (highest == _BRIGHTEST) & stained))
        self._black += int(np.count_nonzero(tissue & (highest <= _BLACK)))

    def _tissue(self, seen: Field, height: int, width: int) -> NDArray[np.bool_]:
        mask = self._slide.tissue.mask
        down = self._slide.tissue.level - self._slide.working
        rows = np.minimum((seen.y + np.arange(height)) >> down, mask.shape[0] - 1)
        columns = np.minimum((seen.x + np.arange(width)) >> down, mask.shape[1] - 1)
        found: NDArray[np.bool_] = mask[rows][:, columns]
        return found

    def end(self) -> Measured:
        """The part of the tissue's pixels that is clipped. Errors: NotEvaluated."""
        if not self._pixels:
            raise NotEvaluated("no_tissue")
        bright, black = (100 * at / self._pixels for at in (self._bright, self._black))
        return Measured(
            {
                "clipped_pct": round(bright + black, 3),
                "bright_pct": round(bright, 3),
                "black_pct": round(black, 3),
            }
        )
