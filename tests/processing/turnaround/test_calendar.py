"""Working days in Denmark, and when promises fall due."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.turnaround.calendar import (
    due_at,
    in_time,
    share_used,
    slack,
    time_left,
    time_used,
    warned_from,
    working_days_used,
)
from processing.turnaround.working_days import (
    COPENHAGEN,
    EVERY_DAY,
    local_date,
    midnight,
    public_holidays,
    working_days,
)
from storage.records.policy import DEFAULT_POLICY, ClosingDay, Policy, Target, TimeUnit
from tests.processing.turnaround.cases import SITE, local

_DAY = timedelta(days=1)
HOLIDAYS = {
    2026: "1/1 2/4 3/4 5/4 6/4 14/5 24/5 25/5 25/12 26/12",
    2027: "1/1 25/3 26/3 28/3 29/3 6/5 16/5 17/5 25/12 26/12",
    2028: "1/1 13/4 14/4 16/4 17/4 25/5 4/6 5/6 25/12 26/12",
}
_CLOSING = ClosingDay(date(2026, 12, 24), "juleaftensdag")
_CLOSED = replace(DEFAULT_POLICY, closing_days={SITE: (_CLOSING,)})
_EARLY = replace(_CLOSED, cutoff_hour=14)
_SATURDAYS = replace(_CLOSED, weekdays=(0, 1, 2, 3, 4, 5))
_ALWAYS = replace(_CLOSED, weekdays=tuple(range(7)))
policies = st.sampled_from([DEFAULT_POLICY, _CLOSED, _EARLY, _SATURDAYS, _ALWAYS])
instants = st.integers(1_640_995_200, 1_893_456_000).map(
    lambda at: datetime.fromtimestamp(at, tz=COPENHAGEN)
)
"""2022 to 2029, by the clock on the wall."""
targets = st.builds(
    Target, st.integers(1, 25), st.sampled_from(TimeUnit), classes=st.just(()), basis=st.just("")
)


def days(count: int) -> Target:
    return Target(count, TimeUnit.WORKING_DAYS)


def due(start: str, target: Target, policy: Policy = DEFAULT_POLICY) -> datetime:
    return due_at(policy, SITE, local(start), target)


@pytest.mark.parametrize("year", HOLIDAYS)
def test_the_holidays_are_denmarks(year: int) -> None:
    known = {
        date(year, int(m), int(d)) for d, m in (at.split("/") for at in HOLIDAYS[year].split())
    }
    assert set(public_holidays(year)) == known


@pytest.mark.parametrize(("year", "day"), [(2022, 13), (2023, 5), (2024, 26), (2025, 16)])
def test_store_bededag_was_kept_for_the_last_time_in_2023(year: int, day: int) -> None:
    friday = date(year, 4 if year in (2024,) else 5, day)
    assert friday.weekday() == 4
    assert (friday in public_holidays(year)) == (year <= 2023)


@pytest.mark.parametrize(
    ("start", "count", "last"),
    [
        ("2026-03-02 08:00", 1, "2026-03-03"),
        ("2026-03-06 15:00", 5, "2026-03-13"),  # a Friday
        ("2026-03-07 09:00", 1, "2026-03-10"),  # Saturday counts as Monday
        ("2026-04-01 10:00", 1, "2026-04-07"),  # over Easter
        ("2026-04-02 10:00", 1, "2026-04-08"),  # skærtorsdag counts as the Tuesday
        ("2027-03-24 23:59", 4, "2027-04-02"),
        ("2028-02-28 12:00", 1, "2028-02-29"),  # leap day
        ("2028-02-28 12:00", 2, "2028-03-01"),
        ("2026-12-23 12:00", 4, "2026-12-30"),  # 25th a holiday, 26th a Saturday
        ("2026-12-31 12:00", 1, "2027-01-04"),
    ],
)
def test_days_promised_end_with_the_day(start: str, count: int, last: str) -> None:
    end = local(f"{last} 00:00") + _DAY  # none of these days has 23 or 25 hours
    assert due(start, days(count)) == end
    assert in_time(days(count), end, end - timedelta(microseconds=1))
    assert not in_time(days(count), end, end)


def test_when_the_clocks_change_a_day_still_ends_at_midnight() -> None:
    spring, autumn = Target(1, TimeUnit.CALENDAR_DAYS), Target(1, TimeUnit.CALENDAR_DAYS)
    assert due("2026-03-28 12:00", spring).isoformat() == "2026-03-29T22:00:00+00:00"
    assert due("2026-10-24 12:00", autumn).isoformat() == "2026-10-25T23:00:00+00:00"
    assert EVERY_DAY.time_between(midnight(date(2026, 3, 29)), midnight(date(2026, 3, 30))) == (
        timedelta(hours=23)
    )
    assert EVERY_DAY.time_between(midnight(date(2026, 10, 25)), midnight(date(2026, 10, 26))) == (
        timedelta(hours=25)
    )
    assert due("2026-03-29 01:50", Target(30, TimeUnit.MINUTES)) == local("2026-03-29 03:20")


def test_minutes_are_kept_by_the_last_of_them() -> None:
    frozen = Target(30, TimeUnit.MINUTES)
    last = due("2026-03-02 10:00", frozen)
    assert last == local("2026-03-02 10:30")
    assert in_time(frozen, last, last)
    assert not in_time(frozen, last, last + timedelta(microseconds=1))


def test_what_comes_after_the_cut_off_counts_as_come_the_next_working_day() -> None:
    assert due("2026-03-06 13:59", days(1), _EARLY) == local("2026-03-10 00:00")
    assert due("2026-03-06 14:00", days(1), _EARLY) == local("2026-03-11 00:00")


def test_a_site_closes_beside_the_country() -> None:
    assert due("2026-12-23 12:00", days(1), _CLOSED) == local("2026-12-29 00:00")
    assert due_at(_CLOSED, "slagelse", local("2026-12-23 12:00"), days(1)) == local("2026-12-25")


@given(policies, instants, st.integers(0, 30))
def test_due_is_what_counting_day_by_day_gives(policy: Policy, start: datetime, count: int) -> None:
    closed = [at.day for at in policy.closing_days.get(SITE, ())]

    def worked(day: date) -> bool:
        free = day in public_holidays(day.year) or day in closed
        return day.weekday() in policy.weekdays and not free

    day = start.date()
    if policy.cutoff_hour and start.hour >= policy.cutoff_hour:
        day += _DAY
    while not worked(day):
        day += _DAY
    for _ in range(count):
        day += _DAY
        while not worked(day):
            day += _DAY
    assert due_at(policy, SITE, start, days(count)) == midnight(day + _DAY)


@given(policies, instants, instants, st.integers(0, 30))
def test_days_used_are_at_most_n_if_and_only_if_the_promise_is_kept(
    policy: Policy, start: datetime, stop: datetime, count: int
) -> None:
    if stop < start:
        start, stop = stop, start
    kept = in_time(days(count), due_at(policy, SITE, start, days(count)), stop)
    assert (working_days_used(policy, SITE, start, stop) <= count) == kept


@given(policies, targets, instants, st.lists(st.integers(-1000, 60_000), min_size=2, max_size=9))
def test_the_share_grows_from_0_at_the_start_to_1_when_due(
    policy: Policy, target: Target, start: datetime, minutes: list[int]
) -> None:
    at = sorted(start.astimezone(COPENHAGEN) + timedelta(minutes=m) for m in minutes)
    at.sort(key=lambda moment: moment.timestamp())
    shares = [share_used(policy, SITE, target, start, now) for now in at]
    assert shares == sorted(shares)
    end = due_at(policy, SITE, start, target)
    assert share_used(policy, SITE, target, start, start) == 0
    assert share_used(policy, SITE, target, start, end) == 1
    assert slack(policy, SITE, target, end, end) == timedelta()
    warned = warned_from(policy, SITE, target, start)
    assert abs(share_used(policy, SITE, target, start, warned) - policy.warn_share) < 1e-9
    assert start.timestamp() < warned.timestamp() < end.timestamp()


@given(policies, st.tuples(instants, instants, instants))
@settings(max_examples=200)
def test_working_time_adds_up_and_can_be_gone_along(
    policy: Policy, moments: tuple[datetime, datetime, datetime]
) -> None:
    first, middle, last = sorted(moments, key=lambda at: at.timestamp())
    calendar = working_days(policy, SITE)
    parts = calendar.time_between(first, middle), calendar.time_between(middle, last)
    whole = calendar.time_between(first, last)
    assert sum(parts, timedelta()) == whole
    assert timedelta() <= whole <= EVERY_DAY.time_between(first, last)
    arrived = calendar.advance(first, whole)
    assert arrived.timestamp() <= last.timestamp() + 1e-6
    assert calendar.time_between(first, arrived) == whole


@given(policies, instants, st.integers(0, 100))
def test_working_time_is_what_adding_hour_by_hour_gives(
    policy: Policy, start: datetime, hours: int
) -> None:
    begin = datetime.fromtimestamp(start.timestamp() // 3600 * 3600, tz=COPENHAGEN)
    calendar, at, worked = working_days(policy, SITE), begin.timestamp(), 0
    for _ in range(hours):
        worked += calendar.includes(datetime.fromtimestamp(at, tz=COPENHAGEN).date())
        at += 3600
    stop = datetime.fromtimestamp(at, tz=COPENHAGEN)
    assert time_used(policy, SITE, days(1), begin, stop) == timedelta(hours=worked)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ("2026-03-02 21:00", (1, 3, 0, False)),  # Monday, due at the end of Tuesday
        ("2026-03-02 00:00", (2, 0, 0, False)),
        ("2026-03-03 23:30", (0, 0, 30, False)),
        ("2026-02-28 12:00", (2, 0, 0, False)),  # Saturday has nothing left
        ("2026-03-04 02:15", (0, 2, 15, True)),
        ("2026-03-05 15:00", (1, 15, 0, True)),
    ],
)
def test_what_is_left_is_said_in_days_and_hours(now: str, said: tuple[int, int, int, bool]) -> None:
    left = time_left(DEFAULT_POLICY, SITE, days(1), local("2026-03-04 00:00"), local(now))
    assert (left.days, left.hours, left.minutes, left.over) == said
    assert left.working


@given(policies, targets, instants, st.integers(-20_000, 60_000))
def test_what_is_said_to_be_left_is_the_slack(
    policy: Policy, target: Target, start: datetime, minutes: int
) -> None:
    end, now = due_at(policy, SITE, start, target), local_now(start, minutes)
    left = time_left(policy, SITE, target, end, now)
    said = timedelta(days=left.days, hours=left.hours, minutes=left.minutes)
    apart = abs(abs(slack(policy, SITE, target, end, now)) - said)
    sundays = policy is _ALWAYS or target.unit is TimeUnit.CALENDAR_DAYS
    # A day of 23 or 25 hours is a day.
    assert apart < timedelta(minutes=1, hours=1 if sundays else 0)
    assert left.hours < 25 or target.unit is TimeUnit.MINUTES


def local_now(start: datetime, minutes: int) -> datetime:
    return datetime.fromtimestamp(start.timestamp() + 60 * minutes, tz=COPENHAGEN)


def test_the_local_date_is_copenhagens() -> None:
    assert local_date(datetime.fromisoformat("2026-06-30T22:30:00+00:00")) == date(2026, 7, 1)
