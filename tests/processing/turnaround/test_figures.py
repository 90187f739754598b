"""What is told of a month and of today, against counting it in another way."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from processing.turnaround.causes import MANY_SLIDES, Reason, causes, reason_of
from processing.turnaround.experience import learn
from processing.turnaround.figures_csv import COLUMNS, csv_text
from processing.turnaround.figures_json import month_json, today_json, trend_begins, trends_json
from processing.turnaround.statistics import Selection
from processing.turnaround.steps import StepName
from processing.turnaround.working_days import COPENHAGEN, public_holidays
from storage.records.milestones import Milestones, Priority, SpecimenClass
from storage.records.policy import DEFAULT_POLICY
from storage.records.published import DataCut, Scope
from tests.processing.turnaround.cases import case
from tests.processing.turnaround.months import Laboratory, as_known

NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)
CUT = DataCut(4711, NOW)
APRIL = Scope("2026-04")
_DAYS = {  # of the default policy, as the laboratory's cases have them
    SpecimenClass.BIOPSY: {Priority.ROUTINE: 5, Priority.PACKAGE: 4},
    SpecimenClass.RESECTION: {Priority.ROUTINE: 5, Priority.PACKAGE: 7},
    SpecimenClass.CYTOLOGY: {Priority.ROUTINE: 5, Priority.PACKAGE: 2},
    SpecimenClass.CYTOLOGY_CERVIX: {Priority.ROUTINE: 7, Priority.PACKAGE: 2},
}


@pytest.fixture(scope="module")
def known() -> list[Milestones]:
    """Two units over Easter, as known at NOW."""
    random = np.random.default_rng(11)
    lived = [
        replace(at, unit=unit, site=site, accession=f"{site}-{at.accession}")
        for site, unit in (("roskilde", "patologi"), ("slagelse", "pato-s"))
        for at in Laboratory(random, site, each_weekday=15).cases(date(2026, 2, 20), 60)
    ]
    return [as_known(at, NOW) for at in lived if at.received_at and at.received_at <= NOW]


def promised_until(at: Milestones) -> datetime:
    """The end of the last day of the promise, counted day by day."""
    assert at.received_at
    day = at.received_at.astimezone(COPENHAGEN).date()
    if at.specimen_class is SpecimenClass.BONE_BIOPSY:
        left, calendar = 10, True
    else:
        left, calendar = 1, False
        if at.priority is not Priority.URGENT:
            left = _DAYS[at.specimen_class][at.priority]

    def worked(when: date) -> bool:
        return calendar or (when.weekday() < 5 and when not in public_holidays(when.year))

    while not worked(day):
        day += timedelta(days=1)
    while left:
        day += timedelta(days=1)
        left -= worked(day)
    midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), COPENHAGEN)
    return midnight.astimezone(UTC)


def test_a_month_counted_by_hand(known: list[Milestones]) -> None:
    told = month_json(DEFAULT_POLICY, known, APRIL, CUT)
    answered = [
        at
        for at in known
        if at.distributed_at and f"{at.distributed_at.astimezone(COPENHAGEN):%Y-%m}" == "2026-04"
    ]
    assert told["whole"]["n"] == len(answered) > 200
    hours = np.array(
        [(at.distributed_at - at.received_at).total_seconds() for at in answered]  # type: ignore[operator]
    )
    for name, share in (("median", 0.5), ("p90", 0.9), ("p95", 0.95), ("max", 1.0)):
        expected = np.quantile(hours, share, method="inverted_cdf")
        assert told["whole"]["gross"][name] == pytest.approx(expected, abs=1e-6)
    within = [at for at in answered if at.distributed_at < promised_until(at)]  # type: ignore[operator]
    assert told["whole"]["within"] == len(within)
    assert told["whole"]["percent"] == pytest.approx(100 * len(within) / len(answered))
    assert told["whole"]["promised"] == 90
    assert sum(told["whole"]["step_means"].values()) == pytest.approx(hours.mean(), abs=0.001)
    by_unit = {group["key"][0]: group["n"] for group in told["groups"]["unit"]}
    assert by_unit == dict(Counter(at.unit for at in answered))
    for name, groups in told["groups"].items():
        assert sum(group["n"] for group in groups) == len(answered), name
        assert sum(group["within"] for group in groups) == len(within), name
    late = told["causes"]
    assert late["late"] == sum(late["steps"].values()) == sum(late["reasons"].values())
    assert late["late"] == len(answered) - len(within)
    assert sum(bucket["n"] for bucket in told["open"]) == sum(at.is_open for at in known)


def test_a_month_is_the_same_in_any_order_and_after_a_journey_as_text(
    known: list[Milestones],
) -> None:
    told = month_json(DEFAULT_POLICY, known, APRIL, CUT)
    assert json.loads(json.dumps(told)) == told
    assert month_json(DEFAULT_POLICY, known[::-1], APRIL, CUT) == told
    one = month_json(DEFAULT_POLICY, known, Scope("2026-04", "pato-s"), CUT)
    alone = [at for at in known if at.unit == "pato-s"]
    assert month_json(DEFAULT_POLICY, alone, Scope("2026-04", "pato-s"), CUT) == one


def test_open_cases_cannot_flatter_a_month(known: list[Milestones]) -> None:
    slow = [at for at in known if at.is_open]
    assert slow
    told = month_json(DEFAULT_POLICY, known, APRIL, CUT)["estimate"]
    without = [at for at in known if not at.is_open]
    flattered = month_json(DEFAULT_POLICY, without, APRIL, CUT)["estimate"]
    assert told["open"] > 0 == flattered["open"]
    assert told["percent"] < flattered["percent"]
    assert told["low"] <= told["percent"] <= told["high"]


def test_today_adds_up(known: list[Milestones]) -> None:
    experience = learn(DEFAULT_POLICY, known)
    told = today_json(DEFAULT_POLICY, experience, known, Selection(), NOW)
    opened = [at for at in known if at.is_open]
    late = [at for at in opened if promised_until(at) <= NOW]
    assert told["open"] == len(opened) == sum(told["standing"].values())
    assert told["standing"]["late"] == len(late) == told["preliminary_demanded"]
    assert sum(at["late"] for at in told["waiting"]) == len(late)
    assert sum(at["n"] for at in told["ages"]) == len(opened)
    assert told["ahead"]["told"] == len(opened) - len(late)
    assert told["ahead"]["likely"] == sum(told["ahead"]["causes"].values())
    assert 0 < told["ahead"]["expected"] < told["ahead"]["told"]
    unit = today_json(DEFAULT_POLICY, None, known, Selection(unit="pato-s"), NOW)
    assert unit["open"] == sum(at.unit == "pato-s" for at in opened)
    assert unit["ahead"] is None


def test_trends_have_every_week_and_month(known: list[Milestones]) -> None:
    told = trends_json(DEFAULT_POLICY, known, Selection(), date(2026, 4, 20))
    assert trend_begins("2026-04") == date(2025, 5, 1)
    assert trend_begins("2026-12") == date(2026, 1, 1)
    months = [at["key"][0] for at in told["month"]]
    assert (len(months), months[0], months[-1]) == (12, "2025-05", "2026-04")
    weeks = [at["key"][0] for at in told["week"]]
    assert (len(weeks), weeks[0], weeks[-1]) == (13, "2026-W05", "2026-W17")
    answered = sum(bool(at.distributed_at) for at in known)
    assert sum(at["n"] for at in told["month"]) == sum(at["n"] for at in told["week"]) == answered


def test_nobody_answered_is_told_as_nothing() -> None:
    told = month_json(DEFAULT_POLICY, [], APRIL, CUT)
    assert (told["whole"]["n"], told["whole"]["percent"], told["whole"]["gross"]) == (0, None, None)
    assert told["causes"] == {"late": 0, "steps": {}, "reasons": {}}
    assert len(csv_text(told).splitlines()) == 2


def test_the_table_for_spreadsheets(known: list[Milestones]) -> None:
    told = month_json(DEFAULT_POLICY, known, APRIL, CUT)
    table = list(csv.DictReader(io.StringIO(csv_text(told))))
    assert tuple(table[0]) == COLUMNS
    assert len(table) == 1 + sum(len(groups) for groups in told["groups"].values())
    assert (table[0]["group"], int(table[0]["n"])) == ("all", told["whole"]["n"])
    by_unit = [row for row in table if row["group"] == "unit"]
    assert {row["unit"] for row in by_unit} == {"patologi", "pato-s"}
    danish = csv.DictReader(io.StringIO(csv_text(told, danish=True)), delimiter=";")
    assert next(danish)["percent"] == table[0]["percent"].replace(".", ",")
    formula = [replace(at, site="=1+1") for at in known]
    assert ",'=1+1," in csv_text(month_json(DEFAULT_POLICY, formula, APRIL, CUT))


def test_the_cause_is_the_step_that_took_most_beyond_its_usual() -> None:
    laboratory = Laboratory(np.random.default_rng(4), each_weekday=10)
    usual = [
        at
        for at in laboratory.cases(date(2026, 3, 2), 20)
        if at.distributed_at and at.distributed_at < promised_until(at)
    ]
    slow = usual[0]
    assert slow.opened_at
    assert slow.signed_at
    assert slow.distributed_at
    long = timedelta(days=30)
    late = replace(
        slow,
        opened_at=slow.opened_at + long,
        signed_at=slow.signed_at + long,
        distributed_at=slow.distributed_at + long,
        awaited=(),
    )
    found = causes(DEFAULT_POLICY, [*usual[1:], late])
    assert (found.late, found.steps) == (1, {StepName.WAIT_TO_READ: 1})


def test_reasons_are_the_published_four() -> None:
    routine, urgent = case(), case(priority=Priority.URGENT)
    large = replace(routine, slides=(None,) * (MANY_SLIDES + 1))  # type: ignore[arg-type]
    assert reason_of(large, StepName.SCANNING) is Reason.SIZE
    assert reason_of(routine, StepName.AWAIT_WORK_ORDER) is Reason.COMPLEXITY
    assert reason_of(large, StepName.READ) is Reason.COMPLEXITY
    assert reason_of(routine, StepName.WAIT_TO_READ) is Reason.PRIORITISATION
    assert reason_of(urgent, StepName.WAIT_TO_READ) is Reason.BUSYNESS
    assert reason_of(routine, StepName.LAB) is Reason.BUSYNESS
    assert reason_of(routine, StepName.AWAIT_RESCAN) is Reason.OTHER
    assert reason_of(routine, StepName.SCANNING) is Reason.OTHER
