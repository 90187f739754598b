"""Once a day: does every scanner, and every model, still measure as it did; what follows if not.

A breach is an event and an alert on the operations page, when it begins and when it ends. On a
breach of what a model says, the model falls a step by itself; a check that this site validated
loses its right to ask for another scan. Getting them back takes people.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from flows.services import Services
from processing.quality_drift.figures import figures_of
from processing.quality_drift.watch import LEARNING, MOST, Seen, split, standings
from processing.turnaround.working_days import COPENHAGEN
from storage import drift_log, models, quality, quality_drift, quality_policies
from storage.database import Database, now
from storage.errors import NotFound
from storage.quality_drift import Kept, RunRow
from storage.records.drift import Breach, Channel, Observation, Series, Standing
from storage.records.models import LADDER

_LOG = logging.getLogger("svartid.drift")
_AGAIN = 3600.0
"""Seconds between looks at whether a day has passed."""
_RECENT = LEARNING
_NOON = 12
_ALARMS = ("review", "rescan")
_ACTOR = "svartid"


class StepDown(Protocol):
    """Lets a model be heard one step less."""

    def __call__(self, name: str, version: str, reason: str) -> bool:
        """Whether it fell; False for a model nobody knows, or that is on the lowest step."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What one evaluation came to."""

    kept: tuple[Kept, ...]
    began: tuple[tuple[Breach, Standing], ...]
    ended: tuple[Breach, ...]
    fallen: tuple[str, ...]
    """`model NAME@VERSION`, `check NAME`: what is heard less from now on."""


def registered(database: Database) -> StepDown:
    """Models of the registry, each a step at a time."""

    def step_down(name: str, version: str, reason: str) -> bool:
        known = models.get(database, name, version)
        place = LADDER.index(known.mode)
        if place:
            models.demote(database, known, LADDER[place - 1], _ACTOR, reason)
        return bool(place)

    return step_down


@dataclass(slots=True)
class DriftWatch:
    """The duty: once after midnight, and once after noon, when the reference must have come."""

    services: Services
    step_down: StepDown
    _next: float = 0.0

    def __call__(self) -> int:
        """One look; how many breaches began or ended."""
        if time.monotonic() < self._next:
            return 0
        self._next = time.monotonic() + _AGAIN
        database, moment = self.services.database, now()
        last = max((at.at for at in quality_drift.kept(database)), default=None)
        if last is not None and _half_day(last) == _half_day(moment):
            return 0
        done = evaluate(database, moment, self.step_down)
        if done.began or done.ended:
            _LOG.info("drift: %d began, %d ended", len(done.began), len(done.ended))
        return len(done.began) + len(done.ended)


def evaluate(database: Database, moment: datetime, step_down: StepDown) -> Evaluated:
    """Judge every channel, keep what it comes to, and do what follows."""
    channels = quality_drift.channels(database, moment - _RECENT)
    found = with_missing(database, [judged(database, at, moment) for at in channels], moment)
    fallen = _fall_all(database, found, step_down)  # first: what is cut off here is done again
    began: list[tuple[Breach, Standing]] = []
    ended = drift_log.forget_others(database, channels, moment)
    for kept in found:
        new, over = drift_log.keep(database, kept)
        by_figure = {at.figure: at for at in kept.standings}
        began += [(breach, by_figure[breach.figure]) for breach in new]
        ended += over
    return Evaluated(tuple(found), tuple(began), tuple(ended), tuple(fallen))


def judged(database: Database, channel: Channel, moment: datetime) -> Kept:
    """How a channel stands; only reads."""
    first = observations(quality_drift.first_runs(database, channel, MOST))
    learnt = split(first, channel.series)
    known = {at.run_id for at in first}
    later = quality_drift.latest_runs(database, channel, moment - _RECENT)
    since = first[learnt:] + [at for at in observations(later) if at.run_id not in known]
    recent = [at for at in since if at.at >= moment - _RECENT]
    seen = Seen(channel, first[:learnt], recent, moment)
    return Kept(channel, moment, tuple(standings(seen)))


