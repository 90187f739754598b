"""Tiles at half size: each pixel the mean of four, the same rounding for colours and channels.

Apart from the codecs, since reading a slide in needs those and not this (OpenCV is slow to load).
"""

from __future__ import annotations

import cv2
import numpy as np

from processing.jpeg import Pixels
from processing.plane_codec import Plane


def halve(tile: Pixels) -> Pixels:
    """Colours of even size at half size."""
    size = tile.shape[1] // 2, tile.shape[0] // 2
    return cv2.resize(tile, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def halve_plane(plane: Plane) -> Plane:
    """One channel at half size, in full depth; halves rounded up."""
    size = plane.shape[1] // 2, plane.shape[0] // 2
    halved: Plane = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return halved
