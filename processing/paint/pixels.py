"""What a picture is here, and the two things done to pictures everywhere."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .noise import Field

Pixels = NDArray[np.uint8]
"""uint8 [rows, columns, 3], RGB."""


def blended(above: Pixels, below: Pixels, cover: Field) -> Pixels:
    """`above` where `cover` is 1, `below` where it is 0; all of one size."""
    return np.asarray(cv2.blendLinear(above, below, cover, 1 - cover), dtype=np.uint8)


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    """As an objective sees them that is too far away; `sigma` in pixels."""
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)


def shrunk(pixels: Pixels, width: int, height: int) -> Pixels:
    """Smaller by averaging the area under each new pixel."""
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
