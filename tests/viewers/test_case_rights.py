"""Whoever asks for a case by number: who is let at it, who is not, and the line that is left."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from storage import cases
from storage.errors import NotFound
from storage.records import case_events as events
from storage.records import reading_events as reading
from storage.records.case_words import Severity, WorkOrderKind
from storage.records.milestones import Distance, PauseReason, Priority, SpecimenClass
from storage.tables import access_log
from tests.viewers.department import ELSEWHERE, UNIT, Department
from tests.viewers.test_rights import leaves
from viewers.app import _context, build_api

IDS = {
    "event_id": "1",
    "order_id": "o1",
    "consultation_id": "q1",
    "flag_id": "f1",
    "pause_id": "p1",
}
BODIES: dict[str, dict[str, Any]] = {
    "facts": {"kind": "SlideStained", "data": {"barcode": "P26-0-A1-9"}},
    "hand-over": {"to": "poul", "reason": "x"},
    "assign": {"to": "poul", "reason": "x"},
    "priority": {"priority": "urgent", "reason": "x"},
    "orders": {"kind": "recut"},
    "consultations": {"asked": "poul", "question": "?"},
    "answer": {"opinion": "x"},
    "transfer": {"asked": "karl", "reason": "x"},
    "flags": {"severity": "note", "text": "x"},
    "pauses": {"reason": "patient_consent", "evidence": "x"},
    "draft": {"text": "x"},
    "preliminary": {"text": "x", "reason": "y", "expected_at": "2030-01-01T00:00:00Z"},
    "sign": {"text": "x", "password": "x"},
    "slides": {"barcode": "P26-0-B1-1"},
    "rescan": {"reason": "dirt"},
}
WITHOUT_A_PART = ("ops", "administrator", "researcher", "guest")
STRANGERS = ("stranger", "strange_lab", "strange_desk", "karl", "strange_lis")


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Department:
    return Department.found(tmp_path_factory.mktemp("department"))


def opened(department: Department) -> str:
    """A case that is being read, with one of each thing that is asked for by its number."""
    made = department.case(assignee="pia", readable=1)
    department.open(made)
    department.say(
        made,
        reading.WorkOrderPlaced("o1", WorkOrderKind.RECUT),
        reading.ConsultationRequested("q1", Distance.INTERNAL, "poul", "Enig?"),
        reading.FlagRaised("f1", Severity.MUST_SEE, "x"),
        events.ClockPaused("p1", PauseReason.PATIENT_CONSENT, "brev"),
    )
    return made


@pytest.fixture(scope="module")
def accession(department: Department) -> str:
    return opened(department)


@pytest.fixture(scope="module")
def addresses(department: Department, accession: str) -> list[tuple[str, str]]:
    """Every route about one case or glass, filled in."""
    found = []
    for route in leaves(build_api(_context(department.settings)).router.routes):
        names = getattr(route, "param_convertors", {})
        if not isinstance(route, APIRoute) or not {"accession", "barcode"} & set(names):
            continue
        given = {"accession": accession, "barcode": f"{accession}-A1-1"} | IDS
        for method in sorted(route.methods or ()):
            found.append((method, route.path_format.format(**given)))
    assert len(found) >= 33
    return found


def send(client: TestClient, method: str, address: str) -> int:
    word = address.rpartition("/")[2]
    body = BODIES.get(word, {"reason": "x"}) if method != "GET" else None
    return client.request(method, address, json=body).status_code


def test_strangers_are_refused_everywhere(
    department: Department, addresses: list[tuple[str, str]], accession: str
) -> None:
    before = len(cases.history(department.database, accession))
    for name in (*STRANGERS, *WITHOUT_A_PART):
        client = department.client(name)
        for method, address in addresses:
            assert send(client, method, address) == 403, (name, method, address)
        assert department.lines(name, accession) == []
    for method, address in addresses:
        assert send(department.client(None), method, address) == 401, (method, address)
    assert len(cases.history(department.database, accession)) == before


def test_a_laboratory_system_tells_and_reads_nothing(
    department: Department, addresses: list[tuple[str, str]], accession: str
) -> None:
    client = department.client("lis")
    for method, address in addresses:
        expected = 200 if address.endswith("/facts") else 403
        assert send(client, method, address) == expected, (method, address)
    patient_id = cases.get(department.database, accession).patient_id
    assert department.lines("lis", accession) == [("tell", patient_id, "operation")]


def test_every_address_leaves_a_line(
    department: Department, addresses: list[tuple[str, str]], accession: str
) -> None:
    """Whoever is let at it: before what happens then, there is a line that says on what basis."""
    patient_id = cases.get(department.database, accession).patient_id
    for method, pattern in addresses:
        own = opened(department)
        address, seen = pattern.replace(accession, own), 0
        for name in ("pia", "poul", "tina", "sara"):
            status = send(department.client(name), method, address)
            lines = department.lines(name, own)
            if status in (401, 403) and (name, pattern[-5:]) != ("pia", "/sign"):
                continue
            seen += 1
            assert lines, (name, method, address, status)
            assert {line[1] for line in lines} == {patient_id}
            assert {line[2] for line in lines} <= {"unit", "assigned", "consulted"}
        assert seen, (method, address)


def test_what_is_not_there_is_not_found(department: Department) -> None:
    pia = department.client("pia")
    assert pia.get("/api/v1/cases/NONE-1").status_code == 404
    assert pia.get("/api/v1/cases/NONE-1/events").status_code == 404
    assert pia.post("/api/v1/cases/NONE-1/claim").status_code == 404
    assert pia.get("/api/v1/cases/%00").status_code == 422


def test_lists_leave_a_line_for_every_patient_on_them(department: Department) -> None:
    accession = department.case(assignee="poul")
    fresh = Department(department.settings, department.database, department.tokens)
    fresh.client("poul").get("/api/v1/cases?list=mine")
    assert ("cases mine", "unit") in [(at[0], at[2]) for at in department.lines("poul", accession)]


def test_a_case_that_is_told_of_first_by_a_machine(department: Department) -> None:
    lis, elsewhere = department.client("lis"), department.client("strange_lis")
    order = {
        "requester": "Lægerne Torvet",
        "site": UNIT,
        "unit": UNIT,
        "priority": Priority.URGENT.value,
        "specimen_class": SpecimenClass.BIOPSY.value,
    }
    patient = {"identifier": "070761-4285", "name": "Bent Berg"}
    body = {"kind": "CaseOrdered", "data": order, "patient": patient, "key": "m-1"}
    address = "/api/v1/cases/LIS-1/facts"
    assert elsewhere.post(address, json=body).status_code == 403
    assert lis.post(address, json=body).json() == {"outcome": "recorded", "reason": ""}
    assert lis.post(address, json=body).json()["outcome"] == "known"
    assert cases.get(department.database, "LIS-1").priority is Priority.URGENT
    assert department.lines("lis", "LIS-1")
    late = {"kind": "SlideStained", "data": {"barcode": "nobody"}, "key": "m-2"}
    told = lis.post(address, json=late).json()
    assert told == {"outcome": "set_aside", "reason": "slide_unknown"}
    wrong = body | {"patient": {"identifier": "1", "name": "x"}, "key": "m-3"}
    answer = lis.post("/api/v1/cases/LIS-2/facts", json=wrong)
    assert (answer.status_code, answer.json()["reason"]) == (422, "identifier_shape")
    with pytest.raises(NotFound):
        cases.get(department.database, "LIS-2")
    order_elsewhere = body | {"data": order | {"unit": ELSEWHERE}, "key": "m-4"}
    assert (
        department.client("tina").post("/api/v1/cases/LIS-3/facts", json=order_elsewhere)
    ).status_code == 403


@pytest.mark.parametrize(
    ("kind", "status"),
    [("ReportSigned", 403), ("CaseAssigned", 403), ("EventCorrected", 403), ("Tea", 400)],
)
def test_machines_do_not_say_what_people_say(
    kind: str, status: int, department: Department, accession: str
) -> None:
    body = {"kind": kind, "data": {}}
    answer = department.client("lis").post(f"/api/v1/cases/{accession}/facts", json=body)
    assert answer.status_code == status


def test_the_access_log_names_no_more_than_it_must(department: Department) -> None:
    with department.database.reading() as connection:
        actions = set(connection.execute(sa.select(access_log.c.action)).scalars())
    assert all(len(action) <= 40 and action.isascii() for action in actions)


def test_a_long_list_leaves_each_line_once(department: Department) -> None:
    made = [department.case(assignee="poul") for _ in range(5)]
    client = Department(department.settings, department.database, department.tokens).client("poul")
    for _ in range(2):
        client.get("/api/v1/cases?list=mine")
    for accession in made:
        assert [at[0] for at in department.lines("poul", accession)] == ["cases mine"]
