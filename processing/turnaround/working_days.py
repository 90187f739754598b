"""Which days are worked, and how much working time lies between two moments.

Days are local dates in Europe/Copenhagen, moments aware. A working day is its whole local day
from midnight to midnight (23 or 25 h when the clocks change), since promises are made in days
and end with the day.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple
from zoneinfo import ZoneInfo

from holidays import country_holidays

from storage.records.policy import Policy

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
_ZERO = timedelta()
_DAY = timedelta(days=1)


def local_date(moment: datetime) -> date:
    """The day it is in Denmark."""
    return moment.astimezone(COPENHAGEN).date()


@lru_cache(maxsize=10_000)
def midnight(day: date) -> datetime:
    """When the local day begins, in UTC. In Denmark midnight always exists, and once."""
    return datetime.combine(day, time(), COPENHAGEN).astimezone(UTC)


@lru_cache(maxsize=200)
def public_holidays(year: int) -> Mapping[date, str]:
    """Denmark's, with their Danish names; store bededag only up to 2023."""
    return dict(country_holidays("DK", years=year, language="da").items())


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The days that count; by `working_days` those of a site, or EVERY_DAY."""

    weekdays: tuple[int, ...]
    closed: frozenset[date] = frozenset()
    holidays: bool = True
    cutoff_hour: int | None = None

    def includes(self, day: date) -> bool:
        """Whether it is worked."""
        if day.weekday() not in self.weekdays or day in self.closed:
            return False
        return not (self.holidays and day in public_holidays(day.year))

    def after(self, day: date, count: int) -> date:
        """The count-th working day after `day`; the day itself for 0."""
        if count <= 0:
            return day
        year, days = day.year, _year(self, day.year).days
        at = bisect_right(days, day) + count - 1
        while at >= len(days):
            at -= len(days)
            year += 1
            days = _year(self, year).days
        return days[at]

    def on_or_after(self, day: date) -> date:
        """The day, or the first worked one after it."""
        return self.after(day - _DAY, 1)

    def between(self, day: date, last: date) -> int:
        """Working days after `day` up to and including `last`; 0 where `last` is not later."""
        if last <= day:
            return 0
        whole = sum(len(_year(self, year).days) for year in range(day.year, last.year))
        first, end = _year(self, day.year).days, _year(self, last.year).days
        return whole + bisect_right(end, last) - bisect_right(first, day)

    def day_zero(self, start: datetime) -> date:
        """The working day a start counts as: its own, else (or past the cut-off) the next."""
        local = start.astimezone(COPENHAGEN)
        late = self.cutoff_hour is not None and local.hour >= self.cutoff_hour
        return self.on_or_after(local.date() + _DAY if late else local.date())

    def time_between(self, start: datetime, stop: datetime) -> timedelta:
        """Working time between two moments; nothing where `stop` is not later.

        Additive, and never less for a later stop.
        """
        start, stop = start.astimezone(UTC), stop.astimezone(UTC)  # not by the clock on the wall
        if stop <= start:
            return _ZERO
        first = local_date(start).year
        years = range(first, local_date(stop).year)
        whole = sum((_year(self, year).ends[-1] for year in years), _ZERO)
        return whole + self._into_year(stop) - self._into_year(start)

    def _into_year(self, moment: datetime) -> timedelta:
        """Working time since the local year of the moment began."""
        day = local_date(moment)
        year = _year(self, day.year)
        at = bisect_left(year.days, day)
        today = moment - midnight(day) if at < len(year.days) and year.days[at] == day else _ZERO
        return year.ends[at] + today

    def advance(self, start: datetime, worked: timedelta) -> datetime:
        """The first moment, in UTC, by which that much time has been worked since `start`."""
        if worked <= _ZERO:
            return start.astimezone(UTC)
        number = local_date(start).year
        year, worked = _year(self, number), worked + self._into_year(start)
        while worked > year.ends[-1]:
            worked -= year.ends[-1]
            number += 1
            year = _year(self, number)
        at = bisect_left(year.ends, worked)
        return midnight(year.days[at - 1]) + (worked - year.ends[at - 1])


EVERY_DAY = WorkingDays(weekdays=(0, 1, 2, 3, 4, 5, 6), holidays=False)
"""For targets that count calendar days."""


def working_days(policy: Policy, site: str) -> WorkingDays:
    """A site's: the policy's weekdays, less public holidays and what the site closes beside."""
    closed = frozenset(at.day for at in policy.closing_days.get(site, ()))
    return WorkingDays(policy.weekdays, closed, cutoff_hour=policy.cutoff_hour)


class _Year(NamedTuple):
    days: tuple[date, ...]
    """Worked ones, in order."""
    ends: tuple[timedelta, ...]
    """Working time of the year before the n-th of them; one more entry than days."""


@lru_cache(maxsize=1000)
def _year(calendar: WorkingDays, year: int) -> _Year:
    first = date(year, 1, 1)
    every = (first + _DAY * at for at in range((date(year + 1, 1, 1) - first).days))
    days = tuple(day for day in every if calendar.includes(day))
    lengths = (midnight(day + _DAY) - midnight(day) for day in days)
    return _Year(days, (_ZERO, *accumulate(lengths)))
