"""What a clock of a case is, and how one is measured.

A clock whose start is unknown, or whose stop was never told though something later has happened,
is left out: its length is not known. Running ones are measured to `now`, those of a cancelled
case to when it was closed. Gross time is the headline, net time leaves out the pauses.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from processing.turnaround.calendar import due_at, in_time, time_used, working_days_used
from processing.turnaround.intervals import Interval, clipped, total, union
from storage.records.milestones import Milestones, PauseReason
from storage.records.policy import Policy, Target, TimeUnit


class ClockKey(StrEnum):
    """K1 to K11; svartid is K1."""

    SVARTID = "K1"
    PATIENT = "K2"
    TRANSPORT = "K3"
    LAB = "K4"
    DIGITISATION = "K5"
    WAIT_TO_READ = "K6"
    READ = "K7"
    TO_REQUESTER = "K8"
    CONSULTATION = "K9"
    TO_PRELIMINARY = "K10"
    SUPPLEMENT = "K11"


@dataclass(frozen=True, slots=True)
class Part:
    """A named stretch inside a clock."""

    name: str
    start: datetime
    stop: datetime

    @property
    def length(self) -> timedelta:
        """Calendar time."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock; times are aware, lengths exact to the microsecond."""

    key: ClockKey
    start: datetime
    stop: datetime | None
    """None: running, or the case was closed without it."""
    running: bool
    gross: timedelta
    """Calendar time; nothing where the stop was told to be before the start."""
    paused: timedelta
    """Of it, covered by pauses that count."""
    working_days: int
    """At most N if and only if a promise of N working days is kept."""
    about: str = ""
    """K5: the slide's barcode, nothing for the case's last slide. K9: the consultation's id. K11:
    the number of the supplement, from 1."""
    target: Target | None = None
    due: datetime | None = None
    in_time: bool | None = None
    """By gross time. None: not due yet, or nothing is promised."""
    in_time_net: bool | None = None
    """The same when the pauses are added to the allowed time."""
    parts: tuple[Part, ...] = ()

    @property
    def net(self) -> timedelta:
        """Gross less paused."""
        return self.gross - self.paused


@dataclass(frozen=True, slots=True)
class Span:
    """What a clock is to measure."""

    key: ClockKey
    start: datetime | None
    stop: datetime | None
    over: bool = False
    """Something has happened that only comes after the stop."""
    closed_at: datetime | None = None
    target: Target | None = None
    about: str = ""


def measured(policy: Policy, case: Milestones, span: Span, now: datetime) -> Clock | None:
    """The clock of a span of a case; None where its length is not known."""
    if span.start is None or (span.stop is None and span.over):
        return None
    closed = span.closed_at or case.closed_at
    end = max(span.start, span.stop or closed or now)
    within = Interval(span.start, end)
    pauses = pauses_within(policy, case, within)
    due = due_at(policy, case.site, span.start, span.target) if span.target else None
    kept, kept_net = None, None
    if span.target and due and (span.stop or not closed):
        kept = in_time(span.target, due, end)
        kept_net = kept or _in_time_net(policy, case.site, span.target, (within, due, pauses))
        if span.stop is None:  # kept so far is not yet kept
            kept, kept_net = (None if so_far else False for so_far in (kept, kept_net))
    return Clock(
        key=span.key,
        start=span.start,
        stop=span.stop,
        running=span.stop is None and closed is None,
        gross=end - span.start,
        paused=total(pauses),
        working_days=working_days_used(policy, case.site, span.start, end),
        about=span.about,
        target=span.target,
        due=due,
        in_time=kept,
        in_time_net=kept_net,
    )


def pauses_within(policy: Policy, case: Milestones, within: Interval) -> list[Interval]:
    """When the net clock stands still: disjoint, in order, clipped; an open pause lasts.

    Waiting for a consultation elsewhere counts only if the policy says so.
    """
    counted = (
        Interval(pause.began_at, pause.ended_at or within.stop)
        for pause in case.pauses
        if pause.reason is not PauseReason.EXTERNAL_CONSULT or policy.exclude_external_consult
    )
    return union(clipped(counted, within))


def _in_time_net(
    policy: Policy, site: str, target: Target, spent: tuple[Interval, datetime, list[Interval]]
) -> bool:
    """Whether the time used, as the target counts it, less that of the pauses was allowed."""
    within, due, pauses = spent

    def used(start: datetime, stop: datetime) -> timedelta:
        return time_used(policy, site, target, start, stop)

    left = used(within.start, due) - used(within.start, within.stop)
    left += sum((used(*pause) for pause in pauses), timedelta())
    # A weekend after the last day adds no working time, and yet is too late: hence not >=.
    return left > timedelta() or (target.unit is TimeUnit.MINUTES and not left)
