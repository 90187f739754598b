"""The open cases of a moment: how they stand, what they wait for, how many more will be late."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from processing.turnaround.experience import Experience
from processing.turnaround.forecast import Forecast, forecast
from processing.turnaround.standing import CaseStanding, Standing, standing_of
from processing.turnaround.statistics import AgeBucket, Selection, open_by_age
from processing.turnaround.steps import StepName
from storage.records.milestones import Milestones
from storage.records.policy import Policy

LIKELY = 0.5
"""From that probability on a case is said to become late."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What the forecast says of open cases that are not late yet."""

    told: int
    """Cases it says something about."""
    unsure: int
    """Of them, from fewer similar cases than it takes to be sure."""
    likely: int
    """Of them, more likely late than not."""
    expected: float
    """Sum of the probabilities: so many will be late if nothing is done."""
    causes: Mapping[StepName, int]
    """Of the likely, the step that will be the cause."""


@dataclass(frozen=True, slots=True)
class Today:
    """Open cases; every count is of cases."""

    standing: Mapping[Standing, int]
    waiting: Mapping[StepName, Mapping[Standing, int]]
    """By the step they are in; every step that somebody is in."""
    preliminary_demanded: int
    ahead: Ahead | None
    """None: no case was ever answered, so nothing is known."""
    ages: tuple[AgeBucket, ...]

    @property
    def open(self) -> int:
        """All of them."""
        return sum(self.standing.values())


def today(
    policy: Policy,
    experience: Experience | None,
    cases: Iterable[Milestones],
    selection: Selection,
    now: datetime,
) -> Today:
    """Of the open cases of the selection, whose dates do not matter."""
    opened = [case for case in cases if case.is_open and selection.includes(case)]
    found = [at for at in (standing_of(policy, case, now) for case in opened) if at]
    counts = Counter(at.standing for at in found)
    return Today(
        standing={name: counts[name] for name in Standing},
        waiting=_waiting(found),
        preliminary_demanded=sum(at.preliminary_demanded for at in found),
        ahead=_ahead(policy, experience, opened, now) if experience else None,
        ages=open_by_age(policy, opened, now),
    )


def _waiting(found: Iterable[CaseStanding]) -> dict[StepName, dict[Standing, int]]:
    counts = Counter((at.step, at.standing) for at in found)
    there = {step for step, _ in counts}
    return {
        step: {standing: counts[step, standing] for standing in Standing}
        for step in StepName
        if step in there
    }


def _ahead(
    policy: Policy, experience: Experience, opened: Iterable[Milestones], now: datetime
) -> Ahead | None:
    told = [at for at in (forecast(policy, experience, case, now) for case in opened) if at]
    if not told and not experience.groups:
        return None
    coming = [at for at in told if at.probability_late < 1]
    likely = [at for at in coming if at.probability_late >= LIKELY]
    causes: Counter[StepName] = Counter(at.cause_step for at in likely if at.cause_step)
    return Ahead(
        told=len(coming),
        unsure=sum(not at.confident for at in coming),
        likely=len(likely),
        expected=_sum(coming),
        causes={step: causes[step] for step in StepName if causes[step]},
    )


def _sum(forecasts: Iterable[Forecast]) -> float:
    return sum(at.probability_late for at in forecasts)
