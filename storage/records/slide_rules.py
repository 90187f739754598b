"""What may happen to a glass in which state (domain's slide and scan state machine, §7.4).

Facts about a glass are taken also after its case has ended: a scan may be under way then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from storage.records import slide_events as events
from storage.records.case import Case
from storage.records.case_words import ScanState, SlideState

S = SlideState
_BEFORE_SCAN = (S.EXPECTED, S.PRINTED, S.STAINED)
_TO_SCAN = (*_BEFORE_SCAN, S.RESCAN, S.FAILED)
_IN_SCAN = (S.QUEUED, S.SCANNING, S.SCANNED)
_WITH_IMAGE = (S.CHECKING, S.FLAGGED, S.AVAILABLE, S.ARCHIVED, S.RESCAN, *_IN_SCAN, S.FAILED)
_ALL_BUT_LEFT_OUT = tuple(state for state in S if state not in (S.CANCELLED, S.WITHDRAWN))

_FROM: dict[type, Collection[SlideState]] = {
    events.SlidePrinted: (S.EXPECTED,),
    events.SlideSectioned: (S.EXPECTED, S.PRINTED),
    events.SlideStained: (S.EXPECTED, S.PRINTED),
    events.ScanQueued: _TO_SCAN,
    events.ScanWithdrawn: (S.QUEUED,),
    events.ScanStarted: (S.QUEUED, *_TO_SCAN),
    events.ScanCompleted: (S.SCANNING,),
    events.ScanFailed: (S.QUEUED, S.SCANNING),
    events.ImageStored: _ALL_BUT_LEFT_OUT,
    events.ImageCommitted: _WITH_IMAGE,
    events.QualityPassed: _WITH_IMAGE,
    events.QualityFlagged: (S.CHECKING,),
    events.QualityReleased: (S.FLAGGED,),
    events.ImageAvailable: (S.CHECKING,),
    events.ImageArchived: (S.AVAILABLE,),
    events.ImageRecalled: (S.ARCHIVED,),
    events.ImageWithdrawn: _WITH_IMAGE,
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
_IMAGE = (
    events.ImageCommitted, events.QualityPassed, events.QualityFlagged, events.QualityReleased,
    events.ImageAvailable, events.ImageArchived, events.ImageRecalled, events.ImageWithdrawn,
)  # fmt: skip
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
        if kind in _IMAGE and all(at.slide_id != fact.slide_id for at in slide.scans):
            return "image_unknown"
        if slide.state in _AFTER.get(kind, ()):
            return "already"
        return "" if slide.state in _FROM[kind] else f"slide_is_{slide.state.value}"

    return rule


def _available(case: Case, fact: events.ImageAvailable) -> str:
    slide = case.slides.get(fact.barcode)
    if slide is None:
        return "slide_unknown"
    scan = next((at for at in slide.scans if at.slide_id == fact.slide_id), None)
    if scan is None:
        return "image_unknown"
    if scan.state is ScanState.AVAILABLE:
        return "already"
    return "" if scan.state is ScanState.STORED else f"scan_is_{scan.state.value}"


RULES: dict[type, Callable[[Case, Any], str]] = {
    **{kind: _rule(kind) for kind in _FROM},
    events.SlideExpected: _expected,
    events.ImageAvailable: _available,
}
