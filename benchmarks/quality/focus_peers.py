"""What others measure focus by, on the very fields that svartid is asked about.

Laplacian variance, Tenengrad (mean squared Sobel gradient) and Brenner (mean squared difference of
pixels two apart), of the field at 0.5, 1, 2 and 4 µm a pixel, cell by cell; and HistoQC's rule,
written anew from its description: absolute Laplacian of grey 0 to 1 at 2.5x (4 µm a pixel),
smoothed by a Gaussian of 100 pixels, called blurred at 0.15 and below. 100 pixels are wider than a
field, which is all equally blurred: that helps the rule here, since no sharp tissue lies beside it.
"""

from __future__ import annotations

import cv2
import numpy as np

from processing import jpeg
from processing.quality.check import CELL
from processing.quality.training.synthesis import HALO, Made

SCALES = (0.5, 1.0, 2.0, 4.0)
"""µm along a pixel."""
_NAMES = ("Laplacian variance", "Tenengrad", "Brenner")
MEASURES = (*(f"{name} {scale:g}" for scale in SCALES for name in _NAMES), "HistoQC rule 4")
_SMOOTH = 100.0


def classical(made: Made) -> np.ndarray:
    """[rows, columns, measure]; each negated, so that more is more blur; NaN where too coarse."""
    rows, columns = made.block.rows, made.block.columns
    found = np.full((rows, columns, len(MEASURES)), np.nan)
    side = jpeg.frame_size(made.native)
    grey = cv2.cvtColor(jpeg.decode(made.native, side), cv2.COLOR_RGB2GRAY).astype(np.float32)
    for number, scale in enumerate(SCALES):
        if made.native_um > scale * 1.16:
            continue
        pixels = max(round(grey.shape[0] * made.native_um / scale), 8)
        small = cv2.resize(grey, (pixels, pixels), interpolation=cv2.INTER_AREA)
        cell, margin = CELL * made.um / scale, HALO * made.um / scale
        for row, column in np.ndindex(rows, columns):
            y, x = (round(margin + at * cell) for at in (row, column))
            part = small[y : y + round(cell), x : x + round(cell)]
            found[row, column, 3 * number : 3 * number + 3] = _measures(part)
        if scale == SCALES[-1]:
            found[..., -1] = _histoqc(small, rows, columns)
    return -found


def _measures(grey: np.ndarray) -> tuple[float, float, float]:
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    brenner = grey[:, 2:] - grey[:, :-2]
    return (
        float(cv2.Laplacian(grey, cv2.CV_32F).var()),
        float((across**2 + down**2).mean()),
        float((brenner**2).mean()),
    )


def _histoqc(grey: np.ndarray, rows: int, columns: int) -> np.ndarray:
    sharp = np.abs(cv2.Laplacian(grey / 255, cv2.CV_32F))
    calm = cv2.GaussianBlur(sharp, (0, 0), _SMOOTH, borderType=cv2.BORDER_REFLECT)
    return cv2.resize(calm, (columns, rows), interpolation=cv2.INTER_AREA)
