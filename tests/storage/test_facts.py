"""Facts as JSON and back: every kind there is, and what is no fact."""

from __future__ import annotations

import dataclasses
import json
import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.case_tables import case_slide, pathology_case, patient, work_item
from storage.errors import Malformed
from storage.exchange.facts import LONGEST, check, fact_from_json, fact_json
from storage.exchange.plain import from_plain, to_plain
from storage.records import case_events as facts
from storage.records import slide_events as slides
from storage.records.case_events import FACTS, CaseFact
from storage.records.case_state import milestones_of
from storage.records.case_words import RescanReason
from storage.records.milestones import Milestones
from tests.storage.histories import Story, a_story, few

SECRET = "0101501234 Nancy"
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
zones = st.integers(-720, 840).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=zones)  # noqa: DTZ001
numbers = st.floats(allow_nan=False, allow_infinity=False)
st.register_type_strategy(str, texts)
st.register_type_strategy(datetime, moments)
st.register_type_strategy(float, numbers)
kinds = st.sampled_from(sorted(FACTS))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.just(SECRET) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
@few(400)
def test_every_fact_comes_back_as_it_was(data: st.DataObject) -> None:
    fact: CaseFact = data.draw(st.builds(FACTS[data.draw(kinds)]))
    plain = fact_json(fact)
    carried = json.loads(json.dumps(plain))
    assert carried == plain
    again = fact_from_json(type(fact).__name__, carried)
    assert again == fact
    assert fact_json(again) == plain


def test_what_says_nothing_is_left_out_and_the_rest_is_demanded() -> None:
    for name, kind in FACTS.items():
        if all(at.default is not dataclasses.MISSING for at in dataclasses.fields(kind)):
            assert fact_json(fact_from_json(name, {})) == {}, name
        else:
            with pytest.raises(Malformed, match="missing"):
                fact_from_json(name, {})


@given(kinds, st.data())
@few(400)
def test_what_is_no_fact_is_malformed_and_not_repeated(kind: str, data: st.DataObject) -> None:
    """Whatever stands in whichever field; the message may be logged, the value may not."""
    names = [at.name for at in dataclasses.fields(FACTS[kind])] or ["more"]
    plain = data.draw(st.dictionaries(st.sampled_from([*names, SECRET]), values, max_size=6))
    try:
        fact = fact_from_json(kind, plain)
    except Malformed as error:
        told = str(error)
    else:
        assert fact_json(fact_from_json(kind, fact_json(fact))) == fact_json(fact)
        return
    assert SECRET not in told
    assert SECRET.split()[0] not in told


@pytest.mark.parametrize("plain", [[], "x", None, 7, ["part"], [["part", "A"]]])
def test_fields_are_named(plain: Any) -> None:  # noqa: ANN401
    with pytest.raises(Malformed):
        fact_from_json("SpecimenTaken", plain)


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("SpecimenTaken", "part", 7),
        ("SpecimenTaken", "part", None),
        ("SpecimenTaken", "part", ["A"]),
        ("SpecimenTaken", "part", "A\0"),
        ("SpecimenTaken", "part", "\ud800"),
        ("SpecimenTaken", "part", "x" * 200_001),
        ("TargetWarned", "due", "2025-03-03T08:00"),
        ("TargetWarned", "due", "yesterday"),
        ("TargetWarned", "due", 1741000000),
        ("TargetWarned", "due", "0001-01-01T00:00+14:00"),
        ("PriorityChanged", "priority", "Routine"),
        ("PriorityChanged", "priority", ["routine"]),
        ("EventCorrected", "event_id", True),
        ("EventCorrected", "event_id", "7"),
        ("EventCorrected", "event_id", 7.0),
        ("ConsultationRequested", "await_before_signing", 1),
        ("ReportDistributed", "version", math.inf),
        ("RescanRequested", "region", [0, 0, 1]),
        ("RescanRequested", "region", [0, 0, 1, math.nan]),
        ("RescanRequested", "region", [0, 0, 1, math.inf]),
    ],
)
def test_what_does_not_fit(kind: str, field: str, value: Any) -> None:  # noqa: ANN401
    with pytest.raises(Malformed, match=f"{field}.*|region"):
        fact_from_json(kind, {field: value})


