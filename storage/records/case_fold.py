"""A case out of its events: a pure fold in the order things happened.

What is recorded later but happened earlier falls into its place; corrections are applied first.
Two events of the same moment keep the order of the log. What follows of itself (`conclusions`) is
folded from the facts, never from what was once said to follow: a fact that is told late or put
right later changes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from storage.records import case_events as events
from storage.records import fold_reading, fold_slides
from storage.records.case import Case, Oddity, Specimen
from storage.records.case_events import EventCorrected, Happened
from storage.records.conclusions import conclude
from storage.records.milestones import Pause
from storage.records.reading_events import CaseAssigned
from storage.records.slide_events import ImageStored

BACKDATED_AFTER = timedelta(minutes=60)
"""An event entered later than this after it happened is marked as back-dated."""
_ELSEWHERE = (events.CaseOrdered, events.SpecimenTaken, events.SpecimenDispatched)
_STEP_BACK = timedelta(seconds=1)


def fold(accession: str, log: Iterable[Happened]) -> Case:
    """The case that the events of its log amount to; an empty log is an empty case."""
    written = list(log)
    case = Case(accession)
    for happened in in_order(written):
        case = apply(case, happened)
    return replace(case, oddities=tuple(_oddities(written)), version=len(written))


def apply(case: Case, happened: Happened) -> Case:
    """The case after one more event, which the rules have let pass."""
    if happened.is_conclusion:
        return case
    after = _FOLDS[type(happened.fact)](case, happened.fact, happened)
    return conclude(case, after, happened.occurred_at)


def is_backdated(happened: Happened, told: datetime | None = None) -> bool:
    """Entered long after it happened; what happens before the laboratory is always told later."""
    if isinstance(happened.fact, _ELSEWHERE):
        return False
    last = max(told or happened.received_at, happened.received_at)
    return last - happened.occurred_at > BACKDATED_AFTER


def in_order(log: Sequence[Happened]) -> list[Happened]:
    """As it happened: corrected, sorted by time of happening, then by place in the log."""
    return sorted(_corrected(log), key=lambda at: (at.occurred_at, at.event_id or _LAST))


_LAST = 1 << 62
"""Where an event that is not in the log yet is sorted among those of its moment."""


def _corrected(log: Sequence[Happened]) -> list[Happened]:
    """Without what did not happen, with times put right; the last correction counts."""
    corrections = {at.fact.event_id: at.fact for at in log if isinstance(at.fact, EventCorrected)}
    kept = []
    for happened in log:
        correction = corrections.get(happened.event_id) if happened.event_id else None
        if isinstance(happened.fact, EventCorrected):
            continue
        if correction is None:
            kept.append(happened)
        elif correction.occurred_at is not None:
            kept.append(replace(happened, occurred_at=correction.occurred_at))
    return kept


def _oddities(log: Sequence[Happened]) -> Iterable[Oddity]:
    """What a person should look at: entered long after, after the end, by whom it excuses, …"""
    latest, effective = None, in_order(log)
    entered = {at.fact.event_id: at for at in log if isinstance(at.fact, EventCorrected)}
    for happened in effective:
        told = entered.get(happened.event_id, happened).received_at
        if is_backdated(happened, told):
            yield Oddity("backdated", happened.event_id)
    for happened in log:
        if latest is not None and happened.received_at < latest - _STEP_BACK:
            yield Oddity("clock_set_back", happened.event_id)
        latest = max(latest or happened.received_at, happened.received_at)
    closed = next(
        (at for at in effective if isinstance(at.fact, events.CaseCancelled | events.CaseRejected)),
        None,
    )
    yield from _own_pauses(effective)
    for happened in effective if closed else ():
        late = closed is not None and happened.occurred_at > closed.occurred_at
        if late and isinstance(happened.fact, ImageStored):
            yield Oddity("image_after_closing", happened.event_id)


def _own_pauses(effective: Sequence[Happened]) -> Iterable[Oddity]:
    """Pauses entered by the pathologist whose own queue they excuse (pause rule 1)."""
    reader = ""
    for happened in effective:
        if isinstance(happened.fact, CaseAssigned):
            reader = happened.fact.pathologist
        elif isinstance(happened.fact, events.ClockPaused) and happened.actor == reader:
            yield Oddity("own_pause", happened.event_id)


def _ordered(case: Case, fact: events.CaseOrdered, at: Happened) -> Case:
    return replace(
        case,
        patient_id=fact.patient_id,
        requester=fact.requester,
        site=fact.site,
        unit=fact.unit,
        priority=fact.priority,
        specimen_class=fact.specimen_class,
        subspecialty=fact.subspecialty,
        clinical_information=fact.clinical_information,
        language=fact.language,
        ordered_at=at.occurred_at,
    )


def _part(case: Case, part: str, **changes: Any) -> Case:  # noqa: ANN401
    specimen = replace(case.specimens.get(part, Specimen(part)), **changes)
    return replace(case, specimens={**case.specimens, part: specimen})


def _taken(case: Case, fact: events.SpecimenTaken, at: Happened) -> Case:
    return _part(case, fact.part, taken_at=at.occurred_at)


def _dispatched(case: Case, fact: events.SpecimenDispatched, at: Happened) -> Case:
    return _part(case, fact.part, dispatched_at=at.occurred_at)


def _received(case: Case, fact: events.SpecimenReceived, at: Happened) -> Case:
    more = {"topography": fact.topography, "container": fact.container}
    return _part(case, fact.part, received_at=at.occurred_at, **more)


def _accessioned(case: Case, fact: events.CaseAccessioned, at: Happened) -> Case:
    return replace(case, accessioned_at=at.occurred_at)


def _grossed(case: Case, fact: events.GrossingDone, at: Happened) -> Case:
    return _part(case, fact.part, described_at=at.occurred_at, description=fact.description)


def _embedded(case: Case, fact: events.BlockEmbedded, at: Happened) -> Case:
    known = case.specimens[fact.part].blocks
    return _part(case, fact.part, blocks=(*known, fact.block))


def _ready(case: Case, fact: events.CaseReady, at: Happened) -> Case:
    return case


def _priority(case: Case, fact: events.PriorityChanged, at: Happened) -> Case:
    return replace(case, priority=fact.priority)


def _paused(case: Case, fact: events.ClockPaused, at: Happened) -> Case:
    pause = Pause(fact.pause_id, fact.reason, at.actor, fact.evidence, at.occurred_at)
    return replace(case, pauses={**case.pauses, fact.pause_id: pause})


def _resumed(case: Case, fact: events.ClockResumed, at: Happened) -> Case:
    pause = replace(case.pauses[fact.pause_id], ended_at=at.occurred_at)
    return replace(case, pauses={**case.pauses, fact.pause_id: pause})


def _is_running(case: Case) -> bool:
    """Else a warning that was given is one no more: the end was told of too late."""
    answered = case.final is not None and case.final.distributed_at is not None
    return case.received_at is not None and case.closed_at is None and not answered


def _warned(case: Case, fact: events.TargetWarned, at: Happened) -> Case:
    if case.warned_at or not _is_running(case):
        return case
    return replace(case, warned_at=at.occurred_at)


def _breached(case: Case, fact: events.TargetBreached, at: Happened) -> Case:
    if case.breached_at or not _is_running(case):
        return case
    return replace(case, breached_at=at.occurred_at)


def _cancelled(case: Case, fact: events.CaseCancelled, at: Happened) -> Case:
    return replace(case, cancelled_at=at.occurred_at, closing_reason=fact.reason)


def _rejected(case: Case, fact: events.CaseRejected, at: Happened) -> Case:
    return replace(case, rejected_at=at.occurred_at, closing_reason=fact.reason)


_FOLDS: dict[type, Callable[[Case, Any, Happened], Case]] = {
    events.CaseOrdered: _ordered,
    events.SpecimenTaken: _taken,
    events.SpecimenDispatched: _dispatched,
    events.SpecimenReceived: _received,
    events.CaseAccessioned: _accessioned,
    events.GrossingDone: _grossed,
    events.BlockEmbedded: _embedded,
    events.CaseReady: _ready,
    events.PriorityChanged: _priority,
    events.ClockPaused: _paused,
    events.ClockResumed: _resumed,
    events.TargetWarned: _warned,
    events.TargetBreached: _breached,
    events.CaseCancelled: _cancelled,
    events.CaseRejected: _rejected,
    **fold_slides.FOLDS,
    **fold_reading.FOLDS,
}
