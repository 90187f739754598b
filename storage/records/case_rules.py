"""What may follow what: the one place where an illegal order is refused, with a reason.

A history is legal when every event was allowed by what had happened before it. An event that
is entered late takes its place in time, and what came after must still be allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from storage.records import case_events as events
from storage.records import reading_events as reading
from storage.records import slide_events as slides
from storage.records.case import Case
from storage.records.case_events import EventCorrected, Happened
from storage.records.case_fold import apply, in_order
from storage.records.reading_rules import RULES as READING
from storage.records.slide_rules import RULES as SLIDES

FUTURE = timedelta(minutes=2)
"""Clocks of two machines may differ by this much; beyond it an event is from the future."""
_TOLD_ONCE = (
    events.CaseOrdered, events.SpecimenReceived, events.ClockPaused, slides.SlideExpected,
    reading.WorkOrderPlaced, reading.ConsultationRequested, reading.ConsultationAnswered,
    reading.FlagRaised,
)  # fmt: skip
"""Told again in other words they are not the same again: somebody has to look."""
SAID_BY_US = (events.CaseReady, events.TargetWarned, events.TargetBreached)
"""Conclusions of the system: what is learnt later about the facts may take them back."""
Rule = Callable[[Case, Any], str]
"""The reason why not, as a word the screens translate; empty when it may happen."""


def refusal(accession: str, log: Sequence[Happened], new: Happened) -> str:
    """Why `new` may not be recorded after `log`; empty when it may."""
    if new.occurred_at > new.received_at + FUTURE:
        return "from_the_future"
    known, order = in_order(log), in_order([*log, new])
    if any(at.fact == new.fact and at.occurred_at == new.occurred_at for at in known):
        return "already"
    if isinstance(new.fact, EventCorrected):
        wrong = _correction(log, new.fact, new.received_at)
        if wrong:
            return wrong
    if _signed_reports(order)[: len(_signed_reports(known))] != _signed_reports(known):
        return "signed_report_stays"
    case = Case(accession)
    for happened in order:
        if happened.is_conclusion:
            continue
        reason = rule_for(happened)(case, happened.fact)
        if not reason:
            case = apply(case, happened)
        elif happened is new:
            told = isinstance(new.fact, _TOLD_ONCE) and all(at.fact != new.fact for at in known)
            return "told_otherwise" if told and reason == "already" else reason
        elif not isinstance(happened.fact, SAID_BY_US):
            return f"contradicts_{type(happened.fact).__name__}"
    return ""


def _correction(log: Sequence[Happened], fact: EventCorrected, received_at: datetime) -> str:
    """What is wrong with a correction in itself."""
    target = next((at for at in log if at.event_id == fact.event_id), None)
    if target is None or target.is_conclusion or isinstance(target.fact, EventCorrected):
        return "event_unknown"
    if not fact.reason.strip():
        return "reason_missing"
    if fact.occurred_at and fact.occurred_at > received_at + FUTURE:
        return "from_the_future"
    earlier = [at.fact for at in log if isinstance(at.fact, EventCorrected)]
    same = [at for at in earlier if at.event_id == fact.event_id]
    return "already" if same and same[-1].occurred_at == fact.occurred_at else ""


def _signed_reports(history: Sequence[Happened]) -> list[int]:
    """Signatures in order: their place is the report's version, under which it has been sent."""
    return [at.event_id for at in history if isinstance(at.fact, reading.ReportSigned)]


def rule_for(happened: Happened) -> Rule:
    """The rule of an event's kind."""
    return _RULES[type(happened.fact)]


def _order(case: Case, fact: events.CaseOrdered) -> str:
    return "already" if case.ordered_at else ""


def _known(case: Case) -> str:
    if not case.ordered_at:
        return "case_unknown"
    return "case_closed" if case.closed_at else ""


def _taken(case: Case, fact: events.SpecimenTaken) -> str:
    specimen = case.specimens.get(fact.part)
    if specimen and specimen.taken_at:
        return "already"
    return "specimen_received" if specimen and specimen.received_at else _unanswered(case)


def _dispatched(case: Case, fact: events.SpecimenDispatched) -> str:
    specimen = case.specimens.get(fact.part)
    if specimen and specimen.dispatched_at:
        return "already"
    return "specimen_received" if specimen and specimen.received_at else _unanswered(case)


def _received(case: Case, fact: events.SpecimenReceived) -> str:
    specimen = case.specimens.get(fact.part)
    return "already" if specimen and specimen.received_at else _unanswered(case)


def _unanswered(case: Case) -> str:
    """New material after the final report is a new case."""
    return _known(case) or ("case_signed" if case.final else "")


def _accessioned(case: Case, fact: events.CaseAccessioned) -> str:
    if case.accessioned_at:
        return "already"
    return _known(case) or ("" if case.received_at else "specimen_not_received")


def _grossed(case: Case, fact: events.GrossingDone) -> str:
    specimen = case.specimens.get(fact.part)
    if specimen is None or specimen.received_at is None:
        return "specimen_not_received"
    return "already" if specimen.described_at else _known(case)


def _embedded(case: Case, fact: events.BlockEmbedded) -> str:
    specimen = case.specimens.get(fact.part)
    if specimen is None or specimen.received_at is None:
        return "specimen_not_received"
    return "already" if fact.block in specimen.blocks else _known(case)


def _ready(case: Case, fact: events.CaseReady) -> str:
    return "already" if case.is_all_readable else "slides_not_readable"


def _priority(case: Case, fact: events.PriorityChanged) -> str:
    if not fact.reason.strip():
        return "reason_missing"
    if case.final:
        return "case_signed"
    return _known(case) or ("already" if case.priority is fact.priority else "")


def _paused(case: Case, fact: events.ClockPaused) -> str:
    if not fact.evidence.strip():
        return "evidence_missing"
    if fact.pause_id in case.pauses:
        return "already"
    if case.final:
        return "case_signed"
    return _known(case) or ("" if case.received_at else "specimen_not_received")


def _resumed(case: Case, fact: events.ClockResumed) -> str:
    pause = case.pauses.get(fact.pause_id)
    if pause is None:
        return "pause_unknown"
    return "already" if pause.ended_at else ""


def _warned(case: Case, fact: events.TargetWarned) -> str:
    return "already" if case.warned_at else _is_running(case)


def _breached(case: Case, fact: events.TargetBreached) -> str:
    return "already" if case.breached_at else _is_running(case)


def _is_running(case: Case) -> str:
    if case.received_at is None:
        return "specimen_not_received"
    return "case_answered" if case.final and case.final.distributed_at else _known(case)


def _cancelled(case: Case, fact: events.CaseCancelled) -> str:
    if not fact.reason.strip():
        return "reason_missing"
    if case.cancelled_at:
        return "already"
    return "case_signed" if case.final else _known(case)


def _rejected(case: Case, fact: events.CaseRejected) -> str:
    if not fact.reason.strip():
        return "reason_missing"
    if case.rejected_at:
        return "already"
    return "case_opened" if case.opened_at else _known(case)


_RULES: dict[type, Rule] = {
    events.CaseOrdered: _order,
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
    **SLIDES,
    **READING,
}
