"""Kaplan-Meier: against an example worked by hand, and that open cases cannot flatter a month."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest

from processing.turnaround.statistics import Selection, answered, figures
from processing.turnaround.survival import Survival
from storage.on_demand import load
from storage.records.milestones import Milestones
from storage.records.policy import DEFAULT_POLICY
from tests.processing.turnaround.cases import case, local
from tests.processing.turnaround.months import Laboratory, as_known

START = local("2026-03-02 12:00")
NOW = local("2026-03-06 12:00")
MARCH = Selection(date(2026, 3, 1), date(2026, 3, 31))
DAY = timedelta(days=1)


def survival(cases: list[Milestones], selection: Selection = MARCH) -> Survival:
    found: Survival = load("processing.turnaround.survival:survival")(
        DEFAULT_POLICY, cases, selection, NOW
    )
    return found


def taking(days: float) -> Milestones:
    return case(received_at=NOW - 4 * DAY, distributed_at=NOW - 4 * DAY + days * DAY)


def open_for(days: float) -> Milestones:
    return case(received_at=NOW - days * DAY)


def test_an_example_worked_by_hand() -> None:
    """Answered after 1, 3 and 3 days; open for 2 and for 4.

    After a day 4/5 are open; after three days, of the three that were followed so long, one third
    of those: 4/15. Hence the curve 1/5 and 11/15. Of the answered alone all are within three days.
    """
    made = [taking(1), taking(3), taking(3), open_for(2), open_for(4 - 1e-6)]
    found = survival(made)
    assert (found.n, found.open) == (5, 2)
    assert [(at.after / DAY, round(at.answered, 12)) for at in found.curve] == [
        (1, pytest.approx(1 / 5)),
        (3, pytest.approx(11 / 15)),
    ]
    assert (found.median, found.p90) == (3 * DAY, None)


def test_the_interval_is_greenwoods() -> None:
    """Four answered in a day and four open past their due: log-log by the textbook formula."""
    made = [case(received_at=START, distributed_at=START + DAY) for _ in range(4)]
    made += [case(received_at=START - 14 * DAY) for _ in range(4)]
    found = survival(made, Selection())
    assert found.in_time == pytest.approx(0.5)
    still = 0.5
    error = math.sqrt(4 / (8 * 4)) / abs(math.log(still))
    bounds = sorted(1 - still ** math.exp(sign * 1.959964 * error) for sign in (-1, 1))
    assert [found.in_time_low, found.in_time_high] == pytest.approx(bounds, abs=1e-6)


def test_what_nobody_was_followed_for_is_not_said() -> None:
    nothing = survival([])
    assert (nothing.n, nothing.open, nothing.curve, nothing.in_time) == (0, 0, (), None)
    only_open = survival([open_for(1), open_for(2)])
    assert (only_open.n, only_open.open, only_open.median) == (2, 2, None)
    young = survival([taking(1), open_for(2)])
    assert (young.median, young.in_time) == (DAY, None)


def test_late_by_a_weekend_is_late() -> None:
    """Due on Friday, answered on Saturday: no working time more, and yet too late."""
    start = local("2026-02-20 09:00")
    made = [
        case(received_at=start, distributed_at=local("2026-02-28 09:00")),
        case(received_at=start, distributed_at=local("2026-02-27 23:59")),
    ]
    assert survival(made, Selection()).in_time == pytest.approx(0.5)


def test_without_open_cases_it_is_the_share_within_target() -> None:
    lab = Laboratory(np.random.default_rng(5), each_weekday=10)
    made = lab.cases(date(2026, 1, 5), 28)
    whole = [one for one in made if one.distributed_at and one.distributed_at <= NOW]
    found, plain = survival(whole, Selection()), figures(DEFAULT_POLICY, whole)
    assert found.open == 0
    assert found.in_time == pytest.approx(plain.within / plain.n)
    assert plain.gross
    assert abs(found.median - plain.gross.median) < timedelta(milliseconds=1)
    assert abs(found.p90 - plain.gross.p90) < timedelta(milliseconds=1)


def test_leaving_the_hard_ones_lying_does_not_flatter() -> None:
    """Of two months alike in truth, one leaves its slow fifth unanswered, and looks better."""
    lab = Laboratory(np.random.default_rng(6), each_weekday=20)
    made = [one for one in lab.cases(date(2026, 1, 5), 28) if one.distributed_at < NOW]
    slow = sorted(made, key=lambda one: one.distributed_at - one.received_at)[-len(made) // 5 :]
    hidden = [as_known(one, one.opened_at) if one in slow else one for one in made]
    naive = figures(DEFAULT_POLICY, answered(hidden, Selection()))
    honest = figures(DEFAULT_POLICY, made)
    assert naive.percent > honest.percent
    assert naive.gross.p90 < honest.gross.p90
    assert survival(hidden, Selection()).in_time <= honest.within / honest.n + 1e-9
