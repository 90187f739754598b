"""The repair list over the API: within the unit, settled by name, and corrections of events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from storage import cases
from storage.case_log import Said
from storage.records import case_events as events
from storage.records.case_words import SlideState
from storage.records.slide_events import (
    ScanFailed,
    ScanQueued,
    ScanStarted,
    SlideExpected,
    SlideStained,
)
from tests.viewers.department import STAFF, Department

REPAIRERS = ("tina", "sara", "strange_lab", "strange_desk")


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Department:
    return Department.found(tmp_path_factory.mktemp("department"))


@pytest.fixture
def tina(department: Department) -> TestClient:
    return department.client("tina")


def told(department: Department, accession: str, fact: events.CaseFact) -> None:
    said = Said("lis", "hl7")
    done = cases.record(department.database, accession, fact, said, strict=False)
    assert done.outcome is cases.Outcome.SET_ASIDE


def lines(client: TestClient, accession: str) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/repairs")
    assert answer.status_code == 200, answer.text
    found = [at for at in answer.json()["repairs"] if at["accession"] == accession]
    return [at for at in found if at["kind"] == "set_aside"]


def test_a_set_aside_fact_says_who_what_and_why(department: Department, tina: TestClient) -> None:
    accession = department.case()
    told(department, accession, SlideStained("none"))
    (line,) = lines(tina, accession)
    assert (line["kind"], line["what"], line["reason"]) == (
        "set_aside", "SlideStained", "slide_unknown",
    )  # fmt: skip
    assert (line["actor"], line["source"], line["about"]) == ("lis", "hl7", {"barcode": "none"})
    assert line["acts"] == ["retry", "dismiss"]
    address = f"/api/v1/repairs/{line['repair_id']}"
    refused = tina.post(f"{address}/retry")
    assert (refused.status_code, refused.json()["reason"]) == (409, "slide_unknown")
    assert tina.post(f"{address}/dismiss", json={"reason": ""}).json()["reason"] == "reason_missing"
    assert tina.post(f"{address}/dismiss", json={"reason": "typed wrong"}).status_code == 200
    assert lines(tina, accession) == []
    assert tina.post(f"{address}/dismiss", json={"reason": "again"}).status_code == 404
    assert "repair: dismiss" in [at[0] for at in department.lines("tina", accession)]


def test_recorded_again_when_it_can_be(department: Department, tina: TestClient) -> None:
    accession = department.case(slides=0, readable=0)
    fact = SlideStained(f"{accession}-X")
    moment = datetime.now(UTC) + timedelta(seconds=1)
    cases.record(department.database, accession, fact, Said("lis", "hl7", moment), strict=False)
    (line,) = lines(tina, accession)
    department.say(accession, SlideExpected(f"{accession}-X"))
    answer = tina.post(f"/api/v1/repairs/{line['repair_id']}/retry")
    assert answer.json() == {"outcome": "recorded"}
    glass = cases.get(department.database, accession).slides[f"{accession}-X"]
    assert (glass.state, glass.stained_at) == (SlideState.STAINED, moment)
    assert lines(tina, accession) == []


def test_scanning_again_is_offered_to_the_laboratory(department: Department) -> None:
    accession = department.case(slides=1, readable=0)
    barcode = f"{accession}-A1-1"
    facts = (ScanQueued(barcode, "i"), ScanStarted(barcode, "GT450", "i"))
    department.say(accession, *facts, ScanFailed(barcode, "focus", "i"))
    for name, acts in (("tina", ["scan"]), ("sara", [])):
        found = department.client(name).get("/api/v1/repairs").json()["repairs"]
        (line,) = [at for at in found if at["repair_id"] == f"scan-{barcode}"]
        assert (line["acts"], line["reason"], line["about"]["barcode"]) == (acts, "focus", barcode)


def test_strangers_see_and_settle_nothing(department: Department) -> None:
    accession = department.case()
    told(department, accession, SlideStained("none"))
    (line,) = lines(department.client("sara"), accession)
    for name in ("strange_lab", "strange_desk"):
        client = department.client(name)
        assert lines(client, accession) == []
        answer = client.post(
            f"/api/v1/repairs/{line['repair_id']}/dismiss", json={"reason": "mine"}
        )
        assert answer.status_code == 404
    assert lines(department.client("tina"), accession) != []


@pytest.mark.parametrize("name", sorted(STAFF))
def test_only_for_those_who_repair(department: Department, name: str) -> None:
    client, expected = department.client(name), 200 if name in REPAIRERS else 403
    assert client.get("/api/v1/repairs").status_code == expected
    assert client.get("/repairs").status_code == expected
    for act in ("retry", "dismiss"):
        answer = client.post(f"/api/v1/repairs/event-1/{act}", json={"reason": "x"})
        assert answer.status_code == (404 if expected == 200 else 403)


def event_of(department: Department, accession: str, kind: type) -> int:
    history = cases.history(department.database, accession)
    return next(at.event_id for at in history if isinstance(at.fact, kind))


def correct(client: TestClient, accession: str, event_id: int, **said: Any) -> tuple[int, Any]:  # noqa: ANN401
    address = f"/api/v1/cases/{accession}/events/{event_id}/correct"
    answer = client.post(address, json=said)
    return answer.status_code, answer.json()


def test_an_event_that_did_not_happen(department: Department, tina: TestClient) -> None:
    accession = department.case(slides=1, readable=0)
    barcode = f"{accession}-A1-1"
    department.say(accession, SlideStained(barcode))
    event_id = event_of(department, accession, SlideStained)
    assert correct(tina, accession, event_id, reason=" ")[1]["reason"] == "reason_missing"
    assert correct(tina, accession, event_id, reason="the other glass")[0] == 200
    assert cases.get(department.database, accession).slides[barcode].state is SlideState.EXPECTED
    newest = cases.history(department.database, accession)[-1]
    assert (newest.actor, newest.source) == ("tina", "web")
    assert "correct event" in [at[0] for at in department.lines("tina", accession)]


def test_an_event_at_another_time(department: Department, tina: TestClient) -> None:
    accession = department.case(received=timedelta(hours=5), slides=1, readable=0)
    barcode = f"{accession}-A1-1"
    department.say(accession, SlideStained(barcode))
    event_id = event_of(department, accession, SlideStained)
    moment = datetime.now(UTC) - timedelta(hours=2)
    said = {"reason": "entered late", "occurred_at": moment.isoformat()}
    assert correct(tina, accession, event_id, **said)[0] == 200
    assert cases.get(department.database, accession).slides[barcode].stained_at == moment
    wrong = {"reason": "x", "occurred_at": (moment - timedelta(days=1)).isoformat()}
    assert correct(tina, accession, event_id, **wrong)[1]["error"] == "illegal"
    assert correct(tina, accession, 999_999, reason="x")[1]["reason"] == "event_unknown"
    assert correct(tina, accession, event_id, reason="x", occurred_at="yesterday")[0] == 422


@pytest.mark.parametrize("name", sorted(set(STAFF) - {"tina", "sara"}))
def test_corrections_are_for_the_units_own(department: Department, name: str) -> None:
    accession = department.case()
    event_id = event_of(department, accession, events.CaseAccessioned)
    assert correct(department.client(name), accession, event_id, reason="x")[0] == 403
    assert correct(department.client("tina"), "none", event_id, reason="x")[0] == 404
