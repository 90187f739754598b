"""Observations of one scanner and stain against their baseline: how every figure stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from statistics import median

from processing.quality_drift import control
from processing.quality_drift.control import Smoothed
from processing.quality_drift.figures import ALARM_RATE, FOLLOWED, OF_CHECK, OVERRIDE_RATE
from storage.records.drift import Channel, DriftState, Observation, Point, Series, Standing

WEEK = timedelta(days=7)
LEAST, LEAST_REFERENCE = 60, 10
"""Observations a baseline needs: of cases; of the same glass, a scan a day."""
ENOUGH, ENOUGH_REFERENCE = 100, 15
"""With so many it is ended, of cases not before `LEARNING` has passed."""
LEARNING = timedelta(days=28)
MOST = 600
"""Slides that a baseline is made of at most."""
FEWEST_FOR_PSI = 50
_BATCH, _OVERRIDES = 50, 20
_BATCH_WEIGHT, _REFERENCE_WEIGHT = 0.2, 0.3
_MOST_POINTS = 120


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is of a channel: the first of its observations, and those since, by time."""

    channel: Channel
    baseline: Sequence[Observation]
    since: Sequence[Observation]
    now: datetime


def split(first: Sequence[Observation], series: Series) -> int:
    """How many of a channel's first observations, by time, are its baseline."""
    groups: set[tuple[object, str]] = set()
    enough = ENOUGH if series is Series.CASES else ENOUGH_REFERENCE
    for number, at in enumerate(first[:MOST]):
        learnt = series is Series.REFERENCE or at.at - first[0].at > LEARNING
        if len(groups) >= enough and learnt:
            return number
        groups.add((at.at.date(), at.group if series is Series.CASES else at.run_id))
    return len(first[:MOST])


def standings(seen: Seen) -> list[Standing]:
    """How every figure of the channel stands; those that nobody measured are left out."""
    found = [_figure(seen, name) for name in FOLLOWED]
    if seen.channel.series is Series.CASES:
        found.append(_rate(seen, ALARM_RATE, lambda at: at.alarm))
        found.append(_rate(seen, OVERRIDE_RATE, lambda at: at.released if _overruled(at) else None))
        checks = sorted({check for at in seen.since for check in at.alarms})
        found += [_check(seen, check) for check in checks]
    return [_with_models(seen, at) for at in found if at is not None]


def _overruled(at: Observation) -> bool:
    """Alarms that a person has looked at: others say nothing of whether they were right."""
    return at.alarm and at.judged


def _check(seen: Seen, check: str) -> Standing | None:
    found = _rate(seen, OF_CHECK + check, lambda at: at.alarms.get(check))
    return None if found is None else replace(found, checks=(check,))


def _figure(seen: Seen, name: str) -> Standing | None:
    before, after = _by_case(seen.baseline, name), _by_case(seen.since, name)
    if not before and not after:
        return None
    followed, reference = FOLLOWED[name], seen.channel.series is Series.REFERENCE
    known = [value for _, value in before]
    latest = [value for at, value in after if at > seen.now - WEEK]
    told = Standing(
        seen.channel, name, DriftState.LEARNING, len(known),
        median(known) if known else None, median(latest) if latest else None, len(latest),
        checks=(followed.check,),
    )  # fmt: skip
    if not after or len(known) < (LEAST_REFERENCE if reference else LEAST):
        return told
    values = [value for _, value in after]
    if reference:
        scores, limit = control.student_scores(known, values, followed.least)
        smoothed = control.smooth(scores, 1 / len(known), _REFERENCE_WEIGHT, limit)
    else:
        smoothed = control.smooth(control.normal_scores(known, values), 1 / len(known))
    told = _charted(told, [at for at, _ in after], smoothed)
    if reference or len(latest) < FEWEST_FOR_PSI:
        return told
    index, warn = control.psi(known, latest)
    state = DriftState.SHIFTED if told.state is DriftState.STEADY and index > warn else told.state
    return replace(told, psi=round(index, 4), psi_limit=round(warn, 4), state=state)


def _rate(seen: Seen, name: str, asks: Callable[[Observation], bool | None]) -> Standing | None:
    """How often, against how often it was, in batches of slides."""
    before, after = _answers(seen.baseline, asks), _answers(seen.since, asks)
    if not before and not after:
        return None
    size = _OVERRIDES if name == OVERRIDE_RATE else _BATCH
    known = sum(answer for _, answer in before)
    latest = [answer for at, answer in after if at > seen.now - WEEK]
    told = Standing(
        seen.channel, name, DriftState.LEARNING, len(before),
        known / len(before) if before else None,
        sum(latest) / len(latest) if latest else None, len(latest),
    )  # fmt: skip
    if not after or len(before) < (2 * _OVERRIDES if name == OVERRIDE_RATE else LEAST):
        return told
    batches = [after[at : at + size] for at in range(0, len(after) - size + 1, size)]
    counts = [(sum(answer for _, answer in batch), size) for batch in batches]
    scores = control.rate_scores(known, len(before), counts)
    smoothed = control.smooth(scores, size / len(before), _BATCH_WEIGHT, control.LIMIT_OF_FEW)
    return _charted(told, [batch[-1][0] for batch in batches], smoothed)


def _charted(told: Standing, times: Sequence[datetime], smoothed: Sequence[Smoothed]) -> Standing:
    began = control.out_since(smoothed)
    points = [
        Point(at, round(one.score, 3), round(one.limit, 3))
        for at, one in zip(times, smoothed, strict=True)
    ]
    return replace(
        told,
        state=DriftState.STEADY if began is None else DriftState.OUT,
        since=None if began is None else times[began],
        points=tuple(_thinned(points)),
    )


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    """Evenly fewer, the last always among them."""
    step = -(-len(points) // _MOST_POINTS) or 1
    return points[::-1][::step][::-1]


def _by_case(seen: Sequence[Observation], name: str) -> list[tuple[datetime, float]]:
    """A value a case and day, the median of its slides: they are alike, and not many witnesses."""
    values = [
        (at.at.date(), at.group, at.at, at.figures[name]) for at in seen if name in at.figures
    ]
    values.sort(key=lambda at: at[:3])
    out = []
    for _, same in groupby(values, key=lambda at: at[:2]):
        slides = list(same)
        out.append((max(at[2] for at in slides), median(at[3] for at in slides)))
    return sorted(out)


def _answers(
    seen: Iterable[Observation], asks: Callable[[Observation], bool | None]
) -> list[tuple[datetime, bool]]:
    told = ((at.at, asks(at)) for at in seen)
    return [(at, answer) for at, answer in told if answer is not None]


def _with_models(seen: Seen, told: Standing) -> Standing:
    models = dict.fromkeys(
        at.models[check]
        for at in seen.since[-_BATCH:]
        for check in told.checks
        if check in at.models
    )
    return replace(told, models=tuple(models))
