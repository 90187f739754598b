"""Which open cases will miss their promise, how likely, and at which step.

An open case is likened to answered ones of its class and priority that were at its step for at
least as long. Each of them says how it may go on: what was left of the step, and all later steps,
as they were in that one case, so that what is slow together stays together. The case goes on from
now in staffed hours where people work and in wall hours where machines do, over the nights,
weekends and holidays that really lie ahead. The share of them that miss is the probability. Nothing
is drawn by chance: every similar case is tried once. Queues of today are not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from processing.turnaround.calendar import due_at, in_time
from processing.turnaround.experience import STEPS, Experience, by_people, spent, staffed_at
from processing.turnaround.staffed_time import Hours, Staffed, from_wall_hours, wall_hours
from processing.turnaround.steps import AWAITING, READING, StepName, step_now
from storage.records.milestones import Milestones
from storage.records.policy import Policy, TimeUnit, target_for

ENOUGH = 30
"""Similar cases; with fewer, less similar ones are taken as well."""
_MOST = 1000
"""Similar cases tried; of more, evenly spaced ones."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """How an open case may end."""

    probability_late: float
    """(missed + 1/2) / (tried + 1), so that few cases never make certainty; 1 once late."""
    cause_step: StepName | None
    """Of those that miss, the step that takes longest beyond its usual; None if none misses."""
    expected_at: datetime
    """UTC; half of them are answered by then."""
    based_on: int
    """Similar cases tried."""
    confident: bool
    """At least ENOUGH, and they were at this step for as long."""


@dataclass(frozen=True, slots=True)
class _Similar:
    rows: Hours
    """Hours by case and step."""
    usual: Hours
    """Median of each step, whoever stayed how long."""
    confident: bool


def forecast(
    policy: Policy, experience: Experience, case: Milestones, now: datetime
) -> Forecast | None:
    """How an open case may end; None where it is not open, or no case was ever answered."""
    step = step_now(case)
    if case.received_at is None or step is None:
        return None
    so_far = spent(policy, experience, case, now)
    similar = _similar(experience, case, step, so_far)
    if similar is None:
        return None
    time = staffed_at(policy, case.site, now.year, experience.hours)
    left = _left(similar.rows, so_far, step)
    ends = _ends(time, wall_hours(now), left)
    target = target_for(policy, case.priority, case.specimen_class)
    due = due_at(policy, case.site, case.received_at, target)
    limit = wall_hours(due)
    # A whole day's promise is broken at midnight, one in minutes only after its last.
    missed = ends > limit if target.unit is TimeUnit.MINUTES else ends >= limit
    late = not in_time(target, due, now)
    tried = len(ends)
    probability = 1.0 if late else (float(missed.sum()) + 0.5) / (tried + 1)
    return Forecast(
        probability_late=probability,
        cause_step=_cause(so_far + left, similar.usual, missed | late, time),
        expected_at=max(from_wall_hours(float(np.sort(ends)[(tried - 1) // 2])), now),
        based_on=tried,
        confident=similar.confident,
    )


def _similar(
    experience: Experience, case: Milestones, step: StepName, so_far: Hours
) -> _Similar | None:
    """The narrowest set of cases with enough that were at the step for as long, else the widest."""
    column = STEPS.index(step)
    found: _Similar | None = None
    for rows in experience.like(case):
        as_long = rows[:, column] >= so_far[column]
        if step in AWAITING.values():  # most cases await nothing: those say nothing here
            as_long &= rows[:, column] > 0
        stayed = rows[as_long]
        usual: Hours = np.median(rows, axis=0)
        if len(stayed):
            found = _Similar(_spaced(stayed), usual, confident=len(stayed) >= ENOUGH)
        elif found is None:
            # Nobody ever waited so long: as if the step had only begun, and said not to be sure.
            found = _Similar(_spaced(rows) + _only(so_far, column), usual, confident=False)
        if found.confident:
            break
    return found


def _spaced(rows: Hours) -> Hours:
    if len(rows) <= _MOST:
        return rows
    some: Hours = rows[np.linspace(0, len(rows) - 1, _MOST).astype(int)]
    return some


def _only(so_far: Hours, column: int) -> Hours:
    alone = np.zeros_like(so_far)
    alone[column] = so_far[column]
    return alone


def _left(rows: Hours, so_far: Hours, step: StepName) -> Hours:
    """Hours left of each step; steps that lie behind have none.

    While a case is read, reading and each kind of waiting may go on or come again.
    """
    first = STEPS.index(StepName.READ if step in READING else step)
    left: Hours = np.maximum(rows - so_far, 0.0)
    left[:, :first] = 0.0
    return left


def _ends(time: Staffed, now: float, left: Hours) -> Hours:
    """Local wall time at which each of the cases would be answered."""
    at: Hours = np.full(len(left), now)
    for column, people in enumerate(by_people()):
        at = time.after(at, left[:, column]) if people else at + left[:, column]
    return at


def _cause(
    taking: Hours, usual: Hours, missed: NDArray[np.bool_], time: Staffed
) -> StepName | None:
    """The step with the most days, staffed or of 24 h, beyond its usual in those that miss."""
    if not missed.any():
        return None
    days = np.where(by_people(), time.day_length, 24.0)
    return STEPS[int(np.argmax(((taking[missed] - usual) / days).mean(axis=0)))]
