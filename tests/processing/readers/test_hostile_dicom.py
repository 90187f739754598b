"""Spoiled DICOM: every end is an error in our words, soon, and in bounded memory."""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian

from tests.contracts.hostile import ReadingProcess
from tests.contracts.spoil import flipped

_PIXELS = b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff"
_SAMPLES = (
    "multi_frame_jpeg_camelyon_challenge_image.dcm",
    "multi_frame_jpeg2000_camelyon_challenge_image.dcm",
    "highdicom-sm_image.dcm",
)
_NEEDED = (
    "SOPClassUID", "SeriesInstanceUID", "ImageType", "Rows", "Columns", "NumberOfFrames",
    "TotalPixelMatrixColumns", "TotalPixelMatrixRows", "SamplesPerPixel", "BitsAllocated",
    "PhotometricInterpretation", "DimensionOrganizationType", "SharedFunctionalGroupsSequence",
    "OpticalPathSequence", "PixelData",
)  # fmt: skip


@pytest.fixture(params=("painted", *_SAMPLES))
def sample(request: pytest.FixtureRequest, painted_dicom: Path) -> Path:
    if request.param == "painted":
        return painted_dicom / "level-1.dcm"
    folder: Path = request.getfixturevalue("slides_dir")
    return folder / "dicom-wsi" / str(request.param)


