"""What follows from a fact, whoever recorded it: further facts, work for people, messages out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.engine import Connection

from storage import outbound, work_items
from storage.records import reading_events as reading
from storage.records import slide_events as slides
from storage.records.case import Case
from storage.records.case_events import (
    CaseCancelled,
    CaseFact,
    CaseReady,
    CaseRejected,
    ClockResumed,
    EventCorrected,
    Happened,
    PriorityChanged,
    TargetBreached,
)
from storage.records.case_words import ReportKind, SlideState
from storage.records.work import WorkKind, WorkState


def conclusions(before: Case, after: Case, new: Happened) -> Iterator[tuple[CaseFact, datetime]]:
    """What `new` brought about of itself, and since when it is so: for the log and its readers."""
    ready = after.ready_times[-1:]
    if after.is_all_readable and not after.closed_at and ready and ready != before.ready_times[-1:]:
        yield CaseReady(), ready[0]
    for order in after.orders.values():
        was = before.orders.get(order.order_id)
        said = reading.WorkOrderFulfilled(order.order_id)
        if order.fulfilled_at and not (was and was.fulfilled_at) and new.fact != said:
            yield said, order.fulfilled_at
    resumed = new.fact.pause_id if isinstance(new.fact, ClockResumed) else None
    for pause in after.pauses.values():
        held = before.pauses.get(pause.pause_id)
        if pause.ended_at and not (held and held.ended_at) and pause.pause_id != resumed:
            yield ClockResumed(pause.pause_id, pause.evidence), pause.ended_at


def work_after(
    connection: Connection, case: Case, new: Happened
) -> Iterator[tuple[CaseFact, datetime]]:
    """Enter the work and the messages that a fact means; facts about that work follow."""
    match new.fact:
        case slides.RescanRequested():
            queued = _scan_again(connection, case, new.fact, new)
            yield queued, new.occurred_at
            if case.closed_at is not None and _is_told_late(case, new):
                withdrawn = slides.ScanWithdrawn(queued.barcode, queued.item_id)
                yield withdrawn, case.closed_at
        case slides.SlideGlassOnly(barcode=barcode) | slides.SlideCancelled(barcode=barcode):
            _end(connection, WorkKind.SCAN, WorkState.CANCELLED, "not_wanted", barcode=barcode)
        case slides.ImageStored(barcode=barcode) if not _is_to_be_scanned(case, barcode):
            _end(connection, WorkKind.SCAN, WorkState.DONE, "", barcode=barcode)
        case slides.ScanWithdrawn(barcode=barcode, item_id=item_id):
            about = {"barcode": barcode, "item_id": item_id}
            _end(connection, WorkKind.SCAN, WorkState.CANCELLED, "withdrawn", **about)
        case PriorityChanged():
            for item in work_items.open_in(connection, list(WorkKind), accession=case.accession):
                work_items.change(connection, item.item_id, {"rank": case.priority.rank})
        case CaseCancelled() | CaseRejected():
            yield from _call_off(connection, case, new)
        case EventCorrected():
            _take_back(connection, case)
        case TargetBreached(due=due) if not case.preliminaries:
            _offer(connection, WorkKind.PRELIMINARY, case, new, due_at=due)
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


def _take_back(connection: Connection, case: Case) -> None:
    """Work that was asked for by what did not happen; a question's item is also a way in."""
    asked = {*case.orders, *case.consultations}
    kinds = [WorkKind.LAB_ORDER, WorkKind.CONSULTATION]
    for item in work_items.open_in(connection, kinds, accession=case.accession):
        if item.about not in asked:
            work_items.end(connection, item.item_id, WorkState.CANCELLED, "corrected")


def _order_work(connection: Connection, case: Case, new: Happened) -> None:
    match new.fact:
        case reading.WorkOrderPlaced(order_id=order_id, kind=kind, block=block, stain=stain):
            data = {"order": kind.value, "block": block, "stain": stain, "note": new.fact.note}
            _offer(connection, WorkKind.LAB_ORDER, case, new, about=order_id, data=data)
        case reading.WorkOrderAccepted(order_id=order_id):
            for item in work_items.open_in(connection, [WorkKind.LAB_ORDER], about=order_id):
                if item.state is WorkState.OFFERED:
                    work_items.claim(connection, item.item_id, new.actor)
        case reading.WorkOrderFulfilled(order_id=order_id):
            _end(connection, WorkKind.LAB_ORDER, WorkState.DONE, "", about=order_id)
        case reading.WorkOrderCancelled(order_id=order_id, reason=reason):
            _end(connection, WorkKind.LAB_ORDER, WorkState.CANCELLED, reason, about=order_id)


