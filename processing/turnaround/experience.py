"""What answered cases teach: how long each of their steps took, in the time the step runs in.

Steps that people do are counted in staffed hours: nights, weekends and holidays between two
moments are no part of them. Machines scan, check and send at any hour: wall hours. The staffed
hours of the day are learned too, from when cases were opened and signed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from processing.turnaround.staffed_time import Hours, Staffed, staffed, wall_hours
from processing.turnaround.steps import StepName, steps
from processing.turnaround.working_days import WorkingDays, working_days
from storage.records.milestones import Milestones, Priority, SpecimenClass
from storage.records.policy import Policy

STEPS = tuple(StepName)
"""Columns of all arrays of steps."""
MACHINE = frozenset({StepName.SCANNING, StepName.CHECKS, StepName.TO_REQUESTER})
_BY_PEOPLE = np.array([name not in MACHINE for name in STEPS])
HISTORY = timedelta(days=120)
"""How far back answered cases are likened to open ones."""
_USUAL_HOURS = (7.0, 17.0)
_ENOUGH_TO_LEARN_HOURS = 50
_WITHIN = (1, 99)
"""Percentiles of the local hour between which people are taken to work."""
Group = tuple[SpecimenClass | None, Priority | None]


@dataclass(frozen=True, slots=True)
class Experience:
    """Of answered cases; rows are cases, columns STEPS, in hours."""

    groups: Mapping[Group, Hours]
    """By class and priority; None is any."""
    hours: tuple[float, float]
    """Local hours between which a working day is staffed."""

    def like(self, case: Milestones) -> list[Hours]:
        """Rows of similar cases, the most similar first; each later set is a wider one."""
        kind, priority = case.specimen_class, case.priority
        keys: list[Group] = [(kind, priority), (kind, None), (None, priority), (None, None)]
        return [self.groups[key] for key in keys if key in self.groups]


def lately(cases: Sequence[Milestones], now: datetime) -> list[Milestones]:
    """Those to learn from: answered within HISTORY."""
    return [at for at in cases if at.distributed_at and at.distributed_at >= now - HISTORY]


def learn(policy: Policy, cases: Sequence[Milestones]) -> Experience:
    """From those of the cases that are answered and not cancelled.

    Give whole months: of the last days only the quick ones have been answered yet, which flatters.
    """
    known = [at for at in cases if at.received_at and at.distributed_at and not at.closed_at]
    hours = _staffed_hours(known)
    rows = _rows(policy, known, hours)
    members: dict[Group, list[int]] = defaultdict(list)
    for row, case in enumerate(known):
        kind, priority = case.specimen_class, case.priority
        for key in ((kind, priority), (kind, None), (None, priority), (None, None)):
            members[key].append(row)
    return Experience({key: rows[at] for key, at in members.items()}, hours)


def spent(policy: Policy, experience: Experience, case: Milestones, now: datetime) -> Hours:
    """Hours each step of an open case has taken so far."""
    row: Hours = _row_sums(policy, [case], [now], experience.hours)[0]
    return row


def staffed_at(policy: Policy, site: str, year: int, hours: tuple[float, float]) -> Staffed:
    """Staffed time of a site, from some years before the year to some after."""
    return _staffed(working_days(policy, site), year, hours)


@lru_cache(maxsize=64)
def _staffed(calendar: WorkingDays, year: int, hours: tuple[float, float]) -> Staffed:
    return staffed(calendar, range(year - 3, year + 4), hours)


def _staffed_hours(cases: Sequence[Milestones]) -> tuple[float, float]:
    moments = [at for case in cases for at in (case.opened_at, case.signed_at) if at]
    if len(moments) < _ENOUGH_TO_LEARN_HOURS:
        return _USUAL_HOURS
    first, last = np.percentile([wall_hours(at) % 24 for at in moments], _WITHIN)
    opens, closes = float(np.floor(first)), float(np.ceil(last))
    return opens, max(closes, opens + 1)


def _rows(policy: Policy, cases: Sequence[Milestones], hours: tuple[float, float]) -> Hours:
    ends = [at.distributed_at for at in cases if at.distributed_at]
    return _row_sums(policy, cases, ends, hours)


def _row_sums(
    policy: Policy,
    cases: Sequence[Milestones],
    ends: Sequence[datetime],
    hours: tuple[float, float],
) -> Hours:
    """Hours by case and step; all stretches of a site are measured at once."""
    found: dict[tuple[str, int], list[tuple[int, int, float, float]]] = defaultdict(list)
    for row, (case, end) in enumerate(zip(cases, ends, strict=True)):
        for step in steps(case, end):
            place = row, STEPS.index(step.name)
            stretch = wall_hours(step.start), wall_hours(step.stop)
            found[case.site, end.year].append((*place, *stretch))
    sums = np.zeros((len(cases), len(STEPS)))
    for (site, year), stretches in found.items():
        table = np.array(stretches)
        rows, columns = table[:, 0].astype(int), table[:, 1].astype(int)
        time = staffed_at(policy, site, year, hours)
        lasting = table[:, 3] - table[:, 2]
        worked = time.at(table[:, 3]) - time.at(table[:, 2])
        np.add.at(sums, (rows, columns), np.where(_BY_PEOPLE[columns], worked, lasting))
    return sums


def by_people() -> NDArray[np.bool_]:
    """Which of STEPS are counted in staffed hours."""
    return _BY_PEOPLE
