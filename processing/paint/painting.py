"""A painted slide: any size, any region, always the same pixels for the same seed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .pixels import Pixels, blurred
from .tissue import BLOCK, Tissue

_PLAIN = re.compile(r"[ -\[\]-{}~]+")

LARGEST = 1 << 20
"""Longest side accepted, in pixels; beyond it float32 positions lose the single pixel."""


@dataclass(frozen=True)
class Painting:
    """What to paint: size in level-0 pixels, micrometres per pixel, and what the label says."""

    width: int
    height: int
    seed: int = 1
    mpp: float = 0.499
    barcode: str = "SVT-0001-A1-1"
    accession: str = "SVT-0001"
    stain: str = "HE"
    blur: float = 0.0
    """Pixels (standard deviation) by which the right of the slide is out of focus."""

    def __post_init__(self) -> None:
        if not (64 <= self.width <= LARGEST and 64 <= self.height <= LARGEST):
            raise ValueError(f"A painting is 64 to {LARGEST} pixels wide and high.")
        if self.seed < 0 or self.mpp <= 0 or self.blur < 0:
            raise ValueError("Seed and blur must not be negative, and mpp must be positive.")
        for name, text, longest in (
            ("barcode", self.barcode, 48),
            ("accession", self.accession, 16),
            ("stain", self.stain, 16),
        ):
            # The bar keeps fields apart in Aperio's description, the backslash values in DICOM.
            if not _PLAIN.fullmatch(text) or len(text) > longest:
                raise ValueError(f"The {name} must be 1 to {longest} plain ASCII characters.")

    def region(self, x: int, y: int, width: int, height: int) -> Pixels:
        """Pixels [height, width, 3] of a rectangle whose corner (x, y) is in level-0 pixels.

        The plane goes on beyond the slide's edges, so padded tiles need no special case.
        """
        out = np.empty((height, width, 3), np.uint8)
        for row in range(y // BLOCK, -(-(y + height) // BLOCK)):
            for column in range(x // BLOCK, -(-(x + width) // BLOCK)):
                left, top = max(x, column * BLOCK), max(y, row * BLOCK)
                right = min(x + width, (column + 1) * BLOCK)
                bottom = min(y + height, (row + 1) * BLOCK)
                block = self.block(column, row)
                out[top - y : bottom - y, left - x : right - x] = block[
                    top - row * BLOCK : bottom - row * BLOCK,
                    left - column * BLOCK : right - column * BLOCK,
                ]
        return out

    def block(self, column: int, row: int) -> Pixels:
        """Block of [BLOCK, BLOCK, 3] as a scanner sees it; bare glass is always the same array."""
        tissue = tissue_of(self)
        block = tissue.block(column, row)
        sharp = not self.blur or 2 * column * BLOCK < self.width
        return block if sharp or block is tissue.glass else blurred(block, self.blur)


def tissue_of(painting: Painting) -> Tissue:
    """The tissue behind a painting; kept for the last few, as it takes a second to prepare."""
    return _tissue(painting.seed, painting.width, painting.height)


@lru_cache(maxsize=4)
def _tissue(seed: int, width: int, height: int) -> Tissue:
    return Tissue(seed, width, height)
