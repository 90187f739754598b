"""Pictures for the benchmark of pens, edges and scratches: real masks, and slides without any.

How many µm a pixel of HistoQC's pictures measures is not said. It is taken from the width of the
strokes: felt tips draw lines of 0.5 to 1 mm.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.jpeg import Pixels
from processing.quality.tissue import TissueMask, find_tissue
from processing.readers import open_slide
from storage.records.geometry import Region

MASKED = {
    "pen_black": 8.0,
    "pen_green": 25.0,
    "pen_red": 25.0,
    "coverslip_edge_he-coverslip_edge": 25.0,
    "coverslip_edge_ihc-coverslip_edge": 25.0,
}
"""Name of a picture to µm along its pixel, estimated."""
SLIDES = (
    ("aperio/CMU-1-Small-Region.svs", None),
    ("aperio/TCGA-CR-7395-01A-01-TS1.svs", 0.25),
    ("pyramid-tiff/BS25-CHR-IHC-10x.tif", None),
    ("pyramid-tiff/BS25-CHR-IHC-40x-crop.tif", None),
    ("pyramid-tiff/BS25-HE-40x-crop.tif", None),
    ("pyramid-tiff/giardia-HE-20x.tif", None),
    ("pyramid-tiff/giardia-HE-40x-crop.tif", None),
    ("ome-tiff/OS-1-detail.ome.tif", None),
    ("ome-tiff/OS-2-ndpi.ome.tif", None),
)
"""Slides without ink, and the µm along a pixel where the file says none."""
PICTURES = "artefacts/histoqc-template*.png", "artefacts/skimage-ihc.png", "serial-sections/*.jpg"
"""Pictures without ink whose scale nobody says: taken as they are, as if of 8 µm a pixel."""
_WORKING_UM, _OVERVIEW_UM = 1.15, 8.0
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Picture:
    """An overview as a check gets it, and what people drew in it."""

    name: str
    pixels: Pixels
    um: float
    drawn: Mask | None = None
    scale_known: bool = False

    @property
    def tissue(self) -> TissueMask:
        """As a slide's view would have it."""
        return find_tissue(self.pixels, 3, self.um)


def masked(folder: Path, word: str) -> Iterator[Picture]:
    """Pictures with a mask whose name begins with `word`."""
    for name, um in MASKED.items():
        if name.startswith(word):
            path = folder / "artefacts" / f"histoqc-{name}"
            mask = cv2.imread(f"{path}_mask.png", cv2.IMREAD_GRAYSCALE)
            if mask is None:
                raise FileNotFoundError(f"{path}_mask.png: set SVARTID_TEST_SLIDES")
            yield Picture(name, _read(Path(f"{path}.png")), um, mask > 0)


def clean(folder: Path) -> Iterator[Picture]:
    """Slides and pictures without ink, edges or scratches, as far as anybody saw."""
    for name, mpp in SLIDES:
        yield _overview(folder / name, name, mpp)
    for pattern in PICTURES:
        for path in sorted(folder.glob(pattern)):
            yield Picture(path.name, _read(path), _OVERVIEW_UM)


def _read(path: Path) -> Pixels:
    picture = cv2.imread(str(path))
    if picture is None:
        raise FileNotFoundError(f"{path}: set SVARTID_TEST_SLIDES")
    return np.ascontiguousarray(picture[..., ::-1]).astype(np.uint8)


def _overview(path: Path, name: str, mpp: float | None) -> Picture:
    with open_slide(path) as reader:
        said = reader.metadata.mpp
        um = said.mean if said else (mpp or 0.25)
        width = reader.levels[0].size.width
        target = um
        while target * 2 <= _WORKING_UM:
            target *= 2
        target *= 8
        level = max(
            number
            for number, at in enumerate(reader.levels)
            if number == 0 or um * width / at.size.width <= 0.8 * target
        )
        size = reader.levels[level].size
        pixels = reader.pixels(level, Region(0, 0, size.width, size.height))
        small = um * width / size.width / target
        to = max(1, round(size.width * small)), max(1, round(size.height * small))
        made = cv2.resize(pixels, to, interpolation=cv2.INTER_AREA).astype(np.uint8)
        return Picture(name, made, target, None, said is not None)
