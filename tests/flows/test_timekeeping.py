"""Time that passes: warned, breached, paused for too long; each once, at the right moment."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from flows import timekeeping
from flows.casework_duties import Clock
from flows.casework_report import unreported
from flows.services import Services
from flows.timekeeping import ActKind, demanded, do
from processing.turnaround.standing import standing_of
from storage import cases, work_items, worklist
from storage.case_log import Said
from storage.database import now
from storage.records.case_events import CaseCancelled, ClockPaused, ClockResumed
from storage.records.milestones import PauseReason, SpecimenClass
from storage.records.policy import DEFAULT_POLICY
from storage.records.work import WorkItem, WorkKind, WorkState
from tests.storage.lab import order, say

MINUTE = timedelta(minutes=1)


def acts(services: Services, at: datetime) -> list[ActKind]:
    return [act.kind for act in demanded(services.database, at)]


def tasks(services: Services, kind: WorkKind) -> list[WorkItem]:
    return work_items.listing(services.database, [kind], list(WorkState))


def test_a_case_is_warned_of_and_then_late(services: Services) -> None:
    order(services.database, "P1")
    (row,) = worklist.open_everywhere(services.database)
    standing = standing_of(DEFAULT_POLICY, row.milestones, now())
    assert standing is not None
    assert acts(services, standing.warned_from - MINUTE) == []
    warned = demanded(services.database, standing.warned_from)
    assert [act.kind for act in warned] == [ActKind.WARN]
    assert do(services.database, warned) == "warned 1"
    assert do(services.database, warned) == "nothing"
    assert acts(services, standing.due - MINUTE) == []
    late = demanded(services.database, standing.due)
    assert do(services.database, late) == "breached 1"
    assert acts(services, standing.due + MINUTE) == []
    case = cases.get(services.database, "P1")
    assert case.warned_at is not None
    assert case.breached_at is not None
    (task,) = tasks(services, WorkKind.PRELIMINARY)
    assert (task.due_at, task.state) == (standing.due, WorkState.OFFERED)


def test_a_frozen_section_is_late_within_the_hour(services: Services) -> None:
    order(services.database, "P1", specimen_class=SpecimenClass.FROZEN)
    assert acts(services, now() + 31 * MINUTE) == [ActKind.BREACH]


def test_what_has_ended_meanwhile_is_not_told(services: Services) -> None:
    order(services.database, "P1")
    late = demanded(services.database, now() + timedelta(days=60))
    say(services.database, "P1", CaseCancelled("moved"))
    assert do(services.database, late) == "nothing"
    assert acts(services, now() + timedelta(days=60)) == []
    assert tasks(services, WorkKind.PRELIMINARY) == []


def test_a_pause_that_lasts_raises_one_task_and_ends_it(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    order(services.database, "P1")
    pause = ClockPaused("p1", PauseReason.PATIENT_CONSENT, "letter")
    cases.record(services.database, "P1", pause, Said("anna", "web"))
    assert ActKind.LONG_PAUSE not in acts(services, now() + timedelta(days=2))
    later = now() + timedelta(days=14)
    monkeypatch.setattr(timekeeping, "now", lambda: later)
    clock = Clock(services, unreported)
    assert clock() > 0
    (task,) = tasks(services, WorkKind.LONG_PAUSE)
    assert (task.about, task.accession, task.unit) == ("p1", "P1", "pato-n")
    assert clock() == 0
    say(services.database, "P1", ClockResumed("p1"))
    assert clock() == 1
    (task,) = tasks(services, WorkKind.LONG_PAUSE)
    assert task.state is WorkState.DONE
    assert clock() == 0


def test_a_task_that_a_person_settled_stays_settled(services: Services) -> None:
    order(services.database, "P1")
    pause = ClockPaused("p1", PauseReason.PATIENT_CONSENT, "letter")
    cases.record(services.database, "P1", pause, Said("anna", "web"))
    later = now() + timedelta(days=14)
    wanted = [at for at in demanded(services.database, later) if at.kind is ActKind.LONG_PAUSE]
    assert do(services.database, [*wanted, *wanted]) == "long_pause 1"
    (task,) = tasks(services, WorkKind.LONG_PAUSE)
    with services.database.transaction() as connection:
        work_items.end(connection, task.item_id, WorkState.DONE)
    assert ActKind.LONG_PAUSE not in acts(services, later)
