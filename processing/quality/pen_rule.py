"""Where there is ink of a pen: what no mixture of stains looks like, or what no light passes.

A stain's colour is the share each of red, green and blue has in its optical density. The shares of
everything stained lie in a polygon whose corners come from sections without ink; ink of a felt tip
lies outside. No colour of ink has a threshold of its own, so one that was never seen is found too,
as long as it is not that of a stain. Black has no colour: it is found by how dark and wide it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.jpeg import Pixels

CLASSES = ("red", "green", "blue", "black")
"""What 1, 2, ... stand for: a pen has the colour that its ink lets through."""
BLACK = 4
STAINED = (
    (0.51, 0.13), (0.48, 0.21), (0.12, 0.57), (0.12, 0.34), (0.11, 0.30), (0.09, 0.20),
    (0.28, 0.11),
)  # fmt: skip
"""Shares of (red, blue) in the density of all that is stained, seen at 8 µm a pixel: haematoxylin,
brown chromogen, eosin and their mixtures, as in the clean pictures of benchmarks/quality."""
_STEPS = 255
_BLUR = 1.0
_UNDRAWN = 4
"""Grey levels below which a scanner has drawn nothing: ink lets more light through than that."""
_UNDRAWN_AROUND = 7
_STAINED, _AROUND_UM, _TOO_LITTLE, _NOT_LIGHTER = 0.15, 750.0, 0.02, 0.05
_NEUTRAL = 0.45
"""Black absorbs all colours alike: the least is not this much less than the most."""


@dataclass(frozen=True, slots=True)
class PenRule:
    """From when on something is ink; densities are decadic."""

    outside: float = 0.03
    """How far from the shares of stains at least one pixel of a stroke is."""
    outside_faint: float = 0.0
    """And how far every pixel that hangs together with it."""
    density: float = 0.6
    """The sum over the three colours, of at least one pixel of a stroke."""
    density_faint: float = 0.25
    black: float = 0.8
    """The least of the three colours in the middle of a black stroke: a sixth of the light."""
    black_faint: float = 0.3
    black_wide_um: float = 100.0
    """Black ink is this wide somewhere: folds, edges of glass and pigment are narrower."""
    least_mm2: float = 0.02
    least_sure: float = 0.1
    """The part of a stroke that is ink by itself, not by what it hangs together with: eosin and
    blood have a few such pixels among many."""
    inside_over_tissue: float = 0.1
    """Ink over tissue has the shares of both: as far among those of stains as this it is looked
    for where a stroke goes on,"""
    density_over_tissue: float = 0.15
    """if it is this much denser than the tissue around it."""
    share_over_tissue: float = 0.2
    """The part of a stroke that was found without this."""


RULE = PenRule()
Density = NDArray[np.float32]
Classes = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def density_of(pixels: Pixels, background: tuple[float, float, float]) -> Density:
    """Decadic optical density of each colour [row, column, 3], against the light of the glass."""
    shade = cv2.GaussianBlur(pixels, (0, 0), _BLUR)
    levels = np.arange(256, dtype=np.float32)[:, None]
    light = np.clip(levels / np.maximum(np.array(background, np.float32), 1), 1e-3, 1)
    table = -np.log10(np.maximum(light, 1 / 255)).astype(np.float32)
    return np.stack([table[shade[..., at], at] for at in range(3)], axis=-1)


def find_pen(
    pixels: Pixels, background: tuple[float, float, float], um: float, rule: PenRule = RULE
) -> Classes:
    """0 or the number of a colour for every pixel [row, column]; `um` µm along a pixel."""
    return classes_of(density_of(pixels, background), _drawn(pixels), um, rule)


def classes_of(density: Density, drawn: Mask, um: float, rule: PenRule) -> Classes:
    """As `find_pen`, of densities."""
    least = max(4, round(rule.least_mm2 / (um / 1000) ** 2))
    out = np.zeros(density.shape[:2], np.uint8)
    whole = density.sum(axis=2)
    far = _outside(density, whole)
    faint = (far > rule.outside_faint) & (whole > rule.density_faint) & drawn
    sure = faint & (far > rule.outside) & (whole > rule.density)
    ink = _hanging_together(faint, sure, least, rule.least_sure)
    if ink.any():
        ink = _gone_on(density, ink, (far > -rule.inside_over_tissue) & drawn, um, rule)
    out[ink] = density[ink].argmin(axis=1) + 1
    black = _black(density, drawn, um, rule)
    out[_hanging_together(black[0], black[1], least, 0.0) & ~ink] = BLACK
    return out


def _gone_on(density: Density, ink: Mask, maybe: Mask, um: float, rule: PenRule) -> Mask:
    """Strokes with the parts of them that lie over tissue."""
    added = density - _around(density, ink, um)
    more = maybe & (added.sum(axis=2) > rule.density_over_tissue)
    more &= (added.min(axis=2) > -_NOT_LIGHTER) & (density.sum(axis=2) > rule.density_faint)
    count, labels = cv2.connectedComponents((more | ink).astype(np.uint8))
    found = np.bincount(labels[ink], minlength=count)
    keep = found > rule.share_over_tissue * np.bincount(labels.ravel(), minlength=count)
    keep[0] = False
    grown: Mask = keep[labels]
    return grown | ink


def _around(density: Density, ink: Mask, um: float) -> Density:
    """The mean density of the tissue around each pixel, without the ink; nothing on glass."""
    near = cv2.dilate(ink.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    tissue = ((density.sum(axis=2) > _STAINED) & ~near).astype(np.float32)
    side = 2 * max(1, round(_AROUND_UM / um)) + 1
    share = cv2.blur(tissue, (side, side))[..., None]
    mean = cv2.blur(density * tissue[..., None], (side, side)) / np.maximum(share, 1e-6)
    around: Density = np.where(share < _TOO_LITTLE, np.float32(0), mean)
    return around


def _black(density: Density, drawn: Mask, um: float, rule: PenRule) -> tuple[Mask, Mask]:
    low, high = density.min(axis=2), density.max(axis=2)
    faint = (low > rule.black_faint) & (high - low < _NEUTRAL * high) & drawn
    dark = (faint & (low > rule.black)).astype(np.uint8)
    depth = cv2.distanceTransform(dark, cv2.DIST_L2, 3)
    return faint, depth * 2 * um > rule.black_wide_um


def _drawn(pixels: Pixels) -> Mask:
    """Not what the scanner left black, nor the shade around it that comes from making it small."""
    left_out = (pixels.max(axis=2) < _UNDRAWN).astype(np.uint8)
    wide = np.ones((_UNDRAWN_AROUND, _UNDRAWN_AROUND), np.uint8)
    core = cv2.erode(left_out, wide, borderValue=1)
    around = np.ones((2 * _UNDRAWN_AROUND + 1, 2 * _UNDRAWN_AROUND + 1), np.uint8)
    drawn: Mask = cv2.dilate(core, around) == 0
    return drawn


def _outside(density: Density, whole: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far the shares of a pixel are from those of stains; negative among them."""
    scale = _STEPS / np.maximum(whole, 1e-3)
    red = (density[..., 0] * scale).astype(np.intp)
    blue = (density[..., 2] * scale).astype(np.intp)
    far: NDArray[np.float32] = _table()[red, blue]
    return far


@cache
def _table() -> NDArray[np.float32]:
    """[share of red, share of blue] in steps of 1/255: the distance from the polygon of stains."""
    corners = np.array(STAINED, np.float32).reshape(-1, 1, 2)
    steps = (np.arange(_STEPS + 2) + 0.5) / _STEPS
    return np.array(
        [
            [-cv2.pointPolygonTest(corners, (float(red), float(blue)), True) for blue in steps]
            for red in steps
        ],
        np.float32,
    )


def _hanging_together(faint: Mask, sure: Mask, least: int, share: float) -> Mask:
    """Parts of `faint` that are not small, and sure to `share` and somewhere at least."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(faint.astype(np.uint8))
    area = stats[:, cv2.CC_STAT_AREA]
    found = np.bincount(labels[sure & faint], minlength=count)
    keep = (area >= least) & (found > 0) & (found >= share * area)
    keep[0] = False
    kept: Mask = keep[labels]
    return kept
