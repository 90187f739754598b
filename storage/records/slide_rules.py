"""What may happen to a glass in which state (domain's slide and scan state machine, §7.4).

Facts about a glass are taken also after its case has ended: a scan may be under way then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from storage.records import slide_events as events
from storage.records.case import Case, CaseSlide
from storage.records.case_words import Checked, ScanState, SlideState

S = SlideState
_BEFORE_SCAN = (S.EXPECTED, S.PRINTED, S.STAINED)
_TO_SCAN = (*_BEFORE_SCAN, S.RESCAN, S.FAILED)
_IN_SCAN = (S.QUEUED, S.SCANNING, S.SCANNED)
_ALL_BUT_LEFT_OUT = tuple(state for state in S if state not in (S.CANCELLED, S.WITHDRAWN))

_FROM: dict[type, Collection[SlideState]] = {
    events.SlidePrinted: (S.EXPECTED,),
    events.SlideSectioned: (S.EXPECTED, S.PRINTED),
    events.SlideStained: (S.EXPECTED, S.PRINTED),
    events.ScanQueued: _TO_SCAN,
    events.ScanWithdrawn: (S.QUEUED,),
    events.ScanStarted: (S.QUEUED, *_TO_SCAN),
    events.ScanCompleted: (S.SCANNING,),
    events.ScanFailed: _IN_SCAN,
    events.ImageStored: _ALL_BUT_LEFT_OUT,
    events.ImageCommitted: tuple(S),
    events.QualityPassed: tuple(S),
    events.QualityFlagged: tuple(S),
    events.QualityReleased: tuple(S),
    events.ImageAvailable: _ALL_BUT_LEFT_OUT,
    events.ImageArchived: tuple(S),
    events.ImageRecalled: tuple(S),
    events.ImageWithdrawn: tuple(S),
    events.RescanRequested: (
        S.AVAILABLE, S.FLAGGED, S.CHECKING, S.FAILED, S.GLASS_ONLY, S.ARCHIVED,
    ),
    events.SlideGlassOnly: (*_TO_SCAN, S.QUEUED, S.FLAGGED, S.CHECKING),
    events.SlideCancelled: (*_TO_SCAN, S.QUEUED),
}  # fmt: skip
_AFTER: dict[type, Collection[SlideState]] = {
    events.SlidePrinted: (S.PRINTED,),
    events.SlideStained: (S.STAINED,),
    events.ScanQueued: (S.QUEUED,),
    events.ScanStarted: (S.SCANNING,),
    events.ScanCompleted: (S.SCANNED,),
    events.ScanFailed: (S.FAILED,),
    events.RescanRequested: (S.RESCAN,),
    events.SlideGlassOnly: (S.GLASS_ONLY,),
    events.SlideCancelled: (S.CANCELLED,),
}
_SCAN = (
    events.ScanQueued, events.ScanWithdrawn, events.ScanStarted, events.ScanCompleted,
    events.ScanFailed,
)  # fmt: skip
_HAD_IMAGE = (
    ScanState.STORED, ScanState.FLAGGED, ScanState.AVAILABLE, ScanState.REPLACED,
    ScanState.ARCHIVED,
)  # fmt: skip
_SHOWN = (ScanState.AVAILABLE, ScanState.REPLACED, ScanState.ARCHIVED)
"""Of what people may have read already, a finding is noted; it is never taken from them."""
_HELD = (S.CHECKING, S.FLAGGED)
"""Where a glass stands while its image is held back, before anybody has been shown it."""
_IMAGE: dict[type, Collection[ScanState]] = {
    events.ImageCommitted: (*_HAD_IMAGE, ScanState.WITHDRAWN),
    events.QualityPassed: _HAD_IMAGE,
    events.QualityFlagged: (ScanState.STORED, *_SHOWN),
    events.QualityReleased: (ScanState.FLAGGED, *_SHOWN),
    events.ImageAvailable: (ScanState.STORED,),
    events.ImageArchived: (ScanState.AVAILABLE, ScanState.REPLACED),
    events.ImageRecalled: (ScanState.ARCHIVED,),
    events.ImageWithdrawn: _HAD_IMAGE,
}
"""What may be said of the image of a scan in which state."""
_IMAGE_AFTER: dict[type, ScanState] = {
    events.QualityFlagged: ScanState.FLAGGED,
    events.ImageAvailable: ScanState.AVAILABLE,
    events.ImageArchived: ScanState.ARCHIVED,
    events.ImageWithdrawn: ScanState.WITHDRAWN,
}
_VERDICTS = (events.QualityFlagged, events.QualityReleased)
_REASON = (
    events.SlideGlassOnly, events.SlideCancelled, events.ImageWithdrawn, events.QualityReleased,
)  # fmt: skip


def _expected(case: Case, fact: events.SlideExpected) -> str:
    if fact.barcode in case.slides:
        return "already"
    if not fact.barcode.strip():
        return "barcode_missing"
    if not case.ordered_at:
        return "case_unknown"
    if case.closed_at:
        return "case_closed"
    if fact.order_id and fact.order_id not in case.orders:
        return "order_unknown"
    if case.final and not fact.order_id:
        return "case_signed"
    return ""


def _rule(kind: type) -> Callable[[Case, Any], str]:
    """The rule of a kind: the glass is known, its state is one of those, the image is its own."""

    def rule(case: Case, fact: Any) -> str:  # noqa: ANN401
        slide = case.slides.get(fact.barcode)
        if slide is None:
            return "slide_unknown"
        if kind in _REASON and not fact.reason.strip():
            return "reason_missing"
        if kind is events.ImageStored and any(at.slide_id == fact.slide_id for at in slide.scans):
            return "already"
        if kind is events.SlideStained and slide.stained_at:
            return "already"
        reason = _image(slide, fact) if kind in _IMAGE else ""
        if kind in _VERDICTS:
            reason = reason or _verdict(slide, fact)
        if kind in _SCAN:
            reason = _scan(slide, fact)
        if reason:
            return reason
        if slide.state in _AFTER.get(kind, ()):
            return "already"
        return "" if slide.state in _FROM[kind] else f"slide_is_{slide.state.value}"

    return rule


def _image(slide: CaseSlide, fact: Any) -> str:  # noqa: ANN401
    scan = next((at for at in slide.scans if at.slide_id == fact.slide_id), None)
    if scan is None:
        return "image_unknown"
    if scan.state is _IMAGE_AFTER.get(type(fact)):
        return "already"
    if isinstance(fact, events.ImageCommitted) and scan.root:
        return "already" if scan.root == fact.root else "told_otherwise"
    return "" if scan.state in _IMAGE[type(fact)] else f"scan_is_{scan.state.value}"


def _verdict(slide: CaseSlide, fact: Any) -> str:  # noqa: ANN401
    """Of an image not shown yet the glass waits for it; of one that is, the words may change."""
    scan = next(at for at in slide.scans if at.slide_id == fact.slide_id)
    if scan.state not in _SHOWN:
        return "" if slide.state in _HELD else f"slide_is_{slide.state.value}"
    if isinstance(fact, events.QualityFlagged):
        same = scan.checked is Checked.FLAGGED and scan.finding == fact.finding
        return "already" if same else ""
    if scan.checked is Checked.RELEASED:
        return "already"
    return "" if scan.checked is Checked.FLAGGED else f"scan_is_{scan.state.value}"


def _scan(slide: CaseSlide, fact: Any) -> str:  # noqa: ANN401
    """A scan that another one is told about while it is under way is not that one."""
    under_way = slide.under_way if slide.state in _IN_SCAN else None
    if under_way is None:
        return ""
    if under_way.item_id and fact.item_id and under_way.item_id != fact.item_id:
        return f"slide_is_{slide.state.value}"
    if isinstance(fact, events.ScanStarted) and under_way.state is ScanState.SCANNING:
        return "" if under_way.scanner == fact.scanner else f"slide_is_{slide.state.value}"
    return ""


RULES: dict[type, Callable[[Case, Any], str]] = {
    **{kind: _rule(kind) for kind in _FROM},
    events.SlideExpected: _expected,
}
