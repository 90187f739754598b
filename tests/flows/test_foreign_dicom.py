"""DICOM that others wrote, all the way in: stored pixels, remarks, and the original given back."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image as PIL
from pydicom.uid import DeflatedExplicitVRLittleEndian, generate_uid

from flows.bundles import bundles_at
from flows.cli import main
from flows.ingest import read_in
from flows.services import Services
from flows.skeletons import give_back, skeleton_of
from storage.errors import PartsMissing
from storage.records.intake import IntakeState
from storage.records.slide import Notice, Slide
from tests.contracts.dicom_codecs import by_program, high_throughput
from tests.contracts.dicom_seen import seen
from tests.contracts.dicom_slides import (
    Image,
    every_place,
    shuffled,
    stack,
    write,
    write_parts,
)
from tests.contracts.dicom_slides import Slide as Written
from tests.flows.work import claim, deliver, files_below, finish

_SIZE = (1400, 1000)
_BASELINE = by_program("dcmcjpeg", "+eb", "+q", "90")


def _stored(slide: Slide, folder: Path, *options: str) -> NDArray[Any]:
    """Level 0 as svartid gives it out."""
    file = folder / ("region.npy" if options else "region.png")
    size = ["--width", f"{_SIZE[0]}", "--height", f"{_SIZE[1]}"]
    assert main(["region", slide.slide_id, *size, *options, "-o", str(file)]) == 0
    return np.load(file) if options else np.asarray(PIL.open(file).convert("RGB"))


def _is_given_back(services: Services, slide: Slide, source: Path, folder: Path) -> bool:
    """The original comes back with every byte; whether all that is kept of it is its skeleton."""
    give_back(services, slide, folder / "back")
    theirs = sorted(file.read_bytes() for file in files_below(source))
    assert sorted(file.read_bytes() for file in files_below(folder / "back")) == theirs
    return skeleton_of(services.layout, slide.fingerprint) is not None


def _pyramid(folder: Path, image: Image, slide: Written, hole: int = 0) -> None:
    """Three sparse levels; of each the lower left corner is missing, `hole` pixels of level 0."""
    folder.mkdir()
    for level in range(3):
        smaller = np.ascontiguousarray(image[:, :, :: 1 << level, :: 1 << level])
        high = (_SIZE[1] - hole) >> level
        places = [at for at in every_place(smaller, slide.tile)
                  if not (hole and at[2] >= high and at[3] < hole >> level)]  # fmt: skip
        spacing = 0.0005 * (1 << level)
        write(folder / f"{level}.dcm", smaller,
              replace(slide, places=shuffled(places), spacing=spacing))  # fmt: skip


def test_a_sparse_series_is_copied_with_its_holes(services: Services, tmp_path: Path) -> None:
    image, source = stack(1, 1, _SIZE, colour=True), tmp_path / "series"
    sparse = Written(tile=(64, 64), organisation="TILED_SPARSE")
    _pyramid(source, image, sparse, hole=512)
    for file in files_below(source):
        _BASELINE(file)
    expected = seen(source)
    slide = finish(services, source)
    assert np.array_equal(_stored(slide, tmp_path), expected)
    assert (expected[-400:, :500] == 255).all()
    assert (slide.copied, set(slide.metadata.notices)) == (True, {Notice.MISSING_TILES})
    assert _is_given_back(services, slide, source, tmp_path)


def test_a_concatenation_is_copied_and_kept_whole(services: Services, tmp_path: Path) -> None:
    image, source = stack(1, 1, _SIZE, colour=True), tmp_path / "series"
    series = generate_uid()
    for level, counts in enumerate(((300, 52), (88,))):
        (source / f"{level}").mkdir(parents=True)
        smaller = np.ascontiguousarray(image[:, :, :: 1 << level, :: 1 << level])
        slide = Written(series=series, spacing=0.0005 * (1 << level))
        for file in write_parts(source / f"{level}", smaller, slide, counts):
            _BASELINE(file)
    expected = seen(source)
    slide = finish(services, source)
    assert np.array_equal(_stored(slide, tmp_path), expected)
    assert (slide.copied, slide.metadata.notices) == (True, ())
    # Level 1 is in one file, level 0 is not: that one's tiles stay in the skeleton.
    assert _is_given_back(services, slide, source, tmp_path)


def test_sparse_channels_in_planes_keep_every_sample(services: Services, tmp_path: Path) -> None:
    image, source = stack(2, 3, _SIZE, 12), tmp_path / "series"
    _pyramid(source, image, Written(tile=(256, 256), organisation="TILED_SPARSE", bits=12))
    for file in files_below(source):
        high_throughput(file)
    slide = finish(services, source)
    assert set(slide.metadata.notices) == {Notice.FOCAL_PLANE_CHOSEN}
    for channel in range(2):
        found = _stored(slide, tmp_path, "--channel", f"{channel}", "--format", "npy")
        assert np.array_equal(found, image[channel, 1])


def test_a_series_that_lacks_a_part_goes_to_quarantine(services: Services, tmp_path: Path) -> None:
    source = tmp_path / "series"
    source.mkdir()
    image = stack(1, 1, _SIZE, colour=True)
    write_parts(source, image, Written(), (100, 100, 152))[1].unlink()
    row = deliver(services, source)
    claim(services, row, IntakeState.RECEIVED)
    with pytest.raises(PartsMissing, match="part 2 of 3"):
        read_in(services, row.intake_id)


@pytest.mark.parametrize("depth", [500, 200_000])
def test_a_header_without_end_is_a_delivery_of_its_own(depth: int, tmp_path: Path) -> None:
    """Files are grouped outside the reading process: what is hostile must not end that one."""
    good = write(tmp_path / "good.dcm", stack(1, 1, (90, 80), colour=True), Written())
    data = good.read_bytes()
    at = data.index(b"\x20\0\x0d\0UI")
    level = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\xff\xff\xff\xff"
    (tmp_path / "deep.dcm").write_bytes(data[:at] + level * depth + data[at:])
    found = sorted(bundle.files for bundle in bundles_at(tmp_path))
    assert found == [(tmp_path / "deep.dcm",), (good,)]


@pytest.mark.filterwarnings("ignore:The value")
def test_a_deflated_header_is_not_inflated_to_group_files(tmp_path: Path) -> None:
    good = write(tmp_path / "good.dcm", stack(1, 1, (90, 80), colour=True), Written())
    dataset = pydicom.dcmread(good)
    del dataset.PixelData
    dataset.ImageComments = "x" * 2**26
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(tmp_path / "deflated.dcm")
    tracemalloc.start()
    assert len(bundles_at(tmp_path)) == 2
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**22
