"""What follows from a fact, whoever recorded it: further facts, work for people, messages out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.engine import Connection

from storage import outbound, work_items
from storage.records import reading_events as reading
from storage.records import slide_events as slides
from storage.records.case import Case, CaseSlide
from storage.records.case_events import (
    CaseCancelled,
    CaseFact,
    CaseReady,
    CaseRejected,
    ClockResumed,
    Happened,
    TargetBreached,
)
from storage.records.case_words import ReportKind, SlideState
from storage.records.work import WorkKind, WorkState


def facts_after(before: Case, after: Case, new: Happened) -> Iterator[CaseFact]:
    """Conclusions that the new state of the case allows; pure."""
    said = isinstance(new.fact, CaseReady)
    if after.is_all_readable and not (said or after.closed_at or _was_ready(before)):
        yield CaseReady()
    for order in after.orders.values():
        glasses = [at for at in after.slides.values() if at.order_id == order.order_id]
        if order.is_open and glasses and all(at.is_readable for at in glasses):
            yield reading.WorkOrderFulfilled(order.order_id)
    linked = _ended_by(new.fact)
    for pause in after.pauses.values():
        if linked and pause.ended_at is None and pause.evidence == linked:
            yield ClockResumed(pause.pause_id, linked)


def moment_of(fact: CaseFact, case: Case, new: Happened) -> datetime:
    """When a conclusion became true: not before the last glass could be read."""
    if isinstance(fact, CaseReady):
        moments = [_readable_since(slide) for slide in case.waited_for]
        return max([at for at in moments if at] or [new.occurred_at])
    return new.occurred_at


def work_after(connection: Connection, case: Case, new: Happened) -> Iterator[CaseFact]:
    """Enter the work and the messages that a fact means; facts about that work follow."""
    match new.fact:
        case slides.RescanRequested():
            yield _scan_again(connection, case, new.fact, new.actor)
        case slides.SlideGlassOnly(barcode=barcode) | slides.SlideCancelled(barcode=barcode):
            _end(connection, WorkKind.SCAN, WorkState.CANCELLED, "not_wanted", barcode=barcode)
        case slides.ImageStored(barcode=barcode):
            _end(connection, WorkKind.SCAN, WorkState.DONE, "", barcode=barcode)
        case CaseCancelled() | CaseRejected():
            yield from _call_off(connection, case)
        case TargetBreached(due=due):
            _offer(connection, WorkKind.PRELIMINARY, case, new.actor, due_at=due)
        case reading.PreliminarySent():
            _end(connection, WorkKind.PRELIMINARY, WorkState.DONE, "", accession=case.accession)
            _send(connection, case, ReportKind.PRELIMINARY, len(case.preliminaries))
        case reading.ReportSigned(kind=kind):
            _send(connection, case, kind, len(case.reports))
        case reading.ReportDistributed():
            _end(connection, WorkKind.PRELIMINARY, WorkState.DONE, "", accession=case.accession)
        case _:
            _order_work(connection, case, new)
            _consultation_work(connection, case, new)


def _order_work(connection: Connection, case: Case, new: Happened) -> None:
    match new.fact:
        case reading.WorkOrderPlaced(order_id=order_id, kind=kind, block=block, stain=stain):
            data = {"order": kind.value, "block": block, "stain": stain, "note": new.fact.note}
            _offer(connection, WorkKind.LAB_ORDER, case, new.actor, about=order_id, data=data)
        case reading.WorkOrderAccepted(order_id=order_id):
            for item in work_items.open_in(connection, [WorkKind.LAB_ORDER], about=order_id):
                work_items.claim(connection, item.item_id, new.actor)
        case reading.WorkOrderFulfilled(order_id=order_id):
            _end(connection, WorkKind.LAB_ORDER, WorkState.DONE, "", about=order_id)
        case reading.WorkOrderCancelled(order_id=order_id, reason=reason):
            _end(connection, WorkKind.LAB_ORDER, WorkState.CANCELLED, reason, about=order_id)


def _consultation_work(connection: Connection, case: Case, new: Happened) -> None:
    kind = WorkKind.CONSULTATION
    match new.fact:
        case reading.ConsultationRequested(consultation_id=key, asked=asked, due=due):
            _offer(connection, kind, case, new.actor, about=key, performer=asked, due_at=due)
        case reading.ConsultationTransferred(consultation_id=key, asked=asked):
            for item in work_items.open_in(connection, [kind], about=key):
                changes = {"performer": asked, "state": WorkState.OFFERED.value}
                work_items.change(connection, item.item_id, changes)
        case reading.ConsultationAccepted(consultation_id=key, consultant=consultant):
            for item in work_items.open_in(connection, [kind], about=key):
                work_items.claim(connection, item.item_id, consultant)
        case reading.ConsultationAnswered(consultation_id=key):
            _end(connection, kind, WorkState.DONE, "", about=key)
        case reading.ConsultationDeclined(consultation_id=key, reason=reason):
            _end(connection, kind, WorkState.FAILED, reason, about=key)
        case reading.ConsultationWithdrawn(consultation_id=key, reason=reason):
            _end(connection, kind, WorkState.CANCELLED, reason, about=key)


def _scan_again(
    connection: Connection, case: Case, fact: slides.RescanRequested, actor: str
) -> CaseFact:
    region = list(fact.region) if fact.region else None
    data = {"rescan": fact.reason.value, "note": fact.note, "region": region}
    item_id = _offer(connection, WorkKind.SCAN, case, actor, barcode=fact.barcode, data=data)
    return slides.ScanQueued(fact.barcode, item_id)


def _call_off(connection: Connection, case: Case) -> Iterator[CaseFact]:
    """A closed case wants no scan that has not begun; one under way is let finish."""
    for item in work_items.open_in(connection, list(WorkKind), accession=case.accession):
        if item.state is WorkState.OFFERED or item.kind is not WorkKind.SCAN:
            work_items.end(connection, item.item_id, WorkState.CANCELLED, "case_closed")
            slide = case.slides.get(item.barcode or "")
            if item.kind is WorkKind.SCAN and slide and slide.state is SlideState.QUEUED:
                yield slides.ScanWithdrawn(slide.barcode, item.item_id)


def _offer(connection: Connection, kind: WorkKind, case: Case, actor: str, **about: object) -> str:
    item = work_items.offer(
        connection,
        kind,
        actor,
        site=case.site,
        unit=case.unit,
        accession=case.accession,
        rank=case.priority.rank,
        **about,
    )
    return item.item_id


def _end(
    connection: Connection, kind: WorkKind, state: WorkState, reason: str, **about: object
) -> None:
    work_items.end_all(connection, [kind], state, reason, **about)


def _send(connection: Connection, case: Case, kind: ReportKind, version: int) -> None:
    body = {"kind": kind.value, "version": version}
    outbound.enqueue(connection, "report", case.requester, case.accession, body)


def _was_ready(before: Case) -> bool:
    return before.is_all_readable and bool(before.ready_times)


def _readable_since(slide: CaseSlide) -> datetime | None:
    """When the image that is shown came, or the glass was declared the way to read it."""
    shown = slide.shown
    return shown.available_at if shown else slide.readable_at


def _ended_by(fact: CaseFact) -> str:
    """The id of what a fact brings to an end: pauses linked to it end with it."""
    match fact:
        case (
            reading.ConsultationAnswered(consultation_id=key)
            | reading.ConsultationDeclined(consultation_id=key)
            | reading.ConsultationWithdrawn(consultation_id=key)
        ):
            return key
        case reading.WorkOrderFulfilled(order_id=key) | reading.WorkOrderCancelled(order_id=key):
            return key
    return ""
