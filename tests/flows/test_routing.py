"""Cases that nobody has: given by the rules with the reasons kept, or noted, or left to people."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from flows import casework_duties, routing
from flows.casework_duties import Router
from flows.casework_report import unreported
from flows.services import Services
from storage import cases, colleagues, people
from storage.case_log import Said
from storage.database import Database, now
from storage.records.case import Case
from storage.records.case_words import AssignedBy, ReportKind
from storage.records.people import Role
from storage.records.reading_events import CaseAssigned, CaseOpened, CaseReleased
from storage.records.slide_events import ImageAvailable, ImageStored
from tests.storage.lab import order, say


def staff(database: Database, *names: str, **about: object) -> None:
    for name in names:
        people.ensure_person(database, name, Role.PATHOLOGIST)
        colleagues.describe(database, name, **{"unit": "pato-n", **about})  # type: ignore[arg-type]


def ready(database: Database, accession: str, **about: object) -> None:
    order(database, accession, f"{accession}-A1", **about)
    images = ImageStored(f"{accession}-A1", accession), ImageAvailable(f"{accession}-A1", accession)
    say(database, accession, *images)


def case(services: Services, accession: str = "P1") -> Case:
    return cases.get(services.database, accession)


def test_a_ready_case_gets_its_pathologist_and_the_reasons(services: Services) -> None:
    staff(services.database, "anna", subspecialties=["gi"])
    staff(services.database, "bo", subspecialties=["skin"])
    staff(services.database, "far", unit="pato-r")
    people.ensure_person(services.database, "tech", Role.TECHNICIAN)
    colleagues.describe(services.database, "tech", unit="pato-n")
    ready(services.database, "P1", subspecialty="skin")
    assert Router(services, unreported)() == 1
    found = case(services)
    assert (found.assignee, found.assigned_by) == ("bo", AssignedBy.RULES)
    assert json.loads(found.why) == {
        "why": [["subspecialty", 8.0]], "others": [["anna", "subspecialty", 8.0]], "left_out": 0,
    }  # fmt: skip


def test_cases_spread_over_those_who_are_there(services: Services) -> None:
    staff(services.database, "anna", "bo", "carl")
    colleagues.be_away(services.database, "carl", now(), now() + timedelta(days=1))
    for number in range(6):
        ready(services.database, f"P{number}")
    router = Router(services, unreported)
    assert router() == 6
    assert router() == 0
    given = [case(services, f"P{number}").assignee for number in range(6)]
    assert sorted(given) == ["anna"] * 3 + ["bo"] * 3


def test_nobody_may_have_it_and_then_somebody_may(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff(services.database, "dr-jensen")
    ready(services.database, "P1")
    router = Router(services, unreported)
    assert router() == 1
    (note,) = case(services).flags.values()
    assert note.text == "nobody_suitable requester=1"
    assert case(services).open_flags == []  # it stands in nobody's way
    monkeypatch.setattr(casework_duties, "_AGAIN", 0)
    assert Router(services, unreported)() == 0  # it is told once
    staff(services.database, "anna")
    assert Router(services, unreported)() == 1
    assert case(services).assignee == "anna"
    assert [at.reason for at in case(services).flags.values()] == ["assigned"]


def test_a_note_is_over_when_a_person_decides(services: Services) -> None:
    staff(services.database, "dr-jensen")
    ready(services.database, "P1")
    router = Router(services, unreported)
    router()
    say(services.database, "P1", CaseAssigned("dr-jensen", AssignedBy.PERSON), actor="chief")
    router()
    assert [at.closed_at is None for at in case(services).flags.values()] == [False]


def test_a_unit_without_pathologists_is_not_told_so(services: Services) -> None:
    ready(services.database, "P1")
    assert Router(services, unreported)() == 0
    assert case(services).flags == {}


def test_what_a_person_gave_back_is_left_to_people(services: Services) -> None:
    staff(services.database, "anna", "bo")
    ready(services.database, "P1")
    assert Router(services, unreported)() == 1
    say(services.database, "P1", CaseReleased("my neighbour"), actor="anna")
    assert Router(services, unreported)() == 0
    assert routing.assign(services.database, "P1") == "known"
    assert case(services).assignee == ""


@pytest.mark.parametrize(("when", "given"), [("never", 0), ("ready", 0), ("accessioned", 1)])
def test_when_is_a_setting(services: Services, when: str, given: int) -> None:
    staff(services.database, "anna")
    order(services.database, "P1", "P1-A1")
    settings = replace(services.settings, route_at=when)
    assert Router(replace(services, settings=settings), unreported)() == given


def test_a_person_is_quicker(services: Services) -> None:
    staff(services.database, "anna", "bo")
    ready(services.database, "P1")
    said = Said("bo", "web")
    cases.record(services.database, "P1", CaseAssigned("bo", AssignedBy.CLAIM), said)
    cases.record(services.database, "P1", CaseOpened("bo"), said)
    assert routing.assign(services.database, "P1") == "known"
    assert case(services).assignee == "bo"
    assert ReportKind.FINAL not in [at.kind for at in case(services).reports]
