"""UPS-RS: steps are made, claimed, performed, called off and found as the standard says."""

from __future__ import annotations

import json

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from starlette.testclient import TestClient

from storage import cases
from tests.steps import new_step, performed
from tests.viewers.department import Department
from tests.viewers.workitems import (
    JSON,
    ROOT,
    UID,
    body,
    cancel,
    change,
    create,
    found,
    get,
    refusal,
    scan,
    step_of,
    turn,
)


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Department:
    return Department.found(tmp_path_factory.mktemp("department"))


@pytest.fixture
def device(department: Department) -> TestClient:
    return department.client("lis")


def test_an_analysis_from_its_creation_to_its_end(device: TestClient) -> None:
    uid, key = generate_uid(), generate_uid()
    assert create(device, new_step(), uid) == uid
    made = get(device, uid)
    assert (made.ProcedureStepState, made.ProcedureStepLabel) == ("SCHEDULED", "Mitosis count")
    assert (made.ScheduledProcedureStepPriority, made.PatientName) == ("HIGH", "")
    assert made.ScheduledWorkitemCodeSequence[0].CodeValue == "110004"
    assert found(device, f"SOPInstanceUID={uid}") == [uid]
    assert turn(device, uid, "IN PROGRESS", key).status_code == 200
    assert get(device, uid).ProcedureStepState == "IN PROGRESS"
    assert change(device, uid, performed(), key).status_code == 200
    assert turn(device, uid, "COMPLETED", key).status_code == 200
    end = get(device, uid)
    assert end.ProcedureStepState == "COMPLETED"
    done = end.UnifiedProcedureStepPerformedProcedureSequence[0]
    assert done.PerformedStationNameCodeSequence[0].CodeValue == "AI1"
    assert uid not in found(device, "ProcedureStepState=IN PROGRESS")


def test_a_uid_is_given_where_none_is_named_and_taken_once(device: TestClient) -> None:
    uid = create(device, new_step())
    assert get(device, uid).SOPInstanceUID == uid
    again = device.post(f"{ROOT}?{uid}", **body(new_step()))
    assert (again.status_code, again.json()["error"]) == (409, "0111")
    older = generate_uid()
    named = device.post(f"{ROOT}?AffectedSOPInstanceUID={older}", **body(new_step()))
    assert named.headers["Location"].endswith(f"/dicom-web/workitems/{older}")


def test_the_states_are_those_of_the_standard(device: TestClient) -> None:
    """Table CC.1.1-2."""
    uid, key, other = create(device, new_step()), generate_uid(), generate_uid()
    refused = [
        ("SCHEDULED", key, 400, "C303"), ("COMPLETED", key, 409, "C310"),
        ("CANCELED", key, 409, "C310"), ("IN PROGRESS", "", 400, "C301"),
        ("SOMEHOW", key, 400, "0106"),
    ]  # fmt: skip
    assert [refusal(turn(device, uid, *at[:2])) for at in refused] == [at[2:] for at in refused]
    assert turn(device, uid, "IN PROGRESS", key).status_code == 200
    refused = [
        ("IN PROGRESS", key, 409, "C302"), ("IN PROGRESS", other, 400, "C301"),
        ("COMPLETED", other, 400, "C301"), ("COMPLETED", key, 409, "C304"),
        ("CANCELED", key, 409, "C304"), ("SCHEDULED", key, 400, "C303"),
    ]  # fmt: skip
    assert [refusal(turn(device, uid, *at[:2])) for at in refused] == [at[2:] for at in refused]
    wrong = turn(device, uid, "COMPLETED", other)
    assert wrong.headers["Warning"].endswith(": The Transaction UID is incorrect.")
    missing = turn(device, uid, "COMPLETED", "")
    assert missing.headers["Warning"].endswith(": The Transaction UID is missing.")
    lacks = turn(device, uid, "COMPLETED", key)
    assert "UnifiedProcedureStepPerformedProcedureSequence" in lacks.json()["reason"]
    assert change(device, uid, performed(), key).status_code == 200
    assert turn(device, uid, "COMPLETED", key).status_code == 200
    known = turn(device, uid, "COMPLETED", key)
    assert known.status_code == 200
    assert known.headers["Warning"].endswith("already in the requested state of COMPLETED.")
    assert refusal(turn(device, uid, "CANCELED", key)) == (409, "C300")
    assert refusal(turn(device, uid, "IN PROGRESS", key)) == (409, "C300")
    assert refusal(change(device, uid, performed(), key)) == (400, "C300")


def test_what_is_said_of_it_takes_the_key_once_it_is_in_progress(device: TestClient) -> None:
    uid, key = create(device, new_step()), generate_uid()
    words = Dataset()
    words.CommentsOnTheScheduledProcedureStep = "two regions"
    assert change(device, uid, words).status_code == 200
    assert get(device, uid).CommentsOnTheScheduledProcedureStep == "two regions"
    assert refusal(change(device, uid, words, key)) == (409, "C310")
    assert turn(device, uid, "IN PROGRESS", key).status_code == 200
    assert refusal(change(device, uid, words)) == (400, "C301")
    assert refusal(change(device, uid, words, generate_uid())) == (400, "C301")
    words.ProcedureStepState = "COMPLETED"
    assert refusal(change(device, uid, words, key)) == (400, "0106")


