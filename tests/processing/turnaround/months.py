"""Months of a made-up laboratory: arrivals, mix, steps and working hours like a real one's.

Shares and times follow the project's notes on published laboratories; what nobody has published
is assumed. Waiting is drawn, not queued for: a backlog after closed days does not arise.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from processing.turnaround.working_days import COPENHAGEN, public_holidays
from storage.records.milestones import (
    Awaited,
    AwaitedThing,
    Milestones,
    Priority,
    SlideTimes,
    SpecimenClass,
)

_WEEKDAYS = np.array([20.5, 22.2, 20.1, 19.7, 16.4, 1.0, 0.1]) / 100
_HOURS = np.array([2.2, 7.4, 16.1, 10.8, 12.5, 10.4, 6.4, 9.3, 11.2, 7.7, 2.8, 1.7, 1.5])
_FIRST_HOUR, _OPENS, _CLOSES = 7, 7, 17
_CLASSES = {  # share, mean slides, share with a work order
    SpecimenClass.BIOPSY: (0.50, 3, 0.15),
    SpecimenClass.CYTOLOGY: (0.10, 2, 0.05),
    SpecimenClass.CYTOLOGY_CERVIX: (0.10, 1, 0.02),
    SpecimenClass.RESECTION: (0.28, 9, 0.40),
    SpecimenClass.BONE_BIOPSY: (0.02, 4, 0.30),
}
_PRIORITIES = {Priority.ROUTINE: 0.55, Priority.PACKAGE: 0.40, Priority.URGENT: 0.05}
_WAIT = {Priority.ROUTINE: 9.0, Priority.PACKAGE: 5.0, Priority.URGENT: 1.0}
"""Median staffed hours from ready to opened."""


@dataclass
class Laboratory:
    """Draws cases; the same seed draws the same."""

    random: np.random.Generator
    site: str = "roskilde"
    each_weekday: int = 40

    def cases(self, first: date, days: int) -> list[Milestones]:
        """All received in some days, each followed to its answer."""
        found = []
        for day in (first + timedelta(days=at) for at in range(days)):
            share = 0.0 if day in public_holidays(day.year) else _WEEKDAYS[day.weekday()]
            for _ in range(self.random.poisson(self.each_weekday * 5 * share)):
                hour = _FIRST_HOUR + self.random.choice(len(_HOURS), p=_HOURS / _HOURS.sum())
                received = _local(day, hour + self.random.random())
                found.append(self._case(f"{day:%y%m%d}-{len(found)}", received))
        return found

    def _case(self, accession: str, received: datetime) -> Milestones:
        kinds, priorities = list(_CLASSES), list(_PRIORITIES)
        kind = kinds[self.random.choice(len(kinds), p=[at[0] for at in _CLASSES.values()])]
        priority = priorities[self.random.choice(3, p=list(_PRIORITIES.values()))]
        slow = self._around(1.0, 0.35)  # what is hard is slow in every step
        stained = self._stained(received, kind, priority)
        started = _worked(stained, self._around(0.7, 0.6))
        scanned = started + timedelta(seconds=self._around(110, 0.8) * (1 + _CLASSES[kind][1]))
        ready = scanned + timedelta(minutes=self._around(5, 0.5))
        opened = _worked(ready, slow * self._around(_WAIT[priority], 0.8))
        awaited, read = self._awaited(kind, opened, slow)
        signed = _worked(read, slow * self._around(0.3, 0.5))
        slide = SlideTimes("A1", received, stained, stained, started, scanned, ready)
        return Milestones(
            accession, self.site, "patologi", priority, kind,
            received_at=received, accessioned_at=_worked(received, 0.1), stained_at=stained,
            available_at=ready, ready_at=ready, opened_at=opened, signed_at=signed,
            distributed_at=signed + timedelta(minutes=self._around(2, 0.5)),
            slides=(slide,), awaited=awaited,
        )  # fmt: skip

    def _stained(self, received: datetime, kind: SpecimenClass, priority: Priority) -> datetime:
        """Cut up within hours, processed overnight, stained in a wave of the morning."""
        if priority is Priority.URGENT:
            return _worked(received, self._around(4.0, 0.3))
        cut_up = _worked(received, self._around(2.0, 0.6))
        nights = 1 + (kind is SpecimenClass.RESECTION and self.random.random() < 0.5)
        nights += 4 * (kind is SpecimenClass.BONE_BIOPSY)
        return _worked(_worked(cut_up, 10.0 * (nights - 1)), 10.0, at=self.random.uniform(7, 10))

    def _awaited(
        self, kind: SpecimenClass, opened: datetime, slow: float
    ) -> tuple[tuple[Awaited, ...], datetime]:
        """Extra stains or a consultation, and when there is nothing more to wait for."""
        begun = _worked(opened, 0.2)
        if self.random.random() < _CLASSES[kind][2]:
            until = _worked(begun, slow * self._around(12.0, 0.4))
            return (Awaited(AwaitedThing.WORK_ORDER, "w", begun, until),), until
        if self.random.random() < 0.02:
            until = begun + timedelta(hours=self._around(3.0, 1.66))
            return (Awaited(AwaitedThing.CONSULTATION, "c", begun, until),), until
        return (), begun

    def _around(self, median: float, sigma: float) -> float:
        return float(median * self.random.lognormal(0, sigma))


def as_known(case: Milestones, now: datetime) -> Milestones:
    """What was known of a case at a moment: nothing that came later."""
    known = {at.name: getattr(case, at.name) for at in fields(case) if at.name.endswith("_at")}
    later = {name: None for name, at in known.items() if at and at > now}
    slides = (
        replace(
            slide,
            **{
                at.name: None
                for at in fields(slide)
                if at.name.endswith("_at") and (getattr(slide, at.name) or now) > now
            },
        )
        for slide in case.slides
    )
    awaited = (
        at if at.ended_at and at.ended_at <= now else replace(at, ended_at=None)
        for at in case.awaited
        if at.began_at <= now
    )
    return replace(case, **later, slides=tuple(slides), awaited=tuple(awaited))


def _local(day: date, hour: float) -> datetime:
    wall = datetime.combine(day, time(), COPENHAGEN) + timedelta(hours=hour)
    return wall.astimezone(UTC)


def _worked(start: datetime, hours: float, at: float | None = None) -> datetime:
    """So many staffed hours later; with `at`, at that hour of the day reached."""
    local = start.astimezone(COPENHAGEN)
    day, hour = local.date(), local.hour + local.minute / 60 + local.second / 3600
    while True:
        free = day.weekday() >= 5 or day in public_holidays(day.year)
        there = 0.0 if free else max(0.0, _CLOSES - max(hour, _OPENS))
        if hours <= there and not free:
            end = max(hour, _OPENS) + hours
            return _local(day, end if at is None else at)
        hours, day, hour = hours - there, day + timedelta(days=1), 0.0
