"""A series of several images: doubles, a path in each, other regions, pictures of the glass."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PIL
from pydicom.dataset import Dataset

from processing.readers import open_slide
from storage.errors import UnsupportedDicom
from storage.records.slide import Notice
from tests.contracts.dicom_seen import notices, seen, whole
from tests.contracts.dicom_slides import (
    Image,
    Slide,
    stack,
    write,
    write_pyramid,
)

_SIZE = (300, 200)


@pytest.fixture(scope="module")
def colour() -> Image:
    return stack(1, 1, _SIZE, colour=True)


def test_doubles_of_one_size(colour: Image, tmp_path: Path) -> None:
    """The scanner's own is read, and that something was left out is said."""
    made = replace(Slide(series="2.25.1"), kind=("DERIVED", "PRIMARY", "VOLUME", "RESAMPLED"))
    write(tmp_path / "a.dcm", 255 - colour, made)
    write(tmp_path / "b.dcm", colour, Slide(series="2.25.1"))
    assert np.array_equal(seen(tmp_path), colour[0, 0])
    assert notices(tmp_path) == {Notice.LEVEL_IGNORED}


@pytest.mark.parametrize("alike", [True, False])
def test_a_path_in_a_file_each(alike: bool, tmp_path: Path) -> None:
    """Also where every path is called 1, as some write it."""
    image = stack(3, 1, _SIZE, 12)
    names = ("DAPI", "FITC", "Cy5")
    for path in range(3):
        identifier = "1" if alike else f"{path + 1}"
        for level in range(2):
            part = np.ascontiguousarray(image[path : path + 1, :, :: 1 << level, :: 1 << level])
            slide = Slide(series="2.25.1", bits=12, paths=names[path : path + 1],
                          identifiers=(identifier,), spacing=0.0005 * (1 << level))  # fmt: skip
            write(tmp_path / f"{path}-{level}.dcm", part, slide)
    with open_slide(tmp_path) as slide:
        assert slide.channels is not None
        assert [at.name for at in slide.channels.channels] == list(names)
        assert np.array_equal(whole(slide), image[:, 0])
        assert np.array_equal(whole(slide, 1), image[:, 0, ::2, ::2])
        assert Notice.LEVEL_IGNORED not in slide.metadata.notices


def test_pictures_in_several_kinds_of_light(tmp_path: Path) -> None:
    image = stack(2, 1, _SIZE, colour=True)
    write(tmp_path / "at.dcm", image, Slide())
    assert np.array_equal(seen(tmp_path / "at.dcm"), image[0, 0])
    assert notices(tmp_path / "at.dcm") == {Notice.OPTICAL_PATH_CHOSEN}


@pytest.mark.parametrize("factor", [0.5, 0.25, 0.249, 0.2437])
def test_levels_of_nearly_a_power_of_two(factor: float, colour: Image, tmp_path: Path) -> None:
    width, height = (round(at * factor) for at in _SIZE)
    write(tmp_path / "0.dcm", colour, Slide(series="2.25.1"))
    small = np.ascontiguousarray(colour[:, :, :height, :width])
    write(tmp_path / "1.dcm", small, Slide(series="2.25.1", spacing=0.0005 / factor))
    assert np.array_equal(seen(tmp_path, 1), small[0, 0])


def _elsewhere(folder: Path, image: Image) -> None:
    write(folder / "1.dcm", image, Slide(series="2.25.1", origin=(30.0, 20.0)))


def _of_another_shape(folder: Path, image: Image) -> None:
    part = np.ascontiguousarray(image[:, :, :80])
    write(folder / "1.dcm", part, Slide(series="2.25.1", origin=(30.0, 20.0)))


def _one_channel(folder: Path, image: Image) -> None:
    write(folder / "1.dcm", image[:, :, ::2, ::2, 0].copy(), Slide(series="2.25.1"))


def _another_series(folder: Path, image: Image) -> None:
    write(folder / "1.dcm", image[:, :, ::2, ::2].copy(), Slide(series="2.25.2"))


