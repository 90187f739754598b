"""Control charts and a measure of shift: pure, deterministic, without assumptions on the spread.

Values are turned into normal scores by their rank in the baseline, so limits hold for figures of
any shape. EWMA: S. W. Roberts, Technometrics 1 (1959) 239; limits widened by what a baseline of
few leaves unknown. PSI and its distribution: B. Yurdakul and J. Naranjo, J. Risk Model Validation
14 (2020) 89.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev

_NORMAL = NormalDist()
LIMIT = 4.5
"""Standard deviations of the smoothed score: hundreds of charts are looked at, and at 3 each
would cry wolf every few hundred slides."""
LIMIT_OF_FEW = 4.0
"""The same where observations are rare: batches, and one glass a day."""
WEIGHT = 0.1
"""Of the newest observation."""
PSI_WARN = 0.2
_BINS = 10
_PSI_SURE = 4.0
"""In standard deviations: what chance brings about in one of 30,000 weeks is no shift."""


@dataclass(frozen=True, slots=True)
class Smoothed:
    """The smoothed score after an observation, and how far it may be from 0."""

    score: float
    limit: float


def normal_scores(baseline: Sequence[float], values: Sequence[float]) -> list[float]:
    """Where each value lies in the baseline, in standard deviations; ties by their middle rank."""
    known, n = sorted(baseline), len(baseline)
    return [
        _NORMAL.inv_cdf((bisect_left(known, at) + bisect_right(known, at) + 1) / (2 * n + 2))
        for at in values
    ]


def student_scores(
    baseline: Sequence[float], values: Sequence[float], least: float
) -> tuple[list[float], float]:
    """Deviations from the mean of a short baseline, and the limit in place of `LIMIT_OF_FEW`.

    `least` is the smallest standard deviation worth speaking of, in the figure's unit.
    """
    mean, sd = fmean(baseline), max(stdev(baseline), least)
    return [(at - mean) / sd for at in values], student_limit(LIMIT_OF_FEW, len(baseline) - 1)


def student_limit(z: float, freedom: int) -> float:
    """What is as rare in Student's distribution as `z` is in the normal one.

    Source: Cornish and Fisher's expansion (Abramowitz and Stegun 26.7.5), two terms.
    """
    first = (z**3 + z) / (4 * freedom)
    second = (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    return z + first + second


def rate_scores(alarms: int, baseline: int, batches: Sequence[tuple[int, int]]) -> list[float]:
    """Of batches of (alarms, slides) against `alarms` in `baseline` slides.

    Source: F. J. Anscombe, Biometrika 35 (1948) 246: the arcsine that steadies the variance.
    """
    expected = _arcsine(alarms, baseline)
    return [2 * math.sqrt(n + 0.5) * (_arcsine(k, n) - expected) for k, n in batches]


def smooth(
    scores: Sequence[float], unknown: float, weight: float = WEIGHT, limit: float = LIMIT
) -> list[Smoothed]:
    """The exponentially weighted mean after every score; `unknown` is the variance of the
    baseline's own mean, in scores."""
    value, out = 0.0, []
    for number, score in enumerate(scores, start=1):
        value += weight * (score - value)
        known = weight / (2 - weight) * (1 - (1 - weight) ** (2 * number))
        out.append(Smoothed(value, limit * math.sqrt(known + unknown)))
    return out


def out_since(smoothed: Sequence[Smoothed]) -> int | None:
    """The place at which it left its limits and since when it has not come back to half of them."""
    began = None
    for place, at in enumerate(smoothed):
        if began is None and abs(at.score) > at.limit:
            began = place
        elif began is not None and abs(at.score) < at.limit / 2:
            began = None
    return began


def psi(baseline: Sequence[float], latest: Sequence[float]) -> tuple[float, float]:
    """Population stability index over tenths of the baseline, and from where it is a warning.

    The warning is at 0.2, higher where so few slides would reach that by chance.
    """
    edges = _edges(sorted(baseline))
    cells = 2 * len(edges) + 1  # an edge that many values share is a cell of its own
    before, after = _counts(edges, baseline, cells), _counts(edges, latest, cells)
    used = [at for at in range(cells) if before[at] or after[at]]
    total = 0.0
    for at in used:
        was = (before[at] + 0.5) / (len(baseline) + 0.5 * len(used))
        now = (after[at] + 0.5) / (len(latest) + 0.5 * len(used))
        total += (now - was) * math.log(now / was)
    chance = _chi_square(max(len(used) - 1, 1)) * (1 / len(baseline) + 1 / len(latest))
    return total, max(PSI_WARN, chance)


def _edges(known: Sequence[float]) -> list[float]:
    """Between neighbours of the baseline, so that only what many share lies on one."""
    n = len(known)
    places = (round(at * n / _BINS) for at in range(1, _BINS))
    return sorted({(known[at - 1] + known[at]) / 2 for at in places if 0 < at < n})


def _counts(edges: Sequence[float], values: Sequence[float], cells: int) -> list[int]:
    counts = [0] * cells
    for at in values:
        counts[bisect_left(edges, at) + bisect_right(edges, at)] += 1
    return counts


def _chi_square(freedom: int) -> float:
    """Its upper quantile, by Wilson and Hilferty (1931)."""
    part = 2 / (9 * freedom)
    return float(freedom * (1 - part + _PSI_SURE * math.sqrt(part)) ** 3)


def _arcsine(k: int, n: int) -> float:
    return math.asin(math.sqrt((k + 0.375) / (n + 0.75)))
