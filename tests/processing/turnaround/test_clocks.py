"""The eleven clocks, by hand and for any history."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from processing.turnaround.clock import Clock, ClockKey
from processing.turnaround.clocks import clocks, svartid
from processing.turnaround.intervals import Interval
from storage.records.milestones import (
    Awaited,
    AwaitedThing,
    ConsultationTimes,
    Distance,
    Milestones,
    Pause,
    PauseReason,
    Priority,
    SlideTimes,
    SupplementTimes,
)
from storage.records.policy import DEFAULT_POLICY, Policy
from tests.processing.turnaround.cases import case, cases, local, moments, pause, pauses

_EXCLUDING = replace(DEFAULT_POLICY, exclude_external_consult=True)
policies = st.sampled_from([DEFAULT_POLICY, _EXCLUDING])
HOUR = timedelta(hours=1)

ANSWERED = case(
    priority=Priority.PACKAGE,
    taken_at=local("2026-03-25 10:00"),
    received_at=local("2026-03-26 09:00"),  # a Thursday; summer time begins on the Sunday
    accessioned_at=local("2026-03-26 09:10"),
    stained_at=local("2026-03-27 07:00"),
    available_at=local("2026-03-27 09:30"),
    ready_at=local("2026-03-27 09:31"),
    opened_at=local("2026-03-30 08:00"),
    preliminary_at=local("2026-03-30 12:00"),
    signed_at=local("2026-04-01 15:00"),
    distributed_at=local("2026-04-01 15:05"),
    slides=(
        SlideTimes(
            "A1",
            expected_at=local("2026-03-26 09:10"),
            stained_at=local("2026-03-27 06:00"),
            queued_at=local("2026-03-27 06:30"),
            started_at=local("2026-03-27 07:00"),
            scanned_at=local("2026-03-27 07:03"),
            available_at=local("2026-03-27 07:10"),
        ),
        SlideTimes(
            "A2",
            expected_at=local("2026-03-26 09:10"),
            stained_at=local("2026-03-27 07:00"),
            queued_at=local("2026-03-27 07:30"),
            started_at=local("2026-03-27 09:20"),
            scanned_at=local("2026-03-27 09:24"),
            available_at=local("2026-03-27 09:30"),
        ),
    ),
    consultations=(
        ConsultationTimes(
            "c1",
            Distance.INTERNAL,
            requested_at=local("2026-03-30 09:00"),
            accepted_at=local("2026-03-30 10:00"),
            answered_at=local("2026-03-31 11:00"),
        ),
        ConsultationTimes(
            "c2",
            Distance.NATIONAL,
            requested_at=local("2026-03-30 09:00"),
            closed_at=local("2026-03-30 09:30"),
        ),
    ),
    supplements=(SupplementTimes(local("2026-04-07 09:00")),),
    awaited=(
        Awaited(
            AwaitedThing.CONSULTATION, "c1", local("2026-03-30 09:00"), local("2026-03-31 11:00")
        ),
        Awaited(
            AwaitedThing.WORK_ORDER, "w1", local("2026-03-30 10:00"), local("2026-04-01 08:00")
        ),
    ),
    pauses=(
        pause("2026-03-26 22:00", "2026-03-27 02:00", PauseReason.INFO_FROM_REQUESTER),
        pause("2026-03-27 01:00", "2026-03-27 03:00", PauseReason.PATIENT_CONSENT),
        pause("2026-03-31 08:00", "2026-03-31 10:00", PauseReason.EXTERNAL_CONSULT),
    ),
)
NOW = local("2026-04-08 09:00")


def by_key(case: Milestones, now: datetime = NOW) -> dict[tuple[str, str], Clock]:
    return {(at.key.value, at.about): at for at in clocks(DEFAULT_POLICY, case, now)}


def test_every_clock_of_an_answered_case() -> None:
    found = by_key(ANSWERED)
    minutes = {name: at.gross / timedelta(minutes=1) for name, at in found.items()}
    assert minutes == {
        ("K1", ""): 149 * 60 + 5,  # 6 days 6 h 5 min by the wall, an hour less in truth
        ("K2", ""): 172 * 60 + 5,
        ("K3", ""): 23 * 60,
        ("K4", ""): 22 * 60,
        ("K5", "A1"): 70,
        ("K5", "A2"): 150,
        ("K5", ""): 150,
        ("K6", ""): 69 * 60 + 29,
        ("K7", ""): 55 * 60,
        ("K8", ""): 5,
        ("K9", "c1"): 26 * 60,
        ("K9", "c2"): 30,
        ("K10", ""): 98 * 60,
        ("K11", "1"): 24 * 60,
    }
    assert [at.key for at in found.values()] == sorted(
        (at.key for at in found.values()), key=list(ClockKey).index
    )
    assert [name for name, at in found.items() if at.running] == [("K11", "1")]


def test_svartid_of_an_answered_case() -> None:
    clock = by_key(ANSWERED)["K1", ""]
    assert clock.due == local("2026-04-02 00:00")
    assert (clock.working_days, clock.in_time, clock.in_time_net) == (4, True, True)
    assert clock.paused == 5 * HOUR  # overlapping ones once, the consultation elsewhere not
    assert clock.net == clock.gross - 5 * HOUR
    excluding = svartid(_EXCLUDING, ANSWERED, NOW)
    assert excluding
    assert excluding.paused == 7 * HOUR


def test_digitisation_in_parts_and_against_its_target() -> None:
    found = by_key(ANSWERED)
    parts = {at.name: at.length / timedelta(minutes=1) for at in found["K5", "A2"].parts}
    assert parts == {"queue": 140, "scan": 4, "reading_in": 6}
    assert found["K5", ""].parts == found["K5", "A2"].parts
    assert found["K5", "A2"].due == local("2026-03-27 15:00")
    assert found["K5", "A2"].in_time


def test_reading_shows_what_was_awaited_and_consultation_when_it_was_accepted() -> None:
    found = by_key(ANSWERED)
    awaited = {at.name: at.length for at in found["K7", ""].parts}
    assert awaited == {"consultation": 26 * HOUR, "work_order": 46 * HOUR}
    assert [at.length for at in found["K9", "c1"].parts] == [HOUR, 25 * HOUR]
    assert found["K9", "c1"].in_time
    assert found["K9", "c2"].in_time is None
    assert not found["K9", "c2"].running


def test_late_by_gross_and_in_time_by_net() -> None:
    late = replace(ANSWERED, distributed_at=local("2026-04-07 10:00"))  # after Easter
    clock = by_key(late)["K1", ""]
    assert (clock.working_days, clock.in_time, clock.in_time_net) == (5, False, False)
    asked = pause("2026-03-27 08:00", "2026-03-30 20:00", PauseReason.INFO_FROM_REQUESTER)
    clock = by_key(replace(late, pauses=(asked,)))["K1", ""]
    assert (clock.in_time, clock.in_time_net) == (False, True)


def test_a_weekend_after_the_last_day_is_too_late_by_net_as_well() -> None:
    friday_due = replace(ANSWERED, received_at=local("2026-03-09 09:00"), pauses=())
    clock = by_key(replace(friday_due, distributed_at=local("2026-03-14 09:00")))["K1", ""]
    assert (clock.in_time, clock.in_time_net, clock.working_days) == (False, False, 5)


def test_a_running_clock_is_undecided_until_it_is_late() -> None:
    begun = case(received_at=local("2026-03-02 09:00"))
    soon, after = local("2026-03-09 23:59"), local("2026-03-10 00:00")
    assert [by_key(begun, now)["K1", ""].in_time for now in (soon, after)] == [None, False]
    assert set(by_key(begun, soon)) == {("K1", ""), ("K4", ""), ("K10", "")}


def test_a_cancelled_case_runs_no_further() -> None:
    closed = case(received_at=local("2026-03-02 09:00"), closed_at=local("2026-03-02 11:00"))
    clock = by_key(closed)["K1", ""]
    assert (clock.gross, clock.stop, clock.running, clock.in_time) == (2 * HOUR, None, False, None)


def test_what_was_never_told_is_not_measured() -> None:
    """Opened and answered without a word from scanner or stainer: no clock runs on."""
    bare = replace(ANSWERED, stained_at=None, available_at=None, ready_at=None, preliminary_at=None)
    left_out = {("K4", ""), ("K5", ""), ("K6", ""), ("K10", "")}
    assert set(by_key(ANSWERED)) - set(by_key(bare)) == left_out


def test_slides_of_extra_work_do_not_hold_the_case_and_run_after_the_answer() -> None:
    extra, stained = local("2026-03-30 10:00"), local("2026-03-31 07:00")
    ordered = SlideTimes("A3", extra, stained, available_at=local("2026-03-31 09:00"))
    found = by_key(replace(ANSWERED, slides=(*ANSWERED.slides, ordered)))
    assert found["K5", ""].parts == by_key(ANSWERED)["K5", ""].parts
    assert found["K5", "A3"].gross == 2 * HOUR
    forgotten = replace(ordered, available_at=None)
    supplement = replace(forgotten, barcode="A4", expected_at=local("2026-04-07 09:00"))
    slides = (*ANSWERED.slides, forgotten, supplement)
    found = by_key(replace(ANSWERED, slides=slides))
    assert ("K5", "A3") not in found
    assert found["K5", "A4"].running


@given(policies, cases(), moments)
def test_any_history_is_measured(policy: Policy, made: Milestones, now: datetime) -> None:
    for clock in clocks(policy, made, now):
        assert timedelta() <= clock.net <= clock.gross
        assert clock.working_days >= 0
        for part in clock.parts:
            assert clock.start <= part.start <= part.stop <= clock.start + clock.gross
        if clock.key in (ClockKey.DIGITISATION, ClockKey.CONSULTATION) and clock.parts:
            assert sum((at.length for at in clock.parts), timedelta()) == clock.gross
        if clock.in_time:
            assert clock.in_time_net


@given(policies, st.lists(pauses, max_size=6), moments, moments)
def test_pauses_count_each_moment_once(
    policy: Policy, paused: list[Pause], start: datetime, stop: datetime
) -> None:
    start, stop = sorted((start, stop))
    clock = svartid(
        policy, case(received_at=start, distributed_at=stop, pauses=tuple(paused)), stop
    )
    assert clock
    edges = {start, stop}
    counted = [
        Interval(at.began_at, at.ended_at or stop)
        for at in paused
        if policy.exclude_external_consult or at.reason is not PauseReason.EXTERNAL_CONSULT
    ]
    for at in counted:
        edges |= {edge for edge in at if start <= edge <= stop}
    ordered = sorted(edges)
    covered = timedelta()
    for one, two in pairwise(ordered):
        if any(at.start <= one and two <= at.stop for at in counted):
            covered += two - one
    assert clock.paused == covered
