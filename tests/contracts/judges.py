"""Independent judges of pixels: OpenSlide, tifffile, and pydicom's frames through Pillow."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import openslide
import pydicom
import tifffile
from PIL import Image
from pydicom.encaps import generate_frames

from processing.jpeg import Pixels
from storage.records.geometry import Region, Size


@lru_cache(maxsize=4)
def openslide_judge(path: Path) -> _OpenSlide:
    """OpenSlide, only for levels whose downsample is a whole number."""
    return _OpenSlide(path)


@lru_cache(maxsize=2)
def tifffile_judge(path: Path, pages: tuple[int, ...]) -> _Arrays:
    """Whole pages decoded by tifffile."""
    with tifffile.TiffFile(path) as tiff:
        return _Arrays([_rgb(tiff.pages[page].asarray()) for page in pages])


@lru_cache(maxsize=2)
def dicom_judge(paths: tuple[Path, ...]) -> _Arrays:
    """JPEG frames cut out by pydicom, decoded by Pillow, which obeys the stream's own markers."""
    return _Arrays([_mosaic(path) for path in paths])


def native_dicom_judge(path: Path) -> _Arrays:
    """Frames of a file that is not compressed, by pydicom."""
    return _Arrays([_mosaic(path, pydicom.dcmread(path).pixel_array)])


def array_judge(levels: Sequence[Pixels]) -> _Arrays:
    """What was painted."""
    return _Arrays(levels)


class _OpenSlide:
    def __init__(self, path: Path) -> None:
        self._slide = openslide.OpenSlide(path)

    def __call__(self, level: int, region: Region) -> Pixels:
        downsample = self._slide.level_downsamples[level]
        assert downsample == round(downsample), "OpenSlide would interpolate"
        corner = region.x * round(downsample), region.y * round(downsample)
        image = self._slide.read_region(corner, level, (region.width, region.height))
        white = Image.new("RGBA", image.size, "white")
        return np.asarray(Image.alpha_composite(white, image).convert("RGB"))


class _Arrays:
    def __init__(self, levels: Sequence[Pixels]) -> None:
        self._levels = levels

    def __call__(self, level: int, region: Region) -> Pixels:
        whole = self._levels[level]
        out = np.full((region.height, region.width, 3), 255, np.uint8)
        inside = region.clipped(Size(whole.shape[1], whole.shape[0]))
        if inside is not None:
            y, x = inside.y - region.y, inside.x - region.x
            out[y : y + inside.height, x : x + inside.width] = whole[
                inside.y : inside.bottom, inside.x : inside.right
            ]
        return out


def _rgb(pixels: Pixels) -> Pixels:
    return pixels[:, :, :3] if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)


def _mosaic(path: Path, frames: Iterable[Pixels] | None = None) -> Pixels:
    dataset = pydicom.dcmread(path)
    edge_y, edge_x = int(dataset.Rows), int(dataset.Columns)
    width, height = int(dataset.TotalPixelMatrixColumns), int(dataset.TotalPixelMatrixRows)
    columns = -(-width // edge_x)
    whole = np.full((-(-height // edge_y) * edge_y, columns * edge_x, 3), 255, np.uint8)
    if frames is None:
        coded = generate_frames(dataset.PixelData, number_of_frames=int(dataset.NumberOfFrames))
        frames = (np.asarray(Image.open(io.BytesIO(frame))) for frame in coded)
    for index, frame in enumerate(frames):
        y, x = index // columns * edge_y, index % columns * edge_x
        whole[y : y + edge_y, x : x + edge_x] = frame
    return whole[:height, :width]
