"""How far a model is heard: up by two people and on counts of slides, down by anybody, as rules."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from storage import models
from storage.database import Database, now
from storage.errors import Malformed, Refused
from storage.layout import Layout
from storage.records.evidence import Evidence, EvidenceGroup, lacking
from storage.records.models import LADDER, VISIBLE, Admission, AdmissionTest, Model
from storage.records.people import Principal, Right, Role, allowed
from storage.records.proportion import wilson
from storage.records.quality import ModelMode
from tests.flows.guests import card_of, evidence, manifest_of

_NUMBERS = itertools.count(1)
PEOPLE = [
    Principal(name, role, "test")
    for name, role in (("lise", Role.PATHOLOGIST), ("olav", Role.OPS), ("tina", Role.TECHNICIAN))
]
WHY = models.Reason("seen", evidence())


def added(database: Database, folder: Path) -> Model:
    layout = Layout(folder).create()
    data = b"weights"
    manifest = replace(manifest_of(data), name=f"m{next(_NUMBERS)}")
    return models.add(database, layout, manifest, card_of(manifest), data, "test")


def examined(database: Database, known: Model, *, passed: bool) -> Model:
    found = Admission((AdmissionTest("finite", passed, 0, 0),), now(), "test")
    return models.enter_admission(database, known.manifest.name, known.manifest.version, found)


ACTS = st.one_of(
    st.tuples(st.just("approve"), st.sampled_from(PEOPLE), st.sampled_from(LADDER)),
    st.tuples(st.just("next"), st.sampled_from(PEOPLE), st.none()),
    st.tuples(st.just("next"), st.sampled_from(PEOPLE[:2]), st.none()),
    st.tuples(st.just("demote"), st.sampled_from(PEOPLE), st.sampled_from(LADDER)),
    st.tuples(st.just("admit"), st.booleans(), st.none()),
)


ALL_THE_WAY = [("next", who, None) for _ in range(3) for who in (PEOPLE[2], *PEOPLE[:2])]


@example([*ALL_THE_WAY, ("demote", PEOPLE[2], ModelMode.SILENT), ("admit", False, None)])
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ACTS, min_size=4, max_size=14))
def test_whatever_is_said_two_people_stand_behind_every_step_up(
    database: Database, tmp_path: Path, acts: list[tuple[str, object, ModelMode | None]]
) -> None:
    known, said = examined(database, added(database, tmp_path), passed=True), set[str]()
    for kind, who, to in acts:
        before = known
        if kind == "next":
            kind, to = "approve", LADDER[min(LADDER.index(known.mode) + 1, 3)]
        try:
            if kind == "admit":
                known = examined(database, known, passed=bool(who))
            elif kind == "approve":
                assert isinstance(who, Principal)
                assert to is not None
                known = models.approve(database, known, to, who, WHY)
                assert allowed(who, Right.APPROVE_MODELS)
                said.add(who.name)
            else:
                assert isinstance(who, Principal)
                assert to is not None
                known = models.demote(database, known, to, who.name, "why")
        except Refused:
            assert models.get(database, known.manifest.name) == before
            continue
        step = LADDER.index(known.mode) - LADDER.index(before.mode)
        if step > 0:
            assert (step, len(said)) == (1, 2)
            assert before.admission is not None
            assert before.admission.passed
        if step != 0:
            said.clear()
            assert known.approvals == ()
        if known.admission is None or not known.admission.passed:
            assert known.mode is ModelMode.TEST


@pytest.mark.parametrize("to", VISIBLE)
def test_nobody_who_treats_hears_it_without_counts(
    database: Database, tmp_path: Path, to: ModelMode
) -> None:
    known = examined(database, added(database, tmp_path), passed=True)
    for why in (models.Reason("seen"), models.Reason("seen", evidence(299))):
        with pytest.raises(Refused, match="not enough"):
            models.approve(database, known, to, PEOPLE[0], why)
    with pytest.raises(Malformed, match="note"):
        models.approve(database, known, ModelMode.SILENT, PEOPLE[0], models.Reason(" "))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (evidence(), ""),
        (evidence(300, 29, 29), "300 slides, 30"),
        (evidence(300, 30, 31), "contradict"),
        (evidence(300, 30, 25), "sensitivity for S1 he"),
        (replace(evidence(), source=" "), "source"),
        (
            Evidence("x", (EvidenceGroup("S", "he", 300, 30, 30, 80, None, 0.9),)),
            "specificity for S he",
        ),
    ],
)
def test_counts_that_are_not_enough(given: Evidence, why: str) -> None:
    assert why in lacking(given)
    assert bool(why) == bool(lacking(given))


def test_wilsons_interval() -> None:
    """Newcombe 1998, table I: 81 of 263."""
    share, low, high = wilson(81, 263)
    assert (round(share, 4), round(low, 4), round(high, 4)) == (0.308, 0.2553, 0.3662)
    assert evidence().sensitivity[1] < 0.9 < evidence().sensitivity[2]
    assert evidence().specificity[0] == 1 - 9 / 270