def test_there_are_no_other_kinds() -> None:
    for kind in ("", "Happened", "caseordered", "__class__", "EventSetAside"):
        with pytest.raises(Malformed):
            fact_from_json(kind, {})


def test_times_are_kept_in_utc() -> None:
    fact = fact_from_json("TargetWarned", {"due": "2025-03-03T08:00+02:00"})
    assert fact_json(fact) == {"due": "2025-03-03T06:00:00+00:00"}
    assert fact == facts.TargetWarned(datetime(2025, 3, 3, 6, tzinfo=UTC))


def test_the_hour_that_summer_time_skips_is_known_again(empty_database: Any) -> None:  # noqa: ANN401
    """Python holds such a time in one zone unequal to the same moment in any other."""
    story = a_story(empty_database)
    story.tell_all(story.received())
    due = datetime(2025, 3, 30, 2, 30, tzinfo=ZoneInfo("Europe/Copenhagen"))
    for outcome in ("recorded", "known"):
        assert story.tell(facts.TargetWarned(due), 90, key="w").outcome == outcome
        assert story.tell(facts.EventCorrected(3, "ur", due)).outcome == outcome


def test_a_region_may_be_whole_numbers() -> None:
    plain = {"barcode": "x", "reason": "dirt", "region": [0, 0.5, 1, 1]}
    fact = fact_from_json("RescanRequested", plain)
    assert fact == slides.RescanRequested("x", RescanReason.DIRT, "", (0.0, 0.5, 1.0, 1.0))


@pytest.mark.parametrize("text", ["x" * 81, "x\0", "\udfff"])
def test_what_a_column_cannot_hold_is_refused_before_it_gets_there(
    text: str, empty_database: Any  # noqa: ANN401
) -> None:  # fmt: skip
    """On one of the databases it would be an error of ours, on the other it would be kept."""
    story = a_story(empty_database)
    story.tell_all(story.received())
    for fact in (
        slides.SlideExpected(text),
        facts.ClockPaused(text, facts.PauseReason.PATIENT_CONSENT, "x"),
        facts.TargetWarned(datetime(2025, 3, 3)),  # noqa: DTZ001
        facts.TargetWarned(datetime.fromisoformat("0001-01-01T00:00+14:00")),
        slides.RescanRequested("x", RescanReason.DIRT, "", (0.0, 0.0, math.nan, 1.0)),
        facts.CaseCancelled(text if len(text) < 80 else text * 3000),
    ):
        with pytest.raises(Malformed) as caught:
            story.tell(fact)
        assert "xx" not in str(caught.value)
    for said in ({"actor": text}, {"key": text * 3}):
        with pytest.raises(Malformed):
            story.tell(facts.CaseAccessioned(), **said)  # type: ignore[arg-type]
    assert story.case.version == 3


def test_names_are_as_long_as_their_columns() -> None:
    for column, field in (
        (case_slide.c.barcode, "barcode"),
        (case_slide.c.slide_id, "slide_id"),
        (pathology_case.c.assignee, "pathologist"),
        (pathology_case.c.site, "site"),
        (pathology_case.c.unit, "unit"),
        (patient.c.patient_id, "patient_id"),
        (work_item.c.performer, "asked"),
        (work_item.c.performer, "consultant"),
        (work_item.c.about, "order_id"),
        (work_item.c.about, "consultation_id"),
        (work_item.c.item_id, "item_id"),
    ):
        assert LONGEST[field] == column.type.length  # type: ignore[attr-defined]
    check(slides.SlideExpected("x" * 64))


def test_milestones_come_back_as_they_were(empty_database: Any) -> None:  # noqa: ANN401
    story: Story = a_story(empty_database)
    for minute, fact in story.eventful():
        story.tell(fact, minute)
    found = milestones_of(story.case)
    carried = json.loads(json.dumps(to_plain(found)))
    assert from_plain(Milestones, carried) == found
