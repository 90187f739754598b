"""Channels that lie about themselves, are cut off, or lack a part: an error each, never a guess."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import tifffile
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, generate_uid

from tests.contracts.fluorescence import cells, write_dicom_level, write_ome_tiff
from tests.contracts.hostile import ReadingProcess
from tests.contracts.spoil import flipped

_SIZE = (700, 500)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("one") / "level.dcm"
    write_dicom_level(path, cells(_SIZE), (0, 1, 2), series=generate_uid())
    return path


@pytest.fixture(scope="module")
def ome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("one") / "cells.ome.tif"
    write_ome_tiff(path, cells(_SIZE), levels=2)
    return path


def _set(**values: object) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        for name, value in values.items():
            setattr(dataset, name, value)

    return change


def _one_path_less(dataset: Dataset) -> None:
    dataset.OpticalPathSequence = dataset.OpticalPathSequence[:2]


def _one_name_twice(dataset: Dataset) -> None:
    dataset.OpticalPathSequence[1].OpticalPathIdentifier = "1"


def _one_path_twice(dataset: Dataset) -> None:
    dataset.OpticalPathSequence[1] = dataset.OpticalPathSequence[0]


_LIES: dict[str, tuple[Callable[[Dataset], None], str]] = {
    "fewer bits than the samples have": (_set(BitsStored=10, HighBit=9), "Damaged"),
    "more bits than a sample has room for": (_set(BitsStored=17, HighBit=16), "Damaged"),
    "no bits": (_set(BitsStored=0, HighBit=0), "Damaged"),
    "bits shifted up": (_set(HighBit=15), "Damaged"),
    "wide samples": (_set(BitsAllocated=32), "UnsupportedDicom"),
    "signed": (_set(PixelRepresentation=1), "UnsupportedDicom"),
    "negative picture": (_set(PhotometricInterpretation="MONOCHROME1"), "read"),
    "8 bits allocated": (_set(BitsAllocated=8, BitsStored=8, HighBit=7), "read"),
    "four paths": (_set(NumberOfOpticalPaths=4), "Damaged"),
    "no paths": (_set(NumberOfOpticalPaths=0, OpticalPathSequence=[]), "Damaged"),
    "a path undescribed": (_one_path_less, "Damaged"),
    "a path twice": (_one_path_twice, "Damaged"),
    "two paths of one name": (_one_name_twice, "read"),
    "frames of one path": (_set(NumberOfFrames=6), "UnsupportedDicom"),
    "focal planes": (_set(TotalPixelMatrixFocalPlanes=3), "UnsupportedDicom"),
    "huge": (_set(TotalPixelMatrixColumns=2**32 - 1), "TooLarge"),
}


@pytest.mark.parametrize("lie", _LIES)
def test_a_lying_header(lie: str, instance: Path, tmp_path: Path, reading: ReadingProcess) -> None:
    change, expected = _LIES[lie]
    dataset = pydicom.dcmread(instance)
    change(dataset)
    dataset.save_as(tmp_path / "lie.dcm")
    assert reading.read(tmp_path / "lie.dcm", lie) == expected


def test_a_missing_optical_path(tmp_path: Path, reading: ReadingProcess) -> None:
    planes, series = cells(_SIZE), generate_uid()
    write_dicom_level(tmp_path / "0.dcm", planes, (0, 1, 2), series=series)
    write_dicom_level(tmp_path / "1.dcm", planes[:, ::2, ::2], (0, 2), series=series)
    assert reading.read(tmp_path, "a level without a path") == "Damaged"


def test_levels_of_different_depth(tmp_path: Path, reading: ReadingProcess) -> None:
    planes, series = cells(_SIZE), generate_uid()
    write_dicom_level(tmp_path / "0.dcm", planes, (0, 1, 2), series=series)
    small = (planes[:, ::2, ::2] >> 4).astype(np.uint8)
    write_dicom_level(tmp_path / "1.dcm", small, (0, 1, 2), series=series, bits=8)
    assert reading.read(tmp_path, "two depths") == "UnsupportedDicom"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_cut_off(
    share: float, instance: Path, ome: Path, tmp_path: Path, reading: ReadingProcess
) -> None:
    for path in (instance, ome):
        data = path.read_bytes()
        short = tmp_path / path.name
        short.write_bytes(data[: int(len(data) * share)])
        # Of the OME-TIFF it is the XML that lies last: what the pages are is not known then.
        outcome = reading.read(short, f"{path.name} to {share}")
        assert outcome in {"Truncated", "Damaged", "Unsupported"}


def test_runs_that_unpack_to_more_than_a_frame(tmp_path: Path, reading: ReadingProcess) -> None:
    path = tmp_path / "bomb.dcm"
    write_dicom_level(path, cells(_SIZE), (0, 1, 2), series=generate_uid(), syntax=RLELossless)
    dataset = pydicom.dcmread(path)
    header = (2).to_bytes(4, "little") + (64).to_bytes(4, "little")
    header += (64 + 4_000_000).to_bytes(4, "little")
    bomb = header.ljust(64, b"\0") + b"\x81\x07" * 4_000_000
    dataset.PixelData = encapsulate([bomb] * int(dataset.NumberOfFrames))
    dataset["PixelData"].VR = "OB"
    dataset.save_as(path)
    assert reading.read(path, "a run-length bomb") == "Damaged"


_WORDS: dict[str, tuple[bytes, bytes, set[str]]] = {
    "fewer bits": (b'SignificantBits="12"', b'SignificantBits="10"', {"Damaged"}),
    "more bits": (b'SignificantBits="12"', b'SignificantBits="99"', {"Damaged"}),
    "more channels": (b'SizeC="3"', b'SizeC="9"', {"Damaged"}),
    "no channels": (b'SizeC="3"', b'SizeC="0"', {"Unsupported"}),
    "a directory that is not there": (b'IFD="0"', b'IFD="7"', {"Damaged"}),
    "a colour that is none": (b'Color="65535"', b'Color="blue!"', {"Damaged"}),
    "a wave that is none": (b'Wavelength="519.0"', b'Wavelength="1e999"', {"read"}),
    "focal planes": (b'SizeZ="1"', b'SizeZ="2"', {"Unsupported"}),
}


@pytest.mark.parametrize("word", _WORDS)
def test_lying_ome_xml(word: str, ome: Path, tmp_path: Path, reading: ReadingProcess) -> None:
    before, after, expected = _WORDS[word]
    data, lie = ome.read_bytes(), tmp_path / "lie.ome.tif"
    assert before in data
    assert len(before) == len(after)
    lie.write_bytes(data.replace(before, after))
    assert reading.read(lie, word) in expected


def test_channels_of_different_size(tmp_path: Path, reading: ReadingProcess) -> None:
    path, planes = tmp_path / "uneven.ome.tif", cells(_SIZE)
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image><Pixels SizeC="2" '
        'SizeX="700" SizeY="500"/></Image></OME>'
    )
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(planes[0], description=xml, photometric="minisblack", metadata=None)
        tiff.write(planes[1, :400], photometric="minisblack", metadata=None)
    assert reading.read(path, "uneven") == "Damaged"


def test_flipped_bits(instance: Path, ome: Path, tmp_path: Path, reading: ReadingProcess) -> None:
    random = np.random.default_rng(17)
    for path in (instance, ome):
        data = path.read_bytes()
        places = list(range(0, min(len(data), 6000), 7))
        for number in range(20):
            copy = tmp_path / path.name
            copy.write_bytes(flipped(data, random, places))
            reading.read(copy, f"{path.name} flip {number}")


def test_the_sample_itself_is_read(instance: Path, ome: Path, reading: ReadingProcess) -> None:
    assert pydicom.dcmread(instance).file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert reading.read(instance, "DICOM") == reading.read(ome, "OME-TIFF") == "read"
