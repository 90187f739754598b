"""Scans and second opinions are procedure steps too: what is done to them moves the case."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid
from starlette.testclient import TestClient

from storage import cases
from storage.records.milestones import Distance
from storage.records.reading_events import ConsultationRequested
from tests.steps import coded, discontinued, new_step, performed
from tests.viewers.department import Department
from tests.viewers.workitems import ROOT, body, change, found, get, refusal, scan, step_of, turn


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Department:
    return Department.found(tmp_path_factory.mktemp("department"))


@pytest.fixture
def device(department: Department) -> TestClient:
    return department.client("lis")


def test_a_scan_is_begun_and_finished_as_over_the_work_api(
    department: Department, device: TestClient
) -> None:
    barcode, accession = scan(department)
    uid, key = step_of(device, barcode), generate_uid()
    made = get(device, uid)
    told = {at.ConceptNameCodeSequence[0].CodeMeaning: at.TextValue
            for at in made.ScheduledProcessingParametersSequence}  # fmt: skip
    assert told == {"Specimen Container Identifier": barcode, "Staining": "HE"}
    assert accession not in made.to_json().replace(barcode, "")
    assert (made.PatientID, made.ReferencedRequestSequence[0].AccessionNumber) == ("", "")
    assert turn(device, uid, "IN PROGRESS", key).status_code == 200
    glass = cases.get(department.database, accession).slides[barcode]
    assert glass.state.value == "scanning"
    assert change(device, uid, performed(), key).status_code == 200
    assert turn(device, uid, "COMPLETED", key).status_code == 200
    glass = cases.get(department.database, accession).slides[barcode]
    assert glass.state.value == "scanned"


def test_a_scan_that_is_given_up_is_offered_again_as_another_step(
    department: Department, device: TestClient
) -> None:
    barcode, accession = scan(department)
    uid, key = step_of(device, barcode), generate_uid()
    assert turn(device, uid, "IN PROGRESS", key).status_code == 200
    assert change(device, uid, discontinued(), key).status_code == 200
    assert turn(device, uid, "CANCELED", key).status_code == 200
    canceled = get(device, uid)
    progress = canceled.ProcedureStepProgressInformationSequence[0]
    assert (canceled.ProcedureStepState, progress.ReasonForCancellation) == ("CANCELED", "no focus")
    assert progress.ProcedureStepCancellationDateTime
    again = step_of(device, barcode)
    assert again != uid
    replaced = get(device, again).ReplacedProcedureStepSequence[0]
    assert replaced.ReferencedSOPInstanceUID == uid
    (scan_, *_) = cases.get(department.database, accession).slides[barcode].scans
    assert scan_.state.value == "failed"


def test_a_scan_that_another_has_taken_over_http_is_in_progress(
    department: Department, device: TestClient
) -> None:
    barcode, _ = scan(department)
    uid = step_of(device, barcode)
    item_id = f"{int(uid.removeprefix('2.25.')):032x}"
    assert device.post(f"/api/v1/work/{item_id}/start", json={}).status_code == 200
    assert get(device, uid).ProcedureStepState == "IN PROGRESS"
    assert refusal(turn(device, uid, "IN PROGRESS", generate_uid())) == (400, "C301")
    assert device.post(f"/api/v1/work/{item_id}/finish", json={}).status_code == 200
    done = get(device, uid)
    assert done.ProcedureStepState == "COMPLETED"
    step = done.UnifiedProcedureStepPerformedProcedureSequence[0]
    assert step.PerformedStationNameCodeSequence[0].CodeValue == "lis"


def test_work_is_for_those_near_it(department: Department) -> None:
    barcode, _ = scan(department)
    uid = step_of(department.client("lis"), barcode)
    for name, status in (
        ("tina", 200), ("strange_lab", 404), ("strange_lis", 404), ("pia", 404), ("ops", 404),
        ("karl", 404), ("researcher", 404), (None, 401),
    ):  # fmt: skip
        assert department.client(name).get(f"{ROOT}/{uid}").status_code == status, name
    assert refusal(department.client("pia").post(ROOT, **body(new_step()))) == (403, "0124")
    assert found(department.client("strange_lab"), f"SOPInstanceUID={uid}") == []


@pytest.fixture
def question(department: Department) -> tuple[str, str]:
    """A case that karl is asked about; its accession and the step's UID as karl finds it."""
    accession = department.case(assignee="pia")
    department.open(accession)
    asked = ConsultationRequested(f"c{accession}", Distance.REGIONAL, "karl", "Malignt?")
    department.say(accession, asked)
    karl = department.client("karl")
    uids = [
        at for at in found(karl, "ProcedureStepState=SCHEDULED&WorklistLabel=Second opinions")
        if get(karl, at).ReferencedRequestSequence[0].AccessionNumber == accession
    ]  # fmt: skip
    return accession, uids[0]


def test_a_consultant_answers_own_questions_and_sees_whose(
    department: Department, question: tuple[str, str]
) -> None:
    accession, uid = question
    karl, key = department.client("karl"), generate_uid()
    made = get(karl, uid)
    assert (made.PatientID, made.PatientName) == ("0101901234", "Andersen^Anna")
    assert (
        made.ScheduledHumanPerformersSequence[0].HumanPerformerCodeSequence[0].CodeValue == "karl"
    )
    lines = department.lines("karl", accession)
    assert ("workitem", cases.get(department.database, accession).patient_id, "consulted") in lines
    for name in ("pia", "tina", "lis", "stranger"):
        assert department.client(name).get(f"{ROOT}/{uid}").status_code == 404, name
    assert turn(karl, uid, "IN PROGRESS", key).status_code == 200
    (asked,) = cases.get(department.database, accession).consultations.values()
    assert asked.accepted_at is not None
    assert change(karl, uid, performed(), key).status_code == 200
    without = turn(karl, uid, "COMPLETED", key)
    assert refusal(without) == (409, "C304")
    said = performed()
    parameter = Dataset()
    parameter.ValueType, parameter.TextValue = "TEXT", "Benignt"
    parameter.ConceptNameCodeSequence = coded("121077", "DCM", "Conclusion")
    said.UnifiedProcedureStepPerformedProcedureSequence[
        0
    ].PerformedProcessingParametersSequence = Sequence([parameter])
    assert change(karl, uid, said, key).status_code == 200
    assert turn(karl, uid, "COMPLETED", key).status_code == 200
    (answered,) = cases.get(department.database, accession).consultations.values()
    assert answered.opinion == "Benignt"


def test_a_consultant_declines(department: Department, question: tuple[str, str]) -> None:
    accession, uid = question
    karl, key = department.client("karl"), generate_uid()
    assert turn(karl, uid, "IN PROGRESS", key).status_code == 200
    assert change(karl, uid, discontinued("inhabil"), key).status_code == 200
    assert turn(karl, uid, "CANCELED", key).status_code == 200
    (asked,) = cases.get(department.database, accession).consultations.values()
    assert not asked.is_open
