"""Frames of every transfer syntax unpack to the samples they were made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
)

from processing.dicom_colour import to_rgb
from processing.dicom_samples import Coding, decode
from storage.errors import Damaged, SlideError, TooLarge, UnsupportedCompression
from tests.contracts.dicom_codecs import by_program, high_throughput, jpeg_xl, run_length
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
    "JPEG XL": jpeg_xl,
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


def coding_of(dataset: Dataset) -> Coding:
    return Coding.of(dataset, dataset.file_meta.TransferSyntaxUID)


def unpacked(file: Path, number: int = 0) -> NDArray[Any]:
    """A frame of a file, in colour as RGB; of one that is not coded the first."""
    dataset = pydicom.dcmread(file)
    coding = coding_of(dataset)
    coded = dataset["PixelData"].is_undefined_length
    frame = frames_of(file)[number] if coded else dataset.PixelData
    return decode(frame, coding) if coding.samples == 1 else to_rgb(frame, coding)


@pytest.mark.parametrize(
    ("coding", "kind"),
    [
        (coding, kind)
        for coding in _CODINGS
        for kind in ("uint8", "uint16", "int16")
        if kind != "int16" or not coding.endswith(("gdcm", "XL"))  # which write no DICOM of those
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
    made = unpacked(tmp_path / "at.dcm")
    assert made.dtype == image.dtype
    assert np.array_equal(made, image[0])


def test_what_stands_beside_the_samples_in_their_words_is_left_out(tmp_path: Path) -> None:
    """Old overlays in the upper bits (PS3.5 8.1.1)."""
    image = pixels((1, 5, 6), "uint16", 0, 4000)
    grey(tmp_path / "at.dcm", image | 0xF000, BitsStored=12, HighBit=11)
    assert np.array_equal(unpacked(tmp_path / "at.dcm"), image[0])
    grey(tmp_path / "high.dcm", image << 4 | 3, BitsStored=12, HighBit=15)
    assert np.array_equal(unpacked(tmp_path / "high.dcm"), image[0])
    run_length(tmp_path / "high.dcm")
    assert np.array_equal(unpacked(tmp_path / "high.dcm"), image[0])


@pytest.mark.parametrize("compress", [lambda _: None, run_length])
def test_signed_samples_of_fewer_bits_than_their_words(
    compress: Callable[[Path], None], tmp_path: Path
) -> None:
    image = pixels((1, 5, 6), "int16", -900, 900)
    words = (image.view(np.uint16) & 0x0FFF) | 0x5000
    grey(tmp_path / "at.dcm", words, BitsStored=12, HighBit=11, PixelRepresentation=1)
    compress(tmp_path / "at.dcm")
    assert np.array_equal(unpacked(tmp_path / "at.dcm"), image[0])


def test_bits_of_a_segmentation(tmp_path: Path) -> None:
    image = pixels((1, 8, 9), "uint8", 0, 2)
    raw = np.packbits(image.reshape(-1), bitorder="little").tobytes()
    as_dicom(tmp_path / "at.dcm", raw + b"\0", Rows=8, Columns=9, BitsAllocated=1, BitsStored=1,
             HighBit=0)  # fmt: skip
    assert np.array_equal(unpacked(tmp_path / "at.dcm"), image[0])


def test_real_frames_are_as_pydicom_sees_them(slides_dir: Path) -> None:
    seen = 0
    for file in [
        *(slides_dir / "radiology").glob("*.dcm"),
        *(slides_dir / "dicom-wsi").glob("*sm_*"),
    ]:
        dataset = pydicom.dcmread(file, force=True)
        if "PixelData" not in dataset or dataset.BitsAllocated == 1 or "truncated" in file.name:
            continue
        frames = int(dataset.get("NumberOfFrames") or 1)
        expected = dataset.pixel_array if frames == 1 else dataset.pixel_array[0]
        assert np.array_equal(unpacked(file), expected), file.name
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
        coding_of(dataset)


@pytest.mark.parametrize("coding", ["RLE by pydicom", "JPEG lossless by dcmtk", "JPEG-LS by dcmtk",
                                    "JPEG 2000 by gdcm", "HTJ2K"])  # fmt: skip
def test_a_frame_of_another_size_is_not_unpacked(coding: str, tmp_path: Path) -> None:
    grey(tmp_path / "at.dcm", pixels((1, 20, 30), "uint8", 0, 200))
    _CODINGS[coding](tmp_path / "at.dcm")
    dataset = pydicom.dcmread(tmp_path / "at.dcm")
    dataset.Rows = 19
    with pytest.raises(SlideError):
        decode(frames_of(tmp_path / "at.dcm")[0], coding_of(dataset))


@pytest.mark.parametrize("cut", [0, 1, 40, -20])
@pytest.mark.parametrize("coding", _CODINGS)
def test_a_frame_that_is_cut_off_does_no_harm(coding: str, cut: int, tmp_path: Path) -> None:
    grey(tmp_path / "at.dcm", pixels((1, 20, 30), "uint8", 0, 200))
    _CODINGS[coding](tmp_path / "at.dcm")
    dataset, frame = pydicom.dcmread(tmp_path / "at.dcm"), frames_of(tmp_path / "at.dcm")[0]
    try:
        made = decode(frame[:cut], coding_of(dataset))
    except SlideError:
        return
    assert made.shape == (20, 30)


@pytest.mark.parametrize("samples", [1, 3])
def test_half_a_jpeg_is_no_picture(samples: int, tmp_path: Path) -> None:
    """Decoders fill up with grey."""
    image = np.random.default_rng(1).integers(0, 256, (64, 64, samples), np.uint8)
    about = {"Rows": 64, "Columns": 64, "SamplesPerPixel": samples}
    dataset = as_dicom(tmp_path / "at.dcm", bytes(100), **about)
    dataset.PhotometricInterpretation = "MONOCHROME2" if samples == 1 else "YBR_FULL_422"
    stream = imagecodecs.jpeg8_encode(np.squeeze(image))
    coding = Coding.of(dataset, JPEGBaseline8Bit)
    assert decode(stream, coding).shape == np.squeeze(image).shape
    with pytest.raises(Damaged):
        decode(stream[: len(stream) // 2], coding)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """A few kilobytes that claim 10,000 pixels more than the header allows."""
    coding = coding_of(as_dicom(tmp_path / "at.dcm", bytes(100)))
    wide = np.zeros((100, 200), np.uint8)
    streams = {
        ".4.50": imagecodecs.jpeg8_encode(wide), ".4.70": imagecodecs.ljpeg_encode(wide),
        ".4.80": imagecodecs.jpegls_encode(wide), ".4.90": imagecodecs.jpeg2k_encode(wide),
        ".4.201": imagecodecs.htj2k_encode(wide), ".4.110": imagecodecs.jpegxl_encode(wide),
        ".5": bytes(64) + b"\x81\0" * 157,
    }  # fmt: skip
    for syntax, stream in streams.items():
        with pytest.raises((Damaged, TooLarge)):
            decode(stream, replace(coding, syntax=f"1.2.840.10008.1.2{syntax}"))


def test_a_transfer_syntax_nobody_knows(tmp_path: Path) -> None:
    dataset = as_dicom(tmp_path / "at.dcm", bytes(100))
    for syntax in ("1.2.3", "1.2.840.10008.1.2.4.103"):
        with pytest.raises(UnsupportedCompression):
            decode(bytes(100), Coding.of(dataset, syntax))