@pytest.mark.parametrize("other", [_elsewhere, _of_another_shape, _one_channel, _another_series])
def test_what_is_not_one_slide_is_refused(
    other: Callable[[Path, Image], None], colour: Image, tmp_path: Path
) -> None:
    write(tmp_path / "0.dcm", colour, Slide(series="2.25.1"))
    other(tmp_path, colour)
    with pytest.raises(UnsupportedDicom), open_slide(tmp_path):
        pass


def test_a_series_without_any_words(colour: Image, tmp_path: Path) -> None:
    """Type 1 and 2 attributes gone that pixels do not need."""

    def bare(dataset: Dataset) -> None:
        names = ("ImageType", "DimensionOrganizationType", "NumberOfOpticalPaths",
                     "OpticalPathSequence", "TotalPixelMatrixFocalPlanes", "PatientName",
                     "PatientID", "StudyID", "TotalPixelMatrixOriginSequence", "InstanceNumber",
                     "SharedFunctionalGroupsSequence", "PlanarConfiguration",
                     "HighBit")  # fmt: skip
        for name in names:
            if name in dataset:
                delattr(dataset, name)

    folder = tmp_path / "series"
    levels = write_pyramid(folder, colour, Slide(change=bare, spacing=None))
    for number, level in enumerate(levels):
        assert np.array_equal(seen(folder, number), level[0, 0])


def _glass(folder: Path, kind: str, image: Image, **options: object) -> None:
    slide = Slide(series="2.25.1", kind=("ORIGINAL", "PRIMARY", kind, "NONE"), **options)
    write(folder / f"{kind}.dcm", image, replace(slide, tile=image.shape[3:1:-1]))


@pytest.mark.parametrize("overview", ["OVERVIEW", "LOCALIZER"])
def test_pictures_of_the_glass(overview: str, colour: Image, tmp_path: Path) -> None:
    write_pyramid(tmp_path, colour, Slide(series="2.25.1"))
    pictures = {
        kind: stack(1, 1, size, colour=True)
        for kind, size in (("LABEL", (90, 80)), (overview, (240, 80)), ("THUMBNAIL", (75, 50)))
    }
    for kind, image in pictures.items():
        _glass(tmp_path, kind, image)
    _glass(tmp_path, "REGIONLOCALIZER", pictures["LABEL"])
    with open_slide(tmp_path) as slide:
        assert len(slide.levels) == 3
        found = {at.name: np.asarray(PIL.open(io.BytesIO(at.data)))
                 for at in slide.associated_images()}  # fmt: skip
    assert set(found) == {"label", "overview", "thumbnail"}
    for kind, image in pictures.items():
        assert np.array_equal(found[kind.lower().replace("localizer", "overview")], image[0, 0])


def test_a_thumbnail_larger_than_a_tile_and_a_grey_label(colour: Image, tmp_path: Path) -> None:
    write(tmp_path / "0.dcm", colour, Slide(series="2.25.1"))
    thumbnail = Slide(series="2.25.1", kind=("DERIVED", "PRIMARY", "THUMBNAIL", "RESAMPLED"))
    write(tmp_path / "1.dcm", colour, thumbnail)
    grey = stack(1, 1, (70, 60), 12)
    _glass(tmp_path, "LABEL", grey, bits=12)
    with open_slide(tmp_path) as slide:
        found = {at.name: np.asarray(PIL.open(io.BytesIO(at.data)))
                 for at in slide.associated_images()}  # fmt: skip
    assert np.array_equal(found["thumbnail"], colour[0, 0])
    assert np.array_equal(found["label"][:, :, 0], grey[0, 0] >> 4)


@pytest.mark.parametrize(
    ("said", "name"),
    [({"LabelText": "A1"}, "label"), ({"SpecimenLabelInImage": "YES"}, "overview")],
)
def test_a_picture_without_an_image_type(
    said: dict[str, str], name: str, colour: Image, tmp_path: Path
) -> None:
    def nameless(dataset: Dataset) -> None:
        del dataset.ImageType
        for attribute, value in said.items():
            setattr(dataset, attribute, value)

    write_pyramid(tmp_path, colour, Slide(series="2.25.1"))
    picture = stack(1, 1, (90, 80), colour=True)
    _glass(tmp_path, "LABEL", picture, change=nameless)
    with open_slide(tmp_path) as slide:
        assert len(slide.levels) == 3
        assert [at.name for at in slide.associated_images()] == [name]


