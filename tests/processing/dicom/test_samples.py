"""Frames of every transfer syntax unpack to the samples they were made from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from processing.dicom.samples import Shape, decode, little_endian, plain_bytes
from storage.errors import Damaged, SlideError, TooLarge, UnsupportedCompression
from tests.contracts.dicom_codecs import by_program, high_throughput, run_length
from tests.contracts.dicom_files import as_dicom, frames_of

_CODINGS: dict[str, Callable[[Path], None]] = {
    "RLE by pydicom": run_length,
    "RLE by dcmtk": by_program("dcmcrle"),
    "JPEG lossless by dcmtk": by_program("dcmcjpeg", "+e1"),
    "JPEG lossless by gdcm": by_program("gdcmconv", "--jpeg"),
    "JPEG-LS by dcmtk": by_program("dcmcjpls", "+el"),
    "JPEG-LS by gdcm": by_program("gdcmconv", "--jpegls"),
    "JPEG 2000 by gdcm": by_program("gdcmconv", "--j2k"),
    "HTJ2K": high_throughput,
}
_NATIVE = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]


def pixels(shape: tuple[int, ...], kind: str, low: int, high: int) -> NDArray[Any]:
    values = np.random.default_rng(5).integers(low, high, shape)
    return np.cumsum(values % 7, axis=0).clip(0, high - low - 1).astype(kind) + np.array(low, kind)


def grey(
    file: Path, image: NDArray[Any], syntax: UID = ExplicitVRLittleEndian, **more: object
) -> None:
    """Frames of one sample a pixel, [frame, row, column]."""
    bits = 8 * image.itemsize
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    raw = image.astype(image.dtype.newbyteorder(order)).tobytes()
    about = {
        "Rows": image.shape[1], "Columns": image.shape[2], "NumberOfFrames": len(image),
        "BitsAllocated": bits, "BitsStored": bits, "HighBit": bits - 1,
        "PixelRepresentation": int(image.dtype.kind == "i"),
    }  # fmt: skip
    as_dicom(file, raw, syntax, **(about | more))


def unpacked(file: Path, number: int = 0) -> NDArray[Any]:
    """A frame of a file; of one that is not coded the first."""
    dataset = pydicom.dcmread(file)
    syntax = dataset.file_meta.TransferSyntaxUID
    frame = frames_of(file)[number] if syntax.is_encapsulated else dataset.PixelData
    return decode(frame, syntax, Shape.of(dataset))


@pytest.mark.parametrize(
    ("coding", "kind"),
    [
        (coding, kind)
        for coding in _CODINGS
        for kind in ("uint8", "uint16", "int16")
        if kind != "int16" or "gdcm" not in coding  # gdcmconv writes no DICOM of those
    ],
)
def test_grey_without_loss(coding: str, kind: str, tmp_path: Path) -> None:
    low = -900 if kind == "int16" else 0
    image = pixels((2, 20, 30), kind, low, low + (200 if kind == "uint8" else 3000))
    grey(tmp_path / "at.dcm", image)
    _CODINGS[coding](tmp_path / "at.dcm")
    assert pydicom.dcmread(tmp_path / "at.dcm").file_meta.TransferSyntaxUID != _NATIVE[0]
    made = unpacked(tmp_path / "at.dcm", 1)
    assert made.dtype.kind == image.dtype.kind
    assert np.array_equal(made, image[1])


@pytest.mark.parametrize("coding", _CODINGS)
def test_colour_without_loss(coding: str, tmp_path: Path) -> None:
    image = pixels((1, 20, 30, 3), "uint8", 0, 200)
    grey(tmp_path / "at.dcm", image[..., 0], SamplesPerPixel=3, PhotometricInterpretation="RGB",
         PlanarConfiguration=0)  # fmt: skip
    dataset = pydicom.dcmread(tmp_path / "at.dcm")
    dataset.PixelData = image.tobytes()
    dataset.save_as(tmp_path / "at.dcm")
    _CODINGS[coding](tmp_path / "at.dcm")
    assert np.array_equal(unpacked(tmp_path / "at.dcm"), image[0])


@pytest.mark.parametrize("syntax", _NATIVE)
@pytest.mark.parametrize("kind", ["uint8", "uint16", "int16", "uint32"])
def test_native_samples(syntax: UID, kind: str, tmp_path: Path) -> None:
    image = pixels((1, 5, 6), kind, -9 if kind == "int16" else 0, 200)
    grey(tmp_path / "at.dcm", image, syntax)
    dataset = pydicom.dcmread(tmp_path / "at.dcm")
    shape = Shape.of(dataset)
    made = decode(dataset.PixelData, syntax, shape)
    assert np.array_equal(made, image[0])
    assert plain_bytes(made, shape) == image[0].astype(image.dtype.newbyteorder("<")).tobytes()
    if syntax == ExplicitVRBigEndian:
        assert little_endian(dataset.PixelData, shape)[: image.nbytes] == plain_bytes(made, shape)


def test_what_stands_beside_the_samples_in_their_words_is_left_out(tmp_path: Path) -> None:
    """Old overlays in the upper bits (PS3.5 8.1.1)."""
    image = pixels((1, 5, 6), "uint16", 0, 4000)
    grey(tmp_path / "at.dcm", image | 0xF000, BitsStored=12, HighBit=11)
    assert np.array_equal(unpacked(tmp_path / "at.dcm"), image[0])
    grey(tmp_path / "high.dcm", image << 4 | 3, BitsStored=12, HighBit=15)
    assert np.array_equal(unpacked(tmp_path / "high.dcm"), image[0])


def test_bits_of_a_segmentation(tmp_path: Path) -> None:
    image = pixels((1, 8, 9), "uint8", 0, 2)
    raw = np.packbits(image.reshape(-1), bitorder="little").tobytes()
    as_dicom(tmp_path / "at.dcm", raw + b"\0", Rows=8, Columns=9, BitsAllocated=1, BitsStored=1,
             HighBit=0)  # fmt: skip
    dataset = pydicom.dcmread(tmp_path / "at.dcm")
    made = decode(dataset.PixelData, ExplicitVRLittleEndian, Shape.of(dataset))
    assert np.array_equal(made, image[0])


def test_real_frames_are_as_pydicom_sees_them(slides_dir: Path) -> None:
    seen = 0
    for file in [
        *(slides_dir / "radiology").glob("*.dcm"),
        *(slides_dir / "dicom-wsi").glob("*sm_*"),
    ]:
        dataset = pydicom.dcmread(file, force=True)
        syntax = dataset.file_meta.get("TransferSyntaxUID")
        if "PixelData" not in dataset or dataset.BitsAllocated == 1 or "truncated" in file.name:
            continue
        shape, frames = Shape.of(dataset), int(dataset.get("NumberOfFrames") or 1)
        size = shape.rows * shape.columns * shape.samples * shape.allocated // 8
        coded = frames_of(file)[0] if syntax.is_encapsulated else dataset.PixelData[:size]
        expected = dataset.pixel_array if frames == 1 else dataset.pixel_array[0]
        assert np.array_equal(decode(coded, syntax, shape), expected), file.name
        seen += 1
    assert seen > 15


@pytest.mark.parametrize(
    ("about", "error"),
    [
        ({"Rows": 0}, Damaged),
        ({"SamplesPerPixel": 2}, Damaged),
        ({"BitsAllocated": 0}, Damaged),
        ({"Rows": 65535, "Columns": 65535}, TooLarge),
    ],
)
def test_headers_that_make_no_sense(about: dict[str, int], error: type, tmp_path: Path) -> None:
    dataset = as_dicom(tmp_path / "at.dcm", bytes(100))
    for name, value in about.items():
        setattr(dataset, name, value)
    with pytest.raises(error):
        Shape.of(dataset)


@pytest.mark.parametrize("coding", ["RLE by pydicom", "JPEG lossless by dcmtk", "JPEG-LS by dcmtk",
                                    "JPEG 2000 by gdcm", "HTJ2K"])  # fmt: skip
def test_a_frame_of_another_size_is_not_unpacked(coding: str, tmp_path: Path) -> None:
    grey(tmp_path / "at.dcm", pixels((1, 20, 30), "uint8", 0, 200))
    _CODINGS[coding](tmp_path / "at.dcm")
    dataset = pydicom.dcmread(tmp_path / "at.dcm")
    dataset.Rows = 19
    with pytest.raises(SlideError):
        decode(frames_of(tmp_path / "at.dcm")[0], dataset.file_meta.TransferSyntaxUID,
               Shape.of(dataset))  # fmt: skip


@pytest.mark.parametrize("cut", [0, 1, 40, -20])
@pytest.mark.parametrize("coding", _CODINGS)
def test_a_frame_that_is_cut_off_does_no_harm(coding: str, cut: int, tmp_path: Path) -> None:
    grey(tmp_path / "at.dcm", pixels((1, 20, 30), "uint8", 0, 200))
    _CODINGS[coding](tmp_path / "at.dcm")
    dataset, frame = pydicom.dcmread(tmp_path / "at.dcm"), frames_of(tmp_path / "at.dcm")[0]
    try:
        made = decode(frame[:cut], dataset.file_meta.TransferSyntaxUID, Shape.of(dataset))
    except SlideError:
        return
    assert made.shape == (20, 30)


def test_a_transfer_syntax_nobody_knows(tmp_path: Path) -> None:
    shape = Shape.of(as_dicom(tmp_path / "at.dcm", bytes(100)))
    for syntax in ("1.2.3", "1.2.840.10008.1.2.4.103"):
        with pytest.raises(UnsupportedCompression):
            decode(bytes(100), syntax, shape)
