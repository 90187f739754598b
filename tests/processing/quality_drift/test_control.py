"""The charts: quiet where nothing changes, whatever the figures' shape, and quick where it does."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.quality_drift import control

SHAPES: dict[str, Callable[[float], float]] = {
    "normal": lambda z: 50 + 3 * z,
    "skewed": math.exp,
    "counted": lambda z: float(round(2 * z)),
}
FALSE_ALARMS = 0.01
"""Of charts of 1000 observations without drift, at most."""
FOUND_WITHIN = 35
"""Observations after a step of two standard deviations; half are found within 12."""


def values(seed: int, shape: str, count: int, shift: float = 0.0) -> list[float]:
    rng = random.Random(seed)
    return [SHAPES[shape](rng.gauss(shift, 1)) for _ in range(count)]


def left(baseline: list[float], seen: list[float]) -> int | None:
    """The place of the first observation outside the limits."""
    smoothed = control.smooth(control.normal_scores(baseline, seen), 1 / len(baseline))
    return next((at for at, one in enumerate(smoothed) if abs(one.score) > one.limit), None)


@pytest.mark.parametrize("shape", SHAPES)
def test_without_drift_alarms_are_rare(shape: str) -> None:
    charts = [
        left(values(seed, shape, 150), values(seed + 10_000, shape, 1000)) for seed in range(200)
    ]
    assert sum(at is not None for at in charts) <= FALSE_ALARMS * len(charts)


@pytest.mark.parametrize("shift", [2.0, -2.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_step_of_two_deviations_is_found_soon(shape: str, shift: float) -> None:
    found = []
    for seed in range(150):
        seen = values(seed + 10_000, shape, 60) + values(seed + 20_000, shape, 60, shift)
        place = left(values(seed, shape, 150), seen)
        assert place is not None
        assert place >= 60
        found.append(place - 59)
    assert max(found) <= FOUND_WITHIN
    assert sorted(found)[len(found) // 2] <= 12


@given(st.integers(0, 10**6), st.sampled_from(sorted(SHAPES)))
@settings(max_examples=40, deadline=None)
def test_the_shape_of_a_figure_does_not_matter(seed: int, shape: str) -> None:
    """A figure and any growing function of it are judged alike."""
    plain, bent = values(seed, shape, 150), values(seed + 1, shape, 100, 1.0)

    def curve(at: float) -> float:
        return math.atan(at / 50) * 7 - 3

    scores = control.normal_scores(plain, bent)
    assert control.normal_scores([curve(at) for at in plain], [curve(at) for at in bent]) == scores
    assert control.smooth(scores, 0.01) == control.smooth(scores, 0.01)


def test_a_constant_that_moves_is_seen_and_one_that_stays_is_not() -> None:
    assert left([80.0] * 100, [80.0] * 1000) is None
    assert left([80.0] * 100, [80.0] * 10 + [70.0] * 40) is not None
    same, warn = control.psi([80.0] * 100, [80.0] * 60)
    assert (same, warn) == (0.0, pytest.approx(control.psi([1.0] * 100, [1.0] * 60)[1]))
    moved, warn = control.psi([80.0] * 100, [70.0] * 60)
    assert moved > warn


@pytest.mark.parametrize("shape", SHAPES)
def test_psi_is_quiet_by_chance_and_sees_another_spread(shape: str) -> None:
    for seed in range(200):
        before = values(seed, shape, 150)
        index, warn = control.psi(before, values(seed + 10_000, shape, 60))
        assert index <= warn
        assert warn >= control.PSI_WARN
        index, warn = control.psi(before, values(seed + 10_000, shape, 300, 1.5))
        assert index > warn


def test_many_slides_bring_the_warning_down_to_its_anchor() -> None:
    _, warn = control.psi(values(1, "normal", 5000), values(2, "normal", 5000))
    assert warn == control.PSI_WARN


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
def test_rates_of_alarms(rate: float) -> None:
    def batches(rng: random.Random, share: float) -> list[tuple[int, int]]:
        return [(sum(rng.random() < share for _ in range(50)), 50) for _ in range(20)]

    quiet, found = 0, []
    for seed in range(100):
        rng = random.Random(seed)
        known = sum(rng.random() < rate for _ in range(300))
        for share, told in ((rate, None), (rate + 0.25, found)):
            scores = control.rate_scores(known, 300, batches(rng, share))
            smoothed = control.smooth(scores, 50 / 300, 0.2, control.LIMIT_OF_FEW)
            out = next((at for at, one in enumerate(smoothed) if abs(one.score) > one.limit), None)
            if told is None:
                quiet += out is not None
            else:
                assert out is not None
                told.append(out + 1)
    assert quiet <= 2
    assert sorted(found)[len(found) // 2] <= 5


def test_the_same_glass_needs_few_scans() -> None:
    alarms, found = 0, []
    for seed in range(200):
        before = values(seed, "normal", 15)
        scores, limit = control.student_scores(before, values(seed + 500, "normal", 60), 0.1)
        smoothed = control.smooth(scores, 1 / 15, 0.3, limit)
        alarms += any(abs(at.score) > at.limit for at in smoothed)
        scores, limit = control.student_scores(before, values(seed + 900, "normal", 20, 6.0), 0.1)
        smoothed = control.smooth(scores, 1 / 15, 0.3, limit)
        found.append(next(at for at, one in enumerate(smoothed) if abs(one.score) > one.limit) + 1)
    assert alarms <= 4
    assert sorted(found)[100] <= 4


def test_students_limit_against_the_tables() -> None:
    """What is as rare as 3 sigma of the normal distribution: 3.957 at 10, 3.270 at 30."""
    assert control.student_limit(3, 30) == pytest.approx(3.270, abs=0.01)
    assert control.student_limit(3, 10) == pytest.approx(3.957, abs=0.06)
    assert control.student_limit(3, 10**6) == pytest.approx(3, abs=1e-4)


def test_it_comes_back_only_when_it_is_well_inside() -> None:
    def line(*scores: float) -> list[control.Smoothed]:
        return [control.Smoothed(score, 1.0) for score in scores]

    assert control.out_since(line(0, 0.9, 0.4)) is None
    assert control.out_since(line(0, 1.1, 0.6, 0.9)) == 1
    assert control.out_since(line(0, -1.1, -0.6, -0.4)) is None
    assert control.out_since(line(0, 1.1, 0.4, -1.2)) == 3


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=200), st.floats(-1e6, 1e6))
def test_scores_are_finite_and_keep_order(baseline: list[float], value: float) -> None:
    lower, same, upper = control.normal_scores(baseline, [-2e6, value, 2e6])
    assert lower < same + 1e-12
    assert same - 1e-12 < upper
    assert abs(upper) < NormalDist().inv_cdf(1 - 1 / (4 * len(baseline) + 8)) + 1
