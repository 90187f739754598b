"""Cutting a stretch of time into consecutive steps that sum to it, whatever is missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from processing.turnaround.intervals import Interval


def cut(whole: Interval, ends: Sequence[datetime | None]) -> list[Interval]:
    """One more interval than `ends`: they meet, the first begins and the last ends the whole.

    An end that is not known is where the next known one is, so that the step it belongs to takes
    the time and those between have none. An end told to be after a later one is moved to it: what
    has happened later proves that the earlier had happened. All are kept inside the whole.
    """
    bounds = [max(whole)]
    for end in reversed(ends):
        earlier = bounds[-1] if end is None else min(end, bounds[-1])
        bounds.append(max(earlier, whole.start))
    bounds.append(whole.start)
    bounds.reverse()
    return [Interval(*pair) for pair in pairwise(bounds)]
