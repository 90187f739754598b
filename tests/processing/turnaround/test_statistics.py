"""Figures of a month, against numpy and against counting by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.turnaround.clocks import svartid
from processing.turnaround.publish import GROUPS, month_figures
from processing.turnaround.statistics import (
    Grouping,
    Selection,
    answered,
    figures,
    grouped,
    open_by_age,
    quantile,
    spread,
    trend,
)
from processing.turnaround.steps import StepName, lengths, steps
from storage.records.milestones import Milestones, PauseReason, Priority, SpecimenClass
from storage.records.policy import DEFAULT_POLICY
from storage.records.published import DataCut
from tests.processing.turnaround.cases import case, cases, local, moments, pause
from tests.processing.turnaround.months import Laboratory, as_known

NOW = local("2026-03-18 12:00")
ALL = Selection()


@pytest.fixture(scope="module")
def month() -> list[Milestones]:
    """A month and a half of two sites, as known at NOW."""
    random = np.random.default_rng(3)
    made = [
        one
        for site in ("roskilde", "slagelse")
        for one in Laboratory(random, site, each_weekday=12).cases(date(2026, 2, 1), 46)
    ]
    return [as_known(one, NOW) for one in made if one.received_at and one.received_at <= NOW]


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=60), st.integers(1, 100))
def test_quantiles_are_numpys_inverted_cdf(values: list[int], percent: int) -> None:
    ordered = sorted(values)
    expected = np.quantile(ordered, percent / 100, method="inverted_cdf")
    share = sum(at <= quantile(ordered, percent) for at in ordered)
    assert 100 * share >= percent * len(ordered)
    assert quantile(ordered, percent) in values
    # 0.07 * 100 is more than 7 in floating point: numpy may be one value further.
    at = ordered.index(int(expected))
    assert quantile(ordered, percent) in (expected, ordered[max(0, at - 1)])
    found = spread(values)
    assert found
    assert (found.median, found.most) == (quantile(ordered, 50), max(values))


def test_figures_by_hand() -> None:
    """Three routine biopsies: 1 day, 5 days and 6, of which one too late and half of it paused."""
    start = local("2026-03-02 12:00")
    quick = case(received_at=start, distributed_at=local("2026-03-03 12:00"))
    last = case(received_at=start, distributed_at=local("2026-03-09 12:00"), backdated=True)
    late = case(
        received_at=start,
        distributed_at=local("2026-03-10 12:00"),
        pauses=(pause("2026-03-02 12:00", "2026-03-06 12:00", PauseReason.PATIENT_CONSENT),),
    )
    found = figures(DEFAULT_POLICY, [quick, last, late])
    assert (found.n, found.within, found.within_net, found.backdated) == (3, 2, 3, 1)
    assert found.percent == pytest.approx(200 / 3)
    assert found.gross == spread([timedelta(days=1), timedelta(days=7), timedelta(days=8)])
    assert found.net == spread([timedelta(days=1), timedelta(days=7), timedelta(days=4)])
    assert found.working_days == spread([1, 5, 6])
    assert found.paused_share == 4 / 16
    assert found.step_medians[StepName.LAB] == timedelta(days=7)


def test_nothing_is_said_of_no_cases() -> None:
    found = figures(DEFAULT_POLICY, [])
    assert (found.n, found.percent, found.gross, found.paused_share) == (0, None, None, None)


def test_a_case_belongs_to_the_local_month_of_its_answer() -> None:
    start = local("2026-03-30 12:00")
    made = case(received_at=start, distributed_at=datetime.fromisoformat("2026-03-31T22:30+00:00"))
    march, april = (Selection(date(2026, m, 1), date(2026, m, 30)) for m in (3, 4))
    assert answered([made], april) == [made]
    assert answered([made], march) == []
    assert answered([replace(made, closed_at=start)], april) == []
    assert [at.key for at in grouped(DEFAULT_POLICY, [made], [Grouping.MONTH])] == [("2026-04",)]
    assert [at.key for at in grouped(DEFAULT_POLICY, [made], [Grouping.WEEK])] == [("2026-W14",)]


@pytest.mark.parametrize("by", GROUPS)
def test_groups_are_the_cases_with_those_values(
    month: list[Milestones], by: tuple[Grouping, ...]
) -> None:
    those = answered(month, ALL)
    found = grouped(DEFAULT_POLICY, those, by)
    assert sum(at.figures.n for at in found) == len(those)
    for group in found:
        members = [
            one
            for one in those
            if all(getattr(one, g) == v for g, v in zip(by, group.key, strict=True))
        ]
        taken = [one.distributed_at - one.received_at for one in members]
        assert group.figures.n == len(members)
        assert group.figures.gross
        assert group.figures.gross.most == max(taken)
        seconds = [at.total_seconds() for at in taken]
        assert group.figures.gross.median.total_seconds() == pytest.approx(
            np.quantile(seconds, 0.5, method="inverted_cdf")
        )
        within = [svartid(DEFAULT_POLICY, one, NOW).in_time for one in members]
        assert group.figures.within == sum(within)
        labs = [lengths(steps(one, NOW))[StepName.LAB].total_seconds() for one in members]
        assert group.figures.step_medians[StepName.LAB].total_seconds() == pytest.approx(
            np.quantile(labs, 0.5, method="inverted_cdf")
        )


def test_a_selection_restricts_by_everything(month: list[Milestones]) -> None:
    wanted = Selection(
        date(2026, 3, 2), date(2026, 3, 8), Priority.PACKAGE, SpecimenClass.BIOPSY, "slagelse"
    )
    found = answered(month, wanted)
    assert 0 < len(found) < len(answered(month, ALL))
    for one in found:
        assert (one.priority, one.specimen_class) == (Priority.PACKAGE, SpecimenClass.BIOPSY)
        assert one.site == "slagelse"
        assert local("2026-03-02 00:00") <= one.distributed_at < local("2026-03-09 00:00")


def test_a_trend_has_every_week_also_the_empty_ones(month: list[Milestones]) -> None:
    those = answered(month, Selection(date(2026, 2, 9), date(2026, 3, 1)))
    found = trend(DEFAULT_POLICY, those, Grouping.WEEK, date(2026, 2, 2), date(2026, 3, 8))
    assert [at.key[0] for at in found] == [f"2026-W{week:02}" for week in range(6, 11)]
    counts = [at.figures.n for at in found]
    assert counts[0] == counts[-1] == 0
    assert sum(counts) == len(those) > 0
    months = trend(DEFAULT_POLICY, those, Grouping.MONTH, date(2026, 1, 31), date(2026, 3, 1))
    assert [at.key[0] for at in months] == ["2026-01", "2026-02", "2026-03"]


def test_open_cases_by_age(month: list[Milestones]) -> None:
    buckets = open_by_age(DEFAULT_POLICY, month, NOW)
    still = [one for one in month if one.is_open]
    assert sum(at.n for at in buckets) == len(still) > 0
    ages = Counter(svartid(DEFAULT_POLICY, one, NOW).working_days for one in still)
    for at in buckets:
        most = at.most if at.most is not None else 10**6
        assert at.n == sum(n for age, n in ages.items() if at.least <= age <= most)
    assert sum(at.late for at in buckets) == sum(
        svartid(DEFAULT_POLICY, one, NOW).in_time is False for one in still
    )
    here = open_by_age(DEFAULT_POLICY, month, NOW, Selection(site="roskilde"))
    assert 0 < sum(at.n for at in here) < len(still)


@given(st.lists(cases(), max_size=5), moments)
def test_any_histories_come_to_figures(made: list[Milestones], now: datetime) -> None:
    those = answered(made, ALL)
    found = figures(DEFAULT_POLICY, those)
    assert 0 <= found.within <= found.within_net <= found.n == len(those)
    open_ones = sum(at.n for at in open_by_age(DEFAULT_POLICY, made, now))
    assert open_ones == sum(one.is_open for one in made)


def test_a_published_month_comes_out_the_same_again(month: list[Milestones]) -> None:
    cut = DataCut(4711, NOW)
    first = month_figures(DEFAULT_POLICY, month, (2026, 2), cut)
    assert month_figures(DEFAULT_POLICY, month[::-1], (2026, 2), cut) == first
    assert (first.month, first.policy_version, first.cut.event_id) == ("2026-02", 1, 4711)
    assert first.whole.n == sum(at.figures.n for at in first.groups[0]) > 100
    other = month_figures(DEFAULT_POLICY, month[1:], (2026, 2), cut)
    assert other != first
