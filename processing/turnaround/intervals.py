"""Intervals of time, from a moment up to but not including another."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple


class Interval(NamedTuple):
    """Aware moments; nothing where the end does not lie after the start."""

    start: datetime
    stop: datetime


def clipped(intervals: Iterable[Interval], within: Interval) -> list[Interval]:
    """The parts that lie inside `within`; empty ones left out, order kept."""
    inside = [Interval(max(at.start, within.start), min(at.stop, within.stop)) for at in intervals]
    return [at for at in inside if at.start < at.stop]


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same moments as disjoint intervals in order: none counts twice."""
    joined: list[Interval] = []
    for at in sorted(at for at in intervals if at.start < at.stop):
        if joined and at.start <= joined[-1].stop:
            joined[-1] = Interval(joined[-1].start, max(joined[-1].stop, at.stop))
        else:
            joined.append(at)
    return joined


def total(intervals: Iterable[Interval]) -> timedelta:
    """Sum of the lengths; of a union, hence, the time covered."""
    return sum((at.stop - at.start for at in intervals), timedelta())
