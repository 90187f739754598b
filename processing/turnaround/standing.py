"""Where an open case stands against its promise, and which will miss theirs first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from processing.turnaround.calendar import (
    TimeLeft,
    due_at,
    in_time,
    share_used,
    slack,
    time_left,
    warned_from,
)
from processing.turnaround.steps import StepName, step_now
from storage.records.milestones import Milestones
from storage.records.policy import Policy, Target, target_for


class Standing(StrEnum):
    """In the order of urgency."""

    CALM = "calm"
    WARN = "warn"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class CaseStanding:
    """An open case at a moment; by gross time."""

    accession: str
    target: Target
    due: datetime
    """UTC; see `calendar.due_at`."""
    warned_from: datetime
    share: float
    """Of the allowed time: 0 at reception, 1 when due, more when late."""
    standing: Standing
    slack: timedelta
    """Working time left (calendar time, where the target is in that); below zero once late."""
    left: TimeLeft
    """The slack as people say it."""
    step: StepName
    """What it is waiting for now."""
    preliminary_demanded: bool
    """Late, and the requester has had no preliminary answer with the reason and a new date."""


def standing_of(policy: Policy, case: Milestones, now: datetime) -> CaseStanding | None:
    """Where the case stands; None unless it is open."""
    step = step_now(case)
    if case.received_at is None or step is None:
        return None
    target = target_for(policy, case.priority, case.specimen_class)
    start, site = case.received_at, case.site
    due = due_at(policy, site, start, target)
    warned = warned_from(policy, site, target, start)
    standing = Standing.WARN if now >= warned else Standing.CALM
    if not in_time(target, due, now):
        standing = Standing.LATE
    return CaseStanding(
        accession=case.accession,
        target=target,
        due=due,
        warned_from=warned,
        share=share_used(policy, site, target, start, now),
        standing=standing,
        slack=slack(policy, site, target, due, now),
        left=time_left(policy, site, target, due, now),
        step=step,
        preliminary_demanded=standing is Standing.LATE and case.preliminary_at is None,
    )


def urgency(at: CaseStanding) -> tuple[timedelta, datetime, str]:
    """To sort by: who misses first is first."""
    return at.slack, at.due, at.accession
