"""Frames in every order: sparse, in parts, with holes, with focal planes and optical paths."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from openslide import OpenSlide
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRBigEndian, ImplicitVRLittleEndian
from wsidicom import WsiDicom

from processing.readers import open_slide
from storage.errors import Damaged, PartsMissing, SlideError, UnsupportedDicom
from storage.records.geometry import Region, TileBlock
from storage.records.slide import Notice
from tests.contracts.dicom_codecs import by_program
from tests.contracts.dicom_seen import notices, seen, whole
from tests.contracts.dicom_slides import (
    Image,
    Place,
    Slide,
    every_place,
    shuffled,
    stack,
    without,
    write,
    write_parts,
)

_SIZE = (300, 200)
_SPARSE = Slide(organisation="TILED_SPARSE")
_BASELINE = by_program("dcmcjpeg", "+eb", "+q", "95")


@pytest.fixture(scope="module")
def colour() -> Image:
    return stack(1, 1, _SIZE, colour=True)


@pytest.mark.parametrize("said", ["TILED_SPARSE", None, "3D"])
def test_sparse_frames_lie_where_they_say(said: str | None, colour: Image, tmp_path: Path) -> None:
    places = shuffled(every_place(colour, (64, 64)))
    slide = Slide(organisation=said, places=places)
    write(tmp_path / "at.dcm", colour, slide)
    assert np.array_equal(seen(tmp_path / "at.dcm"), colour[0, 0])
    assert notices(tmp_path / "at.dcm") == set()


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_sparse_in_other_encodings(syntax: UID, colour: Image, tmp_path: Path) -> None:
    slide = replace(_SPARSE, places=shuffled(every_place(colour, (64, 64))), syntax=syntax)
    write(tmp_path / "at.dcm", colour, slide)
    assert np.array_equal(seen(tmp_path / "at.dcm"), colour[0, 0])


def test_others_see_the_same_in_a_sparse_file(colour: Image, tmp_path: Path) -> None:
    """Pixels by wsidicom and OpenSlide: that our own writer and reader agree proves little."""
    slide = replace(_SPARSE, places=shuffled(every_place(colour, (64, 64))))
    write(tmp_path / "at.dcm", colour, slide)
    _BASELINE(tmp_path / "at.dcm")
    ours = seen(tmp_path / "at.dcm").astype(int)
    with WsiDicom.open(tmp_path) as theirs:
        image = np.asarray(theirs.read_region((0, 0), 0, _SIZE).convert("RGB"))
        assert abs(ours - image).max() <= 3
    with OpenSlide(tmp_path / "at.dcm") as other:
        image = np.asarray(other.read_region((0, 0), 0, _SIZE).convert("RGB"))
        assert abs(ours - image).max() <= 3


def test_missing_frames_are_holes(colour: Image, tmp_path: Path) -> None:
    places = list(without(every_place(colour, (64, 64)), 3))
    write(tmp_path / "at.dcm", colour, replace(_SPARSE, places=places))
    expected = np.full_like(colour[0, 0], 255)
    for _, _, y, x in places:
        expected[y : y + 64, x : x + 64] = colour[0, 0, y : y + 64, x : x + 64]
    assert np.array_equal(seen(tmp_path / "at.dcm"), expected)
    assert notices(tmp_path / "at.dcm") == {Notice.MISSING_TILES}


def test_copied_frames_of_a_sparse_file(colour: Image, tmp_path: Path) -> None:
    places = shuffled(list(without(every_place(colour, (64, 64)), 3)))
    write(tmp_path / "at.dcm", colour, replace(_SPARSE, places=places))
    _BASELINE(tmp_path / "at.dcm")
    data = (tmp_path / "at.dcm").read_bytes()
    with open_slide(tmp_path / "at.dcm") as slide:
        at = slide.tile_places(0)
        assert at is not None
        assert slide.levels[0].jpeg is not None
        tiles = slide.jpeg_tiles(0, TileBlock(0, 0, 5, 4))
        for tile, offset, length in zip(tiles, at.offsets.flat, at.lengths.flat, strict=True):
            assert (tile is None) == (length == 0)
            assert tile is None or b"".join(tile) == data[offset : offset + length]
        assert sum(tile is None for tile in tiles) == 20 - len(places)
        # Who copies the tiles counts the holes and says so.
        assert slide.metadata.notices == ()


def test_fields_that_are_on_no_grid(colour: Image, tmp_path: Path) -> None:
    """Steps of 50 with tiles of 64: they overlap, and lie across the tiles of a grid."""
    places = [(0, 0, y, x) for y in range(0, 200, 50) for x in range(0, 300, 50)]
    write(tmp_path / "at.dcm", colour, replace(_SPARSE, places=shuffled(places)))
    assert np.array_equal(seen(tmp_path / "at.dcm"), colour[0, 0])
    with open_slide(tmp_path / "at.dcm") as slide:
        part = Region(130, 70, 90, 100)
        assert np.array_equal(slide.pixels(0, part), colour[0, 0, 70:170, 130:220])


def test_channels_on_no_grid(tmp_path: Path) -> None:
    image = stack(2, 1, _SIZE, 12)
    places = [(path, 0, y, x) for x in range(0, 300, 60) for y in range(0, 200, 40)
              for path in range(2)]  # fmt: skip
    write(tmp_path / "at.dcm", image, replace(_SPARSE, places=places, bits=12))
    assert np.array_equal(seen(tmp_path / "at.dcm"), image[:, 0])


def test_places_that_are_counted_from_nought(colour: Image, tmp_path: Path) -> None:
    def shifted(dataset: Dataset) -> None:
        for groups in dataset.PerFrameFunctionalGroupsSequence:
            groups.PlanePositionSlideSequence[0].ColumnPositionInTotalImagePixelMatrix -= 1
            groups.PlanePositionSlideSequence[0].RowPositionInTotalImagePixelMatrix -= 1

    write(tmp_path / "at.dcm", colour, replace(_SPARSE, change=shifted))
    assert np.array_equal(seen(tmp_path / "at.dcm"), colour[0, 0])


def test_a_sparse_image_that_does_not_say_its_size(colour: Image, tmp_path: Path) -> None:
    def nameless(dataset: Dataset) -> None:
        del dataset.TotalPixelMatrixColumns, dataset.TotalPixelMatrixRows

    write(tmp_path / "at.dcm", colour, replace(_SPARSE, change=nameless))
    assert np.array_equal(seen(tmp_path / "at.dcm")[:200, :300], colour[0, 0])


@pytest.mark.parametrize("organisation", ["TILED_FULL", "TILED_SPARSE"])
def test_several_paths_and_planes_in_one_file(organisation: str, tmp_path: Path) -> None:
    image = stack(3, 5, _SIZE, 16)
    heights = [0.5, 2.0, 3.5, 5.0, 6.5]
    slide = Slide(organisation=organisation, heights=heights)
    if organisation == "TILED_SPARSE":
        slide = replace(slide, places=shuffled(every_place(image, (64, 64))))
    write(tmp_path / "at.dcm", image, slide)
    assert np.array_equal(seen(tmp_path / "at.dcm"), image[:, 2])
    assert notices(tmp_path / "at.dcm") == {Notice.FOCAL_PLANE_CHOSEN}


@pytest.mark.parametrize("organisation", ["TILED_FULL", "TILED_SPARSE"])
def test_heights_counted_from_the_focus(organisation: str, tmp_path: Path) -> None:
    image = stack(1, 4, _SIZE, colour=True)
    slide = Slide(organisation=organisation, heights=[-1.0, 0.0, 1.0, 2.0])
    write(tmp_path / "at.dcm", image, slide)
    assert np.array_equal(seen(tmp_path / "at.dcm"), image[0, 1])


def test_the_plane_that_wsidicom_shows(tmp_path: Path) -> None:
    image = stack(1, 3, _SIZE, colour=True)
    write(tmp_path / "at.dcm", image, Slide(heights=[0.0, 1.0, 2.0]))
    _BASELINE(tmp_path / "at.dcm")
    with WsiDicom.open(tmp_path) as theirs:
        shown = np.asarray(theirs.read_region((0, 0), 0, _SIZE, z=1.0).convert("RGB"))
    assert abs(seen(tmp_path / "at.dcm").astype(int) - shown).max() <= 3


def test_planes_in_a_file_each(tmp_path: Path) -> None:
    image = stack(1, 3, _SIZE, colour=True)
    for plane in range(3):
        slide = replace(_SPARSE, series="2.25.1", heights=[10.0 + plane])
        write(tmp_path / f"{plane}.dcm", image[:, plane : plane + 1], slide)
    assert np.array_equal(seen(tmp_path), image[0, 1])
    assert notices(tmp_path) == {Notice.FOCAL_PLANE_CHOSEN}


def test_a_focus_map_is_no_stack(colour: Image, tmp_path: Path) -> None:
    """Each field at the height it was in focus at: one plane."""

    def uneven(dataset: Dataset) -> None:
        for at, groups in enumerate(dataset.PerFrameFunctionalGroupsSequence):
            groups.PlanePositionSlideSequence[0].ZOffsetInSlideCoordinateSystem = at / 10

    write(tmp_path / "at.dcm", colour, replace(_SPARSE, change=uneven))
    assert np.array_equal(seen(tmp_path / "at.dcm"), colour[0, 0])
    assert notices(tmp_path / "at.dcm") == set()


def test_a_smaller_level_of_one_plane(tmp_path: Path) -> None:
    image = stack(1, 3, _SIZE, colour=True)
    write(tmp_path / "0.dcm", image, Slide(series="2.25.1", heights=[0.0, 1.0, 2.0]))
    small = np.ascontiguousarray(image[:, 1:2, ::2, ::2])
    write(tmp_path / "1.dcm", small, Slide(series="2.25.1", spacing=0.001, heights=[1.0]))
    assert np.array_equal(seen(tmp_path, 1), small[0, 0])


@pytest.mark.parametrize("organisation", ["TILED_FULL", "TILED_SPARSE"])
@pytest.mark.parametrize("numbers", [True, False])
def test_a_concatenation_in_any_order(organisation: str, numbers: bool, tmp_path: Path) -> None:
    image = stack(2, 1, _SIZE)
    slide = Slide(organisation=organisation)
    files = write_parts(tmp_path, image, slide, (7, 12, 21), numbers=numbers)
    for number, order in enumerate(permutations(files)):
        folder = tmp_path / f"order-{number}"
        folder.mkdir()
        for at, file in enumerate(order):
            (folder / f"{at}.dcm").hardlink_to(file)
        assert np.array_equal(seen(folder), image[:, 0])


def test_a_concatenation_of_jpeg_frames_is_copied(colour: Image, tmp_path: Path) -> None:
    for file in write_parts(tmp_path, colour, Slide(), (7, 13)):
        _BASELINE(file)
    with open_slide(tmp_path) as slide:
        assert slide.levels[0].jpeg is not None
        assert slide.tile_places(0) is None  # of several files: the original is kept whole
        tiles = slide.jpeg_tiles(0, TileBlock(0, 0, 5, 4))
        assert all(tile is not None for tile in tiles)
        assert abs(whole(slide).astype(int) - colour[0, 0]).mean() < 3


def test_a_part_that_was_sent_twice(colour: Image, tmp_path: Path) -> None:
    files = write_parts(tmp_path, colour, Slide(), (7, 13))
    (tmp_path / "again.dcm").hardlink_to(files[0])
    assert np.array_equal(seen(tmp_path), colour[0, 0])


@pytest.mark.parametrize("missing", [0, 1, 2])
@pytest.mark.parametrize("numbers", [True, False])
def test_a_missing_part_is_said(missing: int, numbers: bool, colour: Image, tmp_path: Path) -> None:
    files = write_parts(tmp_path, colour, Slide(), (7, 5, 8), numbers=numbers)
    files[missing].unlink()
    expected = UnsupportedDicom if missing == 2 and not numbers else PartsMissing
    with pytest.raises(expected, match=r"concatenation|frames"), open_slide(tmp_path):
        pass


_WRONG: dict[str, tuple[Place, type[SlideError]]] = {
    "right of the image": ((0, 0, 0, 320), Damaged),
    "below the image": ((0, 0, 256, 0), Damaged),
    "before the image": ((0, 0, -300, 0), Damaged),
}


@pytest.mark.parametrize("wrong", _WRONG)
def test_frames_outside_the_image(wrong: str, colour: Image, tmp_path: Path) -> None:
    place, error = _WRONG[wrong]

    def move(dataset: Dataset) -> None:
        at = dataset.PerFrameFunctionalGroupsSequence[3].PlanePositionSlideSequence[0]
        at.ColumnPositionInTotalImagePixelMatrix = place[3] + 1
        at.RowPositionInTotalImagePixelMatrix = place[2] + 1

    write(tmp_path / "at.dcm", colour, replace(_SPARSE, change=move))
    with pytest.raises(error, match="outside"), open_slide(tmp_path / "at.dcm"):
        pass
