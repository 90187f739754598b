"""Where frames lie, for every kind of object; pydicom's own cutting is the judge."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, encapsulate_extended, get_frame, itemize_frame
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
)

from processing.dicom_frames import FramePlaces, locate_frames
from storage.errors import Damaged, SlideError, TooLarge, Truncated
from tests.contracts.dicom_files import as_dicom, frames_of

_SEED = 20261201


def _located(path: Path) -> tuple[FramePlaces, list[bytes]]:
    with path.open("rb") as file:
        header = pydicom.dcmread(file, stop_before_pixels=True)
        places = locate_frames(path, header, file.tell())
        assert len(locate_frames(file.fileno(), header, file.tell())) == len(places)
        return places, [places.read(file.fileno(), at) for at in range(len(places))]


def _by_pydicom(path: Path) -> list[bytes]:
    dataset = pydicom.dcmread(path)
    count = int(dataset.get("NumberOfFrames") or 1)
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return [get_frame(dataset.PixelData, at, number_of_frames=count) for at in range(count)]
    data, each = dataset.PixelData, len(dataset.PixelData) // count
    if dataset.BitsAllocated == 1:
        pixels = dataset.pixel_array.reshape(count, -1)
        return [np.packbits(at, bitorder="little").tobytes() for at in pixels]
    return [data[at * each : at * each + each] for at in range(count)]


def _genuine(slides_dir: Path) -> list[Path]:
    found = [*(slides_dir / "radiology").glob("*.dcm"), *(slides_dir / "dicom-wsi").rglob("*.dcm")]
    return sorted(found)


def test_frames_of_every_genuine_file_are_those_of_pydicom(slides_dir: Path) -> None:
    seen = 0
    for path in _genuine(slides_dir):
        try:
            dataset = pydicom.dcmread(path)
        except pydicom.errors.InvalidDicomError:
            continue
        if "PixelData" not in dataset or "truncated" in path.name:
            continue
        _, frames = _located(path)
        theirs = _by_pydicom(path)
        # A frame's own length; behind the last one may lie the element's padding.
        assert [at[: len(ours)] for at, ours in zip(theirs, frames, strict=True)] == frames, path
        assert all(len(at) - len(ours) < 2 for at, ours in zip(theirs, frames, strict=True)), path
        seen += 1
    assert seen > 25


def test_a_genuine_file_that_is_cut_off(slides_dir: Path) -> None:
    with pytest.raises(Truncated):
        _located(slides_dir / "radiology/pydicom-MR_truncated.dcm")


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_native_frames(syntax: UID, tmp_path: Path) -> None:
    samples = np.random.default_rng(_SEED).integers(0, 65536, (5, 12, 10), np.uint16)
    as_dicom(tmp_path / "at.dcm", samples.tobytes(), syntax, Rows=12, Columns=10, NumberOfFrames=5,
             BitsAllocated=16)  # fmt: skip
    places, frames = _located(tmp_path / "at.dcm")
    assert frames == [at.tobytes() for at in samples]
    assert places.in_one_piece
    assert places.frame_bits == 12 * 10 * 16


def test_big_endian_frames_are_given_as_they_lie(tmp_path: Path) -> None:
    samples = np.arange(24, dtype=">u2").reshape(2, 3, 4)
    as_dicom(tmp_path / "at.dcm", samples.tobytes(), ExplicitVRBigEndian, Rows=3, Columns=4,
             NumberOfFrames=2, BitsAllocated=16)  # fmt: skip
    assert _located(tmp_path / "at.dcm")[1] == [at.tobytes() for at in samples]


@pytest.mark.parametrize("columns", [4, 5])
def test_bytes_in_big_endian_words(columns: int, tmp_path: Path) -> None:
    samples = np.arange(4 * 3 * columns, dtype=np.uint8).reshape(4, 3, columns)
    words = samples.reshape(-1).view(">u2").astype("<u2").tobytes()
    dataset = as_dicom(tmp_path / "at.dcm", words, ExplicitVRBigEndian, Rows=3, Columns=columns,
                       NumberOfFrames=4)  # fmt: skip
    dataset["PixelData"].VR, dataset.BitsStored, dataset.HighBit = "OW", 8, 7
    dataset.PixelRepresentation = 0
    dataset.save_as(
        tmp_path / "at.dcm", implicit_vr=False, little_endian=False, enforce_file_format=True
    )
    assert (pydicom.dcmread(tmp_path / "at.dcm").pixel_array == samples).all()
    assert _located(tmp_path / "at.dcm")[1] == [at.tobytes() for at in samples]


def test_frames_of_single_bits_begin_within_a_byte(tmp_path: Path) -> None:
    bits = np.random.default_rng(_SEED).integers(0, 2, (7, 5, 3), np.uint8)
    packed = np.packbits(bits.ravel(), bitorder="little").tobytes()
    as_dicom(tmp_path / "at.dcm", packed + b"\0" * (len(packed) % 2), Rows=5, Columns=3,
             NumberOfFrames=7, BitsAllocated=1)  # fmt: skip
    _, frames = _located(tmp_path / "at.dcm")
    for frame, expected in zip(frames, bits, strict=True):
        own = np.unpackbits(np.frombuffer(frame, np.uint8), bitorder="little")[:15]
        assert np.array_equal(own.reshape(5, 3), expected)


@pytest.mark.parametrize("each", [4 * 6 * 3, 4 * 6 * 2])
def test_shared_chroma_is_two_samples_a_pixel_unless_the_length_says_three(
    each: int, tmp_path: Path
) -> None:
    as_dicom(tmp_path / "at.dcm", bytes(range(each)) * 3, Rows=4, Columns=6, NumberOfFrames=3,
             SamplesPerPixel=3, PhotometricInterpretation="YBR_FULL_422")  # fmt: skip
    assert _located(tmp_path / "at.dcm")[1] == [bytes(range(each))] * 3


def test_floating_samples(tmp_path: Path) -> None:
    dataset = as_dicom(tmp_path / "at.dcm", b"", Rows=2, Columns=3, NumberOfFrames=2)
    samples = np.arange(12, dtype="<f4")
    del dataset.PixelData, dataset.BitsAllocated
    dataset.FloatPixelData = samples.tobytes()
    dataset.save_as(tmp_path / "at.dcm", enforce_file_format=True)
    assert _located(tmp_path / "at.dcm")[1] == [samples[:6].tobytes(), samples[6:].tobytes()]


def _pieces(frames: list[bytes], fragments: int, *, table: bool) -> bytes:
    return encapsulate(frames, fragments_per_frame=fragments, has_bot=table)


def _coded(count: int = 6) -> list[bytes]:
    random = np.random.default_rng(_SEED)
    return [b"\xff\xd8\xff\xe0" + random.bytes(40 + 2 * at) + b"\xff\xd9" for at in range(count)]


_ENCAPSULATED: dict[str, Callable[[list[bytes]], bytes]] = {
    "one fragment each, a table": lambda at: _pieces(at, 1, table=True),
    "one fragment each, no table": lambda at: _pieces(at, 1, table=False),
    "several fragments, a table": lambda at: _pieces(at, 3, table=True),
    "several fragments, no table": lambda at: _pieces(at, 3, table=False),
}


@pytest.mark.parametrize("kind", _ENCAPSULATED)
def test_encapsulated_frames(kind: str, tmp_path: Path) -> None:
    frames = _coded()
    as_dicom(tmp_path / "at.dcm", _ENCAPSULATED[kind](frames), JPEGBaseline8Bit,
             NumberOfFrames=len(frames))  # fmt: skip
    places, found = _located(tmp_path / "at.dcm")
    assert found == frames == frames_of(tmp_path / "at.dcm")
    assert places.in_one_piece == kind.startswith("one")


def test_the_extended_table_tells_the_pieces_apart(tmp_path: Path) -> None:
    frames = [bytes(at + number for at in range(40)) for number in range(4)]
    data, offsets, lengths = encapsulate_extended(frames)
    path = tmp_path / "one.dcm"
    tables = {"ExtendedOffsetTable": offsets, "ExtendedOffsetTableLengths": lengths}
    as_dicom(path, data, RLELossless, NumberOfFrames=4, **tables)
    assert _located(path)[1] == frames
    items = [b"".join(itemize_frame(at, 2)) for at in frames]
    starts = np.cumsum([0, *(len(at) for at in items[:-1])])
    data = b"\xfe\xff\0\xe0\0\0\0\0" + b"".join(items)
    tables = {"ExtendedOffsetTable": starts.astype("<u8").tobytes()}
    as_dicom(path, data, RLELossless, NumberOfFrames=4, **tables)
    assert _located(path)[1] == frames


@pytest.mark.parametrize("counted", [True, False])
def test_items_of_odd_length(counted: bool, tmp_path: Path) -> None:
    """As some write them: the padding byte left out, or there and not counted."""
    item, frames = b"\xfe\xff\0\xe0", [b"\xff\xd8\xff" + bytes(8), b"\xff\xd8\xff" + bytes(20)]
    pad = b"" if counted else b"\0"
    data = item + bytes(4)
    for frame in frames:
        data += item + len(frame).to_bytes(4, "little") + frame + pad
    as_dicom(tmp_path / "at.dcm", data, JPEGBaseline8Bit, NumberOfFrames=2)
    assert _located(tmp_path / "at.dcm")[1] == frames


def test_pieces_that_nothing_tells_apart(tmp_path: Path) -> None:
    data = _pieces([bytes(40)] * 3, 2, table=False)
    as_dicom(tmp_path / "at.dcm", data, RLELossless, NumberOfFrames=3)
    with pytest.raises(Damaged, match="6 pieces"):
        _located(tmp_path / "at.dcm")


def test_a_table_that_leads_nowhere_is_not_believed(tmp_path: Path) -> None:
    frames = _coded(3)
    data = bytearray(_pieces(frames, 2, table=True))
    data[12] ^= 4
    as_dicom(tmp_path / "at.dcm", bytes(data), JPEGBaseline8Bit, NumberOfFrames=3)
    assert _located(tmp_path / "at.dcm")[1] == frames


_CLAIMS: dict[str, tuple[dict[str, object], type[SlideError]]] = {
    "too many frames": ({"NumberOfFrames": 2**31 - 1}, TooLarge),
    "frames that are not there": ({"NumberOfFrames": 40}, Truncated),
    "less than a frame": ({"NumberOfFrames": -4}, Damaged),
}


@pytest.mark.parametrize("claim", _CLAIMS)
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEGBaseline8Bit])
def test_claims(claim: str, syntax: UID, tmp_path: Path) -> None:
    values, error = _CLAIMS[claim]
    data = _pieces(_coded(), 1, table=True) if syntax == JPEGBaseline8Bit else bytes(2400)
    as_dicom(tmp_path / "at.dcm", data, syntax, **values)
    with pytest.raises(error):
        _located(tmp_path / "at.dcm")


def test_a_file_of_empty_items_ends_soon(tmp_path: Path) -> None:
    as_dicom(tmp_path / "at.dcm", _pieces(_coded(1), 1, table=False), JPEGBaseline8Bit)
    with (tmp_path / "at.dcm").open("r+b") as file:
        file.seek(-8, os.SEEK_END)
        file.write(b"\xfe\xff\0\xe0\0\0\0\0" * 1_200_000)
    with pytest.raises(TooLarge):
        _located(tmp_path / "at.dcm")


def test_the_pixel_element_says_how_it_is_written(tmp_path: Path) -> None:
    """Said to be explicit, is implicit: pydicom guesses, and says what the file said."""
    samples, path = bytes(range(100)), tmp_path / "at.dcm"
    as_dicom(path, samples, ImplicitVRLittleEndian, Rows=10, Columns=10)
    header = pydicom.dcmread(path, stop_before_pixels=True)
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.set_original_encoding(False, True, "iso8859")
    place = path.read_bytes().index(b"\xe0\x7f\x10\0")
    assert locate_frames(path, header, place).pieces(0) == [(place + 8, 100)]
