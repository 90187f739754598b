"""The whole is the sum of its steps; and where an open case stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings

from processing.turnaround.clocks import svartid
from processing.turnaround.standing import Standing, standing_of, urgency
from processing.turnaround.steps import MAIN, StepName, lengths, step_now, steps
from storage.records.milestones import Awaited, AwaitedThing, Milestones, Priority, SlideTimes
from storage.records.policy import DEFAULT_POLICY
from tests.processing.turnaround.cases import case, cases, local, moments
from tests.processing.turnaround.test_clocks import ANSWERED, NOW

HOUR = timedelta(hours=1)
RECEIVED = case(received_at=local("2026-03-02 09:00"))


@given(cases(), moments)
@settings(max_examples=400)
def test_the_steps_sum_to_the_whole_whatever_is_missing(made: Milestones, now: datetime) -> None:
    found, whole = steps(made, now), svartid(DEFAULT_POLICY, made, now)
    assert bool(found) == bool(whole)
    if not whole:
        return
    assert sum((at.length for at in found), timedelta()) == whole.gross
    assert sum(lengths(found).values(), timedelta()) == whole.gross
    assert found[0].start == whole.start
    assert found[-1].stop == whole.start + whole.gross
    assert all(one.stop == two.start for one, two in pairwise(found))
    assert all(at.length >= timedelta() for at in found)
    once = [at.name for at in found if at.name in MAIN and at.name is not StepName.READ]
    assert once == [name for name in MAIN if name is not StepName.READ]


def test_every_step_of_an_answered_case() -> None:
    minutes = {
        name.value: at / timedelta(minutes=1)
        for name, at in lengths(steps(ANSWERED, NOW)).items()
        if at
    }
    assert minutes == {
        "lab": 22 * 60,
        "scan_queue": 140,
        "scanning": 4,
        "checks": 7,
        "wait_to_read": 69 * 60 + 29,
        "read": 60 + 7 * 60,
        "await_consultation": 26 * 60,  # awaited first, so it counts while both were
        "await_work_order": 21 * 60,
        "to_requester": 5,
    }


def test_a_step_whose_end_was_not_told_lasts_until_what_is_known_next() -> None:
    quiet = replace(ANSWERED, stained_at=None, slides=(), available_at=None, ready_at=None)
    known = {name: at for name, at in lengths(steps(quiet, NOW)).items() if at}
    assert known[StepName.LAB] == quiet.opened_at - quiet.received_at
    assert StepName.WAIT_TO_READ not in known


def test_an_end_told_too_late_is_moved_to_what_proves_it_had_come() -> None:
    late = replace(ANSWERED, stained_at=local("2026-03-28 12:00"))
    found = lengths(steps(late, NOW))
    assert found[StepName.LAB] == local("2026-03-27 09:20") - late.received_at
    assert found[StepName.SCAN_QUEUE] == timedelta()


def test_a_case_opened_before_its_last_slide_still_waited_for_it() -> None:
    peeked = replace(ANSWERED, opened_at=local("2026-03-27 08:00"))
    found = lengths(steps(peeked, NOW))
    assert found[StepName.SCAN_QUEUE] == timedelta(minutes=140)
    assert found[StepName.WAIT_TO_READ] == timedelta()


@pytest.mark.parametrize(
    ("known", "step"),
    [
        ({}, StepName.LAB),
        ({"accessioned_at": local("2026-03-02 09:30")}, StepName.LAB),
        ({"stained_at": local("2026-03-02 12:00")}, StepName.SCAN_QUEUE),
        ({"available_at": local("2026-03-02 12:00")}, StepName.WAIT_TO_READ),
        ({"opened_at": local("2026-03-02 12:00")}, StepName.READ),
        ({"signed_at": local("2026-03-02 12:00")}, StepName.TO_REQUESTER),
        ({"distributed_at": local("2026-03-02 12:00")}, None),
        ({"closed_at": local("2026-03-02 12:00")}, None),
    ],
)
def test_the_step_a_case_is_in(known: dict[str, datetime], step: StepName | None) -> None:
    assert step_now(replace(RECEIVED, **known)) is step
    assert step_now(case(**known)) is None


def test_the_step_follows_the_slide_that_is_furthest_behind() -> None:
    expected, stained = local("2026-03-02 09:10"), local("2026-03-03 07:00")
    scanned = SlideTimes("A", expected, stained, stained, stained, stained + HOUR)
    queued = SlideTimes("B", expected, stained, stained)
    made = replace(RECEIVED, stained_at=stained, slides=(queued, scanned))
    assert step_now(made) is StepName.SCAN_QUEUE
    assert step_now(replace(made, slides=(scanned,))) is StepName.CHECKS


def test_what_is_awaited_is_the_step() -> None:
    opened, then = local("2026-03-03 08:00"), local("2026-03-03 09:00")
    waiting = Awaited(AwaitedThing.CONSULTATION, "c", then)
    made = replace(RECEIVED, opened_at=opened, awaited=(waiting,))
    assert step_now(made) is StepName.AWAIT_CONSULTATION
    found = lengths(steps(made, then + HOUR))
    assert (found[StepName.READ], found[StepName.AWAIT_CONSULTATION]) == (HOUR, HOUR)
    assert step_now(replace(made, awaited=(replace(waiting, ended_at=then),))) is StepName.READ
    second = Awaited(AwaitedThing.WORK_ORDER, "w", then + HOUR)
    for both in ((waiting, second), (second, waiting)):
        assert step_now(replace(made, awaited=both)) is StepName.AWAIT_CONSULTATION


def standing(now: str, made: Milestones = RECEIVED) -> tuple[Standing, bool]:
    at = standing_of(DEFAULT_POLICY, made, local(now))
    assert at
    return at.standing, at.preliminary_demanded


def test_standing_goes_from_calm_over_warned_to_late() -> None:
    """Received Monday 9:00, due a week later at midnight: 135 working hours, warned at 94.5."""
    assert standing("2026-03-02 09:00") == (Standing.CALM, False)
    assert standing("2026-03-06 07:29") == (Standing.CALM, False)
    assert standing("2026-03-06 07:30") == (Standing.WARN, False)
    assert standing("2026-03-09 23:59") == (Standing.WARN, False)
    assert standing("2026-03-10 00:00") == (Standing.LATE, True)
    told = replace(RECEIVED, preliminary_at=local("2026-03-09 12:00"))
    assert standing("2026-03-10 00:00", told) == (Standing.LATE, False)


def test_what_is_not_open_stands_nowhere() -> None:
    for other in (case(), ANSWERED, replace(RECEIVED, closed_at=NOW)):
        assert standing_of(DEFAULT_POLICY, other, NOW) is None


@given(cases(), moments, moments)
def test_the_later_the_more_urgent(made: Milestones, now: datetime, later: datetime) -> None:
    now, later = sorted((now, later))
    first, second = (standing_of(DEFAULT_POLICY, made, at) for at in (now, later))
    assert (first is None) == (second is None) == (not made.is_open)
    if first and second:
        order = list(Standing)
        assert first.share <= second.share
        assert first.slack >= second.slack
        assert order.index(first.standing) <= order.index(second.standing)
        assert (second.standing is Standing.LATE) == (later >= second.due) or (later == second.due)


def test_who_misses_first_is_first() -> None:
    at = local("2026-03-02 09:00")
    made = [
        case(accession=name, received_at=at, priority=priority)
        for name, priority in [("r", Priority.ROUTINE), ("h", Priority.URGENT)]
    ]
    found = [standing_of(DEFAULT_POLICY, one, at + HOUR) for one in made]
    assert [one.accession for one in sorted(filter(None, found), key=urgency)] == ["h", "r"]
