"""The overview camera's picture of the whole glass: where tissue is on it, and what is not glass.

Nothing is known of such a picture but that it shows about the width of a glass: cameras add a
label, the black holder, reflections at its edges, and the frame that was scanned drawn in colour.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from processing import jpeg
from processing.jpeg import Pixels
from storage.errors import Damaged

Mask = NDArray[np.bool_]
_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_PIXELS = 2**26
_GLASS_MM = 25.5
"""The short side of a glass, as far as pictures show it: ISO 8037-1 says 25 to 26 mm."""
_LEAST_OD = 0.06
_BLACK = 70
"""Grey levels of the brightest colour up to which something is holder, print or shadow."""
_DRAWN = 20
"""Grey levels by which green exceeds both others, or blue red, in no stain but in drawn lines."""
_BLUE = 90
_UNLIKE = 12
SMALLEST_MM2 = 0.25
"""Of a piece of tissue; what is smaller cannot be told from dust on such a picture."""
_THIN = 0.35
"""mm"""
_NARROW_MM, _GLASS_LONG_MM, _GREY = 1.2, 20.0, 0.3
"""The edge of a glass or coverslip is narrow, and grey or longer than any biopsy."""
_LABEL_PART = 0.42
"""A label ends before this part of the glass, seen from its end."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Tissue on the overview, [row, column], its density, and about how large a pixel is."""

    tissue: Mask
    density: NDArray[np.float32]
    """Decadic, of the most absorbed colour."""
    per_mm: float
    """Pixels along a millimetre if the short side is that of a glass: right by a fifth."""


def decode_picture(data: bytes) -> Pixels | None:
    """RGB of a PNG or JPEG, [row, column, 3]; None for what is neither, damaged or too large."""
    try:
        if data.startswith(_PNG):
            width, height = struct.unpack(">II", data[16:24].ljust(8, b"\0"))
        else:
            width, height = jpeg.frame_size(data)
        if not 0 < width * height <= _MOST_PIXELS:
            return None
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except (cv2.error, Damaged):
        return None
    return None if found is None else np.asarray(cv2.cvtColor(found, cv2.COLOR_BGR2RGB), np.uint8)


def read_overview(pixels: Pixels) -> Overview:
    """Find the tissue on the picture of a glass, [row, column, 3]."""
    short = min(pixels.shape[:2])
    per_mm = short / _GLASS_MM
    upright = pixels.shape[0] > pixels.shape[1]
    lying = np.ascontiguousarray(np.rot90(pixels)) if upright else pixels
    glass = _glass(lying)
    densities = _densities(lying, glass)
    density: NDArray[np.float32] = densities.max(axis=2)
    mask = (density > _LEAST_OD) & ~_no_tissue(lying, glass, per_mm)
    size = max(2, round(0.12 * per_mm))
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((size, size)))
    tissue = _pieces(np.asarray(opened, np.uint8), densities, per_mm)
    if upright:
        tissue, density = np.rot90(tissue, -1), np.rot90(density, -1)
    return Overview(np.ascontiguousarray(tissue), np.ascontiguousarray(density), per_mm)


def _glass(pixels: Pixels) -> NDArray[np.float32]:
    """The commonest light colour in the middle of the picture: no label reaches there."""
    height, width = pixels.shape[:2]
    middle = pixels[height // 8 : -(height // 8) or None, round(width * 0.35) : round(width * 0.8)]
    flat = middle.reshape(-1, 3)
    grey = flat.min(axis=1)
    light = grey[grey > 120]
    if not len(light):
        return np.full(3, 245, np.float32)
    counts = np.convolve(np.bincount(light, minlength=256), np.ones(5), "same")
    commonest = int(counts.argmax())
    near = flat[np.abs(grey.astype(int) - commonest) <= 3]
    return np.asarray(np.median(near, axis=0), np.float32)


def _densities(pixels: Pixels, glass: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of each colour against the glass, [row, column, 3]."""
    smooth = cv2.GaussianBlur(pixels, (0, 0), 1.0).astype(np.float32)
    light = np.maximum(smooth, 1) / np.maximum(glass, 1)
    densities: NDArray[np.float32] = -np.log10(np.clip(light, 1e-3, 1))
    return densities


def _no_tissue(pixels: Pixels, glass: NDArray[np.float32], per_mm: float) -> Mask:
    """Label, holder, edges of the glass, lines drawn by the scanner or with a pen."""
    red, green, blue = (pixels[..., band].astype(np.int16) for band in range(3))
    dark = (pixels.max(axis=2) < _BLACK).astype(np.uint8)
    drawn = (green > np.maximum(red, blue) + _DRAWN) | (blue > red + _BLUE)
    near = max(3, round(0.3 * per_mm)) | 1
    # Print and pen are dark in thin lines, a holder in the large; dark tissue is neither.
    wide = max(5, round(1.5 * per_mm)) | 1
    holder = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((wide, wide))) > 0
    other = holder | (_touching_border(dark) > 0) | drawn
    out = cv2.dilate(other.astype(np.uint8), np.ones((near, near))).astype(bool)
    margin = max(2, round(0.4 * per_mm))
    out[:margin], out[-margin:], out[:, :margin], out[:, -margin:] = True, True, True, True
    unlike = (np.abs(pixels.astype(np.float32) - glass).max(axis=2) > _UNLIKE).mean(axis=0)
    left, right = _label_end(unlike, per_mm), _label_end(unlike[::-1], per_mm)
    out[:, : left + near if left else 0] = True
    out[:, out.shape[1] - (right + near if right else 0) :] = True
    return np.asarray(out, bool)


def _pieces(mask: NDArray[np.uint8], densities: NDArray[np.float32], per_mm: float) -> Mask:
    """Without what is too small or too thin for a piece of tissue: dust, hairs, edges."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    thick = np.zeros(count, np.float32)
    np.maximum.at(thick, labels.ravel().astype(np.intp), 2 * depth.ravel())
    area = stats[:, cv2.CC_STAT_AREA]
    keep = (area >= SMALLEST_MM2 * per_mm**2) & (thick >= _THIN * per_mm)
    sides = np.sort(stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]], axis=1) / per_mm
    most, least = densities.max(axis=2), densities.min(axis=2)
    dense = np.bincount(labels.ravel(), most.ravel(), count)
    hue = np.bincount(labels.ravel(), (most - least).ravel(), count) / np.maximum(dense, 1e-6)
    short, long = sides[:, 0], sides[:, 1]
    grey = (short < long / 3) & (hue < _GREY)
    keep &= ~((short < _NARROW_MM) & (grey | (long > _GLASS_LONG_MM)))
    keep[0] = False
    kept: Mask = keep[labels]
    return kept


def _touching_border(dark: NDArray[np.uint8]) -> NDArray[np.uint8]:
    count, labels = cv2.connectedComponents(dark, connectivity=8)
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    touching = np.zeros(count, np.uint8)
    touching[border] = 1
    touching[0] = 0
    found: NDArray[np.uint8] = touching[labels]
    return found


def _label_end(unlike: NDArray[np.float64], per_mm: float) -> int:
    """Columns from this end that are label, where one begins within 2 mm of it; else 0."""
    most = round(len(unlike) * _LABEL_PART)
    covered = np.flatnonzero(unlike[:most] > 0.6)
    if not len(covered) or covered[0] > 2 * per_mm:
        return 0
    gaps = np.flatnonzero(np.diff(covered) > 2 * per_mm)
    return int(covered[gaps[0]] if len(gaps) else covered[-1]) + 1
