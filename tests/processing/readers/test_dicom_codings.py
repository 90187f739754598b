"""Frames of every transfer syntax and colour, from known pixels, coded by other programs."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import (
    MPEG4HP41,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
)

from processing.readers import SlideReader, open_slide
from storage.errors import UnsupportedCompression
from storage.records.geometry import Region
from storage.records.slide import Notice
from tests.contracts.dicom_codecs import Compress, by_program, high_throughput, jpeg_xl, run_length
from tests.contracts.dicom_slides import Slide, stack, write

_SIZE = (150, 100)
_JPEG2000 = by_program("gdcmconv", "--j2k")
_LOSSLESS: dict[str, Compress] = {
    "RLE by pydicom": run_length,
    "RLE by dcmtk": by_program("dcmcrle"),
    "JPEG lossless, first order": by_program("dcmcjpeg", "+e1"),
    "JPEG lossless, any predictor": by_program("dcmcjpeg", "+el", "+sv", "6"),
    "JPEG lossless by gdcm": by_program("gdcmconv", "--jpeg"),
    "JPEG-LS": by_program("dcmcjpls", "+el"),
    "JPEG-LS by gdcm": by_program("gdcmconv", "--jpegls"),
    "JPEG 2000": _JPEG2000,
    "HTJ2K": high_throughput,
    "JPEG XL": jpeg_xl,
}
_BY_SAMPLE = {"JPEG-LS, samples interleaved": by_program("dcmcjpls", "+el", "+is"),
              "JPEG-LS, planes apart": by_program("dcmcjpls", "+el", "+in")}  # fmt: skip


def _colour(slide: SlideReader) -> NDArray[Any]:
    size = slide.levels[0].size
    return slide.pixels(0, Region(0, 0, size.width, size.height))


def _channels(slide: SlideReader) -> NDArray[Any]:
    size, channels = slide.levels[0].size, slide.channels
    assert channels is not None
    whole = Region(0, 0, size.width, size.height)
    return np.stack([slide.plane(0, at, whole) for at in range(len(channels.channels))])


def _as_pydicom_sees(file: Path) -> NDArray[Any]:
    """[row, column, 3] of a colour image of one path, pydicom's own decoding and colours."""
    dataset = pydicom.dcmread(file)
    frames = pydicom.pixels.pixel_array(dataset).reshape(-1, dataset.Rows, dataset.Columns, 3)
    across = -(-int(dataset.TotalPixelMatrixColumns) // dataset.Columns)
    rows = [np.concatenate(frames[at : at + across], axis=1)
            for at in range(0, len(frames), across)]  # fmt: skip
    whole = np.concatenate(rows)
    return whole[: dataset.TotalPixelMatrixRows, : dataset.TotalPixelMatrixColumns]


@pytest.mark.parametrize("coding", [*_LOSSLESS, *_BY_SAMPLE])
def test_colour_without_loss(coding: str, tmp_path: Path) -> None:
    image = stack(1, 1, _SIZE, colour=True)
    file = write(tmp_path / "at.dcm", image, Slide())
    (_LOSSLESS | _BY_SAMPLE)[coding](file)
    with open_slide(file) as slide:
        assert np.array_equal(_colour(slide), image[0, 0])
        assert slide.levels[0].jpeg is None
        assert slide.metadata.notices == ()


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("coding", _LOSSLESS)
def test_channels_without_loss(coding: str, bits: int, tmp_path: Path) -> None:
    image = stack(2, 1, _SIZE, bits)
    file = write(tmp_path / "at.dcm", image, Slide(bits=bits))
    _LOSSLESS[coding](file)
    with open_slide(file) as slide:
        assert slide.channels is not None
        assert (slide.channels.bits, slide.channels.dtype) == (bits, image.dtype.name)
        assert np.array_equal(_channels(slide), image[:, 0])


def _ybr(frame: NDArray[Any]) -> NDArray[Any]:
    return convert_color_space(frame, "RGB", "YBR_FULL")


def _halved_chroma(frame: NDArray[Any]) -> bytes:
    ybr = _ybr(frame)
    pairs = np.empty((*ybr.shape[:1], ybr.shape[1] // 2, 4), np.uint8)
    pairs[..., 0], pairs[..., 1] = ybr[:, 0::2, 0], ybr[:, 1::2, 0]
    pairs[..., 2:] = ybr[:, 0::2, 1:]
    return pairs.tobytes()


_NATIVE: dict[str, Slide] = {
    "explicit": Slide(),
    "implicit": Slide(syntax=ImplicitVRLittleEndian),
    "big endian": Slide(syntax=ExplicitVRBigEndian),
    "planes apart": Slide(planar=1),
    "in items": Slide(syntax=UID("1.2.840.10008.1.2.1.98")),
    "YBR_FULL": Slide(photometric="YBR_FULL", recode=lambda at: _ybr(at).tobytes()),
    "YBR_FULL_422": Slide(photometric="YBR_FULL_422", recode=_halved_chroma),
    "odd tiles": Slide(tile=(37, 51)),
}


@pytest.mark.parametrize("kind", _NATIVE)
def test_uncompressed_colour(kind: str, tmp_path: Path) -> None:
    image = stack(1, 1, _SIZE, colour=True)
    file = write(tmp_path / "at.dcm", image, _NATIVE[kind])
    with open_slide(file) as slide:
        found = _colour(slide)
    theirs = image[0, 0] if "YBR" not in kind else _as_pydicom_sees(file)
    assert np.array_equal(found, theirs) or abs(found.astype(int) - theirs).max() <= 1
    assert abs(found.astype(int) - image[0, 0]).max() <= (0 if "YBR" not in kind else 24)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("bits", [8, 16])
def test_uncompressed_channels(bits: int, syntax: UID, tmp_path: Path) -> None:
    image = stack(3, 1, _SIZE, bits)
    with open_slide(write(tmp_path / "at.dcm", image, Slide(syntax=syntax))) as slide:
        assert np.array_equal(_channels(slide), image[:, 0])


_LOSSY: dict[str, tuple[Compress, float]] = {
    "JPEG baseline, 4:2:2": (by_program("dcmcjpeg", "+eb", "+q", "95"), 3.0),
    "JPEG baseline, 4:4:4": (by_program("dcmcjpeg", "+eb", "+q", "95", "+s4"), 2.0),
    "JPEG baseline, RGB": (by_program("dcmcjpeg", "+eb", "+q", "95", "+cr"), 2.0),
    "JPEG extended": (by_program("dcmcjpeg", "+ee", "+q", "95"), 3.0),
    "JPEG-LS, near": (by_program("dcmcjpls", "+en", "+md", "2"), 2.0),
    "JPEG 2000": (by_program("gdcmconv", "--j2k", "--lossy", "-r", "4"), 2.0),
    "HTJ2K": (partial(high_throughput, lossless=False), 2.0),
}


@pytest.mark.parametrize("coding", _LOSSY)
def test_colour_with_loss(coding: str, tmp_path: Path) -> None:
    compress, most = _LOSSY[coding]
    image = stack(1, 1, _SIZE, colour=True)
    file = write(tmp_path / "at.dcm", image, Slide())
    compress(file)
    with open_slide(file) as slide:
        found = _colour(slide)
        assert (slide.levels[0].jpeg is not None) == coding.startswith(("JPEG base", "JPEG ext"))
        assert slide.metadata.notices == ()
    assert abs(found.astype(int) - image[0, 0]).mean() < most
    if "HTJ2K" not in coding:
        assert abs(found.astype(int) - _as_pydicom_sees(file)).max() <= 3


def test_twelve_bits_of_jpeg_extended(tmp_path: Path) -> None:
    image = stack(2, 1, _SIZE, 12)
    file = write(tmp_path / "at.dcm", image, Slide(bits=12))
    by_program("dcmcjpeg", "+ee", "+q", "98")(file)
    with open_slide(file) as slide:
        assert abs(_channels(slide).astype(int) - image[:, 0]).max() < 30


def test_grey_jpeg_in_fragments_without_a_table(tmp_path: Path) -> None:
    image = stack(3, 1, _SIZE)
    file = write(tmp_path / "at.dcm", image, Slide())
    by_program("dcmcjpeg", "+eb", "+q", "95")(file)
    dataset = pydicom.dcmread(file)
    theirs = pydicom.pixels.pixel_array(dataset)
    frames = list(generate_frames(dataset.PixelData, number_of_frames=dataset.NumberOfFrames))
    dataset.PixelData = encapsulate(frames, fragments_per_frame=4, has_bot=False)
    dataset.save_as(file)
    with open_slide(file) as slide:
        found = slide.plane(0, 2, Region(64, 0, 64, 64))
    assert np.array_equal(found, theirs[2 * 6 + 1])


def test_jpeg_in_fragments_is_copied_whole(tmp_path: Path) -> None:
    image = stack(1, 1, _SIZE, colour=True)
    file = write(tmp_path / "at.dcm", image, Slide())
    by_program("dcmcjpeg", "+eb")(file)
    with open_slide(file) as slide:
        before = _colour(slide)
        assert slide.tile_places(0) is not None
    dataset = pydicom.dcmread(file)
    frames = list(generate_frames(dataset.PixelData, number_of_frames=dataset.NumberOfFrames))
    dataset.PixelData = encapsulate(frames, fragments_per_frame=3)
    dataset.save_as(file)
    with open_slide(file) as slide:
        assert slide.levels[0].jpeg is not None
        assert slide.tile_places(0) is None  # the original is kept whole
        assert np.array_equal(_colour(slide), before)


def _by_pillow(kind: str, **options: object) -> Callable[[NDArray[Any]], bytes]:
    def encode(frame: NDArray[Any]) -> bytes:
        stream = io.BytesIO()
        Image.fromarray(frame).save(stream, kind, **options)
        return stream.getvalue()

    return encode


_JFIF = _by_pillow("JPEG", quality=97, subsampling=0)
_ADOBE_RGB = _by_pillow("JPEG", quality=97, subsampling=0, keep_rgb=True)
_MIXED = _by_pillow("JPEG2000", irreversible=False, no_jp2=True, mct=1)
_APART = _by_pillow("JPEG2000", irreversible=False, no_jp2=True, mct=0)
_TAGGED: dict[str, tuple[Callable[[NDArray[Any]], bytes], str, bool]] = {
    "JFIF called YBR": (_JFIF, "YBR_FULL_422", False),
    "JFIF called RGB": (_JFIF, "RGB", True),
    "JFIF called nothing known": (_JFIF, "YBR_PARTIAL_420", False),
    "Adobe RGB called RGB": (_ADOBE_RGB, "RGB", False),
    "Adobe RGB called YBR": (_ADOBE_RGB, "YBR_FULL_422", True),
    "JPEG 2000 that mixes, called RCT": (_MIXED, "YBR_RCT", False),
    "JPEG 2000 that mixes, called RGB": (_MIXED, "RGB", False),
    "JPEG 2000 that mixes, called YBR": (_MIXED, "YBR_FULL", True),
    "JPEG 2000 of RGB": (_APART, "RGB", False),
    "JPEG 2000 of RGB, called RCT": (_APART, "YBR_RCT", True),
    "JPEG 2000 of YBR": (lambda at: _APART(_ybr(at)), "YBR_FULL", False),
    "plain RGB, called RCT": (lambda at: at.tobytes(), "YBR_RCT", True),
}


@pytest.mark.parametrize("tagged", _TAGGED)
def test_the_stream_is_believed_about_its_colours(tagged: str, tmp_path: Path) -> None:
    encode, photometric, disagrees = _TAGGED[tagged]
    image = stack(1, 1, _SIZE, colour=True)
    syntax = {"J": JPEGBaseline8Bit, "A": JPEGBaseline8Bit}.get(tagged[0], ExplicitVRLittleEndian)
    syntax = JPEG2000Lossless if tagged.startswith("JPEG 2000") else syntax
    coded = Slide(syntax=syntax, photometric=photometric, recode=encode)
    with open_slide(write(tmp_path / "at.dcm", image, coded)) as slide:
        assert abs(_colour(slide).astype(int) - image[0, 0]).max() <= 6
        assert (Notice.COLOUR_TAG_DISAGREES in slide.metadata.notices) == disagrees


def test_sixteen_bits_of_colour_are_shown_with_eight(tmp_path: Path) -> None:
    image = stack(1, 1, _SIZE, colour=True).astype(np.uint16) << 4
    with open_slide(write(tmp_path / "at.dcm", image, Slide(bits=12))) as slide:
        assert np.array_equal(_colour(slide), image[0, 0] >> 4)
        assert Notice.DEPTH_REDUCED in slide.metadata.notices


@pytest.mark.parametrize("bits", [8, 12])
def test_negative_channels(bits: int, tmp_path: Path) -> None:
    image = stack(1, 1, _SIZE, bits)
    negative = Slide(bits=bits, photometric="MONOCHROME1")
    with open_slide(write(tmp_path / "at.dcm", image, negative)) as slide:
        assert np.array_equal(_channels(slide)[0], (1 << bits) - 1 - image[0, 0])


@pytest.mark.parametrize("wide", [8, 16])
def test_a_palette_is_colour(wide: int, tmp_path: Path) -> None:
    table = np.random.default_rng(4).integers(0, 256, (3, 256), np.uint8)

    def palette(dataset: Dataset) -> None:
        dataset.PhotometricInterpretation = "PALETTE COLOR"
        for name, column in zip(("Red", "Green", "Blue"), table, strict=True):
            entries = column if wide == 8 else column.astype("<u2") * 257
            setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", [256, 0, wide])
            setattr(dataset, f"{name}PaletteColorLookupTableData", entries.tobytes())

    image = stack(1, 1, _SIZE)
    with open_slide(write(tmp_path / "at.dcm", image, Slide(change=palette))) as slide:
        assert slide.channels is None
        assert np.array_equal(_colour(slide), table.T[image[0, 0]])


@pytest.mark.parametrize("syntax", [MPEG4HP41, DeflatedExplicitVRLittleEndian])
def test_what_is_not_read_is_named(syntax: UID, tmp_path: Path) -> None:
    file = write(tmp_path / "at.dcm", stack(1, 1, _SIZE, colour=True), Slide())
    dataset = pydicom.dcmread(file)
    dataset.PixelData = encapsulate([b"\0\0"] * int(dataset.NumberOfFrames))
    if syntax == DeflatedExplicitVRLittleEndian:
        del dataset.PixelData
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(file)
    with pytest.raises(UnsupportedCompression), open_slide(file):
        pass
