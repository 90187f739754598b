"""The images focus is trained on, by SHA-256: all of licences that let weights be passed on.

Sharpness is taken as found: what a scanner made counts as 0 µm. µm along a pixel are the file's,
or, where `estimated`, judged from the size of nuclei.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openslide
import tifffile

from processing.jpeg import Pixels
from storage.errors import NotFound

_BLOCK = 2**20


@dataclass(frozen=True, slots=True)
class Source:
    """One image."""

    path: str
    """Below the folder of slides."""
    sha256: str
    um: float
    scanner: str
    stain: str
    """`he` or `ihc`."""
    licence: str
    estimated: bool = False


_ATLAS = "MIT, Pathology Atlas (S. Balci)"
_HISTOQC = "Clear BSD, HistoQC"

SOURCES = (
    Source(
        "pyramid-tiff/giardia-HE-40x-crop.tif",
        "23a0a1d84eb29d68772e17c77c22d1cf87204cf89c0ed7c1ca90b6bb53cccf70",
        0.263018,
        "Aperio GT450 DX",
        "he",
        _ATLAS,
    ),
    Source(
        "pyramid-tiff/giardia-HE-20x.tif",
        "66126c5b29721bf741293f6f00f5f6925e52dd8de2ea794aafd57178bc2047bf",
        0.526036,
        "Aperio GT450 DX",
        "he",
        _ATLAS,
    ),
    Source(
        "pyramid-tiff/BS25-HE-40x-crop.tif",
        "99c075c8a02739d26c4af52d07ed4e0d1dd5786ce89569910bde6e740c850306",
        0.2528,
        "Aperio AT2",
        "he",
        _ATLAS,
    ),
    Source(
        "pyramid-tiff/BS25-CHR-IHC-40x-crop.tif",
        "e2a8ecd15d7e4ad97cc88a2f0e184e360c15d09676a6db6d616f15db4bf7a77d",
        0.2528,
        "Aperio AT2",
        "ihc",
        _ATLAS,
    ),
    Source(
        "pyramid-tiff/BS25-CHR-IHC-10x.tif",
        "d771df22cb03c0419a4e5257f682003f5a05d17f61207611c395f9c539edb886",
        1.0112,
        "Aperio AT2",
        "ihc",
        _ATLAS,
    ),
    Source(
        "aperio/CMU-1-Small-Region.svs",
        "ed92d5a9f2e86df67640d6f92ce3e231419ce127131697fbbce42ad5e002c8a7",
        0.499,
        "Aperio ScanScope CS",
        "he",
        "CC0, OpenSlide test data",
    ),
    *(
        Source(
            f"artefacts/histoqc-template{number}.png",
            digest,
            0.5,
            "unnamed (HistoQC templates)",
            "he",
            _HISTOQC,
            estimated=True,
        )
        for number, digest in enumerate(
            (
                "3584a11cf13e095d5570d7aade56851a4b1f9510178d88dca7b71681206adc4f",
                "9d87c44a14cae9faec9d052a6283edc4b711889a083b74edb492254467241a86",
                "edda8c5d6f5fcc5c9660085beb0888b6eebcb9ce3f72053a31b0a514195b75a3",
                "52708f5d0a3899f017513abe439c75520ccc9dad580843d6430f8a5e0c080c01",
            ),
            start=1,
        )
    ),
    Source(
        "artefacts/skimage-ihc.png",
        "f8dd1aa387ddd1f49d8ad13b50921b237df8e9b262606d258770687b0ef93cef",
        0.5,
        "unnamed (scikit-image)",
        "ihc",
        "CC0, scikit-image data (Jalal et al.)",
        estimated=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Opened:
    """A source at hand: any part of it, as RGB."""

    source: Source
    width: int
    height: int
    part: Callable[[int, int, int], Pixels]
    """[side, side, 3] at (x, y) of level 0, by x, y and side."""


def opened(source: Source, pixels: Pixels) -> Opened:
    """One that is in memory."""
    height, width = pixels.shape[:2]
    return Opened(source, width, height, lambda x, y, side: pixels[y : y + side, x : x + side])


def open_sources(folder: Path, wanted: Sequence[Source] = SOURCES) -> list[Opened]:
    """All of them. Errors: NotFound where one is missing or another file."""
    return [_open(source, folder) for source in wanted]


def drawn(number: int) -> Opened:
    """Tissue made of discs, for trying things without any slide."""
    random = np.random.default_rng(number)
    side = 900
    calm = cv2.GaussianBlur(random.normal(0, 1, (side, side)).astype(np.float32), (0, 0), 5)
    pixels = np.array([226, 168, 200], np.float32) + 200 * calm[:, :, None]
    for _ in range(side * side // 700):
        at = int(random.integers(0, side)), int(random.integers(0, side))
        shade = random.uniform(60, 150, 3).tolist()
        cv2.circle(pixels, at, int(random.integers(3, 9)), shade, -1, cv2.LINE_AA)
    source = Source(f"drawn/{number}", "", 0.5, "none", "he", "drawn by this program")
    return opened(source, np.clip(pixels, 0, 255).astype(np.uint8))


def _open(source: Source, folder: Path) -> Opened:
    path = folder / source.path
    _check_digest(path, source.sha256)
    if path.suffix == ".png":
        coded = np.fromfile(path, np.uint8)
        return opened(source, _bytes(cv2.imdecode(coded, cv2.IMREAD_COLOR_RGB)))
    if path.name.endswith(".ome.tif"):
        return opened(source, tifffile.imread(path))
    slide = openslide.OpenSlide(str(path))

    def part(x: int, y: int, side: int) -> Pixels:
        read = np.asarray(slide.read_region((x, y), 0, (side, side)))
        white = cv2.bitwise_not(np.repeat(read[:, :, 3:], 3, axis=2))
        return _bytes(cv2.add(np.ascontiguousarray(read[:, :, :3]), white))

    return Opened(source, *slide.dimensions, part)


def _bytes(image: Any) -> Pixels:  # noqa: ANN401 - OpenCV's word for an image differs by call
    return np.asarray(image, np.uint8)


def _check_digest(path: Path, sha256: str) -> None:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except FileNotFoundError as error:
        told = f"{path.name} is not there: --slides names a folder with all sources"
        raise NotFound(told) from error
    if digest.hexdigest() != sha256:
        raise NotFound(f"{path.name} is another file than the one the model was trained on")
