"""How events change the glasses of a case and their scans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from storage.records import slide_events as events
from storage.records.case import Case, CaseSlide, Scan
from storage.records.case_events import Happened
from storage.records.case_words import Checked, ScanState, SlideState

Fold = Callable[[Case, Any, Happened], Case]
_TO_BE_SCANNED = (
    SlideState.RESCAN, SlideState.QUEUED, SlideState.SCANNING, SlideState.SCANNED,
    SlideState.FAILED,
)  # fmt: skip


def _with(case: Case, slide: CaseSlide) -> Case:
    return replace(case, slides={**case.slides, slide.barcode: slide})


def _put(slide: CaseSlide, scan: Scan, state: SlideState | None = None) -> CaseSlide:
    scans = (*slide.scans[: scan.number - 1], scan, *slide.scans[scan.number :])
    return replace(slide, scans=scans, state=state or slide.state)


def _under_way(slide: CaseSlide, item_id: str = "") -> Scan:
    """The scan that an event is about: the one under way, else a new one."""
    scan = slide.under_way or Scan(len(slide.scans) + 1, ScanState.QUEUED)
    return replace(scan, item_id=scan.item_id or item_id)


def _of_image(slide: CaseSlide, slide_id: str) -> Scan:
    return next(scan for scan in slide.scans if scan.slide_id == slide_id)


def _expected(case: Case, fact: events.SlideExpected, at: Happened) -> Case:
    slide = CaseSlide(
        fact.barcode,
        SlideState.EXPECTED,
        at.occurred_at,
        fact.part,
        fact.block,
        fact.stain,
        fact.order_id,
    )
    return _with(case, slide)


def _cancelled(case: Case, fact: events.SlideCancelled, at: Happened) -> Case:
    slide = replace(case.slides[fact.barcode], state=SlideState.CANCELLED, reason=fact.reason)
    if slide.under_way:
        slide = _put(slide, replace(slide.under_way, state=ScanState.WITHDRAWN))
    return _with(case, slide)


def _printed(case: Case, fact: events.SlidePrinted, at: Happened) -> Case:
    return _with(case, replace(case.slides[fact.barcode], state=SlideState.PRINTED))


def _sectioned(case: Case, fact: events.SlideSectioned, at: Happened) -> Case:
    return case


def _stained(case: Case, fact: events.SlideStained, at: Happened) -> Case:
    slide = case.slides[fact.barcode]
    return _with(case, replace(slide, state=SlideState.STAINED, stained_at=at.occurred_at))


def _queued(case: Case, fact: events.ScanQueued, at: Happened) -> Case:
    slide = case.slides[fact.barcode]
    scan = Scan(len(slide.scans) + 1, ScanState.QUEUED, fact.item_id, queued_at=at.occurred_at)
    return _with(case, _put(slide, scan, SlideState.QUEUED))


def _scan_withdrawn(case: Case, fact: events.ScanWithdrawn, at: Happened) -> Case:
    slide = case.slides[fact.barcode]
    scan = replace(_under_way(slide, fact.item_id), state=ScanState.WITHDRAWN)
    back = SlideState.STAINED if slide.stained_at else SlideState.EXPECTED
    if any(ended is None for _, ended in slide.rescans):
        back = SlideState.RESCAN
    return _with(case, _put(slide, scan, back))


def _started(case: Case, fact: events.ScanStarted, at: Happened) -> Case:
    slide = case.slides[fact.barcode]
    scan = _under_way(slide, fact.item_id)
    scan = replace(scan, state=ScanState.SCANNING, scanner=fact.scanner, started_at=at.occurred_at)
    return _with(case, _put(slide, scan, SlideState.SCANNING))


def _completed(case: Case, fact: events.ScanCompleted, at: Happened) -> Case:
    slide = case.slides[fact.barcode]
    scan = replace(
        _under_way(slide, fact.item_id), state=ScanState.SCANNED, scanned_at=at.occurred_at
    )
    return _with(case, _put(slide, scan, SlideState.SCANNED))


def _failed(case: Case, fact: events.ScanFailed, at: Happened) -> Case:
    slide = replace(case.slides[fact.barcode], reason=fact.reason)
    scan = _under_way(slide, fact.item_id)
    scan = replace(scan, state=ScanState.FAILED, reason=fact.reason)
    return _with(case, _put(slide, scan, SlideState.FAILED))


def _stored(case: Case, fact: events.ImageStored, at: Happened) -> Case:
    slide = case.slides[fact.barcode]
    scan = replace(
        _under_way(slide),
        state=ScanState.STORED,
        slide_id=fact.slide_id,
        fingerprint=fact.fingerprint,
        stored_at=at.occurred_at,
    )
    return _with(case, _put(slide, scan, SlideState.CHECKING))


def _committed(case: Case, fact: events.ImageCommitted, at: Happened) -> Case:
    slide = case.slides[fact.barcode]
    return _with(case, _put(slide, replace(_of_image(slide, fact.slide_id), root=fact.root)))


def _passed(case: Case, fact: events.QualityPassed, at: Happened) -> Case:
    slide = case.slides[fact.barcode]
    scan = replace(_of_image(slide, fact.slide_id), checked=Checked.PASSED, finding="")
    return _with(case, _put(slide, scan))


def _flagged(case: Case, fact: events.QualityFlagged, at: Happened) -> Case:
    """An image that nobody has been shown is held back; one that is read stays where it is."""
    slide = case.slides[fact.barcode]
    old = _of_image(slide, fact.slide_id)
    scan = replace(old, checked=Checked.FLAGGED, finding=fact.finding)
    if old.state is not ScanState.STORED:
        return _with(case, _put(slide, scan))
    slide = replace(slide, reason=fact.finding)
    scan = replace(scan, state=ScanState.FLAGGED, reason=fact.finding)
    return _with(case, _put(slide, scan, SlideState.FLAGGED))


def _released(case: Case, fact: events.QualityReleased, at: Happened) -> Case:
    slide = case.slides[fact.barcode]
    scan = replace(_of_image(slide, fact.slide_id), checked=Checked.RELEASED)
    if scan.state is not ScanState.FLAGGED:
        return _with(case, _put(slide, scan))
    return _with(case, _put(slide, replace(scan, state=ScanState.STORED), SlideState.CHECKING))


def _available(case: Case, fact: events.ImageAvailable, at: Happened) -> Case:
    """The newest image is the one to read; what was shown before stays as replaced."""
    slide = case.slides[fact.barcode]
    new = replace(_of_image(slide, fact.slide_id), available_at=at.occurred_at)
    shown = slide.shown
    if shown is not None and shown.number > new.number:  # a newer one overtook it
        return _with(case, _put(slide, replace(new, state=ScanState.REPLACED)))
    if shown is not None:
        slide = _put(slide, replace(shown, state=ScanState.REPLACED))
    slide = _put(slide, replace(new, state=ScanState.AVAILABLE))
    if slide.state in _TO_BE_SCANNED:  # another scan was asked for before this image was checked
        return _with(case, slide)
    slide = replace(slide, state=SlideState.AVAILABLE)
    return _with(case, _readable(replace(slide, reason="", rescan=None, region=None), at))


def _readable(slide: CaseSlide, at: Happened) -> CaseSlide:
    """The wait for another scan is over; the first moment of reading stays the first."""
    moment = at.occurred_at
    rescans = tuple((began, ended or moment) for began, ended in slide.rescans)
    return replace(slide, rescans=rescans, readable_at=slide.readable_at or moment)


def _archived(case: Case, fact: events.ImageArchived, at: Happened) -> Case:
    slide, old = case.slides[fact.barcode], _of_image(case.slides[fact.barcode], fact.slide_id)
    read = slide.shown == old and slide.state is SlideState.AVAILABLE
    state = SlideState.ARCHIVED if read else slide.state
    return _with(case, _put(slide, replace(old, state=ScanState.ARCHIVED), state))


def _recalled(case: Case, fact: events.ImageRecalled, at: Happened) -> Case:
    slide, old = case.slides[fact.barcode], _of_image(case.slides[fact.barcode], fact.slide_id)
    if slide.shown != old:
        return _with(case, _put(slide, replace(old, state=ScanState.REPLACED)))
    state = SlideState.AVAILABLE if slide.state is SlideState.ARCHIVED else slide.state
    return _with(case, _put(slide, replace(old, state=ScanState.AVAILABLE), state))


def _image_withdrawn(case: Case, fact: events.ImageWithdrawn, at: Happened) -> Case:
    """The glass is there as before; only this image is not of it. An older one shows again."""
    slide = replace(case.slides[fact.barcode], reason=fact.reason)
    scan = replace(_of_image(slide, fact.slide_id), state=ScanState.WITHDRAWN, reason=fact.reason)
    slide = _put(slide, scan)
    older = [one for one in slide.scans if one.state is ScanState.REPLACED]
    if slide.shown is None and older:
        slide = _put(slide, replace(older[-1], state=ScanState.AVAILABLE))
    slide = replace(slide, state=_state_by_images(slide))
    if slide.shown is None and slide.state is not SlideState.GLASS_ONLY:
        slide = replace(slide, readable_at=None)
    return _with(case, slide)


def _state_by_images(slide: CaseSlide) -> SlideState:
    """Where the glass stands by the images it has left; a scan that is to come is not touched."""
    if slide.state in (*_TO_BE_SCANNED, SlideState.GLASS_ONLY, SlideState.CANCELLED):
        return slide.state
    shown = slide.shown
    newer = slide.scans[shown.number if shown else 0 :]
    waiting = [at.state for at in newer if at.state in (ScanState.STORED, ScanState.FLAGGED)]
    if waiting:
        flagged = waiting[-1] is ScanState.FLAGGED
        return SlideState.FLAGGED if flagged else SlideState.CHECKING
    if any(ended is None for _, ended in slide.rescans):
        return SlideState.RESCAN
    if shown is not None:
        archived = shown.state is ScanState.ARCHIVED
        return SlideState.ARCHIVED if archived else SlideState.AVAILABLE
    return SlideState.STAINED if slide.stained_at else SlideState.EXPECTED


def _rescan(case: Case, fact: events.RescanRequested, at: Happened) -> Case:
    slide = replace(
        case.slides[fact.barcode],
        state=SlideState.RESCAN,
        rescan=fact.reason,
        reason=fact.note,
        region=fact.region,
    )
    return _with(case, replace(slide, rescans=(*slide.rescans, (at.occurred_at, None))))


def _glass_only(case: Case, fact: events.SlideGlassOnly, at: Happened) -> Case:
    slide = replace(case.slides[fact.barcode], state=SlideState.GLASS_ONLY, reason=fact.reason)
    if slide.under_way:
        slide = _put(slide, replace(slide.under_way, state=ScanState.WITHDRAWN))
    return _with(case, _readable(slide, at))


FOLDS: dict[type, Fold] = {
    events.SlideExpected: _expected,
    events.SlideCancelled: _cancelled,
    events.SlidePrinted: _printed,
    events.SlideSectioned: _sectioned,
    events.SlideStained: _stained,
    events.ScanQueued: _queued,
    events.ScanWithdrawn: _scan_withdrawn,
    events.ScanStarted: _started,
    events.ScanCompleted: _completed,
    events.ScanFailed: _failed,
    events.ImageStored: _stored,
    events.ImageCommitted: _committed,
    events.QualityPassed: _passed,
    events.QualityFlagged: _flagged,
    events.QualityReleased: _released,
    events.ImageAvailable: _available,
    events.ImageArchived: _archived,
    events.ImageRecalled: _recalled,
    events.ImageWithdrawn: _image_withdrawn,
    events.RescanRequested: _rescan,
    events.SlideGlassOnly: _glass_only,
}
