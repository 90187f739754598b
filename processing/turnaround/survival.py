"""Kaplan-Meier: how fast a month's cases are answered, those still open included.

Of answered cases alone a month looks the better the more of its hard ones are left lying. Here
every case received in the period counts, the open ones as "not answered within that long". The
cohort is by reception, not by answer: the open cases of other months would else weigh on this.
scipy is slow to import: others load this module through `storage.on_demand`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]

from processing.turnaround.calendar import share_used
from processing.turnaround.clock import Clock
from processing.turnaround.clocks import svartid
from processing.turnaround.statistics import Selection
from processing.turnaround.working_days import local_date
from storage.records.milestones import Milestones
from storage.records.policy import Policy

_LATE = math.nextafter(1.0, 2.0)
"""Share of a case that is late by a weekend, in which no working time passes."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Estimated share of the cases answered within `after` (calendar time)."""

    after: timedelta
    answered: float


@dataclass(frozen=True, slots=True)
class Survival:
    """The estimate; None where too few are answered to say."""

    n: int
    open: int
    curve: tuple[CurvePoint, ...] = ()
    """Where it rises."""
    median: timedelta | None = None
    p90: timedelta | None = None
    p95: timedelta | None = None
    in_time: float | None = None
    """Share answered within their own targets; time counted in shares of what was allowed."""
    in_time_low: float | None = None
    in_time_high: float | None = None
    """95 % confidence interval (log-log)."""


def survival(
    policy: Policy, cases: Sequence[Milestones], selection: Selection, now: datetime
) -> Survival:
    """Of the cases of the selection received between its dates, as known at `now`."""
    cohort = [
        case
        for case in cases
        if case.received_at and not case.closed_at and case.received_at <= now
        if selection.includes(case) and selection.holds(local_date(case.received_at))
    ]
    clocks = [(case.site, at) for case in cohort if (at := svartid(policy, case, now))]
    running = np.array([at.running for _, at in clocks], dtype=bool)
    if running.all():
        return Survival(n=len(clocks), open=len(clocks))
    curve = _curve(_estimated([at.gross / timedelta(seconds=1) for _, at in clocks], running))
    shares = _estimated([_share(policy, site, at) for site, at in clocks], running)
    in_time, low, high = _in_time(shares)
    return Survival(
        n=len(clocks),
        open=int(running.sum()),
        curve=curve,
        median=_reached(curve, 0.5),
        p90=_reached(curve, 0.9),
        p95=_reached(curve, 0.95),
        in_time=in_time,
        in_time_low=low,
        in_time_high=high,
    )


def _share(policy: Policy, site: str, clock: Clock) -> float:
    """Of the allowed time that a case took, or has taken."""
    if clock.target is None:
        raise ValueError("svartid has a target")
    end = clock.start + clock.gross
    used = share_used(policy, site, clock.target, clock.start, end)
    return max(used, _LATE) if clock.in_time is False else used


def _estimated(lasting: Sequence[float], running: NDArray[np.bool_]) -> Any:  # noqa: ANN401
    """scipy's distribution function of what lasted that long, or longer where still running."""
    taken = np.array(lasting)
    data = stats.CensoredData(uncensored=taken[~running], right=taken[running])
    return stats.ecdf(data).cdf


def _curve(estimate: Any) -> tuple[CurvePoint, ...]:  # noqa: ANN401
    """Its steps: at censored times it does not rise."""
    points: list[CurvePoint] = []
    for seconds, share in zip(estimate.quantiles, estimate.probabilities, strict=True):
        if share > (points[-1].answered if points else 0.0):
            points.append(CurvePoint(timedelta(seconds=float(seconds)), float(share)))
    return tuple(points)


def _reached(curve: Sequence[CurvePoint], share: float) -> timedelta | None:
    """When the estimate first is that much; a product of fractions may fall short by rounding."""
    return next((at.after for at in curve if at.answered > share - 1e-12), None)


def _in_time(estimate: Any) -> tuple[float | None, float | None, float | None]:  # noqa: ANN401
    """Estimate and interval at the whole allowed time, if any case was followed for that long."""
    share = float(estimate.evaluate(1.0))
    if share < 1 and estimate.quantiles[-1] < 1:
        return None, None, None
    with warnings.catch_warnings():  # where all or none were answered there is no interval
        warnings.simplefilter("ignore", RuntimeWarning)
        interval = estimate.confidence_interval(method="log-log")
    low, high = (float(at.evaluate(1.0)) for at in (interval.low, interval.high))
    return share, _known(low), _known(high)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
