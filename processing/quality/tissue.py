"""Where there is tissue, whatever the stain: what takes light away, beyond the glass around it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.jpeg import Pixels

_LEAST_OD = 0.06
"""Optical density (decadic, the most absorbed colour) from which something is no glass."""
_SPECK_MM2 = 0.003
_SPECK_PIXELS = 40
_SMOOTH = 1.5
_DARK = 12
"""Grey levels below which a scanner has drawn nothing."""


@dataclass(frozen=True, slots=True)
class TissueMask:
    """A mask at one level: [row, column], True for tissue."""

    mask: NDArray[np.bool_]
    level: int
    um: float | None
    """µm along a pixel of the mask."""
    background: tuple[float, float, float]
    """RGB of the glass around the tissue."""
    overview: Pixels
    """What it was found on."""

    @property
    def mm2(self) -> float | None:
        """Area; None where the pixel size is unknown."""
        return None if self.um is None else float(self.mask.sum()) * (self.um / 1000) ** 2

    def by_cells(self, cell: int, columns: int, rows: int) -> NDArray[np.float32]:
        """The part of each cell that is tissue, [rows, columns]; `cell` in pixels of the mask."""
        padded = np.zeros((rows * cell, columns * cell), np.float32)
        height, width = self.mask.shape
        padded[:height, :width] = self.mask[: rows * cell, : columns * cell]
        share: NDArray[np.float32] = padded.reshape(rows, cell, columns, cell).mean(axis=(1, 3))
        return share


def find_tissue(overview: Pixels, level: int, um: float | None) -> TissueMask:
    """Tissue on a coarse level; [row, column, 3], `um` µm along a pixel."""
    drawn = overview.max(axis=2) > _DARK
    background = _background(overview[drawn])
    shade = cv2.GaussianBlur(overview, (0, 0), _SMOOTH).astype(np.float32)
    light = np.maximum(shade, 1) / np.maximum(np.array(background, np.float32), 1)
    density = -np.log10(np.clip(light, 1e-3, 1).min(axis=2))
    mask = (density > _LEAST_OD) & drawn
    least = _SPECK_PIXELS if um is None else max(2, round(_SPECK_MM2 / (um / 1000) ** 2))
    return TissueMask(_without_specks(mask, least), level, um, background, overview)


def _background(pixels: NDArray[np.uint8]) -> tuple[float, float, float]:
    """The glass: the commonest of the lightest tenth of what was drawn."""
    if not len(pixels):
        return 255.0, 255.0, 255.0
    grey = pixels.min(axis=1)
    light = pixels[grey >= max(np.percentile(grey, 90) - 2, 180)]
    if len(light) < len(pixels) / 1000 or not len(light):
        return 245.0, 245.0, 245.0  # tissue to every edge: no glass to be seen
    red, green, blue = np.median(light, axis=0).tolist()
    return red, green, blue


def _without_specks(mask: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= least
    keep[0] = False
    kept: NDArray[np.bool_] = keep[labels]
    return kept
