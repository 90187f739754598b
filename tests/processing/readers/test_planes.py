"""Readers of channels on a genuine DICOM series and on painted files, held to the contract.

No genuine 16-bit or multi-channel OME-TIFF is at hand: those are written by tifffile here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pydicom
import pytest
import tifffile
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless, RLELossless, generate_uid

from processing.plane_codec import Plane
from processing.readers import open_slide
from storage.records.geometry import Region
from tests.contracts.fluorescence import (
    COLORS,
    EMISSION,
    NAMES,
    Planes,
    cells,
    halved,
    write_dicom_level,
    write_ome_tiff,
)
from tests.contracts.plane_contract import PlaneContract, Samples

_SIZES = ((1501, 1103), (751, 552), (376, 276))


@lru_cache(maxsize=12)
def by_pydicom(path: Path) -> Plane:
    """[channel, row, column] from pydicom's own decoding of every frame."""
    dataset = pydicom.dcmread(path)
    paths, edge = int(dataset.NumberOfOpticalPaths), int(dataset.Rows)
    width, height = int(dataset.TotalPixelMatrixColumns), int(dataset.TotalPixelMatrixRows)
    columns, rows = -(-width // edge), -(-height // edge)
    frames = dataset.pixel_array.reshape(paths, rows, columns, edge, edge)
    mosaic = frames.transpose(0, 1, 3, 2, 4).reshape(paths, rows * edge, columns * edge)
    return mosaic[:, :height, :width]


Instances = tuple[tuple[int, ...], ...]
Paint = Callable[[UID, Instances], Path]


@pytest.fixture(scope="module")
def paint(tmp_path_factory: pytest.TempPathFactory) -> Paint:
    """`paint(syntax, instances)` is a series of three levels, painted once."""

    @lru_cache
    def series(syntax: UID, instances: Instances) -> Path:
        folder, uid = tmp_path_factory.mktemp("dicom"), generate_uid()
        for level, planes in enumerate(_painted()):
            for at, paths in enumerate(instances):
                path = folder / f"{level}-{at}.dcm"
                write_dicom_level(path, planes, paths, series=uid, syntax=syntax)
        return folder

    return series


@pytest.fixture(scope="module")
def painted_ome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ome") / "cells.ome.tif"
    write_ome_tiff(path, cells())
    return path


@lru_cache
def _painted() -> list[Planes]:
    planes = cells()
    return [planes, halved(planes), halved(halved(planes))]


class TestGenuineDicom(PlaneContract):
    reader = "dicom"
    sizes = tuple((3072 >> at, 2304 >> at) for at in range(8))
    names, colors = ("Green", "Blue", "Red"), ("00FF00", "0000FF", "FF0000")
    depth = ("uint8", 8)
    mpp = 1.29

    @pytest.fixture
    def slide_path(self, slides_dir: Path) -> Path:
        return slides_dir / "dicom-fluorescence/BPAEC"

    @pytest.fixture
    def judge(self, slide_path: Path) -> Samples:
        return lambda level: by_pydicom(slide_path / f"{level + 5}_0")

    def test_the_label_and_no_profile(self, slide_path: Path) -> None:
        with open_slide(slide_path) as slide:
            assert {image.name for image in slide.associated_images()} == {"label"}
            assert slide.icc_profile is None


class TestOmeTiff12Bit(PlaneContract):
    reader = "tiff"
    sizes, names, colors, emission = _SIZES, NAMES, COLORS, EMISSION
    depth = ("uint16", 12)
    mpp = 0.325

    @pytest.fixture
    def slide_path(self, painted_ome: Path) -> Path:
        return painted_ome

    @pytest.fixture
    def judge(self, slide_path: Path) -> Samples:
        with tifffile.TiffFile(slide_path) as tiff:
            levels = [at.asarray() for at in tiff.series[0].levels]
        return lambda level: levels[level]


class _PaintedDicom(PlaneContract):
    """16 bits allocated, 12 stored, three levels; the judge is what was painted."""

    reader = "dicom"
    sizes, names, colors = _SIZES, NAMES, COLORS
    excitation = tuple(at - 30 for at in EMISSION)
    depth = ("uint16", 12)
    syntax = ExplicitVRLittleEndian
    instances: Instances = ((0, 1, 2),)

    @pytest.fixture
    def slide_path(self, paint: Paint) -> Path:
        return paint(self.syntax, self.instances)

    @pytest.fixture
    def judge(self) -> Samples:
        return lambda level: _painted()[level]


class TestDicomUncompressed16Bit(_PaintedDicom):
    pass


class TestDicomRunLength16Bit(_PaintedDicom):
    syntax = RLELossless


class TestDicomJpeg2000Lossless16Bit(_PaintedDicom):
    syntax = JPEG2000Lossless


class TestDicomInstanceForEachPath(_PaintedDicom):
    instances = ((0,), (1,), (2,))


@pytest.mark.parametrize("bits", [12, 16])
def test_grey_tiff_without_a_pyramid_is_one_channel(tmp_path: Path, bits: int) -> None:
    plane = cells((700, 500), bits)[0]
    path = tmp_path / "grey.tif"
    tifffile.imwrite(path, plane, photometric="minisblack", compression="lzw", rowsperstrip=64)
    with open_slide(path) as slide:
        assert slide.channels is not None
        assert [at.color for at in slide.channels.channels] == ["FFFFFF"]
        assert np.array_equal(slide.plane(0, 0, Region(0, 0, 700, 500)), plane)


def test_pictures_in_colour_have_no_channels(slides_dir: Path, painted_dicom: Path) -> None:
    for path in (slides_dir / "hamamatsu/test3-DAPI-2-387.ndpi", painted_dicom):
        with open_slide(path) as slide:
            assert slide.channels is None
            with pytest.raises(NotImplementedError):
                slide.plane(0, 0, Region(0, 0, 10, 10))
