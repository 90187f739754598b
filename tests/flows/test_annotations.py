"""Annotations by the command and from other systems, on real slides, judged by other programs."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from wsidicom import WsiDicom

from flows.annotations_received import ReceivedAnnotations
from flows.cli import main
from flows.dicom_export import opener_of
from flows.services import Services
from processing.annotations.slide import planes_of
from processing.dicom.receiving import receive
from storage import annotations_bulk, annotations_single, annotations_sources, imaging
from storage.annotations_single import By, Seen
from storage.catalogue import slides
from storage.database import now
from storage.dicom_files import Incoming
from storage.dicom_objects import Objects
from storage.records.annotation import Annotation, Content, OriginKind, new_id
from storage.records.annotation_events import AnnotationDrawn
from storage.records.people import SVARTID
from tests.processing.annotations.conftest import errors
from tests.processing.annotations.test_ann import every_kind
from tests.storage.drawings import square, with_hole

PIA, KARL = By("pia", "web"), By("karl", "web")


def draw(services: Services, slide_id: str, content: Content, by: By = PIA) -> Annotation:
    fact = AnnotationDrawn(slide_id, content, by.name, now())
    return annotations_single.draw(services.database, new_id(), fact, by)


def ingested(services: Services, path: Path) -> str:
    assert main(["ingest", str(path)]) == 0
    return slides(services.database)[0].slide_id


def seen(slide_id: str, at: Annotation) -> Seen:
    return Seen(slide_id, at.annotation_id, at.version)


@pytest.mark.slides
def test_a_slide_and_its_annotations_in_one_folder(
    services: Services, slides_dir: Path, tmp_path: Path
) -> None:
    """wsidicom opens the slide as we export it, and finds what was drawn on it."""
    slide_id = ingested(services, slides_dir / "aperio/CMU-1-Small-Region.svs")
    for at in every_kind():
        draw(services, slide_id, at.content)
    folder = tmp_path / "out"
    assert main(["export", slide_id, "--to", "dicom", "-o", str(folder)]) == 0
    for form in ("ann", "sr", "seg"):
        target = tmp_path / f"{form}.dcm"
        assert main(["annotations", slide_id, "--to", form, "-o", str(target)]) == 0
        assert errors(target) == []
        made = pydicom.dcmread(target)
        level = pydicom.dcmread(folder / "level-0.dcm", stop_before_pixels=True)
        assert made.StudyInstanceUID == level.StudyInstanceUID
        assert made.SOPInstanceUID.startswith(f"{level.SeriesInstanceUID}.9.")
    shutil.copy(tmp_path / "ann.dcm", folder / "ann.dcm")
    with WsiDicom.open(folder) as slide:
        (instance,) = slide.annotations
        assert len(instance.groups) == 8
        outline = instance.groups[0].annotations[0].geometry.to_coords()
        assert outline == list(square().parts[0][0])
        assert instance.slide_uids.study_instance == slide.uids.study_instance


def test_out_and_in_by_the_command(
    services: Services, tiny_svs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slide_id = ingested(services, tiny_svs)
    draw(services, slide_id, Content(with_hole(), "Tumor", text="rand"))
    draw(services, slide_id, Content(square(), "Stroma"), KARL)
    before = annotations_single.listing(services.database, slide_id)
    geojson, folder = tmp_path / "a.geojson", tmp_path / "objects"
    assert main(["annotations", slide_id, "--to", "geojson", "-o", str(geojson)]) == 0
    assert main(["annotations", slide_id, "--to", "sr", "-o", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told == {"files": [str(folder / "1.dcm"), str(folder / "2.dcm")]}
    for file in (geojson, folder / "1.dcm", folder / "2.dcm"):
        assert main(["annotations", slide_id, "--import", str(file)]) == 0
    assert annotations_single.listing(services.database, slide_id) == before
    capsys.readouterr()
    assert main(["annotations", slide_id, "--to", "geojson", "-o", str(geojson)]) == 1
    assert "nothing is written over" in capsys.readouterr().err
    bad = tmp_path / "bad.geojson"
    bad.write_text('[{"type": "Feature", "geometry": {"type": "Point", "coordinates": []}}]')
    assert main(["annotations", slide_id, "--import", str(bad)]) == 1
    assert "bad.geojson: feature 1: shape malformed" in capsys.readouterr().err
    assert main(["annotations", "0" * 20, "--to", "ann", "-o", str(tmp_path / "x")]) == 1


def test_a_slide_that_came_as_dicom_keeps_its_uids(
    services: Services, tiny_dicom: Path, tmp_path: Path
) -> None:
    """Received over the network: annotations refer to the objects as they came."""
    for file in sorted(tiny_dicom.iterdir()):
        hand_in(services, file.read_bytes())
    headers = [pydicom.dcmread(at, stop_before_pixels=True) for at in sorted(tiny_dicom.iterdir())]
    levels = [at for at in headers if at.ImageType[2] == "VOLUME"]
    finest = max(levels, key=lambda at: int(at.TotalPixelMatrixColumns))
    slide_id = ingested(services, tiny_dicom)
    with services.database.transaction() as connection:
        connection.exec_driver_sql(f"UPDATE dicom_series SET slide_id = '{slide_id}'")
    draw(services, slide_id, Content(square(), "Tumor"))
    assert main(["annotations", slide_id, "--to", "ann", "-o", str(tmp_path / "a.dcm")]) == 0
    made = pydicom.dcmread(tmp_path / "a.dcm")
    assert made.ReferencedImageSequence[0].ReferencedSOPInstanceUID == finest.SOPInstanceUID
    assert made.StudyInstanceUID == finest.StudyInstanceUID


def hand_in(services: Services, data: bytes) -> str:
    incoming = Incoming(services.layout)
    incoming.write(data)
    outcome = receive(incoming, Objects(services.database), "pacs")
    assert not outcome.reason, outcome
    return outcome.sop_uid


def foreign(services: Services, slide_id: str, tmp_path: Path, form: str) -> bytes:
    """What another system would send of this slide: without anything of ours in it."""
    draw(services, slide_id, Content(with_hole(), "Tumor", "00C000", "fra PACS"))
    target = tmp_path / f"{form}.dcm"
    assert main(["annotations", slide_id, "--to", form, "-o", str(target)]) == 0
    for at in annotations_single.listing(services.database, slide_id):
        annotations_single.remove(services.database, seen(slide_id, at), PIA)
    made = pydicom.dcmread(target)
    made.remove_private_tags()
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.4.{len(form)}"
    made.SeriesInstanceUID = f"1.2.3.5.{len(form)}"
    made.Manufacturer = made.ManufacturerModelName = "other"
    for group in made.get("AnnotationGroupSequence", []):
        group.AnnotationGroupUID = "1.2.3.6.1"
    made.save_as(target, enforce_file_format=True)
    return target.read_bytes()


@pytest.mark.parametrize("form", ["ann", "seg"])
def test_what_another_system_sends_is_on_the_slide(
    services: Services, tiny_svs: Path, tmp_path: Path, form: str
) -> None:
    slide_id = ingested(services, tiny_svs)
    sop_uid = hand_in(services, foreign(services, slide_id, tmp_path, form))
    look = ReceivedAnnotations(services)
    assert look() == 1
    (found,) = annotations_single.listing(services.database, slide_id)
    assert (found.content.label, found.content.colour) == ("Tumor", "00C000")
    assert (found.origin.kind, found.origin.name) == (OriginKind.IMPORT, "other")
    (told,) = annotations_single.history(services.database, slide_id, found.annotation_id)
    assert (told.by, told.source) == ("node:pacs", "dicom")
    assert annotations_sources.is_imported(services.database, sop_uid)
    assert look() == 0
    assert len(annotations_single.listing(services.database, slide_id)) == 1


def test_it_waits_for_its_slide(services: Services, tiny_svs: Path, tmp_path: Path) -> None:
    slide_id = ingested(services, tiny_svs)
    data = foreign(services, slide_id, tmp_path, "ann")
    (known,) = slides(services.database)
    with services.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE slide SET slide_id = 'elsewhere'")
    hand_in(services, data)
    look = ReceivedAnnotations(services)
    assert (look(), look()) == (0, 0)
    with services.database.transaction() as connection:
        connection.exec_driver_sql(f"UPDATE slide SET slide_id = '{known.slide_id}'")
    assert (look(), look()) == (1, 0)


def test_what_is_about_no_slide_or_makes_no_sense_is_asked_once(
    services: Services, tiny_svs: Path, tmp_path: Path
) -> None:
    slide_id = ingested(services, tiny_svs)
    made = tmp_path / "b.dcm"
    made.write_bytes(foreign(services, slide_id, tmp_path, "ann"))
    spoilt = pydicom.dcmread(made)
    del spoilt.AnnotationGroupSequence[0].GraphicType
    spoilt.save_as(made)
    hand_in(services, made.read_bytes())
    spoilt.SOPInstanceUID = spoilt.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4.9"
    del spoilt.ReferencedSeriesSequence
    spoilt.save_as(made)
    hand_in(services, made.read_bytes())
    look = ReceivedAnnotations(services)
    assert (look(), look()) == (0, 0)
    assert annotations_sources.ready(services.database) == []
    assert annotations_single.listing(services.database, slide_id) == []


def test_our_own_that_comes_back_is_known(
    services: Services, tiny_svs: Path, tmp_path: Path
) -> None:
    slide_id = ingested(services, tiny_svs)
    first = draw(services, slide_id, Content(square(), "Tumor"))
    target = tmp_path / "a.dcm"
    assert main(["annotations", slide_id, "--to", "ann", "-o", str(target)]) == 0
    hand_in(services, target.read_bytes())
    assert ReceivedAnnotations(services)() == 1
    assert annotations_single.listing(services.database, slide_id) == [first]
    assert annotations_bulk.groups(services.database, slide_id) == []


def test_the_planes_of_a_slide(services: Services, tiny_svs: Path) -> None:
    slide_id = ingested(services, tiny_svs)
    entry = imaging.of_slide(services.database, SVARTID, slide_id)
    planes = planes_of(opener_of(services), entry)
    assert [round(float(at.scale[0])) for at in planes] == [1, 2, 4][: len(planes)]
    assert planes[0].is_measured
    assert replace(planes[0]) == planes[0]
