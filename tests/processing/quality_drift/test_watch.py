"""From observations to standings: what a baseline is, who counts as one, what is drawn."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from processing.quality_drift.figures import FOLLOWED, figures_of
from processing.quality_drift.watch import (
    ENOUGH,
    ENOUGH_REFERENCE,
    LEARNING,
    MOST,
    Seen,
    split,
    standings,
)
from storage.records.drift import Channel, DriftState, Observation, Series, Standing

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
HERE = Channel("GT450", "HE")
DAY = timedelta(days=1)


def observed(
    days: int, a_day: int, slides: int = 1, blur: float = 0.4, seed: int = 1
) -> Sequence[Observation]:
    """So many cases a day, each of so many slides, which are alike."""
    rng, out = random.Random(seed), []
    for day in range(days):
        for case in range(a_day):
            value = rng.gauss(blur, 0.1)
            for number in range(slides):
                at = START + day * DAY + timedelta(minutes=case, seconds=number)
                name = f"{seed}-{day}-{case}"
                figures = {"focus_p50": value}
                out.append(Observation(f"{name}-{number}", at, name, figures, False, False, False))
    return out


def shifted(seen: Sequence[Observation], by: timedelta) -> list[Observation]:
    return [
        Observation(at.run_id, at.at + by, at.group, at.figures, False, False, False) for at in seen
    ]


def focus(baseline: Sequence[Observation], since: Sequence[Observation]) -> Standing:
    seen = Seen(HERE, baseline, since, since[-1].at)
    return next(at for at in standings(seen) if at.figure == "focus_p50")


@given(st.integers(1, 60), st.integers(1, 30), st.integers(1, 8), st.sampled_from(Series))
def test_a_baseline_is_enough_cases_and_weeks_and_never_endless(
    days: int, a_day: int, slides: int, series: Series
) -> None:
    first = list(observed(days, a_day, slides))
    count = split(first, series)
    assert count <= min(len(first), MOST)
    if count < len(first[:MOST]):
        if series is Series.REFERENCE:
            assert count == ENOUGH_REFERENCE
        else:
            assert len({at.group for at in first[:count]}) >= ENOUGH
            assert first[count].at - first[0].at > LEARNING


def test_slides_of_a_case_are_one_witness() -> None:
    """Ten alike slides a case say as much as one: the same standing, but for nothing."""
    before, after = observed(30, 5), shifted(observed(10, 8, blur=0.45, seed=2), 30 * DAY)
    many = shifted(observed(10, 8, 10, blur=0.45, seed=2), 30 * DAY)
    one, ten = focus(before, after), focus(before, many)
    assert [at.score for at in one.points] == [at.score for at in ten.points]
    assert (one.state, one.recent, one.psi) == (ten.state, ten.recent, ten.psi)


def test_the_same_is_judged_the_same_and_few_points_are_drawn() -> None:
    before, after = observed(30, 5), shifted(observed(27, 40, seed=3), 30 * DAY)
    told = focus(before, after)
    assert told == focus(before, after)
    assert told.state is DriftState.STEADY
    assert len(told.points) <= 120
    assert told.points[-1].at == after[-1].at


def test_without_anything_since_nothing_is_judged() -> None:
    before = observed(30, 5)
    seen = Seen(HERE, before, (), before[-1].at)
    assert {at.state for at in standings(seen)} == {DriftState.LEARNING}


def test_figures_are_found_in_a_report_by_their_checks() -> None:
    report = {
        "findings": [
            {"check": "focus.radius", "figures": {"p50": 0.4, "p95": None}},
            {"check": "jpeg.quality", "figures": {"quality": 80}},
            {"check": "stain.background", "figures": {"white": 240.5, "od_h": 0.31}},
        ]
    }
    found = figures_of(report)
    assert found == {"focus_p50": 0.4, "od_h": 0.31, "background": 240.5, "jpeg_quality": 80.0}
    assert list(found) == [at for at in FOLLOWED if at in found]
    assert figures_of({}) == {}
