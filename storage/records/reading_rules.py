"""What may happen while a case is read and answered (domain's case state machine, §7.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storage.records import reading_events as events
from storage.records.case import Case
from storage.records.case_words import ReportKind
from storage.records.snomed import NotACode, missing_axes, parse_code


def _alive(case: Case) -> str:
    if not case.ordered_at:
        return "case_unknown"
    if case.closed_at:
        return "case_closed"
    return "" if case.received_at else "specimen_not_received"


def _assigned(case: Case, fact: events.CaseAssigned) -> str:
    if not fact.pathologist:
        return "pathologist_missing"
    if case.assignee == fact.pathologist:
        return "already"
    if fact.by.value == "claim" and case.assignee:
        return "assigned_to_another"
    return _alive(case)


def _released(case: Case, fact: events.CaseReleased) -> str:
    if not fact.reason.strip():
        return "reason_missing"
    return _alive(case) or ("" if case.assignee else "already")


def _opened(case: Case, fact: events.CaseOpened) -> str:
    if case.opened_at:
        return "already"
    if case.assignee != fact.pathologist:
        return "assigned_to_another" if case.assignee else "not_assigned"
    return _alive(case)


def _order_placed(case: Case, fact: events.WorkOrderPlaced) -> str:
    if fact.order_id in case.orders:
        return "already"
    if fact.kind.value in ("stain", "immuno") and not fact.stain.strip():
        return "stain_missing"
    return _alive(case)


def _order(case: Case, fact: Any) -> str:  # noqa: ANN401
    order = case.orders.get(fact.order_id)
    if order is None:
        return "order_unknown"
    return "" if order.is_open else "order_ended"


def _order_accepted(case: Case, fact: events.WorkOrderAccepted) -> str:
    order = case.orders.get(fact.order_id)
    return "already" if order and order.accepted_at else _order(case, fact)


def _order_fulfilled(case: Case, fact: events.WorkOrderFulfilled) -> str:
    order = case.orders.get(fact.order_id)
    return "already" if order and order.fulfilled_at else _order(case, fact)


def _asked(case: Case, fact: events.ConsultationRequested) -> str:
    if fact.consultation_id in case.consultations:
        return "already"
    if not fact.question.strip():
        return "question_missing"
    if not fact.asked.strip() or fact.asked == case.assignee:
        return "asked_missing"
    if any(barcode not in case.slides for barcode in fact.slides):
        return "slide_unknown"
    return _alive(case)


def _consultation(case: Case, fact: Any) -> str:  # noqa: ANN401
    consultation = case.consultations.get(fact.consultation_id)
    if consultation is None:
        return "consultation_unknown"
    if consultation.answered_at and isinstance(fact, events.ConsultationAnswered):
        return "already"
    if not consultation.is_open:
        return "consultation_ended"
    if hasattr(fact, "reason") and not fact.reason.strip():
        return "reason_missing"
    return ""


def _accepted(case: Case, fact: events.ConsultationAccepted) -> str:
    consultation = case.consultations.get(fact.consultation_id)
    if consultation and consultation.accepted_at:
        if consultation.consultant == fact.consultant:
            return "already"
        return "accepted_by_another" if consultation.is_open else "consultation_ended"
    return _consultation(case, fact)


def _answered(case: Case, fact: events.ConsultationAnswered) -> str:
    return _consultation(case, fact) or ("" if fact.opinion.strip() else "opinion_missing")


def _flag_raised(case: Case, fact: events.FlagRaised) -> str:
    if fact.flag_id in case.flags:
        return "already"
    if fact.barcode and fact.barcode not in case.slides:
        return "slide_unknown"
    return "" if case.ordered_at else "case_unknown"


def _flag_closed(case: Case, fact: events.FlagClosed) -> str:
    flag = case.flags.get(fact.flag_id)
    if flag is None:
        return "flag_unknown"
    if flag.closed_at:
        return "already"
    return "" if fact.reason.strip() else "reason_missing"


def _kind_fits(case: Case, kind: ReportKind) -> str:
    """A final report is the first; supplements and corrections need one that has been sent."""
    if kind is ReportKind.FINAL:
        return "final_exists" if case.final else ""
    if kind is ReportKind.PRELIMINARY:
        return "preliminary_is_not_signed"
    return "" if case.final and case.final.distributed_at else "final_not_distributed"


def _drafted(case: Case, fact: events.ReportDrafted) -> str:
    if case.opened_at is None:
        return "case_not_opened"
    draft = case.draft
    if draft and (draft.kind, draft.text, draft.codes) == (fact.kind, fact.text, fact.codes):
        return "already"
    return _alive(case) or _kind_fits(case, fact.kind)


def _preliminary(case: Case, fact: events.PreliminarySent) -> str:
    if not fact.text.strip():
        return "text_missing"
    if not fact.reason.strip():
        return "reason_missing"
    sent = [(at.text, at.reason, at.expected_at) for at in case.preliminaries[-1:]]
    if (fact.text, fact.reason, fact.expected_at) in sent:
        return "already"
    return "final_exists" if case.final else _alive(case)


def standing_in_the_way(case: Case) -> tuple[str, ...]:
    """What must be seen or answered before a final signature: `flag:ID`, `consultation:ID`."""
    flags = [f"flag:{at.flag_id}" for at in case.open_flags]
    return (*flags, *(f"consultation:{at.consultation_id}" for at in case.awaited_opinions))


def _signed(case: Case, fact: events.ReportSigned) -> str:
    if case.opened_at is None:
        return "case_not_opened"
    last = [(at.kind, at.text, at.codes) for at in case.reports[-1:]]
    if (fact.kind, fact.text, fact.codes) in last:
        return "already"
    reason = _alive(case) or _kind_fits(case, fact.kind)
    if reason:
        return reason
    if not fact.text.strip():
        return "text_missing"
    wrong = _wrong_codes(fact.codes)
    if wrong:
        return wrong
    if set(standing_in_the_way(case)) - set(fact.overridden):
        return "something_stands_open"
    if fact.overridden and not fact.override_reason.strip():
        return "reason_missing"
    return ""


def _wrong_codes(codes: tuple[str, ...]) -> str:
    try:
        missing = missing_axes([parse_code(code) for code in codes])
    except NotACode:
        return "code_malformed"
    return f"code_missing_{missing[0].value}" if missing else ""


def _distributed(case: Case, fact: events.ReportDistributed) -> str:
    report = next((at for at in case.reports if at.version == fact.version), None)
    if report is None or report.kind is not fact.kind:
        return "report_unknown"
    return "already" if report.distributed_at else ""


def _acknowledged(case: Case, fact: events.ReportAcknowledged) -> str:
    report = next((at for at in case.reports if at.version == fact.version), None)
    if report is None or report.distributed_at is None:
        return "report_unknown"
    return "already" if report.acknowledged_at else ""


RULES: dict[type, Callable[[Case, Any], str]] = {
    events.CaseAssigned: _assigned,
    events.CaseReleased: _released,
    events.CaseOpened: _opened,
    events.WorkOrderPlaced: _order_placed,
    events.WorkOrderAccepted: _order_accepted,
    events.WorkOrderFulfilled: _order_fulfilled,
    events.WorkOrderCancelled: _order,
    events.ConsultationRequested: _asked,
    events.ConsultationAccepted: _accepted,
    events.ConsultationDeclined: _consultation,
    events.ConsultationTransferred: _consultation,
    events.ConsultationAnswered: _answered,
    events.ConsultationWithdrawn: _consultation,
    events.FlagRaised: _flag_raised,
    events.FlagClosed: _flag_closed,
    events.ReportDrafted: _drafted,
    events.PreliminarySent: _preliminary,
    events.ReportSigned: _signed,
    events.ReportDistributed: _distributed,
    events.ReportAcknowledged: _acknowledged,
}
