"""What a month came to, in figures that cannot be flattered by leaving cases open.

Answered cases belong to the local month (or week) in which svartid (K1) stopped; cancelled ones to
none. Open cases are counted beside them by age (`open_by_age`), and `survival.survival` estimates
from both. Quantiles are times some case really took: the P90 is the least time within which at
least 90 % of the cases were answered (R's type 1, numpy's `inverted_cdf`); the median is the P50.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeVar

from processing.turnaround.clock import Clock
from processing.turnaround.clocks import svartid
from processing.turnaround.steps import StepName, lengths, steps
from processing.turnaround.working_days import local_date
from storage.records.milestones import Milestones, Priority, SpecimenClass
from storage.records.policy import Policy

_Length = TypeVar("_Length", timedelta, int)
AGES = (0, 1, 2, 3, 5, 8, 11, 21)
"""Least working days of each bucket of open cases; the last has no end."""


class Grouping(StrEnum):
    """What cases can be told apart by."""

    PRIORITY = "priority"
    SPECIMEN_CLASS = "specimen_class"
    SITE = "site"
    UNIT = "unit"
    MONTH = "month"
    """Local, of the stop: 2026-03."""
    WEEK = "week"
    """ISO week, local, of the stop: 2026-W09."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which cases; what is None does not restrict. Dates are local."""

    first: date | None = None
    last: date | None = None
    """Inclusive; of the stop, so open cases are not restricted by them."""
    priority: Priority | None = None
    specimen_class: SpecimenClass | None = None
    site: str | None = None
    unit: str | None = None

    def includes(self, case: Milestones) -> bool:
        """Whether the case is one of them, by all but the dates."""
        wanted = (self.priority, self.specimen_class, self.site, self.unit)
        there = (case.priority, case.specimen_class, case.site, case.unit)
        return all(want in (None, has) for want, has in zip(wanted, there, strict=True))

    def holds(self, day: date) -> bool:
        """Whether it lies between the dates."""
        return (self.first or day) <= day <= (self.last or day)


@dataclass(frozen=True, slots=True)
class Spread(Generic[_Length]):
    """Quantiles by the definition above."""

    median: _Length
    p90: _Length
    p95: _Length
    most: _Length


