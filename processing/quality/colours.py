"""Colours of the glass and of the tissue, from the coarse level: no check, what checks measure by.

Densities are decadic, against the slide's own glass. The dyes' colours are fixed, so that slides of
a cohort are measured alike: Ruifrok and Johnston, Anal Quant Cytol Histol 2001;23:291.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.quality.tissue import TissueMask

_DYES = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
"""Haematoxylin, eosin, DAB: optical density in R, G and B."""
_DENSE = 0.15
"""Density from which a pixel's hue says something."""
_LEAST_PIXELS = 50
_FLAT = 8
"""Grey levels that 5 x 5 pixels of glass differ by at most."""
_LEAST_GLASS = 0.01
_UNLIT = 12
_PIECES = 4
Densities = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Glass:
    """The glass: median RGB, and how far its brightness wanders over the slide, per cent."""

    red: float
    green: float
    blue: float
    uneven: float

    @property
    def white(self) -> float:
        """The lowest of its colours."""
        return min(self.red, self.green, self.blue)


@dataclass(frozen=True, slots=True)
class Dyes:
    """Median densities of the dyes over the dense tissue, and shares of its hues, 0 to 1."""

    haematoxylin: float
    eosin: float
    dab: float
    pink: float
    """What eosin alone makes so of the usual dyes."""
    brown: float


def glass_of(tissue: TissueMask) -> Glass | None:
    """The glass where it is flat and away from tissue; None where too little of it is seen."""
    picture = tissue.overview
    near = cv2.dilate(tissue.mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    darkest = picture.min(axis=2)
    window = np.ones((5, 5), np.uint8)
    flat = cv2.dilate(darkest, window) - cv2.erode(darkest, window) <= _FLAT
    glass = flat & ~near & (picture.max(axis=2) > _UNLIT)
    # What was never scanned is filled with pure white; where glass is lit, the rest tells.
    lit = glass & (darkest < 255)
    glass = lit if lit.mean() >= _LEAST_GLASS else glass
    if glass.mean() < _LEAST_GLASS:
        return None
    red, green, blue = np.median(picture[glass], axis=0).tolist()
    return Glass(red, green, blue, _uneven(picture[..., 1], glass))


def _uneven(green: NDArray[np.uint8], glass: NDArray[np.bool_]) -> float:
    means = []
    for rows in np.array_split(np.arange(green.shape[0]), _PIECES):
        for columns in np.array_split(np.arange(green.shape[1]), _PIECES):
            if not len(rows) or not len(columns):
                continue
            part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
            if glass[part].mean() > _LEAST_GLASS:
                means.append(float(np.median(green[part][glass[part]])))
    if not means or max(means) == 0:
        return 0.0
    return 100 * (max(means) - min(means)) / max(means)


def dyes_of(tissue: TissueMask) -> Dyes | None:
    """The tissue's colours; None where there is hardly any that is dense enough to have one."""
    light = np.maximum(tissue.overview[tissue.mask].astype(np.float32), 1)
    glass = np.array(tissue.background, np.float32)
    density: Densities = -np.log10(np.minimum(light / np.maximum(glass, 1), 1))
    dense = density[density.max(axis=1) > _DENSE]
    if len(dense) < _LEAST_PIXELS:
        return None
    red, green, blue = dense.T
    pink = (green > 1.5 * red) & (green > 1.25 * blue)
    brown = (blue > 1.05 * green) & (blue > 1.3 * red)
    share = float(brown.mean())
    # Two dyes at a time: three would be told apart by noise alone.
    with_eosin, with_dab = (np.median(_parts(dense, dyes), axis=0) for dyes in ([0, 1], [0, 2]))
    first = with_eosin if pink.mean() >= share else with_dab
    return Dyes(
        float(first[0]), float(with_eosin[1]), float(with_dab[1]), float(pink.mean()), share
    )


def _parts(density: Densities, dyes: list[int]) -> NDArray[np.float64]:
    vectors = _DYES[dyes] / np.linalg.norm(_DYES[dyes], axis=1, keepdims=True)
    found: NDArray[np.float64] = np.maximum(density @ np.linalg.pinv(vectors), 0)
    return found
