"""Decoded frames are what their header says of samples; pydicom reads them by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, JPEG2000Lossless

from processing.dicom.plain_frames import plain_frame
from processing.dicom_samples import Coding
from tests.contracts.dicom_codecs import Compress, by_program, high_throughput
from tests.contracts.dicom_files import as_dicom, frames_of
from tests.contracts.dicom_slides import picture

_SIZE = (30, 20)
_ANY_COLOURS: dict[str, Compress] = {
    "RLE": by_program("dcmcrle"),
    "JPEG lossless": by_program("dcmcjpeg", "+e1"),
    "JPEG-LS": by_program("dcmcjpls", "+el"),
}
_OF_RGB = {"JPEG 2000": by_program("gdcmconv", "--j2k"), "HTJ2K": high_throughput}
_CODINGS = _ANY_COLOURS | _OF_RGB


def written(file: Path, samples: NDArray[Any], **more: object) -> None:
    """One native frame [row, column(, 3)] as `more` describes it."""
    bits, coloured = 8 * samples.itemsize, samples.ndim == 3
    usual = {
        "Rows": samples.shape[0], "Columns": samples.shape[1], "NumberOfFrames": 1,
        "SamplesPerPixel": 3 if coloured else 1, "BitsAllocated": bits, "BitsStored": bits,
        "HighBit": bits - 1, "PixelRepresentation": int(samples.dtype.kind == "i"),
    }  # fmt: skip
    if coloured:
        usual |= {"PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    about = usual | more
    planes = np.moveaxis(samples, -1, 0) if about.get("PlanarConfiguration") else samples
    as_dicom(file, planes.tobytes(), ExplicitVRLittleEndian, **about)


def plain(file: Path) -> tuple[Dataset, bytes]:
    """The header of a file, and its first frame decoded."""
    dataset = pydicom.dcmread(file)
    coding = Coding.of(dataset, dataset.file_meta.TransferSyntaxUID)
    return dataset, plain_frame(frames_of(file)[0], coding)


def as_read(file: Path) -> NDArray[Any]:
    """What a client has who puts header and samples together; in colour RGB."""
    dataset, data = plain(file)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.PixelData = data
    return np.asarray(dataset.pixel_array)


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize(
    ("coding", "photometric"),
    [*((coding, "RGB") for coding in _CODINGS), *((coding, "YBR_FULL") for coding in _ANY_COLOURS)],
)
def test_planes_and_colours(coding: str, photometric: str, planar: int, tmp_path: Path) -> None:
    samples, file = picture(*_SIZE), tmp_path / "at.dcm"
    if photometric == "YBR_FULL":
        samples = convert_color_space(samples, "RGB", "YBR_FULL")
    written(file, samples, PhotometricInterpretation=photometric, PlanarConfiguration=planar)
    expected = np.asarray(pydicom.dcmread(file).pixel_array)
    _CODINGS[coding](file)
    assert np.array_equal(as_read(file), expected)


def test_jpeg_that_is_called_full_chroma(slides_dir: Path) -> None:
    file = slides_dir / "radiology/pydicom-SC_rgb_jpeg_dcmtk.dcm"
    dataset = pydicom.dcmread(file)
    assert dataset.PhotometricInterpretation == "YBR_FULL"
    assert abs(as_read(file).astype(int) - dataset.pixel_array).max() <= 2


@pytest.mark.parametrize("name", ["examples_ybr_color", "examples_jpeg2k"])
def test_what_describes_a_code_alone_is_rgb(name: str, slides_dir: Path) -> None:
    """YBR_FULL_422 and YBR_RCT: three samples a pixel, which no samples of 4:2:2 have."""
    dataset, data = plain(slides_dir / f"radiology/pydicom-{name}.dcm")
    assert dataset.PhotometricInterpretation in {"YBR_FULL_422", "YBR_RCT"}
    theirs = np.asarray(pydicom.pixels.pixel_array(dataset, index=0))
    ours = np.frombuffer(data, np.uint8).reshape(theirs.shape)
    assert abs(ours.astype(int) - theirs).max() <= 2


@pytest.mark.parametrize(
    ("coding", "kind"),
    [
        (coding, kind)
        for coding in _CODINGS
        for kind in ("uint8", "uint16", "int16")
        if (coding, kind) != ("JPEG 2000", "int16")  # gdcmconv writes no DICOM of those
    ],
)
def test_grey(coding: str, kind: str, tmp_path: Path) -> None:
    eight = picture(*_SIZE)[..., 0]
    image = {
        "uint8": eight, "uint16": eight.astype(np.uint16) << 4,
        "int16": (eight.astype(np.int16) << 4) - 900,
    }[kind]  # fmt: skip
    written(tmp_path / "at.dcm", image)
    _CODINGS[coding](tmp_path / "at.dcm")
    found = as_read(tmp_path / "at.dcm")
    assert found.dtype == kind
    assert np.array_equal(found, image)


def test_what_stands_beside_the_samples_in_their_words_stays(tmp_path: Path) -> None:
    words = picture(*_SIZE)[..., 0].astype(np.uint16) << 4 | 3
    written(tmp_path / "at.dcm", words, BitsStored=12, HighBit=15)
    by_program("dcmcrle")(tmp_path / "at.dcm")
    assert plain(tmp_path / "at.dcm")[1] == words.tobytes()


def test_bits(tmp_path: Path) -> None:
    mask = picture(*_SIZE)[..., 0] >> 7
    as_dicom(tmp_path / "at.dcm", bytes(80), Rows=20, Columns=30, BitsAllocated=1, BitsStored=1)
    header = pydicom.dcmread(tmp_path / "at.dcm")
    coding = Coding.of(header, JPEG2000Lossless)
    data = plain_frame(imagecodecs.jpeg2k_encode(mask, reversible=True, level=0), coding)
    assert data == np.packbits(mask, bitorder="little").tobytes()


@pytest.mark.parametrize("kind", ["uint8", "uint16", "int16", "uint32"])
def test_of_big_endian_the_words_are_turned(kind: str, tmp_path: Path) -> None:
    image = picture(*_SIZE).astype(kind)
    planes = np.moveaxis(image, -1, 0)
    written(tmp_path / "at.dcm", image, PhotometricInterpretation="YBR_FULL", PlanarConfiguration=1)
    header = pydicom.dcmread(tmp_path / "at.dcm")
    big, little = planes.astype(planes.dtype.newbyteorder(">")), planes.tobytes()
    assert plain_frame(big.tobytes(), Coding.of(header, ExplicitVRBigEndian)) == little
    assert plain_frame(little, Coding.of(header, ExplicitVRLittleEndian)) == little
