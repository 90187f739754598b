"""Spoiled sparse images, concatenations and frames of every codec: an error in our words, soon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from tests.contracts.dicom_codecs import Compress, by_program, high_throughput, run_length
from tests.contracts.dicom_slides import (
    Slide,
    every_place,
    save,
    shuffled,
    stack,
    write,
    write_parts,
)
from tests.contracts.hostile import ReadingProcess
from tests.contracts.spoil import flipped

_SIZE = (300, 200)
_PER_FRAME = (b"\0\x52\x30\x92", b"\x52\0\x92\x30")
_CODECS: dict[str, Compress] = {
    "RLE": run_length,
    "JPEG baseline": by_program("dcmcjpeg", "+eb"),
    "JPEG lossless": by_program("dcmcjpeg", "+el"),
    "JPEG-LS": by_program("dcmcjpls", "+el"),
    "JPEG 2000": by_program("gdcmconv", "--j2k"),
    "HTJ2K": high_throughput,
}


def _sparse(file: Path, **options: object) -> Path:
    image = stack(1, 1, _SIZE, colour=True)
    slide = Slide(organisation="TILED_SPARSE", places=shuffled(every_place(image, (64, 64))))
    return write(file, image, replace(slide, **options))


@pytest.fixture(params=[None, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def sample(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    options = {} if request.param is None else {"syntax": request.param}
    return _sparse(tmp_path / "sample.dcm", **options)


def _groups(data: bytes) -> range:
    """Where the frames' own groups lie in the file."""
    start = max(data.find(at) for at in _PER_FRAME)
    end = max(data.rfind(b"\xe0\x7f\x10\0"), data.rfind(b"\x7f\xe0\0\x10"))
    assert 0 < start < end
    return range(start, end)


