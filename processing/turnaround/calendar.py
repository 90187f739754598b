"""When a promise falls due, and how much of the time for it is used and left.

Three kinds of promise (`TimeUnit`):

* N working days: day 0 is the start's local date; a start on a day that is not worked, or past the
  policy's cut-off, counts as the next working day. Kept if the stop's local date is not after the
  N-th working day after day 0; due at the end of that day, 24:00 in Copenhagen.
* N calendar days: the same with every day counting, and without a cut-off.
* N minutes: due that long after the start; kept by a stop at that very moment.

Moments are aware; due moments are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from processing.turnaround.working_days import (
    EVERY_DAY,
    WorkingDays,
    local_date,
    midnight,
    working_days,
)
from storage.records.policy import Policy, Target, TimeUnit

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """A span as people say it: "1 hverdag 3 t", or "2 timer over" where `over`.

    Of working days for targets in working days, of calendar time for all others. `days` are whole
    local days between now and due, `hours` and `minutes` what is left of the day it is now; 23:00
    on Monday for due at the end of Tuesday is 1 day 1 h. A day not worked has nothing left.
    Targets in minutes have hours and no days.
    """

    days: int
    hours: int
    minutes: int
    over: bool
    working: bool
    """Whether the days are working days."""


def due_at(policy: Policy, site: str, start: datetime, target: Target) -> datetime:
    """When a promise that began at `start` falls due, in UTC."""
    if target.unit is TimeUnit.MINUTES:
        return start.astimezone(UTC) + timedelta(minutes=target.amount)
    days = _days(policy, site, target)
    return midnight(days.after(days.day_zero(start), target.amount) + _DAY)


def in_time(target: Target, due: datetime, stop: datetime) -> bool:
    """Whether a stop keeps the promise; the moment a day ends belongs to the next day."""
    return stop <= due if target.unit is TimeUnit.MINUTES else stop < due


def working_days_used(policy: Policy, site: str, start: datetime, stop: datetime) -> int:
    """Working days from day 0 to the stop, which counts as on the next working day if on none.

    So a promise of N working days is kept if and only if this is at most N.
    """
    days = working_days(policy, site)
    return days.between(days.day_zero(start), days.on_or_after(local_date(stop)))


def time_used(
    policy: Policy, site: str, target: Target, start: datetime, stop: datetime
) -> timedelta:
    """Time between two moments as the target counts it: working time, or calendar time.

    Working time is that of whole local working days, midnight to midnight.
    """
    if target.unit is TimeUnit.WORKING_DAYS:
        return working_days(policy, site).time_between(start, stop)
    return max(stop.astimezone(UTC) - start.astimezone(UTC), timedelta())


def share_used(policy: Policy, site: str, target: Target, start: datetime, now: datetime) -> float:
    """Share of the allowed time that is used: 0 up to the start, 1 when due, more when late.

    Never less later on; still over weekends and holidays where the target is in working days.
    """
    allowed = time_used(policy, site, target, start, due_at(policy, site, start, target))
    return time_used(policy, site, target, start, now) / allowed


def slack(policy: Policy, site: str, target: Target, due: datetime, now: datetime) -> timedelta:
    """Time left as the target counts it; below zero once late."""
    if now <= due:
        return time_used(policy, site, target, now, due)
    return -time_used(policy, site, target, due, now)


def warned_from(policy: Policy, site: str, target: Target, start: datetime) -> datetime:
    """The first moment, in UTC, at which the policy's warning share is used."""
    due = due_at(policy, site, start, target)
    until = policy.warn_share * time_used(policy, site, target, start, due)
    days = working_days(policy, site) if target.unit is TimeUnit.WORKING_DAYS else EVERY_DAY
    return days.advance(start, until)


def time_left(policy: Policy, site: str, target: Target, due: datetime, now: datetime) -> TimeLeft:
    """How long until due, or since, in days and hours."""
    first, last = sorted((now, due))
    days, whole = _days(policy, site, target), 0
    if target.unit is not TimeUnit.MINUTES:
        begun = midnight(local_date(first)) < first
        after = local_date(first) if begun else local_date(first) - _DAY
        whole = days.between(after, local_date(last) - _DAY)
        lengths = days.time_between(midnight(after + _DAY), midnight(local_date(last)))
        rest = days.time_between(first, last) - max(lengths, timedelta())
    else:
        rest = last - first
    minutes = int(rest / timedelta(minutes=1))
    working = target.unit is TimeUnit.WORKING_DAYS
    return TimeLeft(whole, minutes // 60, minutes % 60, now > due, working)


def _days(policy: Policy, site: str, target: Target) -> WorkingDays:
    return working_days(policy, site) if target.unit is TimeUnit.WORKING_DAYS else EVERY_DAY
