"""The images that folds, bubbles and dust are learnt and measured on: by SHA-256, at 1 µm a pixel.

Of free licences only (CC0, Apache-2.0, BSD, MIT, CC BY). Which slide is for what is fixed here:
`learn` and `tune` are parts of the same slides, `test` is of slides that training never sees.
Some have no pixel size in the file; theirs is estimated from the size of nuclei.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from processing.jpeg import Pixels
from processing.readers import open_slide
from storage.errors import Damaged, NotFound
from storage.records.geometry import Region

Part = tuple[float, float, float, float]
"""Left, top, right, bottom of an image, each 0 to 1."""
WHOLE: Part = (0, 0, 1, 1)
_BAND = 2048


@dataclass(frozen=True, slots=True)
class Source:
    """One image and what it serves for."""

    path: str
    sha256: str
    licence: str
    stain: str
    """`he` or `ihc`."""
    um: float
    """µm along a pixel of level 0."""
    learn: Part | None = None
    tune: Part | None = None
    test: Part | None = None
    clean: bool = True
    """False for an image known to show a real fold: nothing is counted as a false alarm there."""


SOURCES = (
    Source(
        "aperio/CMU-1-Small-Region.svs",
        "ed92d5a9f2e86df67640d6f92ce3e231419ce127131697fbbce42ad5e002c8a7",
        "CC0",
        "he",
        0.499,
        (0, 0, 1, 0.75),
        (0, 0.75, 1, 1),
    ),
    Source(
        "pyramid-tiff/BS25-CHR-IHC-10x.tif",
        "d771df22cb03c0419a4e5257f682003f5a05d17f61207611c395f9c539edb886",
        "MIT",
        "ihc",
        1.0112,
        (0, 0, 1, 0.64),
        (0, 0.64, 1, 1),
    ),
    Source(
        "pyramid-tiff/BS25-HE-40x-crop.tif",
        "99c075c8a02739d26c4af52d07ed4e0d1dd5786ce89569910bde6e740c850306",
        "MIT",
        "he",
        0.2528,
        (0.25, 0, 0.8, 1),
        (0.8, 0, 1, 1),
        (0, 0, 0.25, 0.25),
        clean=False,
    ),
    Source(
        "artefacts/histoqc-template1.png",
        "3584a11cf13e095d5570d7aade56851a4b1f9510178d88dca7b71681206adc4f",
        "BSD-3-Clause-Clear",
        "he",
        1.0,
        WHOLE,
    ),
    Source(
        "artefacts/histoqc-template2.png",
        "9d87c44a14cae9faec9d052a6283edc4b711889a083b74edb492254467241a86",
        "BSD-3-Clause-Clear",
        "he",
        1.0,
        WHOLE,
    ),
    Source(
        "artefacts/histoqc-template3.png",
        "edda8c5d6f5fcc5c9660085beb0888b6eebcb9ce3f72053a31b0a514195b75a3",
        "BSD-3-Clause-Clear",
        "he",
        1.0,
        None,
        WHOLE,
    ),
    Source(
        "artefacts/histoqc-template4.png",
        "52708f5d0a3899f017513abe439c75520ccc9dad580843d6430f8a5e0c080c01",
        "BSD-3-Clause-Clear",
        "he",
        1.0,
        test=WHOLE,
    ),
    Source(
        "pyramid-tiff/giardia-HE-20x.tif",
        "66126c5b29721bf741293f6f00f5f6925e52dd8de2ea794aafd57178bc2047bf",
        "MIT",
        "he",
        0.526,
        test=WHOLE,
    ),
    Source(
        "artefacts/skimage-ihc.png",
        "f8dd1aa387ddd1f49d8ad13b50921b237df8e9b262606d258770687b0ef93cef",
        "CC0",
        "ihc",
        0.5,
        test=WHOLE,
    ),
    Source(
        "aperio/TCGA-CR-7395-01A-01-TS1.svs",
        "77da93f125bfc55570b9731af309b81904dc2648722103d7c3bf5db4f8a6a365",
        "Apache-2.0",
        "he",
        1.0,
        test=WHOLE,
        clean=False,
    ),
)


@dataclass(frozen=True, slots=True)
class Read:
    """A part of a source, at about 1 µm a pixel."""

    source: Source
    pixels: Pixels
    um: float


def read(folder: Path, purpose: str, stains: Collection[str] = ("he", "ihc")) -> list[Read]:
    """All parts that serve `learn`, `tune` or `test`, in the order of the table.

    Errors: NotFound for a missing file; Damaged where it is not the very one.
    """
    parts = []
    for source in SOURCES:
        part: Part | None = getattr(source, purpose)
        if part is not None and source.stain in stains:
            parts.append(Read(source, *_at_one_um(_checked(folder, source), source, part)))
    return parts


def _checked(folder: Path, source: Source) -> Path:
    path = folder / source.path
    if not path.is_file():
        raise NotFound(f"{source.path} is not in the folder of slides; fetch it and try again")
    if hashlib.sha256(path.read_bytes()).hexdigest() != source.sha256:
        raise Damaged(f"{source.path} is not the file that training names by its SHA-256")
    return path


def _at_one_um(path: Path, source: Source, part: Part) -> tuple[Pixels, float]:
    """Halved like a level of a pyramid until a further halving would pass 1.15 µm a pixel."""
    halvings = 0
    while source.um * 2 ** (halvings + 1) <= 1.15:
        halvings += 1
    if path.suffix == ".png":
        encoded = np.frombuffer(path.read_bytes(), np.uint8)
        image = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB), np.uint8)
        height, width = image.shape[:2]
        x0, y0, x1, y1 = _pixels_of(part, width, height)
        return _halved(image[y0:y1, x0:x1], halvings), source.um * 2**halvings
    with open_slide(path) as slide:
        size = slide.levels[0].size
        x0, y0, x1, y1 = _pixels_of(part, size.width, size.height)
        bands = [
            _halved(slide.pixels(0, Region(x0, y, x1 - x0, min(_BAND, y1 - y))), halvings)
            for y in range(y0, y1, _BAND)
        ]
    return np.concatenate([band for band in bands if len(band)]), source.um * 2**halvings


def _pixels_of(part: Part, width: int, height: int) -> tuple[int, int, int, int]:
    left, top, right, bottom = part
    return int(left * width), int(top * height), int(right * width), int(bottom * height)


def _halved(pixels: Pixels, halvings: int) -> Pixels:
    height, width = (side >> halvings for side in pixels.shape[:2])
    cut = pixels[: height << halvings, : width << halvings]
    if not cut.size:
        return np.zeros((0, width, 3), np.uint8)
    return cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA).astype(
        np.uint8, copy=False
    )
