"""C-FIND: findscu, pynetdicom and Orthanc ask the node; nobody sees beyond the own unit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pynetdicom import AE
from pynetdicom.sop_class import (
    PatientRootQueryRetrieveInformationModelFind as PatientRoot,  # type: ignore[attr-defined]
)
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind as StudyRoot,  # type: ignore[attr-defined]
)

from storage import dicom_objects
from storage.records.imaging import SeriesFacts, StoredObject
from storage.tables import access_log
from tests.flows.dicom_nodes import HOST, SOEREN, Dcmtk
from tests.flows.dicom_queries import CT, MR, Department, a_department, ask, keys, studies
from tests.orthanc import Orthanc, an_orthanc


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory, slides_dir: Path) -> Iterator[Department]:
    with a_department(tmp_path_factory.mktemp("query"), slides_dir) as made:
        yield made


def test_each_node_sees_its_unit(department: Department) -> None:
    soeren, karen = department.soeren.study_uid, department.karen.study_uid
    assert studies(department) == {soeren, karen, CT, MR}
    assert studies(department, "NORTH") == {soeren, CT, MR}
    assert studies(department, "SOUTH") == {karen}
    assert studies(department, "SOUTH", StudyInstanceUID=CT) == set()


def test_a_node_that_may_not_ask_is_offered_nothing(department: Department) -> None:
    entity = AE("SCANNER")
    entity.add_requested_context(StudyRoot)
    association = entity.associate(HOST, department.port, ae_title="SVARTID")
    assert not association.accepted_contexts
    association.abort()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"PatientName": "ågård*"}, {"soeren", "ct"}),
        ({"PatientName": "*BLIX?N^K*"}, {"karen"}),
        ({"PatientName": "Žižek^Łucja"}, {"mr"}),
        ({"PatientID": "010190-4321"}, {"soeren", "ct"}),
        ({"PatientID": "0101904321", "ModalitiesInStudy": "SM"}, {"soeren"}),
        ({"AccessionNumber": "P26-2"}, {"karen"}),
        ({"AccessionNumber": "P26-?"}, {"soeren", "karen"}),
        ({"StudyDate": "20251201-20251231"}, {"ct"}),
        ({"StudyDate": "-20260301"}, {"ct", "mr"}),
        ({"StudyInstanceUID": [CT, MR]}, {"ct", "mr"}),
        ({"AccessionNumber": "P26"}, set()),
        ({"PatientName": "", "StudyDescription": "*"}, {"soeren", "karen", "ct", "mr"}),
    ],
)
def test_what_fits_is_found(
    department: Department, words: dict[str, object], expected: set[str]
) -> None:
    names = {
        "soeren": department.soeren.study_uid, "karen": department.karen.study_uid, "ct": CT,
        "mr": MR,
    }  # fmt: skip
    assert studies(department, **words) == {names[at] for at in expected}


def test_findscu_gets_what_it_asked_for_and_no_more(department: Department, tmp_path: Path) -> None:
    pacs = Dcmtk("PACS", department.port)
    (answer,) = pacs.find(
        tmp_path / "study", "QueryRetrieveLevel=STUDY", "StudyInstanceUID", "PatientName=*Blixen*",
        "NumberOfStudyRelatedInstances", "StudyDate", "ModalitiesInStudy", "PatientComments",
    )  # fmt: skip
    assert {element.keyword for element in answer} == {
        "SpecificCharacterSet", "QueryRetrieveLevel", "RetrieveAETitle", "StudyInstanceUID",
        "PatientName", "NumberOfStudyRelatedInstances", "StudyDate", "TimezoneOffsetFromUTC",
        "ModalitiesInStudy",
    }  # fmt: skip
    assert answer.PatientName == "Blixen^Karen"
    assert answer.RetrieveAETitle == "SVARTID"
    assert answer.ModalitiesInStudy == "SM"
    images = pacs.find(
        tmp_path / "image", "QueryRetrieveLevel=IMAGE", "Rows", "NumberOfFrames", "ImageType",
        f"StudyInstanceUID={department.karen.study_uid}",
        f"SeriesInstanceUID={department.karen.series_uid}", "SOPInstanceUID", "SOPClassUID",
    )  # fmt: skip
    assert len(images) == answer.NumberOfStudyRelatedInstances
    levels = [at for at in images if "VOLUME" in at.ImageType]
    assert min(int(at.NumberOfFrames) for at in levels) == 1
    assert all(at.SOPClassUID == "1.2.840.10008.5.1.4.1.1.77.1.6" for at in images)


def test_series_and_images_of_received_studies(department: Department) -> None:
    asked = keys("SERIES", StudyInstanceUID=CT, Modality="", NumberOfSeriesRelatedInstances="")
    _, (series,), _ = ask(department, asked)
    assert (series.SeriesInstanceUID, series.Modality) == (f"{CT}.1", "CT")
    assert series.NumberOfSeriesRelatedInstances == 2
    second = keys("IMAGE", StudyInstanceUID=CT, InstanceNumber="2", SOPInstanceUID="", KVP="")
    _, (image,), _ = ask(department, second)
    assert image.SOPInstanceUID == f"{CT}.1.2"
    assert image.KVP == 120, "any attribute of the header can be asked for"
    named = keys("IMAGE", SOPInstanceUID=[f"{CT}.1.1", f"{MR}.1.1"])
    _, images, _ = ask(department, named)
    assert {at.SOPInstanceUID for at in images} == {f"{CT}.1.1", f"{MR}.1.1"}


def test_sequence_keys_narrow_and_answers_carry_their_items(department: Department) -> None:
    specimen = Dataset()
    specimen.SpecimenIdentifier = "P26-1-A1"
    asked = keys("IMAGE", SpecimenDescriptionSequence=Sequence([specimen]), SOPInstanceUID="")
    _, found, _ = ask(department, asked)
    assert found
    assert {at.SeriesInstanceUID for at in found} == {department.soeren.series_uid}
    (item,) = found[0].SpecimenDescriptionSequence
    assert [at.keyword for at in item] == ["SpecimenIdentifier"]


def test_patients(department: Department) -> None:
    asked = keys("PATIENT", PatientName="", PatientID="", PatientSex="")
    status, found, _ = ask(department, asked, model=PatientRoot)
    assert status == 0
    assert sorted(at.PatientID for at in found) == ["0101904321", "0202904320", "0303904322"]
    assert "StudyInstanceUID" not in found[0]
    status, _, _ = ask(department, asked)
    assert status == 0xA900, "the study root has no patients"


def test_names_come_in_a_character_set_that_has_their_letters(department: Department) -> None:
    _, (soeren,), _ = ask(department, keys("STUDY", PatientName="Ågård*", AccessionNumber="R77"))
    assert (soeren.SpecificCharacterSet, str(soeren.PatientName)) == (
        "ISO_IR 100", "Ågård^Søren Ærø",
    )  # fmt: skip
    _, (lucja,), _ = ask(department, keys("STUDY", PatientName="", StudyInstanceUID=MR))
    assert (lucja.SpecificCharacterSet, str(lucja.PatientName)) == ("ISO_IR 192", "Žižek^Łucja")


def test_a_question_in_latin_letters_without_saying_so(department: Department) -> None:
    """As old modalities ask."""
    asked = Dataset()
    asked.QueryRetrieveLevel, asked.StudyInstanceUID = "STUDY", CT
    asked.PatientName = "Ågård*"
    status, found, _ = ask(department, asked)
    assert (status, len(found)) == (0, 1)


def lines(department: Department, who: str) -> list[sa.Row[tuple[object, ...]]]:
    query = sa.select(access_log.c.action, access_log.c.accession, access_log.c.patient_id,
                      access_log.c.basis).where(access_log.c.name == who)  # fmt: skip
    with department.services.database.reading() as connection:
        return list(connection.execute(query))


def test_every_patient_named_leaves_one_line(department: Department) -> None:
    assert lines(department, "watched") == []
    ask(department, keys("STUDY", PatientName="*Blixen*"), "WATCHED")
    (line,) = lines(department, "watched")
    assert (line.action, line.accession, line.basis) == ("search", "P26-2", "operation")
    assert line.patient_id
    ask(department, keys("STUDY", PatientName="*Blixen*"), "WATCHED")
    assert len(lines(department, "watched")) == 1, "the same again within a quarter of an hour"
    ask(department, keys("STUDY", PatientName="nobody"), "WATCHED")
    assert len(lines(department, "watched")) == 1
    ask(department, keys("STUDY", PatientName=""), "WATCHED")
    assert len({line.patient_id for line in lines(department, "watched")}) == 3


def test_nothing_is_told_when_the_line_cannot_be_written(
    department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise dicom_objects.Illegal("log")

    monkeypatch.setattr("flows.dicom_reach.log_accesses", broken)
    status, found, _ = ask(department, keys("STUDY", PatientName=""), "UNLOGGED")
    assert status == 0xC001
    assert found == []


def deep(levels: int) -> Dataset:
    made = Dataset()
    made.CodeValue = "1"
    for _ in range(levels):
        outer = Dataset()
        outer.RequestAttributesSequence = Sequence([made])
        made = outer
    made.QueryRetrieveLevel = "STUDY"
    return made


def test_odd_questions_are_refused_and_the_node_goes_on(department: Department) -> None:
    bad = {
        "no level": Dataset(), "another level": keys("FRAME"), "deep": deep(100),
    }  # fmt: skip
    bad["no level"].PatientName = "X"
    for name, asked in bad.items():
        status, found, comment = ask(department, asked)
        assert (status, found) == (0xA900, []), name
        assert comment
    assert len(studies(department)) == 4


def test_too_many_answers_are_said_to_be(
    department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.dicom_query._MOST", 2)
    status, found, comment = ask(department, keys("STUDY", PatientName=""))
    assert (status, len(found)) == (0xA700, 2)
    assert "narrow" in comment


@pytest.fixture(scope="module")
def many(department: Department) -> str:
    """A study with many series."""
    uid = "2.25.7700"
    for number in range(700):
        series = SeriesFacts(
            f"{uid}.{number}", uid, "CT", SOEREN[0], SOEREN[1], "R88", number,
            study_at=datetime(2020, 1, 1, tzinfo=UTC),
        )  # fmt: skip
        found = StoredObject(
            f"{uid}.{number}.1", "1.2.840.10008.5.1.4.1.1.2", uid, series.series_uid,
            "1.2.840.10008.1.2.1", f"{number:064x}", 10, 0, "{}", datetime.now(UTC), "pacs",
        )  # fmt: skip
        dicom_objects.enter(department.services.database, found, 1, series)
    return str(uid)


def test_a_query_can_be_cancelled(
    department: Department, many: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processing.dicom.finding._PAGE", 2)  # else it is over before it is heard
    entity = AE("PACS")
    entity.add_requested_context(StudyRoot)
    association = entity.associate(HOST, department.port, ae_title="SVARTID")
    asked, found, last = keys("SERIES", StudyInstanceUID=many, SeriesNumber=""), 0, 0
    for status, answer in association.send_c_find(asked, StudyRoot):
        found, last = found + (answer is not None), status.Status
        if found == 1:
            association.send_c_cancel(1, query_model=StudyRoot)
    association.release()
    assert last == 0xFE00
    assert 1 <= found < 700


def test_all_pages_are_told(
    department: Department, many: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processing.dicom.finding._PAGE", 2)
    _, found, _ = ask(department, keys("SERIES", StudyInstanceUID=many, SeriesNumber=""))
    assert sorted(int(at.SeriesNumber) for at in found) == list(range(700))
    assert len(studies(department)) == 5


def query(orthanc: Orthanc, words: dict[str, object]) -> dict[str, str]:
    """Have Orthanc ask the node."""
    answer = httpx.post(f"{orthanc.url}/modalities/svartid/query", json=words, timeout=60)
    made: dict[str, str] = answer.raise_for_status().json()
    return made


def test_orthanc_queries(department: Department, tmp_path: Path) -> None:
    node = {"svartid": ["SVARTID", HOST, department.port]}
    with an_orthanc(tmp_path / "orthanc", ae_title="ORTHANC", modalities=node) as orthanc:
        words = {"Level": "Study", "Query": {"PatientName": "*Ærø*", "StudyDate": "20251224"}}
        made = query(orthanc, words)
        (number,) = orthanc.get(f"{made['Path']}/answers")
        answer = orthanc.get(f"{made['Path']}/answers/{number}/content?simplify")
        assert answer["StudyInstanceUID"] == CT
        assert answer["PatientName"] == "Ågård^Søren Ærø"
        words = {"Level": "Study", "Query": {"PatientName": "*Blixen*"}}
        made = query(orthanc, words)
        assert orthanc.get(f"{made['Path']}/answers") == []