def test_cut_inside_the_frames_groups(sample: Path, reading: ReadingProcess) -> None:
    data = sample.read_bytes()
    where = _groups(data)
    for at in [*range(where.start, where.start + 60), *where[60 :: len(where) // 40]]:
        sample.write_bytes(data[:at])
        assert reading.read(sample, f"cut at {at}") != "read"


def test_flips_inside_the_frames_groups(sample: Path, reading: ReadingProcess) -> None:
    data, random = sample.read_bytes(), np.random.default_rng(5)
    places = list(_groups(data))
    for number in range(60):
        sample.write_bytes(flipped(data, random, places))
        reading.read(sample, f"flip {number}")


@pytest.mark.parametrize("codec", _CODECS)
@pytest.mark.parametrize("grey", [False, True])
def test_flips_and_cuts_inside_coded_frames(
    codec: str, grey: bool, tmp_path: Path, reading: ReadingProcess
) -> None:
    image = stack(1, 1, _SIZE, 12 if grey and codec != "JPEG baseline" else 8, colour=not grey)
    file = write(tmp_path / "at.dcm", image, Slide(bits=12 if image.itemsize == 2 else 8))
    _CODECS[codec](file)
    whole, random = pydicom.dcmread(file), np.random.default_rng(6)
    count = int(whole.NumberOfFrames)
    frames = list(generate_frames(whole.PixelData, number_of_frames=count))
    head = list(range(min(len(frames[0]), 200)))
    for number in range(30):
        spoilt = [flipped(at, random, head) for at in frames]
        whole.PixelData = encapsulate(spoilt)
        whole.save_as(file)
        reading.read(file, f"{codec} flip {number}")
    for share in (0.01, 0.1, 0.5, 0.9):
        whole.PixelData = encapsulate([at[: max(int(len(at) * share), 2)] for at in frames])
        whole.save_as(file)
        reading.read(file, f"{codec} cut to {share}")


def _place(**values: int) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        for name, value in values.items():
            at = dataset.PerFrameFunctionalGroupsSequence[2].PlanePositionSlideSequence[0]
            setattr(at, f"{name}PositionInTotalImagePixelMatrix", value)

    return change


def _one_more(dataset: Dataset) -> None:
    groups = dataset.PerFrameFunctionalGroupsSequence
    groups.append(groups[0])


def _one_less(dataset: Dataset) -> None:
    del dataset.PerFrameFunctionalGroupsSequence[-1]


def _many_paths(dataset: Dataset) -> None:
    for number, groups in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        groups.OpticalPathIdentificationSequence[0].OpticalPathIdentifier = f"{number}"


def _one_over_the_other(dataset: Dataset) -> None:
    for number, groups in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        position = groups.PlanePositionSlideSequence[0]
        position.ColumnPositionInTotalImagePixelMatrix = 65 + number
        position.RowPositionInTotalImagePixelMatrix = 65


def _deep(dataset: Dataset) -> None:
    inner = Dataset()
    for _ in range(40):
        outer = Dataset()
        outer.PlanePositionSlideSequence = Items([inner])
        inner = outer
    dataset.PerFrameFunctionalGroupsSequence[1].PlanePositionSlideSequence = Items([inner])


def _heights(dataset: Dataset) -> None:
    for groups in dataset.PerFrameFunctionalGroupsSequence:
        groups.PlanePositionSlideSequence[0].ZOffsetInSlideCoordinateSystem = "1e300"


def test_more_optical_paths_than_any(tmp_path: Path, reading: ReadingProcess) -> None:
    """Seventy frames, each in a light of its own."""
    image = stack(1, 1, _SIZE, colour=True)
    slide = Slide(organisation="TILED_SPARSE", tile=(32, 32), change=_many_paths)
    assert reading.read(write(tmp_path / "at.dcm", image, slide), "paths") == "Damaged"


_LIES: dict[str, tuple[Callable[[Dataset], None], str]] = {
    "far away": (_place(Column=2**31 - 1), "Damaged"),
    "far before": (_place(Row=-(2**31)), "Damaged"),
    "one more frame described": (_one_more, "Damaged"),
    "one frame not described": (_one_less, "read"),
    "an optical path for each frame": (_many_paths, "read"),
    "one over the other": (_one_over_the_other, "read"),
    "deep": (_deep, "Damaged"),
    "heights": (_heights, "read"),
}


@pytest.mark.parametrize("lie", _LIES)
def test_lies(lie: str, tmp_path: Path, reading: ReadingProcess) -> None:
    change, expected = _LIES[lie]
    file = _sparse(tmp_path / "lie.dcm", change=change)
    assert reading.read(file, lie) == expected


def _numbered(*numbers: int) -> Callable[[int, Dataset], None]:
    def change(at: int, dataset: Dataset) -> None:
        dataset.InConcatenationNumber = numbers[at]

    return change


def _starting(*starts: int) -> Callable[[int, Dataset], None]:
    def change(at: int, dataset: Dataset) -> None:
        dataset.ConcatenationFrameOffsetNumber = starts[at]

    return change


def _larger(at: int, dataset: Dataset) -> None:
    dataset.TotalPixelMatrixColumns = 300 + at


def _of_thousands(at: int, dataset: Dataset) -> None:
    dataset.InConcatenationTotalNumber = 65_000


_PARTS: dict[str, tuple[Callable[[int, Dataset], None], str]] = {
    "as it should be": (lambda at, dataset: None, "read"),
    "twice the same": (_numbered(1, 1), "Damaged"),
    "not the second": (_numbered(1, 3), "PartsMissing"),
    "from nought": (_numbered(0, 1), "read"),
    "high numbers": (_numbered(1, 60_000), "Damaged"),
    "of thousands": (_of_thousands, "Damaged"),
    "overlapping": (_starting(0, 5), "Damaged"),
    "apart": (_starting(0, 50), "PartsMissing"),
    "two sizes": (_larger, "Damaged"),
}


@pytest.mark.parametrize("parts", _PARTS)
def test_lying_parts(parts: str, tmp_path: Path, reading: ReadingProcess) -> None:
    change, expected = _PARTS[parts]
    image = stack(1, 1, _SIZE, colour=True)
    for at, file in enumerate(write_parts(tmp_path, image, Slide(), (7, 13))):
        dataset = pydicom.dcmread(file)
        change(at, dataset)
        save(dataset, file)
    assert reading.read(tmp_path, parts) == expected


def test_frames_over_each_other_by_the_hundred(tmp_path: Path, reading: ReadingProcess) -> None:
    """Each would be decoded for one tile."""
    image = stack(1, 1, (600, 64), colour=True)
    places = [(0, 0, 0, x) for x in range(400)]
    slide = Slide(organisation="TILED_SPARSE", places=places)
    file = write(tmp_path / "at.dcm", image, slide)
    assert reading.read(file, "over each other") == "Damaged"