@dataclass(frozen=True, slots=True)
class Figures:
    """Of answered cases; what cannot be said of none is None."""

    n: int
    within: int
    """Answered within their own targets, by gross time."""
    within_net: int
    gross: Spread[timedelta] | None
    net: Spread[timedelta] | None
    working_days: Spread[int] | None
    paused_share: float | None
    """Of all gross time."""
    backdated: int
    """Cases with an event entered long after it happened."""
    step_medians: Mapping[StepName, timedelta]
    """Each step's own: they do not sum to the median of the whole."""
    step_means: Mapping[StepName, timedelta]
    """They sum to the mean of the whole, to some microseconds."""
    promised: float | None
    """Within target of 100, as their targets promise, on average over the cases."""

    @property
    def percent(self) -> float | None:
        """Within target, of 100."""
        return 100 * self.within / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of cases that have something in common."""

    key: tuple[str, ...]
    """One value for each grouping asked for."""
    figures: Figures


@dataclass(frozen=True, slots=True)
class AgeBucket:
    """Open cases of an age, by working days since they were received."""

    least: int
    most: int | None
    n: int
    late: int


def answered(cases: Iterable[Milestones], selection: Selection) -> list[Milestones]:
    """Those the selection wants, received and answered, that were not cancelled."""
    return [
        case
        for case in cases
        if case.received_at and case.distributed_at and not case.closed_at
        if selection.includes(case) and selection.holds(local_date(case.distributed_at))
    ]


def figures(policy: Policy, cases: Sequence[Milestones]) -> Figures:
    """Of cases that are `answered`."""
    clocks = [_stopped(policy, case) for case in cases]
    gross = sum((at.gross for at in clocks), timedelta())
    paused = sum((at.paused for at in clocks), timedelta())
    taken = [
        lengths(steps(case, at.start + at.gross)) for case, at in zip(cases, clocks, strict=True)
    ]
    return Figures(
        n=len(clocks),
        within=sum(at.in_time is True for at in clocks),
        within_net=sum(at.in_time_net is True for at in clocks),
        gross=spread([at.gross for at in clocks]),
        net=spread([at.net for at in clocks]),
        working_days=spread([at.working_days for at in clocks]),
        paused_share=paused / gross if gross else None,
        backdated=sum(case.backdated for case in cases),
        step_medians={
            name: quantile(sorted(at[name] for at in taken), 50) for name in StepName if taken
        },
        step_means={
            name: sum((at[name] for at in taken), timedelta()) / len(taken)
            for name in StepName
            if taken
        },
        promised=_mean([at.target.percent for at in clocks if at.target]),
    )


def grouped(
    policy: Policy, cases: Iterable[Milestones], by: Sequence[Grouping]
) -> tuple[Group, ...]:
    """Figures of `answered` cases for each combination there is, in the order of the keys."""
    apart: dict[tuple[str, ...], list[Milestones]] = defaultdict(list)
    for case in cases:
        apart[tuple(_KEYS[at](case) for at in by)].append(case)
    return tuple(Group(key, figures(policy, apart[key])) for key in sorted(apart))


def trend(
    policy: Policy, cases: Sequence[Milestones], period: Grouping, first: date, last: date
) -> tuple[Group, ...]:
    """Figures of `answered` cases by month or week from first to last day, empty ones included."""
    count = (last - first).days + 1
    every = dict.fromkeys(_PERIODS[period](first + timedelta(days=at)) for at in range(count))
    there = {at.key[0]: at.figures for at in grouped(policy, cases, (period,))}
    none = figures(policy, ())
    return tuple(Group((key,), there.get(key, none)) for key in every)


def open_by_age(
    policy: Policy, cases: Iterable[Milestones], now: datetime, selection: Selection | None = None
) -> tuple[AgeBucket, ...]:
    """Open cases of the selection by working days since they were received; every bucket."""
    wanted = selection or Selection()
    counts, late = [0] * len(AGES), [0] * len(AGES)
    for case in cases:
        clock = svartid(policy, case, now) if case.is_open and wanted.includes(case) else None
        if clock:
            bucket = max(at for at, least in enumerate(AGES) if least <= clock.working_days)
            counts[bucket] += 1
            late[bucket] += clock.in_time is False
    ends = (*(least - 1 for least in AGES[1:]), None)
    return tuple(AgeBucket(*at) for at in zip(AGES, ends, counts, late, strict=True))


def spread(values: Iterable[_Length]) -> Spread[_Length] | None:
    """Quantiles of some values; None of none."""
    ordered = sorted(values)
    if not ordered:
        return None
    return Spread(*(quantile(ordered, percent) for percent in (50, 90, 95, 100)))


def quantile(ordered: Sequence[_Length], percent: int) -> _Length:
    """The least of the ordered values that at least `percent` of them do not exceed."""
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _stopped(policy: Policy, case: Milestones) -> Clock:
    if case.distributed_at is None:
        raise ValueError("figures are of answered cases")
    clock = svartid(policy, case, case.distributed_at)
    if clock is None:
        raise ValueError("figures are of received cases")
    return clock


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def _week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def _stop_day(case: Milestones) -> date:
    if case.distributed_at is None:
        raise ValueError("only an answered case belongs to a month")
    return local_date(case.distributed_at)


_PERIODS: Mapping[Grouping, Callable[[date], str]] = {
    Grouping.MONTH: _month,
    Grouping.WEEK: _week,
}
_KEYS: Mapping[Grouping, Callable[[Milestones], str]] = {
    Grouping.PRIORITY: lambda case: case.priority.value,
    Grouping.SPECIMEN_CLASS: lambda case: case.specimen_class.value,
    Grouping.SITE: lambda case: case.site,
    Grouping.UNIT: lambda case: case.unit,
    Grouping.MONTH: lambda case: _month(_stop_day(case)),
    Grouping.WEEK: lambda case: _week(_stop_day(case)),
}
