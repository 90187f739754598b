"""What a case's facts come to: its state, and the moments its clocks run between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from storage.records.case import Case, CaseSlide
from storage.records.case_words import CaseState, ReportKind, ScanState, SlideState
from storage.records.milestones import (
    Awaited,
    AwaitedThing,
    ConsultationTimes,
    Milestones,
    PauseReason,
    SlideTimes,
    SupplementTimes,
)

_BEFORE_SCAN = (SlideState.EXPECTED, SlideState.PRINTED, SlideState.STAINED)
_WAITS_FOR = {
    PauseReason.INFO_FROM_REQUESTER: AwaitedThing.INFORMATION,
    PauseReason.MATERIAL_FROM_REQUESTER: AwaitedThing.INFORMATION,
    PauseReason.PATIENT_CONSENT: AwaitedThing.INFORMATION,
    PauseReason.EXTERNAL_ANALYSIS: AwaitedThing.EXTERNAL,
    PauseReason.EXTERNAL_CONSULT: AwaitedThing.EXTERNAL,
}


def state_of(case: Case) -> CaseState:
    """The state of §7.3 that the facts amount to; the furthest one that is true."""
    if case.rejected_at:
        return CaseState.REJECTED
    if case.cancelled_at:
        return CaseState.CANCELLED
    final = case.final
    if final and final.distributed_at:
        return _after_the_answer(case)
    if final:
        return CaseState.SIGNED
    if case.opened_at:
        return _while_read(case)
    if case.received_at is None:
        return CaseState.ORDERED
    if case.ready_times and case.is_all_readable:
        return CaseState.READY
    if any(slide.state not in _BEFORE_SCAN for slide in case.waited_for):
        return CaseState.SCANNING
    described = any(at.described_at or at.blocks for at in case.specimens.values())
    if case.accessioned_at or described or case.slides:
        return CaseState.IN_LAB
    return CaseState.RECEIVED


def _after_the_answer(case: Case) -> CaseState:
    if any(report.distributed_at is None for report in case.reports):
        kind = next(at.kind for at in case.reports if at.distributed_at is None)
    elif case.draft is not None:
        kind = case.draft.kind
    elif any(order.is_open and order.after_final for order in case.orders.values()):
        kind = ReportKind.SUPPLEMENTARY
    else:
        return CaseState.DISTRIBUTED
    corrected = kind is ReportKind.CORRECTED
    return CaseState.CORRECTING if corrected else CaseState.SUPPLEMENTING


def _while_read(case: Case) -> CaseState:
    if any(at.ended_at is None for at in awaited(case)):
        return CaseState.AWAITING
    if case.preliminaries and (case.draft is None or case.draft.at < case.preliminaries[-1].at):
        return CaseState.PRELIMINARY
    return CaseState.DRAFT if case.draft else CaseState.READING


def awaited(case: Case) -> list[Awaited]:
    """What the case waited for, in the order it began; only while it is being read counts."""
    found = [*_orders(case), *_opinions(case), *_pauses(case), *_rescans(case)]
    return sorted(found, key=lambda at: (at.began_at, at.what, at.about))


def _orders(case: Case) -> Iterator[Awaited]:
    for order in case.orders.values():
        if not order.after_final:
            ended = order.fulfilled_at or order.cancelled_at
            yield Awaited(AwaitedThing.WORK_ORDER, order.order_id, order.placed_at, ended)


def _opinions(case: Case) -> Iterator[Awaited]:
    for at in case.consultations.values():
        if at.await_before_signing:
            ended = at.answered_at or at.closed_at
            yield Awaited(AwaitedThing.CONSULTATION, at.consultation_id, at.requested_at, ended)


def _pauses(case: Case) -> Iterator[Awaited]:
    for pause in case.pauses.values():
        yield Awaited(_WAITS_FOR[pause.reason], pause.pause_id, pause.began_at, pause.ended_at)


def _rescans(case: Case) -> Iterator[Awaited]:
    for slide in case.slides.values():
        for began, ended in slide.rescans:
            yield Awaited(AwaitedThing.RESCAN, slide.barcode, began, ended)


def milestones_of(case: Case) -> Milestones:
    """The moments between which the clocks run."""
    final, specimens = case.final, case.specimens.values()
    first = [s for s in case.waited_for if not case.opened_at or s.expected_at <= case.opened_at]
    ready = [at for at in case.ready_times if not case.opened_at or at <= case.opened_at]
    if case.opened_at is None and not case.is_all_readable:
        ready = []
    times = [_slide_times(slide, case.opened_at) for slide in first]
    all_there = bool(times) and all(at.available_at for at in times)
    return Milestones(
        accession=case.accession,
        site=case.site,
        unit=case.unit,
        priority=case.priority,
        specimen_class=case.specimen_class,
        subspecialty=case.subspecialty,
        ordered_at=case.ordered_at,
        taken_at=_first(at.taken_at for at in specimens),
        received_at=case.received_at,
        accessioned_at=case.accessioned_at,
        stained_at=_last(slide.stained_at for slide in first),
        available_at=_last(at.available_at for at in times) if all_there else None,
        ready_at=ready[-1] if ready else None,
        opened_at=case.opened_at,
        preliminary_at=_first(at.at for at in case.preliminaries),
        signed_at=final.signed_at if final else None,
        distributed_at=final.distributed_at if final else None,
        acknowledged_at=final.acknowledged_at if final else None,
        closed_at=case.closed_at,
        slides=tuple(times),
        consultations=tuple(_consultations(case)),
        supplements=tuple(_supplements(case)),
        pauses=tuple(case.pauses.values()),
        awaited=tuple(awaited(case)),
        warned_at=case.warned_at,
        breached_at=case.breached_at,
        backdated=any(at.code == "backdated" for at in case.oddities),
    )


def _slide_times(slide: CaseSlide, opened_at: datetime | None) -> SlideTimes:
    """Of the newest scan that was there when the case was opened, or is there now."""
    there = [at for at in slide.scans if at.available_at]
    used = [at for at in there if opened_at is None or (at.available_at or opened_at) <= opened_at]
    scan = (used or there or slide.scans or (None,))[-1]
    glass = slide.state is SlideState.GLASS_ONLY
    readable = glass or opened_at is not None or slide.is_readable
    image_at = scan.available_at if scan else None
    return SlideTimes(
        barcode=slide.barcode,
        expected_at=slide.expected_at,
        stained_at=slide.stained_at,
        queued_at=_first(at.queued_at for at in slide.scans),
        started_at=scan.started_at if scan else None,
        scanned_at=scan.scanned_at if scan else None,
        available_at=(slide.readable_at if glass else image_at) if readable else None,
        glass_only=glass,
        failures=sum(at.state is ScanState.FAILED for at in slide.scans),
        rescans=len(slide.rescans),
    )


def _consultations(case: Case) -> Iterator[ConsultationTimes]:
    for at in case.consultations.values():
        yield ConsultationTimes(
            at.consultation_id,
            at.distance,
            at.requested_at,
            at.accepted_at,
            at.answered_at,
            at.closed_at,
        )


def _supplements(case: Case) -> Iterator[SupplementTimes]:
    """Each order after the final report, answered by the first supplement signed after it."""
    sent = [at for at in case.reports if at.kind is ReportKind.SUPPLEMENTARY]
    for order in case.orders.values():
        if order.after_final and order.cancelled_at is None:
            after = (at.distributed_at for at in sent if at.signed_at >= order.placed_at)
            yield SupplementTimes(order.placed_at, next(after, None))


def _first(times: Iterable[datetime | None]) -> datetime | None:
    return min((at for at in times if at), default=None)


def _last(times: Iterable[datetime | None]) -> datetime | None:
    return max((at for at in times if at), default=None)
