"""Modality Worklist: scans that wait; a foreign worklist server (wlmscpfs) would tell the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from pynetdicom import AE
from pynetdicom.sop_class import (
    ModalityWorklistInformationFind as Worklist,  # type: ignore[attr-defined]
)

from processing.dicom.names import local
from processing.dicom.worklist import worklist_answer
from storage import scan_steps, scanning
from storage.case_tables import work_item
from storage.database import now
from storage.dicom_peers import principal_of
from storage.dicom_uids import CASE, known_root
from storage.records.imaging import PeerMay
from storage.tables import access_log
from tests.flows.dicom_nodes import (
    HOST,
    KAREN,
    LUCJA,
    NORTH,
    SOEREN,
    SOUTH,
    Dcmtk,
    a_node,
    case,
    let_in,
    services_in,
)
from tests.flows.dicom_worklists import Department, ask, barcode, question, told, wlmscpfs

BARCODES = {"P26-1-A1", "P26-1-A2", "P26-2-A1", "P26-3-A1"}


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Department]:
    services = services_in(tmp_path_factory.mktemp("worklist"))
    case(services, "P26-1", SOEREN, "P26-1-A1", "P26-1-A2", unit=NORTH)
    case(services, "P26-2", KAREN, "P26-2-A1", unit=SOUTH)
    case(services, "P26-3", LUCJA, "P26-3-A1", unit=NORTH)
    for code in sorted(BARCODES):
        scanning.queue_scan(services.database, code, "tech", "R1", code[-1])
    for title in ("GT450", "WATCHED"):
        let_in(services, title)
    let_in(services, "NORTH", NORTH)
    let_in(services, "PACS", may=frozenset({PeerMay.QUERY}))
    with a_node(services) as port:
        yield Department(services, port)
    services.database.dispose()


def test_a_scan_is_one_step_with_all_that_goes_into_its_image(department: Department) -> None:
    (answer,) = ask(department, question(ContainerIdentifier="P26-1-A1"))
    assert str(answer.PatientName) == "Ågård^Søren Ærø"
    assert (answer.PatientID, answer.PatientBirthDate) == (SOEREN[0], "19900101")
    assert answer.AccessionNumber == "P26-1"
    assert answer.StudyInstanceUID == known_root(department.services.database, CASE, "P26-1")
    assert answer.RequestedProcedurePriority == "ROUTINE"
    (step,) = answer.ScheduledProcedureStepSequence
    assert (step.Modality, step.ScheduledStationAETitle) == ("SM", "GT450")
    assert step.ScheduledProcedureStepStatus == "SCHEDULED"
    assert step.ScheduledProcedureStepStartDate == local(now()).strftime("%Y%m%d")
    assert len(step.ScheduledProcedureStepID) == 16


def test_each_station_sees_its_unit(department: Department) -> None:
    assert {barcode(at) for at in ask(department, question())} == BARCODES
    north = {barcode(at) for at in ask(department, question(), "NORTH")}
    assert north == BARCODES - {"P26-2-A1"}


def test_a_node_without_work_is_offered_no_worklist(department: Department) -> None:
    entity = AE("PACS")
    entity.add_requested_context(Worklist)
    association = entity.associate(HOST, department.port, ae_title="SVARTID")
    assert not association.accepted_contexts
    association.abort()


TODAY = local(now()).strftime("%Y%m%d")
_NARROWED = [
    ({"Modality": "SM"}, BARCODES),
    ({"Modality": "CT"}, set()),
    ({"ScheduledStationAETitle": "GT450"}, BARCODES),
    ({"ScheduledProcedureStepStartDate": TODAY}, BARCODES),
    ({"ScheduledProcedureStepStartDate": f"{TODAY}-"}, BARCODES),
    ({"ScheduledProcedureStepStartDate": "20200101-20201231"}, set()),
    ({"PatientName": "Blixen*"}, {"P26-2-A1"}),
    ({"PatientID": LUCJA[0]}, {"P26-3-A1"}),
    ({"AccessionNumber": "P26-1"}, {"P26-1-A1", "P26-1-A2"}),
]


@pytest.mark.parametrize(("words", "expected"), _NARROWED)
def test_what_fits_is_told(
    department: Department, words: dict[str, object], expected: set[str]
) -> None:
    assert {barcode(at) for at in ask(department, question(**words))} == expected


def test_another_station_may_be_asked_about(department: Department) -> None:
    found = ask(department, question(ScheduledStationAETitle="OTHER"))
    stations = {at.ScheduledProcedureStepSequence[0].ScheduledStationAETitle for at in found}
    assert (len(found), stations) == (4, {"OTHER"})


def test_what_waits_since_yesterday_is_due_today(department: Department) -> None:
    database, before = department.services.database, now() - timedelta(days=3)
    one = work_item.c.barcode == "P26-3-A1"
    with database.transaction() as connection:
        connection.execute(sa.update(work_item).where(one).values(created_at=before))
    (answer,) = ask(department, question(ContainerIdentifier="P26-3-A1"))
    step = answer.ScheduledProcedureStepSequence[0]
    assert step.ScheduledProcedureStepStartDate == local(now()).strftime("%Y%m%d")


def test_what_others_have_taken_is_theirs(department: Department) -> None:
    database = department.services.database
    (item,) = scanning_items(department, "P26-2-A1")
    scanning.start(database, item, "other")
    assert barcode_set(department) == BARCODES - {"P26-2-A1"}
    scanning.fail(database, item, "other", "focus")
    assert barcode_set(department) == BARCODES
    scanning.start(database, item, "gt450")
    own = ask(department, question(ContainerIdentifier="P26-2-A1"))
    assert own[0].ScheduledProcedureStepSequence[0].ScheduledProcedureStepStatus == "STARTED"
    scanning.fail(database, item, "gt450", "focus")


def scanning_items(department: Department, code: str) -> list[str]:
    query = sa.select(work_item.c.item_id).where(work_item.c.barcode == code)
    with department.services.database.reading() as connection:
        return list(connection.execute(query).scalars())


def barcode_set(department: Department) -> set[str]:
    return {barcode(at) for at in ask(department, question())}


def test_findscu_is_told_what_it_asked_for_and_no_more(
    department: Department, tmp_path: Path
) -> None:
    step = "ScheduledProcedureStepSequence[0]"
    (answer,) = Dcmtk("GT450", department.port).find(
        tmp_path / "work", "PatientName=*Karen", f"{step}.Modality=SM",
        f"{step}.ScheduledStationName", f"{step}.ScheduledProcedureStepID",
        "ReferencedStudySequence", "PatientComments",
        "ContainerIdentifier", "SpecimenDescriptionSequence", model="-W",
    )  # fmt: skip
    assert {at.keyword for at in answer} == {
        "SpecificCharacterSet", "PatientName", "ScheduledProcedureStepSequence", "AccessionNumber",
        "StudyInstanceUID", "ReferencedStudySequence", "ContainerIdentifier",
        "SpecimenDescriptionSequence",
    }  # fmt: skip
    assert {at.keyword for at in answer.ScheduledProcedureStepSequence[0]} == {
        "Modality", "ScheduledStationName", "ScheduledProcedureStepID",
    }  # fmt: skip
    (specimen,) = answer.SpecimenDescriptionSequence
    assert specimen.SpecimenIdentifier == answer.ContainerIdentifier == "P26-2-A1"


def test_names_are_written_down_before_they_are_told(department: Department) -> None:
    query = sa.select(access_log).where(access_log.c.name == "watched")

    def seen() -> list[tuple[str, str, bool]]:
        with department.services.database.reading() as connection:
            rows = connection.execute(query.order_by(access_log.c.accession)).all()
        return [(row.action, row.accession, row.patient_id is not None) for row in rows]

    ask(department, question(AccessionNumber="P26-1"), "WATCHED")
    assert seen() == [("worklist", "P26-1", True)]
    for _ in range(3):
        ask(department, question(), "WATCHED")
    assert seen() == [("worklist", f"P26-{number}", True) for number in (1, 2, 3)]


def test_pages_are_told_to_the_end(department: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.dicom_worklist._PAGE", 1)
    assert barcode_set(department) == BARCODES


def test_a_foreign_worklist_server_answers_alike(department: Department, tmp_path: Path) -> None:
    """It takes our answers for complete worklist items, and tells the same of them."""
    database = department.services.database
    who = principal_of(let_in(department.services, "GT450"), "test")
    whole = [worklist_answer(at, "GT450", now()) for at in scan_steps.scheduled(database, who, 10)]
    assert len(whole) == 4
    step = "ScheduledProcedureStepSequence[0]"
    asked = ["PatientName", "PatientID", "AccessionNumber", "StudyInstanceUID", "PatientSex",
             "PatientBirthDate", "RequestedProcedureID", "RequestedProcedurePriority",
             "ReferringPhysicianName", "AdmissionID", f"{step}.ScheduledProcedureStepID",
             f"{step}.ScheduledProcedureStepStartTime", f"{step}.ScheduledPerformingPhysicianName",
             f"{step}.ScheduledProcedureStepDescription"]  # fmt: skip
    with wlmscpfs(tmp_path / "wl", whole) as port:
        for number, narrowing in enumerate((
            [f"{step}.Modality=SM"], [f"{step}.Modality=CT"], ["PatientID=0202904320"],
            ["AccessionNumber=P26-1"], ["PatientName=Blixen*"],
            [f"{step}.ScheduledStationAETitle=GT450"],
            [f"{step}.ScheduledProcedureStepStartDate={TODAY}"],
            [f"{step}.ScheduledProcedureStepStartDate=20200101-20201231"],
        )):  # fmt: skip
            keys = [at for at in asked if at not in {n.partition("=")[0] for n in narrowing}]
            found = [
                told(Dcmtk("GT450", at).find(tmp_path / f"{name}{number}", *keys, *narrowing,
                                             model="-W"))
                for name, at in (("ours", department.port), ("theirs", port))
            ]  # fmt: skip
            assert found[0] == found[1], narrowing
