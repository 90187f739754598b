"""Ink of a pen on the glass: how much of the tissue lies under it, and how much there is at all.

A rule of colours (pen_rule), not a network: one that had learned some colours did not know others.
Seen at about 8 µm a pixel, on the picture the tissue was found on.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.quality.beneath import beneath
from processing.quality.check import CellMap, Measured
from processing.quality.pen_rule import CLASSES, Classes, find_pen
from processing.quality.slide_view import SlideView
from processing.quality.tissue import TissueMask
from storage.records.quality import Basis, Spot

_UM = 8.0
"""Taken for a pixel where nobody says what it measures."""
_HALO_UM, _STROKE_UM = 100.0, 1000.0
"""Around a stroke the shade is no tissue; a stroke is this wide at most."""
_MOST_SPOTS = 50
Mask = NDArray[np.bool_]


class Pen:
    """`pen.area`."""

    id, version, basis, unit = "pen.area", "1", Basis.RULE, "%"

    def begin(self, slide: SlideView) -> PenLook:
        """Begin to look."""
        return PenLook(slide)


class PenLook:
    """Of one slide."""

    def __init__(self, slide: SlideView) -> None:
        self._slide = slide

    def end(self) -> Measured:
        """The part of the tissue under ink in per cent, and all ink in mm²."""
        tissue = self._slide.tissue
        pen = find_pen(tissue.overview, tissue.background, tissue.um or _UM)
        ink = pen > 0
        under, real = under_ink(tissue, ink)
        area = None if tissue.um is None else (tissue.um / 1000) ** 2
        share = 100 * float(under.sum()) / max(float(real.sum()), 1.0)
        figures = {
            "area_pct": round(min(share, 100.0), 3),
            "pen_mm2": None if area is None else round(float(ink.sum()) * area, 3),
            "colours": " ".join(
                word for number, word in enumerate(CLASSES, start=1) if (pen == number).any()
            ),
        }
        drawn = CellMap(pen.astype(np.float32), 2**tissue.level, classes=CLASSES)
        # Blood and red chromogens come close to red ink.
        limits = ("ink_like_stain",) if (pen == 1).any() else ()
        return Measured(figures, drawn if ink.any() else None, _spots(pen, tissue), limits)


def under_ink(tissue: TissueMask, ink: Mask) -> tuple[Mask, Mask]:
    """Ink with tissue beneath it, and all tissue, each [row, column]."""
    if not ink.any():
        return ink, tissue.mask
    um = tissue.um or _UM
    under = beneath(tissue, ink, um, _STROKE_UM, _HALO_UM)
    halo = 2 * max(1, round(_HALO_UM / um)) + 1
    near = cv2.dilate(ink.astype(np.uint8), np.ones((halo, halo), np.uint8)) > 0
    return ink & under, tissue.mask & (under | ~near)


def _spots(pen: Classes, tissue: TissueMask) -> tuple[Spot, ...]:
    cell = 2**tissue.level
    area = None if tissue.um is None else (tissue.um / 1000) ** 2
    _, _, stats, _ = cv2.connectedComponentsWithStats((pen > 0).astype(np.uint8))
    largest = sorted(stats[1:].tolist(), key=lambda at: -at[cv2.CC_STAT_AREA])
    return tuple(
        Spot(
            (x * cell, y * cell, width * cell, height * cell),
            None if area is None else round(pixels * area, 4),
        )
        for x, y, width, height, pixels in largest[:_MOST_SPOTS]
    )
