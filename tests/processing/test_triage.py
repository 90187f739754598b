"""What findings propose for a case: only up, only heard ones, with the reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.triage import Standing, proposals
from storage.records.ai_rules import ai_actor
from storage.records.case_events import PriorityChanged
from storage.records.case_words import Severity
from storage.records.milestones import Priority
from storage.records.quality import (
    Basis,
    Finding,
    ModelMode,
    ModelRef,
    QualityState,
    TriageRule,
)
from storage.records.reading_events import FlagRaised

MODEL = ModelRef("mitoses", "2.1", "a" * 64, ModelMode.VISIBLE_SUPPORT)
FOUND = Finding(
    "mitosis.rate", "1", Basis.MODEL, QualityState.PASS, "1/mm2", {"rate": 9.0, "word": "x"},
    model=MODEL,
)  # fmt: skip
RULE = TriageRule("mitosis.rate", "rate", 5.0, priority=Priority.URGENT, subspecialty="haem")
CASE = Standing(Priority.ROUTINE, "gi", "B1")


def test_a_rule_raises_and_proposes_with_its_reason() -> None:
    (urgent, note) = proposals([FOUND], [RULE], CASE, "r" * 32)
    assert urgent.actor == note.actor == "ai:mitoses@2.1"
    assert urgent.fact == PriorityChanged(Priority.URGENT, "mitosis.rate: rate>5")
    assert isinstance(note.fact, FlagRaised)
    assert (note.fact.severity, note.fact.barcode) == (Severity.NOTE, "B1")
    assert note.fact.text == "haem? mitosis.rate: rate>5"
    (urgent, _) = proposals([FOUND], [replace(RULE, reason="Mange mitoser")], CASE, "r")
    assert urgent.fact == PriorityChanged(Priority.URGENT, "Mange mitoser")


def test_a_check_by_rules_speaks_under_its_own_name() -> None:
    (first, _) = proposals([replace(FOUND, model=None)], [RULE], CASE, "r")
    assert first.actor == "ai:mitosis.rate@1"


@pytest.mark.parametrize("mode", [ModelMode.TEST, ModelMode.SILENT])
def test_a_model_that_may_not_be_seen_says_nothing(mode: ModelMode) -> None:
    silent = replace(FOUND, model=replace(MODEL, mode=mode))
    assert proposals([silent], [RULE], CASE, "r") == []


@pytest.mark.parametrize("state", [QualityState.NOT_EVALUATED, QualityState.ERROR])
def test_what_was_not_evaluated_says_nothing(state: QualityState) -> None:
    assert proposals([replace(FOUND, state=state)], [RULE], CASE, "r") == []


def test_words_are_no_numbers_and_limits_are_not_reached() -> None:
    for rule in (
        replace(RULE, figure="word"),
        replace(RULE, figure="none"),
        replace(RULE, limit=9),
    ):
        assert proposals([FOUND], [rule], CASE, "r") == []
    assert proposals([FOUND], [replace(RULE, limit=10, below=True)], CASE, "r")


def test_the_cases_own_subspecialty_is_not_proposed_and_each_other_once() -> None:
    assert len(proposals([FOUND], [RULE, RULE], replace(CASE, subspecialty="haem"), "r")) == 1
    assert len(proposals([FOUND], [RULE, RULE], CASE, "r")) == 2


RULES = st.builds(
    TriageRule, st.just("mitosis.rate"), st.sampled_from(["rate", "word", "none"]),
    st.floats(-20, 20), st.booleans(), st.sampled_from([None, *Priority]),
    st.sampled_from(["", "haem", "gi", "derm"]), st.sampled_from(["", "x"]),
)  # fmt: skip


@given(
    st.lists(RULES, max_size=6), st.floats(allow_nan=True), st.sampled_from(Priority),
    st.sampled_from([None, *ModelMode]), st.sampled_from(QualityState),
)  # fmt: skip
def test_whatever_is_found_nothing_is_lowered(
    rules: list[TriageRule],
    rate: float,
    priority: Priority,
    mode: ModelMode | None,
    state: QualityState,
) -> None:
    model = replace(MODEL, mode=mode) if mode else None
    found = replace(FOUND, figures={"rate": rate, "word": "x"}, model=model, state=state)
    told = proposals([found], rules, replace(CASE, priority=priority), "r")
    raised = [at.fact for at in told if isinstance(at.fact, PriorityChanged)]
    assert len(raised) <= 1
    assert all(at.priority.rank > priority.rank and at.reason for at in raised)
    notes = [at.fact for at in told if isinstance(at.fact, FlagRaised)]
    assert len(raised) + len(notes) == len(told)
    assert all(at.severity is Severity.NOTE for at in notes)
    assert len({at.flag_id for at in notes}) == len(notes)


def test_names_that_do_not_fit_the_log_are_refused() -> None:
    assert ai_actor("m", "1") == "ai:m@1"
    with pytest.raises(ValueError, match="76 letters"):
        ai_actor("m" * 80, "1")
