"""Where on a picture of the glass a scan lies: by the shapes of tissue, on masks alone.

The scan's frame is laid on the overview at every place and many scales; inside the frame the two
masks should agree (intersection over union), outside it the overview may show more tissue.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
_COARSE = 420
"""Pixels along the longer side of the overview in the first search."""
_LEAST_CONTAINED = 0.85
_LEAST_AGREEING = 0.5
_NO_RIVAL = 0.97
"""A place elsewhere that fits as well as this part of the best one makes the fit doubtful."""
_WELL_CONTAINED, _PARTLY_AGREEING, _FAR_RIVAL = 0.95, 0.3, 0.85
_LEAST_SIDE, _LEAST_PIXELS = 40, 500
"""Overview pixels: what is smaller has no shape on it and fits anywhere."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The scan's frame on the overview, in its pixels, and how well the tissue agrees."""

    x: float
    y: float
    scale: float
    """Overview pixels along a pixel of the scan's mask."""
    agreement: float
    """Intersection over union inside the frame."""
    contained: float
    """The part of the scan's tissue that is tissue on the overview too."""
    rival: float
    """The agreement at the best place elsewhere."""

    @property
    def is_sure(self) -> bool:
        """False where the picture may show another place, or another glass."""
        alike = self.contained >= _LEAST_CONTAINED and self.agreement >= _LEAST_AGREEING
        if alike and self.rival < _NO_RIVAL * self.agreement:
            return True
        # Where pieces inside the frame were skipped, what was scanned still lies on tissue.
        partly = self.contained >= _WELL_CONTAINED and self.agreement >= _PARTLY_AGREEING
        return partly and self.rival < _FAR_RIVAL * self.agreement


def place(scan: Mask, overview: Mask, scales: Iterable[float]) -> Placed | None:
    """Lay the scan on the overview; `scales` in overview pixels per scan pixel. None: no room."""
    largest = max(scales := list(scales))
    if max(scan.shape) * largest < _LEAST_SIDE or scan.sum() * largest**2 < _LEAST_PIXELS:
        return None
    shrink = min(1.0, _COARSE / max(overview.shape))
    small = _resized(overview, shrink)
    tried = [_fit(scan, small, scale * shrink) for scale in scales]
    best = max((at for at in tried if at), key=lambda at: at.agreement, default=None)
    if best is None:
        return None
    rough = best.scale / shrink
    around = np.linspace(0.985, 1.015, 13) * rough
    near = [_fit(scan, overview.astype(np.float32), scale) for scale in around.tolist()]
    return max((at for at in near if at), key=lambda at: at.agreement, default=None)


def laid(scan: Mask, at: Placed, shape: tuple[int, int]) -> Mask:
    """The scan's tissue as the overview should show it, [row, column] of `shape`."""
    matrix = np.array([[at.scale, 0, at.x], [0, at.scale, at.y]], np.float32)
    drawn = cv2.warpAffine(
        _soft(scan, at.scale), matrix, (shape[1], shape[0]), flags=cv2.INTER_LINEAR
    )
    return np.asarray(drawn >= 0.5, bool)


def _soft(scan: Mask, scale: float) -> NDArray[np.float32]:
    mask = scan.astype(np.float32)
    if scale >= 0.6:
        return mask
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.4 / scale), np.float32)


def _resized(mask: Mask | NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    size = max(1, round(mask.shape[1] * scale)), max(1, round(mask.shape[0] * scale))
    small = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small >= 0.5, np.float32)


def _fit(scan: Mask, overview: NDArray[np.float32], scale: float) -> Placed | None:
    """The best place at one scale; the frame may reach out of the picture by a tenth."""
    part = _resized(scan, scale)
    height, width = part.shape
    if part.sum() < 4 or height > 1.15 * overview.shape[0] or width > 1.15 * overview.shape[1]:
        return None
    margin = max(8, round(0.1 * max(part.shape)))
    wide = max(margin, width - overview.shape[1] + margin)
    high = max(margin, height - overview.shape[0] + margin)
    padded = np.pad(overview, ((high, high), (wide, wide)))
    both = cv2.matchTemplate(padded, part, cv2.TM_CCORR)
    inside = _sums(padded, height, width)
    agreement = both / np.maximum(inside + part.sum() - both, 1)
    row, column = np.unravel_index(int(agreement.argmax()), agreement.shape)
    elsewhere = agreement.copy()
    far = max(6, round(0.25 * max(part.shape)))
    elsewhere[max(row - far, 0) : row + far + 1, max(column - far, 0) : column + far + 1] = 0
    return Placed(
        float(column - wide),
        float(row - high),
        scale,
        float(agreement[row, column]),
        float(both[row, column] / part.sum()),
        float(elsewhere.max(initial=0.0)),
    )


def _sums(mask: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    whole = cv2.integral(mask)
    sums = whole[height:, width:] - whole[:-height, width:] - whole[height:, :-width]
    return np.asarray(sums + whole[:-height, :-width], np.float32)
