"""Scratches put into real tissue: gently curved, light or dark, of a knife that nobody saw."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.artefact_pictures import Picture
from processing.jpeg import Pixels
from processing.quality.tissue import TissueMask

_FINER = 4
_CROSSES = 0.7
_TRIES = 400
Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Scratched:
    """A picture with one scratch, and where it is."""

    picture: Picture
    line: NDArray[np.bool_]


def scratched(
    clean: Picture, tissue: TissueMask, kind: tuple[str, float], random: Random
) -> Scratched | None:
    """One scratch of (`light` or `dark`, µm wide) over tissue; None where it does not fit."""
    for _ in range(_TRIES):
        way = _way(clean, tissue, random)
        if way is not None:
            share = _share(clean.pixels.shape[:2], way, kind[1] / clean.um)
            pixels = _cut(clean.pixels, share, kind[0], tissue)
            return Scratched(Picture(clean.name, pixels, clean.um), share > 0)
    return None


def _way(clean: Picture, tissue: TissueMask, random: Random) -> NDArray[np.float64] | None:
    """Points [x, y] of an arc of 2 to 3 mm that lies in tissue for the most part."""
    height, width = tissue.mask.shape
    length = random.uniform(2000, 3000) / clean.um
    angle, bend = random.uniform(0, np.pi), random.uniform(-0.03, 0.03) * length
    along = np.linspace(-0.5, 0.5, 60)
    across = bend * (1 - 4 * along**2)
    x = random.uniform(0, width) + along * length * np.cos(angle) - across * np.sin(angle)
    y = random.uniform(0, height) + along * length * np.sin(angle) + across * np.cos(angle)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    if not inside.all():
        return None
    over = tissue.mask[y.astype(int), x.astype(int)]
    return np.stack([x, y], axis=1) if over.mean() >= _CROSSES else None


def _share(shape: tuple[int, int], way: NDArray[np.float64], width: float) -> NDArray[np.float32]:
    fine = np.zeros((shape[0] * _FINER, shape[1] * _FINER), np.uint8)
    points = np.rint(way * _FINER).astype(np.int32)
    cv2.polylines(fine, [points], False, 255, max(1, round(width * _FINER)))
    size = (shape[1], shape[0])
    return cv2.resize(fine, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _cut(pixels: Pixels, share: NDArray[np.float32], kind: str, tissue: TissueMask) -> Pixels:
    glass = np.array(tissue.background, np.float32)
    part = share[..., None]
    if kind == "light":
        out = pixels * (1 - part) + glass * part
    else:  # crowded: twice as dense as tissue is in the mean, in its own colour
        stained = pixels[tissue.mask].mean(axis=0) / glass
        out = pixels * (1 - part + part * stained**2)
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)
