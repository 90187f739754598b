"""Measurement reports: what goes out comes back the same, and programs of others read it."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import highdicom
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from processing.annotations.kinds import references
from processing.annotations.plane import Plane
from processing.annotations.reading import read
from processing.annotations.sheet import Form, numbers_of
from processing.annotations.sr_writing import write_sr
from storage.errors import Illegal, UnsupportedDicom
from storage.records.annotation import Annotation, Content, Geometry, Kind, OriginKind, new_id
from tests.processing.annotations.conftest import AT, ROOT, errors, sheet_of, through_file
from tests.processing.annotations.test_ann import every_kind
from tests.storage.drawings import annotations
from tests.storage.test_annotations import cells

_SOME = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30
)


def written(plane: Plane, *single: Annotation) -> Dataset:
    sheet = sheet_of(*single)
    return through_file(write_sr(plane, sheet, numbers_of(sheet, ROOT, Form.SR)))


@pytest.fixture(scope="session")
def unmeasured(plane: Plane) -> Plane:
    """As a slide is sent out whose pixel size nobody knows."""
    header = copy.deepcopy(plane.header)
    measures = header.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    measures.PixelSpacing = [1.0, 1.0]
    return replace(plane, header=header)


@_SOME
@given(drawn=st.lists(annotations, min_size=1, max_size=3))
def test_what_goes_out_comes_back_the_same(drawn: list[Annotation], plane: Plane) -> None:
    found = list(read(written(plane, *drawn), plane))
    assert [at.annotation for at in found] == drawn
    assert all(at.whole for at in found)


@_SOME
@given(drawn=st.lists(annotations, min_size=1, max_size=2))
def test_in_pixels_where_nothing_is_measured(drawn: list[Annotation], unmeasured: Plane) -> None:
    made = written(unmeasured, *drawn)
    assert "SCOORD3D" not in str(made)
    found = list(read(made, unmeasured))
    assert [at.annotation for at in found] == drawn


def test_programs_of_others_read_it(plane: Plane, tmp_path: Path) -> None:
    drawn = every_kind()
    made = written(plane, *drawn)
    made.save_as(tmp_path / "report.dcm", enforce_file_format=True)
    assert errors(tmp_path / "report.dcm") == []
    opened = highdicom.sr.srread(tmp_path / "report.dcm")
    report = opened.content
    groups = report.get_planar_roi_measurement_groups()
    assert len(groups) == 10
    first = groups[0]
    assert first.finding_type.meaning == "Tumør"
    assert first.tracking_uid == f"2.25.{int(drawn[0].annotation_id, 16)}"
    (area,) = first.get_measurements()
    assert (area.name.meaning, area.value, area.unit.value) == ("Areal", 12.5, "um2")
    roi = first.roi
    assert roi.frame_of_reference_uid == plane.header.FrameOfReferenceUID
    spacing = 0.000499
    sides = np.linalg.norm(np.diff(roi.value, axis=0), axis=1)
    assert np.allclose(sides, 50 * spacing, atol=4e-6)  # single precision
    (observer,) = report.get_observer_contexts()
    names = observer.observer_identifying_attributes
    assert (str(names.name), names.login_name) == ("Patolog^Pia", "pia")
    assert references(made) == [(plane.header.SeriesInstanceUID, plane.header.SOPInstanceUID)]


def test_without_our_own_elements_the_standard_ones_are_read(plane: Plane) -> None:
    drawn = every_kind()
    made = written(plane, *drawn)
    made.remove_private_tags()
    found = [at.annotation for at in read(made, plane)]
    assert len(found) == 10
    assert not any(at.whole for at in read(made, plane))
    assert [at.annotation_id for at in found[:3]] == [at.annotation_id for at in drawn[:3]]
    for one, other in zip(found[:3:2], drawn[:3:2], strict=True):
        assert one.content.geometry.kind is other.content.geometry.kind
        places = list(one.content.geometry.points), list(other.content.geometry.points)
        assert np.allclose(*places, atol=0.02)
    assert {at.content.label for at in found} == {"Tumør"}
    assert found[0].content.text.replace("\r\n", "\n") == drawn[0].content.text
    assert found[0].content.measurements[0].value == 12.5
    assert (found[0].author, found[0].origin.kind) == (
        "Patolog, Pia"[9:] + " Patolog",
        OriginKind.IMPORT,
    )
    assert Kind.ELLIPSE in {at.content.geometry.kind for at in found}


def test_what_another_program_changed_is_believed(plane: Plane) -> None:
    made = written(plane, every_kind()[0])
    group = made.ContentSequence[-1].ContentSequence[0]
    (region,) = [at for at in group.ContentSequence if at.ValueType == "SCOORD3D"]
    region.GraphicData = [at + 0.01 for at in region.GraphicData]
    (found,) = read(made, plane)
    assert not found.whole


def test_too_many_are_what_bulk_annotations_are_for(plane: Plane) -> None:
    sheet = sheet_of(groups=list(cells(2001)))
    with pytest.raises(Illegal, match="too many for a report"):
        write_sr(plane, sheet, numbers_of(sheet, ROOT, Form.SR))


def test_another_report_is_none(plane: Plane) -> None:
    made = written(plane, every_kind()[0])
    made.ContentTemplateSequence[0].TemplateIdentifier = "2000"
    with pytest.raises(UnsupportedDicom):
        list(read(made, plane))


def test_an_outline_of_many_corners(plane: Plane) -> None:
    ring = tuple((100.0 + 0.25 * at, 50.0 + at % 7) for at in range(4_000))
    drawn = Annotation(new_id(), Content(Geometry(Kind.POLYGON, ((ring,),))), "pia", AT)
    (found,) = read(written(plane, drawn), plane)
    assert (found.annotation, found.whole) == (drawn, True)
