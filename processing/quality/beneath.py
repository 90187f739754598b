"""What lies under marks on the glass: nobody sees through them, so it is told from both sides."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.quality.tissue import TissueMask

Mask = NDArray[np.bool_]
_NEAREST = cv2.INTER_NEAREST
_SMALLER = 4
"""Worked out at this many times the pixel."""


def beneath(tissue: TissueMask, marks: Mask, um: float, width_um: float, halo_um: float) -> Mask:
    """[row, column]: True where there is tissue on both sides of a mark, or where none is.

    Marks take light away as tissue does, so that the mask of tissue holds them too; what lies
    within `halo_um` of one does not count. `width_um` is the widest mark.
    """
    height, width = marks.shape
    small = (-(-width // _SMALLER), -(-height // _SMALLER))
    near = cv2.dilate(marks.astype(np.uint8), _round(halo_um / um))
    bare = (tissue.mask & (near == 0)).astype(np.uint8)
    seen = cv2.resize(bare * 255, small, interpolation=cv2.INTER_AREA) > 127
    um *= _SMALLER
    seen_wide = cv2.morphologyEx(seen.astype(np.uint8), cv2.MORPH_OPEN, _round(halo_um / um))
    around = _round((width_um / 2 + halo_um) / um)
    # What lies beyond the picture is no tissue: a mark along its rim has one side only.
    closed = cv2.erode(cv2.dilate(seen_wide, around), around, borderValue=0)
    full = cv2.resize(np.maximum(closed, seen_wide), (width, height), None, 0, 0, _NEAREST) > 0
    return np.asarray(full, bool)


def _round(radius: float) -> NDArray[np.uint8]:
    side = 2 * max(1, round(radius)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)).astype(np.uint8)