def _places(data: bytes) -> list[int]:
    """Boundaries of the header, of the first frames' items, and a middle of the pixels."""
    start = max(data.find(b"\xe0\x7f\x10\0"), 0)
    items = [start + step for step in (0, 3, 6, 8, 11, 12, 15, 16, 19, 20, 24, 27, 28, 100)]
    header = list(range(128, start, max(1, start // 25)))
    ends = [(start + len(data)) // 2, len(data) - 9, len(data) - 8, len(data) - 1]
    return sorted({0, 1, 127, 131, 132, 140, *header, *items, *ends} & set(range(len(data))))


def test_cut_at_every_boundary(sample: Path, tmp_path: Path, reading: ReadingProcess) -> None:
    copy, data = tmp_path / sample.name, sample.read_bytes()
    copy.write_bytes(data)
    for at in reversed(_places(data)):
        with copy.open("r+b") as file:
            file.truncate(at)
        reading.read(copy, f"{sample.name} cut at {at}")


def test_flipped_bits(sample: Path, tmp_path: Path, reading: ReadingProcess) -> None:
    copy, data, random = tmp_path / sample.name, sample.read_bytes(), np.random.default_rng(12)
    for number in range(15):
        copy.write_bytes(flipped(data, random, _places(data)))
        reading.read(copy, f"{sample.name} flip {number}")


def _set(**values: object) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        for name, value in values.items():
            setattr(dataset, name, value)

    return change


def _nested(dataset: Dataset) -> None:
    inner = Dataset()
    for _ in range(30):
        outer = Dataset()
        outer.RequestAttributesSequence = Sequence([inner])
        inner = outer
    dataset.RequestAttributesSequence = Sequence([inner])


def _frames(frame: Callable[[bytes], bytes]) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        count = int(dataset.NumberOfFrames)
        frames = [frame(at) for at in generate_frames(dataset.PixelData, number_of_frames=count)]
        dataset.PixelData = encapsulate(frames)

    return change


def _claims_too_much(frame: bytes) -> bytes:
    at = frame.index(b"\xff\xc0") + 5
    return frame[:at] + struct.pack(">HH", 65500, 65500) + frame[at + 4 :]


_LIES: dict[str, tuple[Callable[[Dataset], None], str]] = {
    "no rows": (_set(Rows=0), "Damaged"),
    "wide tiles": (_set(Rows=65535, Columns=65535, NumberOfFrames=1), "TooLarge"),
    "small tiles": (_set(Rows=1, Columns=1, NumberOfFrames=375 * 275), "Truncated"),
    "frames": (_set(NumberOfFrames=2**31 - 1), "TooLarge"),
    "no frames": (_set(NumberOfFrames=0), "Damaged"),
    "fewer frames": (_set(NumberOfFrames=-5), "Damaged"),
    "huge matrix": (_set(TotalPixelMatrixColumns=2**32 - 1), "TooLarge"),
    "wide matrix": (_set(TotalPixelMatrixColumns=1_900_000), "UnsupportedDicom"),
    "empty matrix": (_set(TotalPixelMatrixColumns=0, TotalPixelMatrixRows=0), "UnsupportedDicom"),
    "deep bits": (_set(BitsAllocated=16), "read"),
    "deeper bits": (_set(BitsAllocated=32), "UnsupportedDicom"),
    "nested": (_nested, "read"),
    "bomb": (_frames(_claims_too_much), "Damaged"),
    "no JPEG": (_frames(lambda frame: bytes(len(frame))), "Damaged"),
    "half frames": (_frames(lambda frame: frame[: len(frame) // 2]), "Damaged"),
}


@pytest.mark.parametrize("name", _LIES)
def test_lies(name: str, painted_dicom: Path, tmp_path: Path, reading: ReadingProcess) -> None:
    change, outcome = _LIES[name]
    dataset = pydicom.dcmread(painted_dicom / "level-1.dcm")
    change(dataset)
    dataset.save_as(tmp_path / "lie.dcm")
    assert reading.read(tmp_path / "lie.dcm", name) == outcome


@pytest.mark.parametrize("name", _NEEDED)
def test_missing(name: str, painted_dicom: Path, tmp_path: Path, reading: ReadingProcess) -> None:
    dataset = pydicom.dcmread(painted_dicom / "level-1.dcm")
    if name in dataset:
        delattr(dataset, name)
    dataset.save_as(tmp_path / "missing.dcm")
    reading.read(tmp_path / "missing.dcm", f"without {name}")


@pytest.mark.parametrize("depth", [2_000, 200_000])
def test_sequences_without_end(
    depth: int, painted_dicom: Path, tmp_path: Path, reading: ReadingProcess
) -> None:
    """Sequences in sequences, of undefined length, none of which is ever closed."""
    data = (painted_dicom / "level-1.dcm").read_bytes()
    at = data.index(_PIXELS)
    level = b"\x40\0\x75\x02SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\xff\xff\xff\xff"
    (tmp_path / "deep.dcm").write_bytes(data[:at] + level * depth + data[at:])
    assert reading.read(tmp_path / "deep.dcm", f"{depth} deep") != "read"


@pytest.mark.filterwarnings("ignore:The value")
def test_a_deflated_header(painted_dicom: Path, tmp_path: Path, reading: ReadingProcess) -> None:
    """It would be inflated whole before anything is known about it."""
    dataset, out = pydicom.dcmread(painted_dicom / "level-1.dcm"), BytesIO()
    del dataset.PixelData
    dataset.ImageComments = "x" * 2**26
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(out)
    (tmp_path / "deflated.dcm").write_bytes(out.getvalue())
    assert reading.read(tmp_path / "deflated.dcm", "deflated") == "UnsupportedCompression"


@pytest.mark.parametrize("length", [0, 7, 2**31, 2**32 - 2, 2**32 - 1])
def test_item_lengths(
    length: int, painted_dicom: Path, tmp_path: Path, reading: ReadingProcess
) -> None:
    data = bytearray((painted_dicom / "level-1.dcm").read_bytes())
    at = data.index(_PIXELS) + len(_PIXELS) + 4
    data[at : at + 4] = struct.pack("<I", length)
    (tmp_path / "item.dcm").write_bytes(data)
    reading.read(tmp_path / "item.dcm", f"item of {length}")


def test_a_damaged_label_does_not_hide_the_slide(
    painted_dicom: Path, tmp_path: Path, reading: ReadingProcess
) -> None:
    folder = tmp_path / "series"
    folder.mkdir()
    for name in ("level-0.dcm", "level-1.dcm", "level-2.dcm", "label.dcm"):
        (folder / name).write_bytes((painted_dicom / name).read_bytes())
    label = folder / "label.dcm"
    label.write_bytes(label.read_bytes()[:-2000])
    assert reading.read(folder, "label cut off") == "read"


def test_other_dicom_is_named(slides_dir: Path, reading: ReadingProcess) -> None:
    for path in sorted((slides_dir / "radiology").glob("*.dcm")):
        assert reading.read(path, path.name) in {"UnsupportedDicom", "NotASlide"}
    assert reading.read(slides_dir / "dicom-fluorescence/BPAEC", "BPAEC") == "read"


def test_every_genuine_whole_slide_file_is_read(slides_dir: Path, reading: ReadingProcess) -> None:
    """Others are named for what they are: annotations, a segmentation, a picture on a stage."""
    others = {
        "highdicom-seg_image_sm_dots.dcm": "UnsupportedDicom",
        "highdicom-sm_annotations.dcm": "UnsupportedDicom",
        "test_slide_coordinates.dcm": "UnsupportedDicom",
    }
    for path in sorted((slides_dir / "dicom-wsi").rglob("*.dcm")):
        assert reading.read(path, path.name) == others.get(path.name, "read"), path.name
