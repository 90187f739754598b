"""The eleven clocks of a case, each named by its two events; computed, never stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from processing.turnaround.clock import Clock, ClockKey, Part, Span, measured
from processing.turnaround.intervals import Interval, clipped, union
from processing.turnaround.partition import cut
from storage.records.milestones import AwaitedThing, ConsultationTimes, Milestones, SlideTimes
from storage.records.policy import Policy, target_for

SCAN_PARTS = ("queue", "scan", "reading_in")
"""Parts of K5, which they fill: stained to scan started, to scanned, to readable."""
REPLY_PARTS = ("accept", "answer")
"""Parts of K9, which they fill; an answer without acceptance accepts as it answers."""
_NEVER = datetime.max.replace(tzinfo=UTC)


def clocks(policy: Policy, case: Milestones, now: datetime) -> tuple[Clock, ...]:
    """All that have started and whose length is known, K1 first; see `clock`."""
    found = [svartid(policy, case, now)]
    found += [measured(policy, case, span, now) for span in _plain(case)]
    found += [_digitised(policy, case, slide, now) for slide in case.slides]
    found += [_last_digitised(policy, case, now), _read(policy, case, now)]
    found += [_consulted(policy, case, at, now) for at in case.consultations]
    found += [measured(policy, case, span, now) for span in _supplements(case)]
    order = list(ClockKey)
    return tuple(sorted((at for at in found if at), key=lambda at: order.index(at.key)))


def svartid(policy: Policy, case: Milestones, now: datetime) -> Clock | None:
    """K1, the official one: first specimen received to first final report distributed."""
    target = target_for(policy, case.priority, case.specimen_class)
    span = Span(ClockKey.SVARTID, case.received_at, case.distributed_at, target=target)
    return measured(policy, case, span, now)


def last_slide(case: Milestones) -> SlideTimes | None:
    """The slide the case waited for, or waits for: the last of those to become readable.

    Only of slides that were on their way before the case was first opened. Of those not readable
    yet, the one that has come least far.
    """
    before = [
        slide for slide in case.slides if not case.opened_at or slide.expected_at <= case.opened_at
    ]
    return max(before, key=_behind, default=None)


def _behind(slide: SlideTimes) -> tuple[datetime, ...]:
    """Later, or not at all, is further behind; the step nearest to the screen decides."""
    steps = (slide.available_at, slide.scanned_at, slide.started_at, slide.stained_at)
    return tuple(at or _NEVER for at in steps)


def _plain(case: Milestones) -> Iterator[Span]:
    """K2, K3, K4, K6, K8 and K10."""
    seen = _any(case.opened_at, case.signed_at, case.distributed_at)
    there = _any(case.accessioned_at, case.stained_at, case.available_at, case.ready_at) or seen
    yield Span(ClockKey.PATIENT, case.taken_at, case.distributed_at)
    yield Span(ClockKey.TRANSPORT, case.taken_at, case.received_at, there)
    on_screen = _any(case.available_at, case.ready_at) or seen
    yield Span(ClockKey.LAB, case.received_at, case.stained_at, on_screen)
    answered = _any(case.signed_at, case.distributed_at)
    yield Span(ClockKey.WAIT_TO_READ, case.ready_at, case.opened_at, answered)
    yield Span(ClockKey.TO_REQUESTER, case.signed_at, case.distributed_at)
    done = _any(case.distributed_at)
    yield Span(ClockKey.TO_PRELIMINARY, case.received_at, case.preliminary_at, done)


def _any(*moments: datetime | None) -> bool:
    return any(at is not None for at in moments)


def _digitised(policy: Policy, case: Milestones, slide: SlideTimes, now: datetime) -> Clock | None:
    """K5 of one slide; the scan parts are those of the scan in use."""
    target = policy.digitisation[case.priority]
    span = Span(
        ClockKey.DIGITISATION,
        slide.stained_at,
        slide.available_at,
        over=case.distributed_at is not None and slide.expected_at <= case.distributed_at,
        target=target,
        about=slide.barcode,
    )
    ends = (slide.started_at, slide.scanned_at)
    return _in_parts(measured(policy, case, span, now), SCAN_PARTS, ends)


def _last_digitised(policy: Policy, case: Milestones, now: datetime) -> Clock | None:
    """K5 of the case: last slide stained to last slide readable."""
    slide = last_slide(case)
    over = _any(case.ready_at, case.opened_at, case.signed_at, case.distributed_at)
    span = Span(
        ClockKey.DIGITISATION,
        case.stained_at,
        case.available_at,
        over=over,
        target=policy.digitisation[case.priority],
    )
    clock = measured(policy, case, span, now)
    return _in_parts(clock, SCAN_PARTS, (slide.started_at, slide.scanned_at)) if slide else clock


def _in_parts(
    clock: Clock | None, names: tuple[str, ...], ends: tuple[datetime | None, ...]
) -> Clock | None:
    """The clock with consecutive parts that fill it."""
    if clock is None:
        return None
    whole = Interval(clock.start, clock.start + clock.gross)
    parts = zip(names, cut(whole, ends), strict=True)
    return replace(clock, parts=tuple(Part(name, *at) for name, at in parts))


def _read(policy: Policy, case: Milestones, now: datetime) -> Clock | None:
    """K7; its parts are what was awaited, by kind: they may overlap, and a kind never itself."""
    over = case.distributed_at is not None
    clock = measured(policy, case, Span(ClockKey.READ, case.opened_at, case.signed_at, over), now)
    if clock is None:
        return None
    within = Interval(clock.start, clock.start + clock.gross)
    parts = [
        Part(kind.value, *at)
        for kind in AwaitedThing
        for at in union(clipped(awaited(case, kind, within.stop), within))
    ]
    return replace(clock, parts=tuple(parts))


def awaited(case: Milestones, kind: AwaitedThing, end: datetime) -> Iterable[Interval]:
    """When a kind of thing was awaited, as told; what still is, up to `end`."""
    return (Interval(at.began_at, at.ended_at or end) for at in case.awaited if at.what is kind)


def _consulted(
    policy: Policy, case: Milestones, at: ConsultationTimes, now: datetime
) -> Clock | None:
    """K9 of one consultation, and how long it waited to be accepted."""
    span = Span(
        ClockKey.CONSULTATION,
        at.requested_at,
        at.answered_at,
        closed_at=at.closed_at,
        target=policy.consultation[at.distance],
        about=at.consultation_id,
    )
    return _in_parts(measured(policy, case, span, now), REPLY_PARTS, (at.accepted_at,))


def _supplements(case: Milestones) -> Iterator[Span]:
    """K11; it does not open K1 again."""
    for number, at in enumerate(case.supplements, 1):
        yield Span(ClockKey.SUPPLEMENT, at.ordered_at, at.distributed_at, about=str(number))
