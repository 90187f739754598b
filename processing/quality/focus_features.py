"""What a cell of tissue shows of focus: ratios of contrast at several sizes, and slopes of edges.

All is computed for a whole field at once with separable filters, then averaged over its cells; no
Fourier transform, no search. Ratios, so that neither staining nor the part of a cell that is glass
counts for much. Radii come out in µm because the size of a pixel is one of the features.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.jpeg import Pixels
from processing.quality.check import CELL

Grey = NDArray[np.float32]
Rows = NDArray[np.float32]

_SIGMAS = (0.7, 1.4, 2.8, 5.6)
"""Pixels; what lies between two of them is a band."""
_WINDOWS = (5, 11)
"""Pixels across which an edge rises."""
_TINY = 1e-3
_THIN = 2
"""Percentiles are taken of every second pixel and row."""
_STEEP = 97.0

NAMES = (
    "um",
    *(f"band{i}_{word}" for i in range(4) for word in ("energy", "peaks")),
    "gradient0",
    "gradient1",
    "laplacian1",
    "slope5",
    "slope5_squared",
    "slope11",
    "slope11_squared",
    "steep",
    "noise",
    "contrast",
    "colour",
)
"""In the order of the last axis; a trained model holds for these and no others."""


@dataclass(frozen=True, slots=True)
class Block:
    """Where the cells lie in the pixels: they begin at (`left`, `top`)."""

    left: int
    top: int
    columns: int
    rows: int


def features(pixels: Pixels, block: Block, um: float) -> Rows:
    """[rows, columns, len(NAMES)] of RGB [row, column, 3] with `um` µm along a pixel."""
    padded = _padded(pixels, block)
    grey = cv2.cvtColor(padded, cv2.COLOR_RGB2GRAY).astype(np.float32)
    smooth: list[Grey] = [_calm(grey, sigma) for sigma in _SIGMAS]
    cells = _Cells(block)
    energies, peaks = [], []
    for finer, coarser in zip([grey, *smooth], smooth, strict=False):
        square = np.square(finer - coarser)
        energies.append(cells.mean(square))
        peaks.append(cells.mean(np.square(square)))
    contrast: Grey = np.square(cells.deviation(smooth[0])) + np.float32(_TINY)
    columns: list[Grey] = [np.full(contrast.shape, np.log2(um), np.float32)]
    for energy, peak in zip(energies, peaks, strict=True):
        columns += [_log(energy / contrast), _log(peak / (np.square(energy) + _TINY**2))]
    columns += _edges(grey, smooth, cells, contrast)
    columns += [_log(_noise(grey, cells)), _log(contrast), _log(_colour(padded, cells))]
    return np.stack(columns, axis=-1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Cells:
    """Means over the cells of a block."""

    block: Block

    def split(self, values: Grey, step: int = 1) -> Grey:
        """[rows, columns, pixels of a cell]."""
        at, side = self.block, -(-CELL // step)
        part = values[at.top : at.top + at.rows * CELL, at.left : at.left + at.columns * CELL]
        part = part[::step, ::step].reshape(at.rows, side, at.columns, side)
        return part.swapaxes(1, 2).reshape(at.rows, at.columns, side * side)

    def mean(self, values: Grey) -> Grey:
        """[rows, columns]."""
        at = self.block
        part = values[at.top : at.top + at.rows * CELL, at.left : at.left + at.columns * CELL]
        size = (at.columns, at.rows)
        means = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        return means.reshape(at.rows, at.columns).astype(np.float32)

    def deviation(self, values: Grey) -> Grey:
        """[rows, columns], the standard deviation."""
        mean = self.mean(values)
        spread = np.maximum(self.mean(np.square(values)) - np.square(mean), 0)
        return np.sqrt(spread).astype(np.float32)


def _padded(pixels: Pixels, block: Block) -> Pixels:
    """Cells that the slide's edge cuts are filled up by mirroring."""
    below = max(block.top + block.rows * CELL - pixels.shape[0], 0)
    right = max(block.left + block.columns * CELL - pixels.shape[1], 0)
    if not below and not right:
        return pixels
    filled = cv2.copyMakeBorder(pixels, 0, below, 0, right, cv2.BORDER_REFLECT_101)
    return filled.astype(np.uint8, copy=False)


def _calm(grey: Grey, sigma: float) -> Grey:
    return cv2.GaussianBlur(grey, (0, 0), sigma).astype(np.float32, copy=False)


def _gradient(grey: Grey) -> Grey:
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=0.125)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=0.125)
    # Not cv2.magnitude: its last bit depends on where in memory the arrays happen to lie.
    length: Grey = np.sqrt(np.square(across) + np.square(down), dtype=np.float32)
    return length


def _laplacian(grey: Grey) -> Grey:
    return cv2.Laplacian(grey, cv2.CV_32F).astype(np.float32, copy=False)


def _edges(grey: Grey, smooth: list[Grey], cells: _Cells, contrast: Grey) -> list[Grey]:
    """How steeply light changes, against how much it changes within a window."""
    calm = smooth[0]
    slope = _gradient(calm)
    found = [
        _log(cells.mean(np.square(_gradient(grey))) / contrast),
        _log(cells.mean(np.square(slope)) / contrast),
        _log(cells.mean(np.square(_laplacian(calm))) / contrast),
    ]
    for window in _WINDOWS:
        kernel = np.ones((window, window), np.uint8)
        rise = np.subtract(cv2.dilate(calm, kernel), cv2.erode(calm, kernel), dtype=np.float32)
        found.append(_log(cells.mean(slope) / (cells.mean(rise) + np.float32(_TINY))))
        steep = cells.mean(np.square(slope)) / (cells.mean(np.square(rise)) + np.float32(_TINY))
        found.append(_log(steep))
    most = np.percentile(cells.split(slope, _THIN), _STEEP, axis=-1).astype(np.float32)
    found.append(_log(np.square(most) / contrast))
    return found


def _noise(grey: Grey, cells: _Cells) -> Grey:
    """What no edge can be: the median of a mask blind to planes and straight edges.

    Source: J. Immerkaer, Fast noise variance estimation, CVIU 64 (1996) 300-302.
    """
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
    response = np.abs(cv2.filter2D(grey, cv2.CV_32F, mask)).astype(np.float32, copy=False)
    return np.median(cells.split(response, _THIN), axis=-1).astype(np.float32)


def _colour(pixels: Pixels, cells: _Cells) -> Grey:
    """How far red and green lie apart: what is stained has colour, what is dirt has none."""
    red, green, _ = cv2.split(pixels)
    return cells.mean(cv2.absdiff(red, green).astype(np.float32))


def _log(values: NDArray[np.floating]) -> Grey:
    logged: Grey = np.log2(np.maximum(values, 0) + _TINY**2).astype(np.float32)
    return logged
