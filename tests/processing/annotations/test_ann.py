"""Bulk annotations: what goes out comes back the same, and programs of others read it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from highdicom.color import CIELabColor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from wsidicom import WsiDicom

from processing.annotations.ann_writing import write_ann
from processing.annotations.kinds import references
from processing.annotations.plane import Plane
from processing.annotations.raster import fill
from processing.annotations.reading import read
from processing.annotations.rings import with_slits
from processing.annotations.sheet import Form, numbers_of
from processing.annotations.writing import as_file
from storage.records.annotation import (
    Annotation,
    Brought,
    Content,
    Geometry,
    Kind,
    Measurement,
    OriginKind,
    new_id,
)
from storage.records.geometry import Size
from tests.processing.annotations.conftest import AT, ROOT, errors, sheet_of, through_file
from tests.storage.drawings import annotations, square, with_hole
from tests.storage.test_annotations import cells, of_a_group

_SOME = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)


def written(header: Dataset, *single: Annotation, groups: list[Brought] | None = None) -> Dataset:
    sheet = sheet_of(*single, groups=groups)
    return through_file(write_ann(header, sheet, numbers_of(sheet, ROOT, Form.ANN)))


def every_kind() -> list[Annotation]:
    line = ((10.0, 20.0), (30.0, 40.0), (10.0, 25.0))
    ends = ((0.0, 5.0), (10.0, 5.0), (5.0, 3.0), (5.0, 7.0))
    shapes = [
        square(), with_hole(), Geometry(Kind.POINT, (((line[0],),),)),
        Geometry(Kind.MULTIPOINT, ((line,),)), Geometry(Kind.POLYLINE, ((line,),)),
        Geometry(Kind.ELLIPSE, ((ends,),)), Geometry(Kind.TEXT, (((line[1],),),)),
        Geometry(Kind.RECTANGLE, ((square().parts[0][0],),)),
    ]  # fmt: skip
    area = Measurement("Areal", 12.5, "um2")
    content = Content(square(), "Tumør", "FF0000", "infiltrativ rand\næøå", (area,))
    made = []
    for shape in shapes:
        of_shape = Content(shape, content.label, content.colour, content.text, (area,))
        made.append(Annotation(new_id(), of_shape, "pia", AT))
    return made


@_SOME
@given(drawn=st.lists(annotations, min_size=1, max_size=3))
def test_what_goes_out_comes_back_the_same(
    drawn: list[Annotation], header: Dataset, plane: Plane
) -> None:
    found = list(read(written(header, *drawn), plane))
    assert [at.annotation for at in found] == drawn
    assert all(at.whole for at in found)


@_SOME
@given(drawn=st.lists(annotations, min_size=1, max_size=3, unique_by=lambda at: at.annotation_id))
def test_groups_come_back_the_same(drawn: list[Annotation], header: Dataset, plane: Plane) -> None:
    made = written(header, groups=[Brought(at, whole=True) for at in drawn])
    found = {at.annotation.annotation_id: at.annotation for at in read(made, plane)}
    assert found == {at.annotation_id: of_a_group(at) for at in drawn}


def test_the_same_state_is_the_same_bytes(header: Dataset) -> None:
    drawn = every_kind()
    sheet = sheet_of(*drawn)
    numbers = numbers_of(sheet, ROOT, Form.ANN)
    one = as_file(write_ann(header, sheet, numbers))
    time.sleep(1.1)
    assert as_file(write_ann(header, sheet, numbers)) == one
    assert (numbers.series_uid, numbers.sop_uid) == (f"{ROOT}.9.1", f"{ROOT}.9.1.1.77")
    assert references(write_ann(header, sheet, numbers)) == [
        (header.SeriesInstanceUID, header.SOPInstanceUID)
    ]


def test_programs_of_others_read_it(header: Dataset, painted_dicom: Path, tmp_path: Path) -> None:
    drawn = every_kind()
    made = written(header, *drawn, groups=list(cells(1500)))
    made.save_as(tmp_path / "annotations.dcm", enforce_file_format=True)
    assert errors(tmp_path / "annotations.dcm") == []
    for file in painted_dicom.iterdir():
        at = pydicom.dcmread(file, stop_before_pixels=True)
        if at.SOPInstanceUID == header.SOPInstanceUID:
            shutil.copy(file, tmp_path / "level-0.dcm")
    with WsiDicom.open(tmp_path) as slide:
        (instance,) = slide.annotations
        assert instance.coordinate_type == "image"
        assert [len(at) for at in instance.groups] == [1, 1, 1, 3, 1, 1, 1, 1, 500, 1000]
        first = instance.groups[0][0]
        assert first.geometry.to_coords() == list(square().parts[0][0])
        assert [(at.value, at.code.meaning) for at in first.measurements] == [(12.5, "Areal")]
        assert (instance.groups[0].label, instance.groups[0].description) == (
            "Tumør", drawn[0].content.text,
        )  # fmt: skip
    opened = highdicom.ann.annread(tmp_path / "annotations.dcm")
    groups = opened.get_annotation_groups()
    assert len(groups) == 10
    assert opened.ContentCreatorName == "Patolog^Pia"
    (ring,) = groups[0].get_graphic_data("2D")
    assert np.array_equal(ring, np.array(square().parts[0][0]))
    assert CIELabColor.from_dicom_value(groups[0].RecommendedDisplayCIELabValue).to_rgb() == (
        255, 0, 0,
    )  # fmt: skip
    nuclei = groups[-1]
    assert (nuclei.algorithm_type.value, nuclei.algorithm_identification[0].AlgorithmName) == (
        "AUTOMATIC", "StarDist",
    )  # fmt: skip
    names, values, units = nuclei.get_measurements()
    assert (names[0].meaning, units[0].value, values.shape) == ("Area", "um2", (1000, 1))


@pytest.mark.parametrize("colour", ["000000", "FFFFFF", "0B7FD0", "FF00FF", "010203", "808182"])
def test_a_colour_is_seen_by_others_as_it_is(header: Dataset, colour: str) -> None:
    drawn = Annotation(new_id(), Content(square(), colour=colour), "pia", AT)
    (group,) = written(header, drawn).AnnotationGroupSequence
    seen = CIELabColor.from_dicom_value(group.RecommendedDisplayCIELabValue).to_rgb(clip=True)
    assert max(abs(a - b) for a, b in zip(seen, bytes.fromhex(colour), strict=True)) <= 1


def test_what_another_program_changed_is_believed(header: Dataset, plane: Plane) -> None:
    drawn = every_kind()[0]
    made = written(header, drawn)
    (group,) = made.AnnotationGroupSequence
    places = np.frombuffer(group.DoublePointCoordinatesData, "<f8") + 10
    group.DoublePointCoordinatesData = places.tobytes()
    (found,) = read(made, plane)
    assert not found.whole
    assert found.annotation.annotation_id == drawn.annotation_id
    assert found.annotation.content.geometry.bounds == (110.0, 210.0, 160.0, 260.0)
    assert (found.annotation.content.label, found.annotation.content.colour) == ("Tumør", "FF0000")
    assert found.annotation.author == "Pia Patolog"


def test_without_our_own_elements_the_standard_ones_are_read(header: Dataset, plane: Plane) -> None:
    made = written(header, *every_kind(), groups=list(cells(1200)))
    for group in made.AnnotationGroupSequence:
        group.remove_private_tags()
    found = list(read(made, plane))
    assert len(found) == 10 + 1200
    assert {at.annotation.content.label for at in found} == {"Tumør", "Tumor", "Stroma"}
    kinds = {at.annotation.origin.kind for at in found}
    assert kinds == {OriginKind.IMPORT, OriginKind.ALGORITHM}
    nuclei = [at.annotation.content for at in found[-800:]]
    assert all(at.measurements[0].name == "Area" for at in nuclei)


def test_a_slit_leads_into_each_hole() -> None:
    """Filled by either rule, the one ring is the area with its holes."""
    outer, hole = with_hole().parts[0]
    second = ((5.0, 80.0), (15.0, 80.0), (15.0, 95.0), (5.0, 95.0))
    part = (outer, hole, second)
    apart, joined = np.zeros((2, 110, 110), bool)
    fill(apart, [np.array(ring) for ring in part])
    fill(joined, [np.array(with_slits(part))])
    assert apart.sum() == 100 * 100 - 50 * 50 - 10 * 15
    assert np.array_equal(apart, joined)
    x, y = np.array(with_slits(part)).T
    twice = np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))
    assert abs(twice) == 2 * apart.sum()


@pytest.mark.slides
def test_a_file_of_highdicom_is_read(slides_dir: Path) -> None:
    folder = slides_dir / "dicom-wsi"
    image = pydicom.dcmread(folder / "highdicom-sm_image.dcm", stop_before_pixels=True)
    plane = Plane(image, Size(50, 50))
    made = pydicom.dcmread(folder / "highdicom-sm_annotations.dcm")
    assert references(made)[0].sop_uid == image.SOPInstanceUID
    first, second = (at.annotation for at in read(made, plane))
    assert first.content.geometry.parts == ((((34.6, 18.4),),),)
    assert (first.content.label, first.content.group) == ("Nucleus", "nuclei")
    assert first.content.measurements[0].unit == "um2"
    assert first.annotation_id != second.annotation_id
    again = read(pydicom.dcmread(folder / "highdicom-sm_annotations.dcm"), plane)
    assert [at.annotation for at in again] == [first, second]


def test_a_coarser_level_and_millimetres_are_understood(planes: list[Plane]) -> None:
    """Objects of highdicom's own, in pixels and in millimetres, of several levels."""
    places = np.array([[400.0, 200.0], [440.0, 200.0], [440.0, 240.0]])
    for plane, form in ((planes[1], "2D"), (planes[0], "3D"), (planes[2], "3D")):
        data = plane.to_level(places) if form == "2D" else plane.to_glass(places)
        group = highdicom.ann.AnnotationGroup(
            1, highdicom.UID(), "nuclei", pydicom.sr.codedict.codes.SCT.AnatomicalStructure,
            pydicom.sr.codedict.codes.SCT.Nucleus, "POLYGON", [data], "MANUAL",
        )  # fmt: skip
        made = highdicom.ann.MicroscopyBulkSimpleAnnotations(
            [plane.header],
            form,
            [group],
            highdicom.UID(),
            1,
            highdicom.UID(),
            1,
            "x",
            "y",
            "1",
            "2",
        )
        (found,) = read(through_file(made), plane)
        assert np.allclose(list(found.annotation.content.geometry.points), places, atol=1e-3)
