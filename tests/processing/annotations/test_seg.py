"""Masks: an area is a mask is an area, exactly; and programs of others read them."""

from __future__ import annotations

from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydicom.dataset import Dataset

from processing.annotations import seg_writing
from processing.annotations.plane import Plane
from processing.annotations.raster import areas, fill
from processing.annotations.reading import read
from processing.annotations.seg_writing import paint, write_seg
from processing.annotations.sheet import Form, numbers_of
from storage.errors import Illegal, UnsupportedDicom
from storage.records.annotation import Annotation, Content, Geometry, Kind, new_id
from storage.records.geometry import Size
from tests.processing.annotations.conftest import AT, ROOT, errors, sheet_of, through_file
from tests.processing.annotations.test_ann import every_kind
from tests.storage.drawings import square, with_hole
from tests.storage.test_annotations import cells

_masks = arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, max_side=9))


@given(_masks)
def test_the_outline_of_a_mask_gives_that_mask(mask: np.ndarray) -> None:  # type: ignore[type-arg]
    again = np.zeros_like(mask)
    for part in areas(mask):
        fill(again, [np.array(ring) for ring in part])
        for ring in part:  # corners along pixel edges, each a turn
            steps = np.abs(np.diff(np.array([*ring, ring[0]]), axis=0))
            assert ((steps > 0).sum(axis=1) == 1).all()
    assert np.array_equal(again, mask)


def written(planes: list[Plane], *single: Annotation) -> Dataset:
    sheet = sheet_of(*single)
    return through_file(write_seg(planes, sheet, numbers_of(sheet, ROOT, Form.SEG)))


shapes = st.lists(
    st.tuples(st.floats(-50, 1600), st.floats(-50, 1200)), min_size=3, max_size=7
).map(lambda ring: Geometry(Kind.POLYGON, ((tuple(ring),),)))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=15
)
@given(drawn=st.lists(st.tuples(shapes, st.sampled_from(["", "Tumor"])), min_size=1, max_size=3))
def test_the_mask_is_the_same_after_the_way_back(
    drawn: list[tuple[Geometry, str]], planes: list[Plane]
) -> None:
    plane = planes[1]
    expected = {label: np.zeros(matrix(plane), bool) for _, label in drawn}
    for shape, label in drawn:
        paint(expected[label], shape, plane)
    single = [Annotation(new_id(), Content(shape, label), "pia", AT) for shape, label in drawn]
    if not any(at.any() for at in expected.values()):
        with pytest.raises(Illegal, match="no areas"):
            written([plane], *single)
        return
    found = {label: np.zeros(matrix(plane), bool) for label in expected}
    for brought in read(written([plane], *single), planes[0]):
        content = brought.annotation.content
        paint(found[content.label], content.geometry, plane)
    assert all(np.array_equal(found[label], expected[label]) for label in expected)


def matrix(plane: Plane) -> tuple[int, int]:
    return int(plane.header.TotalPixelMatrixRows), int(plane.header.TotalPixelMatrixColumns)


def test_programs_of_others_read_it(planes: list[Plane], tmp_path: Path) -> None:
    drawn = [
        Annotation(new_id(), Content(with_hole(), "Tumor", "FF0000"), "pia", AT),
        Annotation(new_id(), Content(square(700, 500, 64), "Stroma"), "pia", AT),
        every_kind()[2],
    ]
    made = written(planes, *drawn)
    made.save_as(tmp_path / "masks.dcm", enforce_file_format=True)
    assert errors(tmp_path / "masks.dcm") == []
    opened = highdicom.seg.segread(tmp_path / "masks.dcm")
    assert [at.SegmentLabel for at in opened.SegmentSequence] == ["Tumor", "Stroma"]
    whole = opened.get_total_pixel_matrix()
    assert whole.shape == (*matrix(planes[0]), 2)
    assert whole[..., 0].sum() == 100 * 100 - 50 * 50
    assert whole[500:564, 700:764, 1].all()
    assert whole[..., 1].sum() == 64 * 64
    found = [at.annotation.content for at in read(made, planes[0])]
    assert [(at.label, at.colour) for at in found] == [("Tumor", "FF0000"), ("Stroma", "")]
    outer, hole = found[0].geometry.parts[0]
    assert set(outer) == set(with_hole().parts[0][0])
    assert set(hole) == set(with_hole().parts[0][1])


def test_the_finest_level_that_fits_is_taken(
    planes: list[Plane], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = Annotation(new_id(), Content(square(96, 96, 256)), "pia", AT)
    for most, level in ((10**9, 0), (seg_writing.pixels_of(planes[0]) - 1, 1)):
        monkeypatch.setattr(seg_writing, "MOST_PIXELS", most)
        made = written(planes, drawn)
        (source,) = made.ReferencedSeriesSequence[0].ReferencedInstanceSequence
        assert source.ReferencedSOPInstanceUID == planes[level].header.SOPInstanceUID
        (found,) = read(made, planes[0])
        assert found.annotation.content.geometry.bounds == (96, 96, 352, 352)
    monkeypatch.setattr(seg_writing, "MOST_PIXELS", 100)
    with pytest.raises(Illegal, match="too many for masks"):
        written(planes, drawn)
    with pytest.raises(Illegal, match="no areas"):
        written(planes, every_kind()[2])


def test_many_areas_come_back_as_their_union(planes: list[Plane]) -> None:
    sheet = sheet_of(groups=list(cells(600)))
    made = through_file(write_seg(planes, sheet, numbers_of(sheet, ROOT, Form.SEG)))
    expected = np.zeros(matrix(planes[0]), bool)
    for at in cells(600):
        paint(expected, at.annotation.content.geometry, planes[0])
    found = np.zeros_like(expected)
    for brought in read(made, planes[0]):
        paint(found, brought.annotation.content.geometry, planes[0])
    assert np.array_equal(found, expected)


@pytest.mark.slides
def test_a_mask_of_another_program_is_read(slides_dir: Path) -> None:
    folder = slides_dir / "dicom-wsi"
    image = pydicom.dcmread(folder / "highdicom-sm_image.dcm", stop_before_pixels=True)
    plane = Plane(image, Size(50, 50))
    made = pydicom.dcmread(folder / "highdicom-seg_image_sm_dots.dcm")
    found = np.zeros((50, 50), bool)
    for brought in read(made, plane):
        paint(found, brought.annotation.content.geometry, plane)
    opened = highdicom.seg.segread(folder / "highdicom-seg_image_sm_dots.dcm")
    assert found.any()
    assert np.array_equal(found, opened.get_total_pixel_matrix().any(axis=-1))


def test_a_mask_of_no_slide_is_told(planes: list[Plane]) -> None:
    made = written(planes, every_kind()[0])
    del made.TotalPixelMatrixColumns
    with pytest.raises(UnsupportedDicom):
        list(read(made, planes[0]))
    made.TotalPixelMatrixColumns = made.TotalPixelMatrixRows = 2**20
    for frame in made.PerFrameFunctionalGroupsSequence:
        frame.PlanePositionSlideSequence[0].ColumnPositionInTotalImagePixelMatrix = 2**19
    made.PerFrameFunctionalGroupsSequence = []
    with pytest.raises(UnsupportedDicom):
        list(read(made, planes[0]))