def observations(rows: Sequence[RunRow]) -> list[Observation]:
    """Runs as the charts take them."""
    return [_observation(row) for row in rows]


def with_missing(database: Database, found: Sequence[Kept], moment: datetime) -> list[Kept]:
    """The same, telling of reference glasses not scanned on the last day on which slides were.

    Today counts from noon: before, the glass may still come.
    """
    days: dict[str, str] = {}
    for kept in found:
        if kept.channel.series is Series.REFERENCE:
            missed = _missed(database, kept.channel, moment)
            if missed:
                days[kept.channel.scanner] = missed
    return [
        replace(at, missing=days.get(at.channel.scanner, ""))
        if at.channel.series is Series.REFERENCE
        else at
        for at in found
    ]


def _missed(database: Database, channel: Channel, moment: datetime) -> str:
    week = moment - timedelta(days=7)
    ordinary = replace(channel, series=Series.CASES)
    used = {_day(at) for at in quality_drift.received(database, ordinary, week)}
    if moment.astimezone(COPENHAGEN).hour < _NOON:
        used.discard(_day(moment))
    scanned = {_day(at) for at in quality_drift.received(database, channel, week)}
    last = max(used, default="")
    return "" if last in scanned else last


def _observation(row: RunRow) -> Observation:
    findings: list[dict[str, Any]] = list(row.report.get("findings", ()))
    heard = [at for at in findings if at["state"] in ("pass", *_ALARMS)]
    return Observation(
        run_id=row.run_id,
        at=row.at,
        group=row.accession or row.slide_id,
        figures=figures_of(row.report),
        alarm=row.state in _ALARMS,
        judged=bool(row.human),
        released=row.human == quality.RELEASED,
        alarms={at["check"]: at["state"] in _ALARMS for at in heard},
        models={
            at["check"]: (at["model"]["model"], at["model"]["version"])
            for at in heard
            if at.get("model")
        },
    )


def _fall_all(database: Database, found: Sequence[Kept], step_down: StepDown) -> list[str]:
    """For every breach that is new; a model falls one step, however many of its figures are out.

    A reference glass tells of the scanner, not of what models make of it.
    """
    lasting = {(at.channel, at.figure) for at in quality_drift.breaches(database)}
    new: dict[tuple[str, ...], Standing] = {}
    for kept in found:
        for at in kept.standings:
            is_known = (at.channel, at.figure) in lasting
            if at.breached and not is_known and at.channel.series is Series.CASES:
                for model in at.models:
                    new.setdefault(("model", *model), replace(at, models=(model,), checks=()))
                for check in at.checks:
                    about = ("check", check, at.channel.scanner, at.channel.stain)
                    new.setdefault(about, replace(at, models=(), checks=(check,)))
    return [word for at in new.values() for word in _fall(database, at, step_down)]


def _fall(database: Database, standing: Standing, step_down: StepDown) -> list[str]:
    """Models behind the figure are heard less, and the site's trust in the checks ends."""
    channel = standing.channel
    reason = (
        f"drift: {standing.figure} of {channel.scanner} {channel.stain or 'any stain'}"
        f" is {standing.state.value}"
    )
    out = []
    for name, version in standing.models:
        try:
            fell = step_down(name, version, reason)
        except NotFound:
            fell = False
        if fell:
            out.append(f"model {name}@{version}")
    for check in standing.checks:
        policy = quality.policy_for(database, channel.scanner, channel.stain)
        if policy is not None and check in policy.validated:
            quality_policies.withdraw(database, policy, check, _ACTOR, reason)
            out.append(f"check {check}")
    for word in out:
        _LOG.warning("%s is heard less: %s", word, reason)
    return out


def _half_day(at: datetime) -> tuple[str, bool]:
    return _day(at), at.astimezone(COPENHAGEN).hour >= _NOON


def _day(at: datetime) -> str:
    return at.astimezone(COPENHAGEN).date().isoformat()
