"""Patches of a slide at the µm per pixel that a model asks for.

A target pixel is `mpp` µm along; (0, 0) lies at the slide's corner, and what lies beside the slide
is white. Read from the level that is just fine enough, then shrunk by less than two: the same
pixels come out wherever a patch begins.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from processing.jpeg import Pixels
from processing.quality.slide_view import SlideView
from storage.errors import Refused
from storage.records.geometry import Region

_CLOSE = 1.1
"""As much coarser than asked for a slide may be."""
_WHITE = 255
_MARGIN = 2
_PARTS = 32


@dataclass(frozen=True, slots=True)
class Target:
    """The slide as the model will see it."""

    mpp: float
    level: int
    step: float
    """Pixels of that level along a target pixel, 1 to 2 (or a little less)."""
    width: int
    height: int
    scale: float
    """Level-0 pixels along a target pixel."""


def target_of(slide: SlideView, mpp: float) -> Target:
    """Errors: Refused where the slide's pixel size is unknown or too coarse."""
    if slide.mpp is None:
        raise Refused("mpp_unknown")
    scale = mpp / slide.mpp
    if scale < 1 / _CLOSE:
        raise Refused("mpp_too_coarse")
    level = max(0, int(np.floor(np.log2(scale) + 1e-6)))
    step = scale / 2**level
    size = slide.size
    return Target(
        mpp, level, step, int(np.ceil(size.width / scale)), int(np.ceil(size.height / scale)), scale
    )


def patch(slide: SlideView, at: Target, x: int, y: int, edge: int) -> Pixels:
    """RGB [edge, edge, 3] from target pixel (x, y). Errors: Damaged."""
    size = slide.size.at_level(at.level)
    left, top = (int(np.floor(value * at.step)) - _MARGIN for value in (x, y))
    extent = int(np.ceil(edge * at.step)) + 2 * _MARGIN + 1
    source = np.full((extent, extent, 3), _WHITE, np.uint8)
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + extent, size.width), min(top + extent, size.height)
    if x1 > x0 and y1 > y0:
        seen = slide.region(at.level, Region(x0, y0, x1 - x0, y1 - y0))
        source[y0 - top : y1 - top, x0 - left : x1 - left] = seen
    if abs(at.step - 1) < 1e-6:
        return source[_MARGIN : _MARGIN + edge, _MARGIN : _MARGIN + edge]
    # Middles of pixels onto middles of pixels, in the steps that OpenCV takes (1/32 of a pixel):
    # rounded where they lie on the slide, so that two patches agree on what both show.
    columns, rows = (
        np.round(((start + np.arange(edge) + 0.5) * at.step - 0.5) * _PARTS) / _PARTS - origin
        for start, origin in ((x, left), (y, top))
    )
    across, down = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
    made = cv2.remap(source, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return made.astype(np.uint8, copy=False)
