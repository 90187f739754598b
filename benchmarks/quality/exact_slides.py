"""Slides for the benchmark of seams, bands and coverage: real tissue with a fault put into it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from processing.jpeg import Pixels
from processing.quality.tissue import find_tissue
from processing.readers import open_slide
from storage.errors import NotASlide
from storage.records.geometry import Region

SPARE = 8
"""Pixels more on every side than a field has, from which a shifted half is cut."""
SLIDES = (
    ("pyramid-tiff/giardia-HE-20x.tif", 3072),
    ("pyramid-tiff/BS25-CHR-IHC-10x.tif", 1536),
    ("pyramid-tiff/BS25-HE-40x-crop.tif", 4080),
    ("pyramid-tiff/BS25-CHR-IHC-40x-crop.tif", 4080),
    ("pyramid-tiff/giardia-HE-40x-crop.tif", 4080),
)
"""Real tissue, and the side of a field in pixels: about 1.5 mm at 20x and 10x, 1 mm at 40x."""


@dataclass(frozen=True, slots=True)
class Source:
    """A field of a real slide, [row, column, 3], `SPARE` pixels more on every side."""

    slide: str
    pixels: Pixels
    mpp: float

    @property
    def clean(self) -> Pixels:
        """As it is."""
        return self.pixels[SPARE:-SPARE, SPARE:-SPARE]

    def seam(self, at: int, shift: int, vertical: bool) -> Pixels:
        """Beyond `at` the picture is `shift` pixels lower (or, of a horizontal one, to the right).

        Cut from the spare pixels: no tissue is made up.
        """
        out, turned = self._turned(vertical)
        size = out.shape[0]
        moved = turned[SPARE - shift : SPARE - shift + size, SPARE:-SPARE]
        out[:, at:] = moved[:, at:]
        return out if vertical else np.ascontiguousarray(out.transpose(1, 0, 2))

    def band(self, at: int, step: float, vertical: bool) -> Pixels:
        """Beyond `at` there is `step` (0 to 1) less light."""
        out, _ = self._turned(vertical)
        out[:, at:] = np.rint(out[:, at:] * np.float32(1 - step)).astype(np.uint8)
        return out if vertical else np.ascontiguousarray(out.transpose(1, 0, 2))

    def _turned(self, vertical: bool) -> tuple[Pixels, Pixels]:
        turned = self.pixels if vertical else self.pixels.transpose(1, 0, 2)
        return turned[SPARE:-SPARE, SPARE:-SPARE].copy(), turned


def sources(folder: Path, least_tissue: float = 0.5) -> Iterator[Source]:
    """Fields side by side that are tissue for the greater part."""
    for name, side in SLIDES:
        with open_slide(folder / name) as reader:
            if not reader.metadata.mpp:
                raise NotASlide(f"{name} has no pixel size")
            mpp, size = reader.metadata.mpp.mean, reader.levels[0].size
            whole = side + 2 * SPARE
            for y in range(0, size.height - whole + 1, side):
                for x in range(0, size.width - whole + 1, side):
                    pixels = reader.pixels(0, Region(x, y, whole, whole))
                    small = cv2.resize(pixels, (192, 192), interpolation=cv2.INTER_AREA)
                    mask = find_tissue(np.asarray(small, np.uint8), 0, None).mask
                    if mask.mean() >= least_tissue:
                        yield Source(name, pixels, mpp)
