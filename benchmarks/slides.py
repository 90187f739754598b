"""The slides that are measured: a real one, and painted ones of any size, painted once."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import openslide

from benchmarks.measure import Say
from benchmarks.peers import BUILD
from benchmarks.rewrap import rewrap

GIARDIA = "giardia-HE-20x"
_CROP = 4096
_SEED = 1


@dataclass(frozen=True)
class Slide:
    """A slide as the peers get it."""

    name: str
    path: Path
    aperio: Path
    """The same tiles in Aperio's layout, for peers that copy tiles from nothing else."""
    plain: Path
    """The same tiles without it: vips reads a scanner's file through OpenSlide, more slowly."""
    crop: Path
    """A square with tissue as a NumPy file [channel, row, column]."""
    width: int
    height: int

    @property
    def megapixels(self) -> float:
        """Pixels of level 0, in millions."""
        return self.width * self.height / 1e6

    @property
    def crop_megapixels(self) -> float:
        """Pixels of the crop, in millions."""
        return min(_CROP, self.width, self.height) ** 2 / 1e6


def giardia(folder: Path, say: Say) -> Slide:
    """The real benchmark slide; a painting of its size where it is not at hand."""
    shared = Path(os.environ.get("SVARTID_TEST_SLIDES") or "../shared/slides")
    path = shared / "pyramid-tiff" / f"{GIARDIA}.tif"
    if path.is_file():
        return prepared(path.absolute(), folder)
    say(f"{path} is not here: a painting of its size takes its place")
    return prepared(paint(39646, 15555, say), folder)


def painted(gigapixels: float, folder: Path, say: Say) -> Slide:
    """A painted slide, twice as wide as high."""
    width = round(math.sqrt(gigapixels * 2e9) / 1000) * 1000
    return prepared(paint(width, round(gigapixels * 1e9 / width), say), folder)


def paint(width: int, height: int, say: Say, cache: Path = BUILD / "painted") -> Path:
    """Path of a painting in the cache, painted when it is not there yet."""
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / f"painted-{width}x{height}-{_SEED}.svs"
    if not path.exists():
        say(f"painting {width} x {height} pixels (once)")
        svartid = str(Path(sys.executable).parent / "svartid")
        size = ["--width", str(width), "--height", str(height), "--seed", str(_SEED)]
        subprocess.run([svartid, "paint", str(path), *size], check=True, capture_output=True)
    return path


def prepared(path: Path, folder: Path) -> Slide:
    """A slide with what peers need beside it, made in `folder`."""
    crop = folder / f"{path.stem}-crop.npy"
    with openslide.OpenSlide(path) as slide:
        width, height = slide.dimensions
        is_aperio = slide.properties.get(openslide.PROPERTY_NAME_VENDOR) == "aperio"
        np.save(crop, _crop(slide))
    other = folder / f"{path.stem}-rewrapped{'.tif' if is_aperio else '.svs'}"
    rewrap(path, other, aperio=not is_aperio)
    aperio, plain = (path, other) if is_aperio else (other, path)
    return Slide(path.stem, path, aperio, plain, crop, width, height)


def _crop(slide: openslide.OpenSlide) -> np.ndarray:
    """The square with most tissue, that is the darkest on the coarsest level."""
    size = min(_CROP, *slide.dimensions)
    coarsest = slide.level_count - 1
    downsample = slide.level_downsamples[coarsest]
    whole = slide.read_region((0, 0), coarsest, slide.level_dimensions[coarsest])
    grey = np.asarray(whole.convert("RGB").convert("L"), np.float32)
    window = max(1, int(size / downsample))
    means = cv2.boxFilter(grey, -1, (window, window), anchor=(0, 0))
    whole_windows = means[: grey.shape[0] - window + 1, : grey.shape[1] - window + 1]
    row, column = np.unravel_index(whole_windows.argmin(), whole_windows.shape)
    at = int(column * downsample), int(row * downsample)
    pixels = np.asarray(slide.read_region(at, 0, (size, size)).convert("RGB"))
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))