def test_no_image_type_and_a_barcode_everywhere(colour: Image, tmp_path: Path) -> None:
    def nameless(dataset: Dataset) -> None:
        del dataset.ImageType
        dataset.BarcodeValue = "S26-1-A"

    write_pyramid(tmp_path, colour, Slide(series="2.25.1", change=nameless))
    with open_slide(tmp_path) as slide:
        assert len(slide.levels) == 3
        assert slide.metadata.barcode == "S26-1-A"
        assert slide.associated_images() == ()


def test_only_a_label_is_no_slide(tmp_path: Path) -> None:
    _glass(tmp_path, "LABEL", stack(1, 1, (90, 80), colour=True))
    with pytest.raises(UnsupportedDicom, match="no whole-slide volume"), open_slide(tmp_path):
        pass


def test_one_frame_that_says_next_to_nothing(tmp_path: Path) -> None:
    def bare(dataset: Dataset) -> None:
        for name in ("NumberOfFrames", "TotalPixelMatrixColumns", "TotalPixelMatrixRows",
                     "DimensionOrganizationType"):  # fmt: skip
            delattr(dataset, name)

    image = stack(1, 1, (90, 80), colour=True)
    write(tmp_path / "at.dcm", image, Slide(tile=(90, 80), change=bare))
    assert np.array_equal(seen(tmp_path / "at.dcm"), image[0, 0])


def _in_root(name: str) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        setattr(dataset, name, [0.0004, 0.00025])

    return change


def _by_extent(dataset: Dataset) -> None:
    dataset.ImagedVolumeWidth, dataset.ImagedVolumeHeight = 300 * 0.00025, 200 * 0.0004


def _frame_by_frame(dataset: Dataset) -> None:
    for groups in dataset.PerFrameFunctionalGroupsSequence:
        measures = Dataset()
        measures.PixelSpacing = [0.0004, 0.00025]
        groups.PixelMeasuresSequence = [measures]


def _nowhere(dataset: Dataset) -> None:
    del dataset.ImagedVolumeWidth


_SPACING: dict[str, tuple[Callable[[Dataset], None], tuple[float, float] | None]] = {
    "PixelSpacing": (_in_root("PixelSpacing"), (0.25, 0.4)),
    "ImagerPixelSpacing": (_in_root("ImagerPixelSpacing"), (0.25, 0.4)),
    "imaged volume": (_by_extent, (0.25, 0.4)),
    "frame by frame": (_frame_by_frame, (0.25, 0.4)),
    "nowhere": (_nowhere, None),
}


@pytest.mark.parametrize("where", _SPACING)
def test_the_size_of_a_pixel(where: str, colour: Image, tmp_path: Path) -> None:
    change, expected = _SPACING[where]
    slide = Slide(organisation="TILED_SPARSE", spacing=None, change=change)
    write(tmp_path / "at.dcm", colour, slide)
    with open_slide(tmp_path / "at.dcm") as opened:
        mpp = opened.metadata.mpp
        assert (mpp and (mpp.x, mpp.y)) == (expected and pytest.approx(expected))
        assert (Notice.MPP_UNKNOWN in opened.metadata.notices) == (expected is None)


def test_the_size_of_a_pixel_by_a_smaller_level(colour: Image, tmp_path: Path) -> None:
    write(tmp_path / "0.dcm", colour, Slide(series="2.25.1", spacing=None, change=_nowhere))
    small = np.ascontiguousarray(colour[:, :, ::2, ::2])
    write(tmp_path / "1.dcm", small, Slide(series="2.25.1", spacing=0.001))
    with open_slide(tmp_path) as opened:
        assert opened.metadata.mpp is not None
        assert opened.metadata.mpp.mean == pytest.approx(0.5)
