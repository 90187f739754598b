"""How events change who reads a case, what was asked, and what was answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from storage.records import reading_events as events
from storage.records.case import (
    Case,
    Consultation,
    Draft,
    Flag,
    Preliminary,
    Report,
    WorkOrder,
)
from storage.records.case_events import Happened


def _assigned(case: Case, fact: events.CaseAssigned, at: Happened) -> Case:
    return replace(
        case,
        assignee=fact.pathologist,
        assigned_by=fact.by,
        assigned_at=at.occurred_at,
        why=fact.why,
    )


def _released(case: Case, fact: events.CaseReleased, at: Happened) -> Case:
    return replace(case, assignee="", assigned_by=None, assigned_at=None, why="")


def _opened(case: Case, fact: events.CaseOpened, at: Happened) -> Case:
    return replace(case, opened_at=case.opened_at or at.occurred_at)


def _order_placed(case: Case, fact: events.WorkOrderPlaced, at: Happened) -> Case:
    order = WorkOrder(
        order_id=fact.order_id,
        kind=fact.kind,
        placed_by=at.actor,
        placed_at=at.occurred_at,
        block=fact.block,
        stain=fact.stain,
        note=fact.note,
        after_final=case.final is not None,
    )
    return replace(case, orders={**case.orders, fact.order_id: order})


def _change_order(case: Case, order_id: str, **changes: Any) -> Case:  # noqa: ANN401
    order = replace(case.orders[order_id], **changes)
    return replace(case, orders={**case.orders, order_id: order})


def _order_accepted(case: Case, fact: events.WorkOrderAccepted, at: Happened) -> Case:
    return _change_order(case, fact.order_id, accepted_at=at.occurred_at)


def _order_fulfilled(case: Case, fact: events.WorkOrderFulfilled, at: Happened) -> Case:
    return _change_order(case, fact.order_id, fulfilled_at=at.occurred_at)


def _order_cancelled(case: Case, fact: events.WorkOrderCancelled, at: Happened) -> Case:
    return _change_order(case, fact.order_id, cancelled_at=at.occurred_at, reason=fact.reason)


def _asked(case: Case, fact: events.ConsultationRequested, at: Happened) -> Case:
    made = Consultation(
        consultation_id=fact.consultation_id,
        distance=fact.distance,
        asked=fact.asked,
        question=fact.question,
        requested_by=at.actor,
        requested_at=at.occurred_at,
        slides=fact.slides,
        await_before_signing=fact.await_before_signing,
        due=fact.due,
    )
    return replace(case, consultations={**case.consultations, fact.consultation_id: made})


def _change_consultation(case: Case, key: str, **changes: Any) -> Case:  # noqa: ANN401
    changed = replace(case.consultations[key], **changes)
    return replace(case, consultations={**case.consultations, key: changed})


def _accepted(case: Case, fact: events.ConsultationAccepted, at: Happened) -> Case:
    changes = {"accepted_at": at.occurred_at, "consultant": fact.consultant}
    return _change_consultation(case, fact.consultation_id, **changes)


def _declined(case: Case, fact: events.ConsultationDeclined, at: Happened) -> Case:
    changes = {"closed_at": at.occurred_at, "reason": fact.reason}
    return _change_consultation(case, fact.consultation_id, **changes)


def _transferred(case: Case, fact: events.ConsultationTransferred, at: Happened) -> Case:
    changes = {"asked": fact.asked, "accepted_at": None, "consultant": "", "reason": fact.reason}
    return _change_consultation(case, fact.consultation_id, **changes)


def _answered(case: Case, fact: events.ConsultationAnswered, at: Happened) -> Case:
    changes = {
        "answered_at": at.occurred_at,
        "consultant": fact.consultant,
        "opinion": fact.opinion,
        "agreement": fact.agreement,
    }
    return _change_consultation(case, fact.consultation_id, **changes)


def _withdrawn(case: Case, fact: events.ConsultationWithdrawn, at: Happened) -> Case:
    changes = {"closed_at": at.occurred_at, "reason": fact.reason}
    return _change_consultation(case, fact.consultation_id, **changes)


def _flag_raised(case: Case, fact: events.FlagRaised, at: Happened) -> Case:
    flag = Flag(fact.flag_id, fact.severity, fact.text, at.actor, at.occurred_at, fact.barcode)
    return replace(case, flags={**case.flags, fact.flag_id: flag})


def _flag_closed(case: Case, fact: events.FlagClosed, at: Happened) -> Case:
    flag = replace(
        case.flags[fact.flag_id],
        closed_at=at.occurred_at,
        closed_by=at.actor,
        reason=fact.reason,
    )
    return replace(case, flags={**case.flags, fact.flag_id: flag})


def _drafted(case: Case, fact: events.ReportDrafted, at: Happened) -> Case:
    draft = Draft(fact.kind, fact.text, fact.codes, at.actor, at.occurred_at)
    return replace(case, draft=draft)


def _preliminary(case: Case, fact: events.PreliminarySent, at: Happened) -> Case:
    sent = Preliminary(fact.text, fact.reason, fact.expected_at, at.actor, at.occurred_at)
    return replace(case, preliminaries=(*case.preliminaries, sent))


def _signed(case: Case, fact: events.ReportSigned, at: Happened) -> Case:
    report = Report(
        version=len(case.reports) + 1,
        kind=fact.kind,
        text=fact.text,
        codes=fact.codes,
        signed_by=at.actor,
        signed_at=at.occurred_at,
        overridden=fact.overridden,
        override_reason=fact.override_reason,
    )
    return replace(case, reports=(*case.reports, report), draft=None)


def _change_report(case: Case, version: int, **changes: Any) -> Case:  # noqa: ANN401
    reports = tuple(
        replace(report, **changes) if report.version == version else report
        for report in case.reports
    )
    return replace(case, reports=reports)


def _distributed(case: Case, fact: events.ReportDistributed, at: Happened) -> Case:
    return _change_report(case, fact.version, distributed_at=at.occurred_at)


def _acknowledged(case: Case, fact: events.ReportAcknowledged, at: Happened) -> Case:
    return _change_report(case, fact.version, acknowledged_at=at.occurred_at)


FOLDS: dict[type, Callable[[Case, Any, Happened], Case]] = {
    events.CaseAssigned: _assigned,
    events.CaseReleased: _released,
    events.CaseOpened: _opened,
    events.WorkOrderPlaced: _order_placed,
    events.WorkOrderAccepted: _order_accepted,
    events.WorkOrderFulfilled: _order_fulfilled,
    events.WorkOrderCancelled: _order_cancelled,
    events.ConsultationRequested: _asked,
    events.ConsultationAccepted: _accepted,
    events.ConsultationDeclined: _declined,
    events.ConsultationTransferred: _transferred,
    events.ConsultationAnswered: _answered,
    events.ConsultationWithdrawn: _withdrawn,
    events.FlagRaised: _flag_raised,
    events.FlagClosed: _flag_closed,
    events.ReportDrafted: _drafted,
    events.PreliminarySent: _preliminary,
    events.ReportSigned: _signed,
    events.ReportDistributed: _distributed,
    events.ReportAcknowledged: _acknowledged,
}