def test_a_patient_that_is_sent_along_is_not_kept(
    device: TestClient, department: Department
) -> None:
    named = new_step(PatientName="Hansen^Anna", PatientID="0101901234")
    answer = device.post(ROOT, **body(named))
    assert answer.status_code == 201
    assert answer.headers["Warning"].endswith(": The UPS was created with modifications.")
    uid = answer.headers["Location"].rpartition("/")[2]
    assert get(device, uid).PatientID == ""
    changed = Dataset()
    changed.PatientName = "Hansen^Anna"
    coerced = change(device, uid, changed)
    assert (coerced.status_code, "coerced" in coerced.headers["Warning"]) == (200, True)
    kept = department.settings.layout.database.read_bytes()
    assert b"Hansen^Anna" not in kept


@pytest.mark.parametrize(
    ("dataset", "error"),
    [
        (new_step(ProcedureStepState="IN PROGRESS"), "C309"),
        (new_step(TransactionUID="1.2.3"), "0106"),
        (Dataset(), "C309"),
    ],
)
def test_what_is_no_new_step(device: TestClient, dataset: Dataset, error: str) -> None:
    assert refusal(device.post(ROOT, **body(dataset))) == (400, error)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "[{}, {}]",
        "nonsense",
        "[1]",
        '[{"00100010": {"vr": "PN", "Value": 7}}]',
        "[" * 100_000,
        '[{"00741000": {"vr": "CS", "Value": ["SCHEDULED"]}, "00741204": {"vr": "XX"}}]',
        '[{"00741000": {"vr": "CS", "Value": ["SCHEDULED"]}, "00741204": {"vr": "US", '
        '"Value": [70000]}}]',
    ],
)
def test_what_is_no_dataset(device: TestClient, content: str) -> None:
    answer = device.post(ROOT, content=content, headers=JSON)
    assert answer.status_code == 400
    assert "Traceback" not in answer.text


def test_other_bodies_are_refused(device: TestClient) -> None:
    assert (
        device.post(ROOT, content="<x/>", headers={"Content-Type": "text/xml"}).status_code == 415
    )
    large = json.dumps([{"00404041": {"vr": "CS", "Value": ["x" * 600_000]}}])
    assert device.post(ROOT, content=large, headers=JSON).status_code == 413
    assert device.get(f"{ROOT}/1.2.3").status_code == 404
    assert device.get(f"{ROOT}/x").status_code == 400


def test_what_waits_is_called_off_by_those_who_may(department: Department) -> None:
    tina, device = department.client("tina"), department.client("lis")
    barcode, accession = scan(department)
    uid = step_of(device, barcode)
    assert refusal(cancel(device, uid)) == (403, "0124")
    assert cancel(tina, uid, "glass broken").status_code == 202
    assert get(device, uid).ProcedureStepState == "CANCELED"
    assert cases.get(department.database, accession).slides[barcode].state.value == "stained"
    again = cancel(tina, uid)
    assert (again.status_code, "CANCELED" in again.headers["Warning"]) == (202, True)
    own = create(device, new_step())
    assert cancel(device, own, "not needed").status_code == 202
    progress = get(device, own).ProcedureStepProgressInformationSequence[0]
    assert progress.ReasonForCancellation == "not needed"


def test_whoever_performs_is_asked_if_they_listen(department: Department) -> None:
    device, tina, key = department.client("lis"), department.client("tina"), generate_uid()
    uid = create(device, new_step())
    assert turn(device, uid, "IN PROGRESS", key).status_code == 200
    assert refusal(cancel(tina, uid, "too late")) == (409, "C312")
    assert device.post(f"{ROOT}/{uid}/subscribers/AI1").status_code == 201
    assert cancel(tina, uid, "too late").status_code == 202
    assert get(device, uid).ProcedureStepState == "IN PROGRESS"
    assert change(device, uid, performed(), key).status_code == 200
    assert turn(device, uid, "COMPLETED", key).status_code == 200
    assert refusal(cancel(tina, uid)) == (409, "C311")


def test_a_search_is_paged_and_says_when_there_is_more(device: TestClient) -> None:
    label = f"Paged {generate_uid()[-12:]}"
    uids = [create(device, new_step(ProcedureStepLabel=label)) for _ in range(3)]
    query = f"ProcedureStepLabel={label}"
    assert found(device, query) == uids
    page = device.get(f"{ROOT}?{query}&limit=2")
    assert [at[UID]["Value"][0] for at in page.json()] == uids[:2]
    assert "additional results" in page.headers["Warning"]
    assert found(device, f"{query}&limit=2&offset=2") == uids[2:]
    assert device.get(f"{ROOT}?ProcedureStepLabel=nothing").status_code == 204
    assert found(device, f"00741204={label}&ScheduledProcedureStepPriority=LOW") == []
