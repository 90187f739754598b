"""The forecast: right as often as it says, explained, and the same every time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.turnaround.clocks import svartid
from processing.turnaround.experience import Experience, learn
from processing.turnaround.forecast import ENOUGH, Forecast, forecast
from processing.turnaround.staffed_time import from_wall_hours, staffed, wall_hours
from processing.turnaround.steps import StepName
from processing.turnaround.working_days import working_days
from storage.records.milestones import Awaited, AwaitedThing, Milestones, Priority
from storage.records.policy import DEFAULT_POLICY
from tests.processing.turnaround.cases import SITE, case, cases, local, moments
from tests.processing.turnaround.months import Laboratory, as_known

ASKED = [  # before, in and after Easter week
    local(f"2026-{day} 13:00")
    for day in ("03-11", "03-18", "03-26", "03-31", "04-01", "04-07", "04-09", "04-14")
]
HOURS = (7.0, 17.0)


def made(seed: int) -> list[Milestones]:
    return Laboratory(np.random.default_rng(seed)).cases(date(2026, 1, 5), 110)


@pytest.fixture(scope="module")
def year() -> list[Milestones]:
    return made(0)


@pytest.fixture(scope="module")
def learned(year: list[Milestones]) -> Experience:
    return learn(DEFAULT_POLICY, [one for one in year if one.distributed_at <= ASKED[0]])


def asked(one: Milestones, experience: Experience, now: datetime) -> Forecast:
    found = forecast(DEFAULT_POLICY, experience, as_known(one, now), now)
    assert found
    return found


def outcomes(months: list[Milestones]) -> list[tuple[Forecast, bool, bool]]:
    """Forecasts from what was known then; whether late in the end; whether answered by then."""
    found = []
    for now in ASKED:
        experience = learn(DEFAULT_POLICY, [at for at in months if at.distributed_at <= now])
        for one in months:
            if one.received_at <= now < one.distributed_at:
                told = asked(one, experience, now)
                late = svartid(DEFAULT_POLICY, one, one.distributed_at).in_time is False
                found.append((told, late, one.distributed_at <= told.expected_at))
    return found


def test_of_those_it_gives_a_chance_that_share_is_late() -> None:
    told = [at for seed in (0, 1) for at in outcomes(made(seed))]
    chance = np.array([at.probability_late for at, _, _ in told])
    late = np.array([at for _, at, _ in told], dtype=float)
    assert len(told) > 1500
    for low, high in ((0, 0.05), (0.05, 0.15), (0.15, 0.4), (0.4, 0.8), (0.8, 1.01)):
        these = (chance >= low) & (chance < high)
        expected = chance[these].mean()
        noise = np.sqrt(expected * (1 - expected) / these.sum())
        assert abs(late[these].mean() - expected) < 0.03 + 2 * noise, (low, these.sum())
    base = late.mean() * (1 - late.mean())
    assert 0.05 < late.mean() < 0.4
    assert ((chance - late) ** 2).mean() < 0.7 * base
    assert abs(np.mean([at for _, _, at in told]) - 0.5) < 0.07
    assert np.mean([at.confident for at, _, _ in told]) > 0.9


def test_it_is_the_same_every_time(year: list[Milestones], learned: Experience) -> None:
    still = [one for one in year if one.received_at <= ASKED[0] < one.distributed_at]
    first = [asked(one, learned, ASKED[0]) for one in still]
    again = learn(DEFAULT_POLICY, [one for one in year if one.distributed_at <= ASKED[0]])
    assert [asked(one, again, ASKED[0]) for one in still] == first


def test_the_longer_a_case_lies_the_likelier_it_is_late(learned: Experience) -> None:
    lying = case(received_at=local("2026-03-02 10:00"), stained_at=local("2026-03-03 08:00"),
                 ready_at=local("2026-03-03 09:00"))  # fmt: skip
    days = ("03", "05", "06", "09")
    told = [asked(lying, learned, local(f"2026-03-{day} 14:00")) for day in days]
    chances = [at.probability_late for at in told]
    assert chances == sorted(chances)
    assert chances[0] < 0.15 < 0.5 < chances[-1] < 1
    assert told[-1].cause_step is StepName.WAIT_TO_READ
    late = asked(lying, learned, local("2026-03-10 00:00"))
    assert late.probability_late == 1
    assert late.cause_step is StepName.WAIT_TO_READ


def test_what_is_awaited_is_named_as_the_cause(learned: Experience) -> None:
    begun = local("2026-03-04 09:00")
    waiting = case(
        received_at=local("2026-03-02 10:00"), stained_at=local("2026-03-03 08:00"),
        ready_at=local("2026-03-03 09:00"), opened_at=local("2026-03-04 08:00"),
        awaited=(Awaited(AwaitedThing.WORK_ORDER, "w", begun),),
    )  # fmt: skip
    told = asked(waiting, learned, local("2026-03-06 15:00"))
    assert told.cause_step is StepName.AWAIT_WORK_ORDER
    assert told.probability_late > 0.1
    reading = asked(replace(waiting, awaited=()), learned, begun)
    assert reading.probability_late < told.probability_late


def test_with_little_to_go_by_it_takes_wider_groups_and_says_so(year: list[Milestones]) -> None:
    now = local("2026-03-02 12:00")
    fresh = case(received_at=local("2026-03-02 10:00"), priority=Priority.URGENT)
    few = [one for one in year if one.distributed_at <= now][:12]
    told = forecast(DEFAULT_POLICY, learn(DEFAULT_POLICY, few), fresh, now)
    assert told
    assert not told.confident
    assert told.based_on <= 12 < ENOUGH
    assert 0 < told.probability_late < 1
    assert forecast(DEFAULT_POLICY, learn(DEFAULT_POLICY, []), fresh, now) is None
    forgotten = asked(fresh, learn(DEFAULT_POLICY, year[:2000]), local("2026-06-30 12:00"))
    assert not forgotten.confident
    assert forgotten.probability_late == 1


def test_what_is_not_open_has_no_forecast(learned: Experience) -> None:
    for other in (case(), case(received_at=ASKED[0], closed_at=ASKED[0])):
        assert forecast(DEFAULT_POLICY, learned, other, ASKED[0]) is None


@given(st.lists(cases(), min_size=1, max_size=6), cases(), moments)
def test_any_history_gives_a_forecast(
    known: list[Milestones], one: Milestones, now: datetime
) -> None:
    experience = learn(DEFAULT_POLICY, known)
    told = forecast(DEFAULT_POLICY, experience, one, now)
    usable = any(at.received_at and at.distributed_at and not at.closed_at for at in known)
    assert (told is not None) == (usable and one.is_open)
    if told:
        assert 0 < told.probability_late <= 1
        assert told.expected_at >= now
        assert 0 < told.based_on <= len(known)


@given(moments, st.just(0.0) | st.floats(0.001, 200))
def test_staffed_time_goes_along_and_back(start: datetime, hours: float) -> None:
    time = staffed(working_days(DEFAULT_POLICY, SITE), range(2025, 2029), HOURS)
    begin = np.array([wall_hours(start)])
    end = time.after(begin, np.array([hours]))
    assert end[0] >= begin[0]
    assert (time.at(end) - time.at(begin))[0] == pytest.approx(hours, abs=1e-6)
    assert hours == 0 or HOURS[0] <= end[0] % 24 <= HOURS[1] + 1e-6


def test_staffed_time_leaves_out_easter() -> None:
    time = staffed(working_days(DEFAULT_POLICY, SITE), range(2025, 2029), HOURS)
    start = np.array([wall_hours(local("2026-04-01 15:00"))])
    end = from_wall_hours(float(time.after(start, np.array([3.0]))[0]))
    assert end == local("2026-04-07 08:00")
    assert from_wall_hours(wall_hours(datetime(2026, 7, 1, 12, tzinfo=UTC))) == (
        datetime(2026, 7, 1, 12, tzinfo=UTC)
    )
