"""Why late cases were late: the step that took most beyond its usual, and in the public's words.

The four reasons are those Rigshospitalet gives patients for waiting longer: size, complexity,
prioritisation and busyness. Which step speaks for which is ours (ASSUMED, `reason_of`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from processing.turnaround.clocks import svartid
from processing.turnaround.experience import STEPS, Experience, by_people, learn, spent
from processing.turnaround.steps import AWAITING, StepName
from storage.records.milestones import AwaitedThing, Milestones, Priority
from storage.records.policy import Policy

MANY_SLIDES = 15
"""A case of more than that is a large one (ASSUMED)."""
_ON_THE_GLASS = (StepName.LAB, StepName.SCAN_QUEUE, StepName.SCANNING, StepName.CHECKS)
_QUEUES = (StepName.SCAN_QUEUE, StepName.WAIT_TO_READ)
_HANDS = (StepName.LAB, StepName.TO_REQUESTER)


class Reason(StrEnum):
    """The published four, and what none of them says."""

    SIZE = "size"
    COMPLEXITY = "complexity"
    PRIORITISATION = "prioritisation"
    BUSYNESS = "busyness"
    OTHER = "other"
    """A new scan, or the machines: nobody publishes that as a reason."""


@dataclass(frozen=True, slots=True)
class Causes:
    """Of the late among some answered cases; those that did not occur are left out."""

    late: int
    steps: Mapping[StepName, int]
    reasons: Mapping[Reason, int]


def causes(policy: Policy, cases: Sequence[Milestones]) -> Causes:
    """Of `statistics.answered` cases; what is usual is learnt from the same cases."""
    late = [case for case in cases if _is_late(policy, case)]
    if not late:
        return Causes(0, {}, {})
    usual = learn(policy, cases)
    steps = [slowest_step(policy, usual, case) for case in late]
    reasons = Counter(reason_of(case, step) for case, step in zip(late, steps, strict=True))
    counted = Counter(steps)
    return Causes(
        len(late),
        {name: counted[name] for name in StepName if counted[name]},
        {reason: reasons[reason] for reason in Reason if reasons[reason]},
    )


def slowest_step(policy: Policy, usual: Experience, case: Milestones) -> StepName:
    """The step of an answered case with the most days, staffed or of 24 h, beyond its median in
    cases of the same class and priority."""
    if case.distributed_at is None:
        raise ValueError("only an answered case has been late")
    taken = spent(policy, usual, case, case.distributed_at)
    beyond = taken - np.median(usual.like(case)[0], axis=0)
    opens, closes = usual.hours
    return STEPS[int(np.argmax(beyond / np.where(by_people(), closes - opens, 24.0)))]


def reason_of(case: Milestones, step: StepName) -> Reason:
    """What the public would be told; the first that fits."""
    if step is AWAITING[AwaitedThing.RESCAN]:
        return Reason.OTHER
    if step is StepName.READ or step in AWAITING.values():
        return Reason.COMPLEXITY
    if step in _ON_THE_GLASS and len(case.slides) > MANY_SLIDES:
        return Reason.SIZE
    if step in _QUEUES and case.priority is Priority.ROUTINE:
        return Reason.PRIORITISATION
    return Reason.BUSYNESS if step in (*_QUEUES, *_HANDS) else Reason.OTHER


def _is_late(policy: Policy, case: Milestones) -> bool:
    clock = svartid(policy, case, case.distributed_at) if case.distributed_at else None
    return clock is not None and clock.in_time is False
