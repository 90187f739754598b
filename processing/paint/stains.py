"""From stain densities to colours: Beer-Lambert with a haematoxylin and an eosin of the day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from .noise import Field
from .pixels import Pixels


@dataclass(frozen=True)
class Stain:
    """Optical density per unit of each dye in R, G and B, and the light where nothing is."""

    haematoxylin: tuple[float, float, float]
    eosin: tuple[float, float, float]
    glass: tuple[float, float, float] = (243.0, 242.0, 244.0)

    @classmethod
    def of_the_day(cls, seed: int) -> Self:
        """No two laboratories stain alike: hue and strength wander with the seed."""
        rng = np.random.default_rng((seed, 11))
        blue, red, strength = rng.uniform(-1, 1, 3)
        deep, pale = 1 + 0.12 * strength, 1 - 0.10 * strength
        haematoxylin = (0.86 * deep, (0.92 - 0.05 * blue) * deep, (0.38 - 0.10 * blue) * deep)
        eosin = ((0.10 + 0.05 * red) * pale, 0.74 * pale, (0.30 + 0.12 * red) * pale)
        return cls(haematoxylin, eosin)

    def colours(self, haematoxylin: Field, eosin: Field) -> Pixels:
        """Densities [rows, columns] to RGB [rows, columns, 3]."""
        out = np.empty((*haematoxylin.shape, 3), np.uint8)
        for band in range(3):
            density = haematoxylin * np.float32(self.haematoxylin[band])
            density += eosin * np.float32(self.eosin[band])
            light = np.float32(self.glass[band]) * np.exp(-density)
            out[..., band] = np.clip(light + 0.5, 0, 255)
        return out
