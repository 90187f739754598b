"""Reading cases: lists in the order of urgency, searching, the whole case, its history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from storage import cases
from storage.records import case_events as events
from storage.records import reading_events as reading
from storage.records.case_words import AssignedBy, ReportKind, Severity
from storage.records.milestones import Distance, Priority, SpecimenClass
from tests.viewers.department import ELSEWHERE, Department

LONG = timedelta(days=30)
FINAL = ReportKind.FINAL


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Department:
    return Department.found(tmp_path_factory.mktemp("department"))


@pytest.fixture
def pia(department: Department) -> TestClient:
    return department.client("pia")


def listed(client: TestClient, query: str) -> list[str]:
    answer = client.get(f"/api/v1/cases?{query}")
    assert answer.status_code == 200, answer.text
    return [line["accession"] for line in answer.json()["cases"]]


def test_lists_are_in_the_order_of_urgency(department: Department, pia: TestClient) -> None:
    calm = department.case(assignee="pia")
    late = department.case(assignee="pia", received=LONG)
    urgent = department.case(assignee="pia", priority=Priority.URGENT)
    other = department.case(assignee="poul")
    nobodys = department.case()
    elsewhere = department.case(unit=ELSEWHERE)
    assert [at for at in listed(pia, "list=mine") if at in {calm, late, urgent}] == [
        late,
        urgent,
        calm,
    ]
    assert other not in listed(pia, "list=mine")
    assert nobodys in listed(pia, "list=unassigned")
    unit = listed(pia, "list=unit")
    assert {calm, late, urgent, other, nobodys} <= set(unit)
    assert elsewhere not in unit
    assert listed(department.client("karl"), "list=unit") == []
    assert pia.get("/api/v1/cases?list=all").status_code == 422


def test_counts_say_what_waits_elsewhere(department: Department, pia: TestClient) -> None:
    before = pia.get("/api/v1/cases").json()["counts"]
    department.case(assignee="pia")
    department.case(readable=0)
    counts = pia.get("/api/v1/cases").json()["counts"]
    gained = {name: counts[name] - before[name] for name in counts}
    assert gained == {"mine": 1, "asked": 0, "unassigned": 1, "unit": 2, "waiting_in_lab": 1}


def test_a_line_says_who_what_and_how_long(department: Department, pia: TestClient) -> None:
    accession = department.case(assignee="pia", readable=1, received=timedelta(hours=2))
    line = next(
        at for at in pia.get("/api/v1/cases").json()["cases"] if at["accession"] == accession
    )
    assert line["patient"] | {"age": 0, "patient_id": ""} == {
        "patient_id": "",
        "name": "Anna Andersen",
        "identifier": "010190-1234",
        "kind": "cpr",
        "birth_date": None,
        "sex": "",
        "age": 0,
    }
    assert (line["slides"], line["readable"]) == (2, 1)
    assert line["missing"] == [f"{accession}-A1-2"]
    assert line["state"] == "scanning"
    assert line["assignee_name"] == "Pia Patolog"
    standing = line["standing"]
    assert standing["state"] == "calm"
    assert standing["left_days"] >= 4
    assert standing["slack_seconds"] > 0
    assert line["due_at"] == standing["due_at"]
    assert datetime.fromisoformat(line["received_at"]).tzinfo == UTC


def test_ended_cases_are_asked_for(department: Department, pia: TestClient) -> None:
    accession = department.case(assignee="pia")
    department.say(accession, events.CaseCancelled("bestilt ved en fejl"))
    assert accession not in listed(pia, "list=mine")
    assert accession in listed(pia, "list=mine&ended=true")


def test_an_answered_case_says_whether_it_was_in_time(
    department: Department, pia: TestClient
) -> None:
    accession = department.case(assignee="pia")
    department.open(accession)
    signed = reading.ReportSigned(FINAL, "Normal hud", ("T01000", "M00100"))
    department.say(accession, signed, reading.ReportDistributed(1, FINAL))
    found = pia.get(f"/api/v1/cases/{accession}").json()
    assert found["standing"]["state"] == "done"
    assert found["standing"]["in_time"] is True
    assert found["due_at"] == found["clocks"][0]["due"]
    assert sum(at["seconds"] for at in found["steps"]) == pytest.approx(
        found["clocks"][0]["seconds"], abs=1e-5
    )
    assert not any(at["running"] for at in found["steps"])


def test_searching_finds_by_accession_barcode_and_identifier(
    department: Department, pia: TestClient
) -> None:
    patient_id = department.patient("2512484916", "Nancy Ann Berggren")
    accession = department.case(patient_id=patient_id)

    def found(text: str) -> list[str]:
        answer = pia.post("/api/v1/cases/search", json={"text": text})
        return [at["accession"] for at in answer.json()["cases"]]

    assert found(accession) == [accession]
    assert found(f" {accession}-A1-2 ") == [accession]
    assert found("251248-4916") == [accession]
    assert found("2512484916") == [accession]
    assert found("nobody") == []
    assert found("%%%") == []
    by_address = pia.get("/api/v1/cases/search", params={"text": accession}).json()["cases"]
    assert [at["accession"] for at in by_address] == [accession]
    refused = pia.get("/api/v1/cases/search", params={"text": "251248-4916"})
    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_request"})
    assert pia.post("/api/v1/cases/search", json={"text": "x" * 81}).status_code == 422
    stranger = department.client("stranger")
    answer = stranger.post("/api/v1/cases/search", json={"text": "2512484916"})
    assert answer.json()["cases"] == []


def test_a_whole_case(department: Department, pia: TestClient) -> None:
    patient_id = department.patient("0707614285", "Bent Berg")
    earlier = department.case(patient_id=patient_id, received=LONG)
    accession = department.case(
        patient_id=patient_id, assignee="pia", clinical_information="Obs. melanom"
    )
    department.open(accession)
    department.say(
        accession,
        reading.FlagRaised("f1", Severity.MUST_SEE, "væv mangler?", f"{accession}-A1-1"),
        reading.ConsultationRequested("c1", Distance.INTERNAL, "poul", "Enig?"),
    )
    found = pia.get(f"/api/v1/cases/{accession}").json()
    assert found["clinical_information"] == "Obs. melanom"
    assert [at["barcode"] for at in found["slides"]] == [f"{accession}-A1-1", f"{accession}-A1-2"]
    assert found["slides"][0]["slide_id"]
    assert found["slides"][0]["scans"][0]["state"] == "available"
    assert found["slide_count"] == 2
    assert found["standing_in_the_way"] == ["flag:f1", "consultation:c1"]
    assert found["flags"][0]["severity"] == "must_see"
    assert [at["accession"] for at in found["earlier"]] == [earlier]
    assert found["clocks"][0]["key"] == "K1"
    assert found["clocks"][0]["running"]
    assert found["steps"][-1]["running"]
    assert found["responsible"] is True
    assert found["may"] == {
        "report": True,
        "assign": True,
        "answer": False,
        "run_lab": False,
        "enter": True,
    }
    assert found["people"]["poul"] == "Poul Patolog"
    of_poul = department.client("poul").get(f"/api/v1/cases/{accession}").json()
    assert of_poul["may"]["answer"] is True
    assert of_poul["may"]["report"] is False
    assert of_poul["responsible"] is False
    events_of = pia.get(found["events_url"]).json()["events"]
    assert events_of[0]["kind"] == "CaseOrdered"
    assert [at["event_id"] for at in events_of] == sorted(at["event_id"] for at in events_of)


def test_a_question_from_elsewhere_shows_the_case_and_nothing_else(
    department: Department,
) -> None:
    accession, other = department.case(assignee="pia"), department.case(assignee="pia")
    karl = department.client("karl")
    assert karl.get(f"/api/v1/cases/{accession}").status_code == 403
    department.open(accession)
    asked = reading.ConsultationRequested("k1", Distance.REGIONAL, "karl", "Er det malignt?")
    department.say(accession, asked)
    lines = karl.get("/api/v1/cases?list=asked").json()["cases"]
    assert [at["accession"] for at in lines] == [accession]
    assert lines[0]["questions"][0]["question"] == "Er det malignt?"
    assert karl.get(f"/api/v1/cases/{accession}").json()["may"]["answer"] is True
    assert karl.get(f"/api/v1/cases/{other}").status_code == 403


def test_an_accession_with_a_stroke_has_an_address(department: Department, pia: TestClient) -> None:
    ordered = events.CaseOrdered(
        department.patient(), "x", "naestved", "naestved", Priority.ROUTINE, SpecimenClass.BIOPSY
    )
    department.say("H26/17", ordered)
    assert pia.get("/api/v1/cases/H26%2F17").json()["accession"] == "H26/17"
    assert pia.get("/api/v1/cases/H26%2F17/events").status_code == 200
    assert pia.get("/api/v1/cases/H26").status_code == 404


def test_forecasts_come_with_experience(department: Department, pia: TestClient) -> None:
    accession = department.case(assignee="pia", received=LONG)
    case = department.case(assignee="pia", received=LONG)
    department.open(case)
    report = reading.ReportSigned(FINAL, "tekst", ("T01000", "M00100"))
    department.say(case, report, reading.ReportDistributed(1, FINAL))
    fresh = Department(department.settings, department.database, department.tokens)
    found = fresh.client("pia").get(f"/api/v1/cases/{accession}").json()
    assert found["forecast"]["probability_late"] == 1.0
    assert found["forecast"]["based_on"] >= 1
    assert found["forecast"]["confident"] is False


def test_a_release_takes_it_off_the_list(department: Department, pia: TestClient) -> None:
    accession = department.case(assignee="pia")
    department.say(accession, reading.CaseReleased("ferie"))
    assert accession not in listed(pia, "list=mine")
    department.say(accession, reading.CaseAssigned("pia", AssignedBy.CLAIM))
    assert cases.get(department.database, accession).assignee == "pia"
