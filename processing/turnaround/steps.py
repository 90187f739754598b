"""Where the time of a case went: the whole of K1 cut into consecutive steps, nothing left over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from processing.turnaround.clocks import last_slide
from processing.turnaround.intervals import Interval
from processing.turnaround.partition import cut
from storage.records.milestones import AwaitedThing, Milestones


class StepName(StrEnum):
    """In the order they come; transport lies before the whole."""

    LAB = "lab"
    """Received to the last slide stained."""
    SCAN_QUEUE = "scan_queue"
    """To the scan of the last slide started."""
    SCANNING = "scanning"
    """To it scanned."""
    CHECKS = "checks"
    """Checked and read in: to the case ready."""
    WAIT_TO_READ = "wait_to_read"
    """To first opened."""
    READ = "read"
    """To signed, less what was awaited."""
    AWAIT_WORK_ORDER = "await_work_order"
    AWAIT_CONSULTATION = "await_consultation"
    AWAIT_INFORMATION = "await_information"
    AWAIT_EXTERNAL = "await_external"
    AWAIT_RESCAN = "await_rescan"
    TO_REQUESTER = "to_requester"
    """Signed to distributed."""


AWAITING = {thing: StepName(f"await_{thing}") for thing in AwaitedThing}
READING = (StepName.READ, *AWAITING.values())
"""First opened to signed: alternating, while the others come once and in order."""
MAIN = tuple(name for name in StepName if name not in AWAITING.values())
"""Always there, if of no length."""


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of the whole; the next begins where it stops."""

    name: StepName
    start: datetime
    stop: datetime

    @property
    def length(self) -> timedelta:
        """Calendar time."""
        return self.stop - self.start


def steps(case: Milestones, now: datetime) -> tuple[Step, ...]:
    """The whole, from received to distributed (or closed, or now), in consecutive steps.

    Their lengths sum to it to the microsecond, whatever is missing or out of order: see
    `partition.cut`. A case opened before its last slide could be read was read from then on. What
    was awaited at once counts for what was awaited first. Empty where nothing was received.
    """
    if case.received_at is None:
        return ()
    end = max(case.received_at, case.distributed_at or case.closed_at or now)
    bounds = cut(Interval(case.received_at, end), _ends(case))
    found: list[Step] = []
    for name, at in zip(MAIN, bounds, strict=True):
        found += _reading(case, at) if name is StepName.READ else [Step(name, *at)]
    return tuple(found)


def lengths(steps: Iterable[Step]) -> dict[StepName, timedelta]:
    """Time by name, in order; every name is there."""
    summed = dict.fromkeys(StepName, timedelta())
    for step in steps:
        summed[step.name] += step.length
    return summed


def step_now(case: Milestones) -> StepName | None:
    """The step an open case is in; None for others. While reading, what was awaited first."""
    if not case.is_open:
        return None
    told = [number for number, at in enumerate(_ends(case), 1) if at is not None]
    name = MAIN[max(told, default=0)]
    waiting = [at for at in case.awaited if at.ended_at is None]
    if name is StepName.READ and waiting:
        return AWAITING[min(waiting, key=lambda at: at.began_at).what]
    return name


def _ends(case: Milestones) -> tuple[datetime | None, ...]:
    """When each step but the last ended, as far as it was told."""
    slide = last_slide(case)
    opened, there = case.opened_at, case.ready_at or case.available_at
    return (
        case.stained_at,
        slide.started_at if slide else None,
        slide.scanned_at if slide else None,
        there,
        max(opened, there) if opened and there else opened,
        case.signed_at,
    )


def _reading(case: Milestones, within: Interval) -> list[Step]:
    """READ and what was awaited in it, in turn; one step of no length where nothing was read."""
    spans = [(at.began_at, at.ended_at or within.stop, AWAITING[at.what]) for at in case.awaited]
    edges = {within.start, within.stop}
    edges |= {edge for start, stop, _ in spans for edge in (start, stop)}
    inside = sorted(edge for edge in edges if within.start <= edge <= within.stop)
    found: list[Step] = []
    for start, stop in pairwise(inside):
        active = [at for at in spans if at[0] <= start and at[1] >= stop]
        name = min(active)[2] if active else StepName.READ
        if found and found[-1].name is name:
            found[-1] = Step(name, found[-1].start, stop)
        else:
            found.append(Step(name, start, stop))
    return found or [Step(StepName.READ, *within)]