def _consultation_work(connection: Connection, case: Case, new: Happened) -> None:
    kind = WorkKind.CONSULTATION
    match new.fact:
        case reading.ConsultationRequested(consultation_id=key, asked=asked, due=due):
            _offer(connection, kind, case, new, about=key, performer=asked, due_at=due)
        case reading.ConsultationTransferred(consultation_id=key, asked=asked):
            for item in work_items.open_in(connection, [kind], about=key):
                changes = {"performer": asked, "state": WorkState.OFFERED.value}
                work_items.change(connection, item.item_id, changes)
        case reading.ConsultationAccepted(consultation_id=key, consultant=consultant):
            for item in work_items.open_in(connection, [kind], about=key):
                if item.state is WorkState.OFFERED:
                    work_items.claim(connection, item.item_id, consultant)
                else:
                    work_items.change(connection, item.item_id, {"performer": consultant})
        case reading.ConsultationAnswered(consultation_id=key):
            _end(connection, kind, WorkState.DONE, "", about=key)
        case reading.ConsultationDeclined(consultation_id=key, reason=reason):
            _end(connection, kind, WorkState.FAILED, reason, about=key)
        case reading.ConsultationWithdrawn(consultation_id=key, reason=reason):
            _end(connection, kind, WorkState.CANCELLED, reason, about=key)


def _scan_again(
    connection: Connection, case: Case, fact: slides.RescanRequested, new: Happened
) -> slides.ScanQueued:
    """Told late, when another scan has come or begun meanwhile, it asks for none."""
    region = list(fact.region) if fact.region else None
    data = {"rescan": fact.reason.value, "note": fact.note, "region": region}
    item_id = _offer(connection, WorkKind.SCAN, case, new, barcode=fact.barcode, data=data)
    if not _is_told_late(case, new) and case.slides[fact.barcode].state is not SlideState.RESCAN:
        work_items.end(connection, item_id, WorkState.CANCELLED, "scanned_meanwhile")
    return slides.ScanQueued(fact.barcode, item_id)


def _is_to_be_scanned(case: Case, barcode: str) -> bool:
    """Another scan is wanted still: the image that was told of is an earlier one's."""
    slide = case.slides[barcode]
    return slide.under_way is not None or slide.state is SlideState.RESCAN


def _call_off(
    connection: Connection, case: Case, new: Happened
) -> Iterator[tuple[CaseFact, datetime]]:
    """A closed case wants no scan that has not begun; one under way is let finish."""
    for item in work_items.open_in(connection, list(WorkKind), accession=case.accession):
        if item.state is WorkState.OFFERED or item.kind is not WorkKind.SCAN:
            work_items.end(connection, item.item_id, WorkState.CANCELLED, "case_closed")
            slide = case.slides.get(item.barcode or "")
            if item.kind is WorkKind.SCAN and slide and slide.state is SlideState.QUEUED:
                queued = slide.under_way.queued_at if slide.under_way else None
                moment = max(new.occurred_at, queued or new.occurred_at)
                yield slides.ScanWithdrawn(slide.barcode, item.item_id), moment


def _is_told_late(case: Case, new: Happened) -> bool:
    """It happened before the case was closed, and is told after: nobody does it any more."""
    return case.closed_at is not None and new.occurred_at < case.closed_at


def _offer(
    connection: Connection, kind: WorkKind, case: Case, new: Happened, **about: object
) -> str:
    item = work_items.offer(
        connection,
        kind,
        new.actor,
        site=case.site,
        unit=case.unit,
        accession=case.accession,
        rank=case.priority.rank,
        **about,
    )
    if _is_told_late(case, new):
        work_items.end(connection, item.item_id, WorkState.CANCELLED, "case_closed")
    return item.item_id


def _end(
    connection: Connection, kind: WorkKind, state: WorkState, reason: str, **about: object
) -> None:
    work_items.end_all(connection, [kind], state, reason, **about)


def _send(connection: Connection, case: Case, kind: ReportKind, version: int) -> None:
    body = {"kind": kind.value, "version": version}
    outbound.enqueue(connection, "report", case.requester, case.accession, body)
