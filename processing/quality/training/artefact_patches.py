"""Patches to learn from: tissue cut at random, an artefact or a look-alike drawn, then scanned.

All chance comes from the generator that is handed in; the same one gives the same patches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from processing import jpeg
from processing.jpeg import Pixels
from processing.quality.artefact_network import CLASSES, STRIDE, density
from processing.quality.training import artefact_synthesis as synthesis
from processing.quality.training.artefact_sources import Read
from processing.quality.training.artefact_synthesis import LEARNT, Density, Random, Sizes
from storage.records.slide import JpegEncoding

PATCH = 192
_COVERED = 0.35
"""The part of a cell from which it is the artefact's."""
_DRAWN = {"fold": synthesis.fold, "bubble": synthesis.bubble, "dust": synthesis.dust}
_ALIKE = (
    synthesis.pen,
    synthesis.dense,
    synthesis.pigment,
    synthesis.partly_defocused,
    synthesis.partly_defocused,
)


@dataclass(frozen=True, slots=True)
class Patch:
    """RGB [row, column, 3] and, of every cell, which artefacts cover it [class, row, column]."""

    pixels: Pixels
    truth: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scan:
    """How freely a patch is stained and scanned."""

    stain: tuple[float, float] = (0.7, 1.35)
    quality: tuple[int, int] = (45, 95)
    noise: float = 2.5


class Patches:
    """Cuts from images; images count by the root of their area, so that small ones are seen."""

    def __init__(self, images: Sequence[Read], sizes: Sizes = LEARNT) -> None:
        self._images, self._sizes = images, sizes
        areas = np.sqrt([float(at.pixels[..., 0].size) for at in images])
        self._share = areas / areas.sum()

    def draw(self, random: Random, kinds: Sequence[str], scan: Scan) -> Patch:
        """A patch with one artefact of each of the kinds, in that order."""
        given = self._cut(random)
        given = _stained(given, random, scan)
        truth = np.zeros((len(CLASSES), PATCH, PATCH), np.float32)
        if random.random() < 0.35:
            given = _ALIKE[int(random.integers(len(_ALIKE)))](given, random)
        for kind in kinds:
            given, where = _DRAWN[kind](given, self._sizes, random)
            index = CLASSES.index(kind)
            truth[index] = np.maximum(truth[index], where)
        return Patch(_scanned(given, random, scan), _cells(truth))

    def _cut(self, random: Random) -> Density:
        """Mostly tissue, sometimes glass; turned, mirrored and a little larger or smaller."""
        glass = random.random() < 0.08
        image = self._images[int(random.choice(len(self._images), p=self._share))]
        side = round(PATCH * image.um**-1 * random.uniform(0.85, 1.18))
        part = _some(image.pixels, side, random)
        for _ in range(0 if glass else 12):
            if (part.min(axis=2) < 205).mean() > 0.35:
                break
            part = _some(image.pixels, side, random)
        part = cv2.resize(part, (PATCH, PATCH), interpolation=cv2.INTER_AREA).astype(np.uint8)
        part = np.rot90(part, int(random.integers(0, 4)))
        return density(part[:, ::-1] if random.random() < 0.5 else part)


def _some(pixels: Pixels, side: int, random: Random) -> Pixels:
    side = min(side, *pixels.shape[:2])
    y = int(random.integers(0, pixels.shape[0] - side + 1))
    x = int(random.integers(0, pixels.shape[1] - side + 1))
    return pixels[y : y + side, x : x + side]


def _stained(given: Density, random: Random, scan: Scan) -> Density:
    """More or less of each colour, now and then of another stain altogether."""
    factors = random.uniform(*scan.stain) * (1 + random.normal(0, 0.12, 3))
    if random.random() < 0.15:
        given = given[..., random.permutation(3)]
    return np.asarray(given * factors, np.float32)


def _scanned(given: Density, random: Random, scan: Scan) -> Pixels:
    """Light of a lamp of some colour, noise, and a JPEG."""
    lamp = 255 * (1 - random.uniform(0, 0.07, 3))
    light = lamp * np.power(np.float32(10), -given)
    light = light + random.normal(0, random.uniform(0.3, scan.noise), light.shape)
    pixels = np.clip(light, 0, 255).astype(np.uint8)
    quality = int(random.integers(*scan.quality))
    coded = jpeg.encode(np.ascontiguousarray(pixels), JpegEncoding(quality, "420"))
    return jpeg.decode(coded, (PATCH, PATCH))


def _cells(truth: NDArray[np.float32]) -> NDArray[np.float32]:
    cells = PATCH // STRIDE
    covered = truth.reshape(len(CLASSES), cells, STRIDE, cells, STRIDE).mean(axis=(2, 4))
    return np.asarray(covered > _COVERED, np.float32)


def kinds(random: Random) -> tuple[str, ...]:
    """What a patch to learn from holds: often nothing, seldom two things."""
    drawn = tuple(name for name in CLASSES if random.random() < (0.33 if name != "dust" else 0.28))
    return drawn if random.random() < 0.75 else ()
