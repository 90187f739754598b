"""What programs that judge pictures can do to a case: raise its priority, leave a note, no more."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection

from flows.services import Services
from flows.triage import Triage, tell
from storage import cases, events, quality
from storage.case_log import Said
from storage.database import Database, now
from storage.errors import Illegal
from storage.events import Event
from storage.records.ai_rules import KINDS
from storage.records.case_events import FACTS, CaseFact, PriorityChanged
from storage.records.case_words import Severity
from storage.records.milestones import Priority
from storage.records.quality import (
    Basis,
    Finding,
    Policy,
    PolicyRef,
    QualityReport,
    QualityState,
    TriageRule,
    Verdict,
)
from storage.records.reading_events import FlagRaised
from storage.records.slide_events import ImageAvailable, ImageStored
from storage.tables import event
from tests.storage.lab import order, say

AI = "ai:mitoses@2.1"
RULE = TriageRule("focus.radius", "p50", 1.0, priority=Priority.PACKAGE, subspecialty="haem")


def assess(database: Database, slide_id: str = "i1", run_id: str = "r1", p50: float = 2.0) -> None:
    found = Finding("focus.radius", "3", Basis.RULE, QualityState.REVIEW, "um", {"p50": p50})
    report = QualityReport(
        slide_id, "0" * 64, None, run_id, now(), "1", PolicyRef("he", 1, "0"), (9, 9), 0.25, 1.0,
        1.0, Verdict(QualityState.REVIEW), (found,), 1.0, 1.0, "GT450", "HE",
    )  # fmt: skip
    quality.enter(database, report, "svartid")


def a_case(database: Database) -> None:
    order(database, "C-1", "B1")
    say(database, "C-1", ImageStored("B1", "i1"), ImageAvailable("B1", "i1"))


def test_findings_raise_the_case_and_leave_a_note_once(database: Database) -> None:
    a_case(database)
    quality.keep_policy(database, Policy("he", 0, (), triage=(RULE,)), "kir")
    assess(database)
    assert [tell(database, "i1"), tell(database, "i1")] == [2, 0]
    case = cases.get(database, "C-1")
    assert case.priority is Priority.PACKAGE
    (flag,) = case.flags.values()
    assert (flag.severity, flag.text) == (Severity.NOTE, "haem? focus.radius: p50>1")
    assert case.open_flags == []  # a note stands in nobody's way
    told = [at for at in cases.history(database, "C-1") if at.actor.startswith("ai:")]
    assert [type(at.fact).__name__ for at in told] == ["PriorityChanged", "FlagRaised"]
    assert {at.actor for at in told} == {"ai:focus.radius@3"}


def test_what_people_decide_after_it_stands(quick_database: Database) -> None:
    a_case(quick_database)
    quality.keep_policy(quick_database, Policy("he", 0, (), triage=(RULE,)), "kir")
    assess(quick_database)
    assert tell(quick_database, "i1") == 2
    say(quick_database, "C-1", PriorityChanged(Priority.ROUTINE, "seen"), actor="kir")
    assess(quick_database, run_id="r2")
    assert tell(quick_database, "i1") == 0
    assert cases.get(quick_database, "C-1").priority is Priority.ROUTINE


def test_without_rules_or_a_case_nothing_is_told(quick_database: Database) -> None:
    assess(quick_database)
    assert tell(quick_database, "i1") == 0
    a_case(quick_database)
    assert tell(quick_database, "i1") == 0
    assert tell(quick_database, "unknown") == 0


def test_the_duty_hears_of_runs_and_of_images_that_find_their_case(services: Services) -> None:
    database = services.database
    quality.keep_policy(database, Policy("he", 0, (), triage=(RULE,)), "kir")
    assess(database)
    look = Triage(services)
    assert look() == 0
    a_case(database)
    assert [look(), look()] == [2, 0]
    say(database, "C-1", ImageStored("B1", "i2"))
    assess(database, "i2", "r3", p50=0.2)
    assert look() == 0
    assert Triage(services)() == 0


def values(hint: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401
    """Anything a field of a fact may hold, so that rules and not types decide."""
    if typing.get_origin(hint) is tuple:
        inside = [at for at in typing.get_args(hint) if at is not Ellipsis]
        return st.just(()) if ... in typing.get_args(hint) else st.tuples(*map(values, inside))
    choices = [at for at in (typing.get_args(hint) or (hint,)) if at is not type(None)]
    if len(choices) < len(typing.get_args(hint)):
        return st.none() | values(choices[0])
    kind = choices[0]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return st.sampled_from(kind)
    if kind is datetime:
        return st.just(datetime(2027, 1, 1, tzinfo=UTC))
    plain: dict[Any, st.SearchStrategy[Any]] = {
        bool: st.booleans(),
        int: st.integers(0, 9),
        float: st.floats(0, 9),
        str: st.sampled_from(("A", "B1", "i1")),
    }
    return plain[kind]


def facts(kind: type[CaseFact]) -> st.SearchStrategy[CaseFact]:
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{at.name: values(hints[at.name]) for at in fields(kind)})


SPEAKERS = (AI, "AI:x@1", " ai:x")
ANYTHING = st.one_of([facts(kind) for kind in FACTS.values()])
ALLOWED = st.one_of([facts(FACTS[at]) for at in KINDS])
SPOKEN = st.tuples(
    st.booleans().flatmap(lambda wild: ANYTHING if wild else ALLOWED),
    st.sampled_from(SPEAKERS),
    st.booleans(),
    st.sampled_from([None, None, None, -3600.0, -1.0, 60.0]),
    st.sampled_from([None, None, None, "k1", "k2"]),
)


@pytest.fixture(scope="module")
def read_case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with a case that can be read."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('ai') / 'svartid.sqlite'}")
    database.migrate()
    a_case(database)
    yield database
    database.dispose()


class Undone(Exception):
    """Takes an example back."""


@given(st.lists(SPOKEN, max_size=12))
@settings(max_examples=100)
def test_whatever_a_program_says_priority_only_rises_and_nothing_else_changes(
    read_case: Database, spoken: list[Any]
) -> None:
    with suppress(Undone), read_case.transaction() as connection:
        before = cases.get_in(connection, "C-1")
        for told in spoken:
            was = cases.get_in(connection, "C-1")
            recorded = is_recorded(connection, *told)
            case = cases.get_in(connection, "C-1")
            assert recorded or case == was
            assert case.priority.rank >= was.priority.rank
        after = cases.get_in(connection, "C-1")
        may = {"priority": after.priority, "flags": after.flags, "version": after.version}
        assert replace(before, **may) == after
        assert {at.severity for at in after.flags.values()} <= {Severity.NOTE}
        rows = connection.execute(sa.select(event.c.actor, event.c.kind)).all()
        assert {kind for actor, kind in rows if actor in SPEAKERS} <= set(KINDS)
        raise Undone


def is_recorded(
    connection: Connection,
    fact: CaseFact,
    actor: str,
    strict: bool,
    *when: Any,  # noqa: ANN401 - seconds from now, or not said, and the sender's key
) -> bool:
    seconds, key = when
    moment = None if seconds is None else now() + timedelta(seconds=seconds)
    said = Said(actor, "test", moment, key)
    try:
        done = cases.record_in(connection, "C-1", fact, said, strict=strict)
    except Illegal:
        return False
    return done.outcome is cases.Outcome.RECORDED


@pytest.mark.parametrize(
    "kind", ["QualityJudged", "ReportSigned", "AnnotationDrawn", "RoleChanged"]
)
def test_nothing_else_in_the_log_is_ever_by_a_program(quick_database: Database, kind: str) -> None:
    with pytest.raises(Illegal) as refused, quick_database.transaction() as connection:
        events.record(connection, Event("slide:x", kind, AI, "test", {}))
    assert refused.value.reason == "ai_may_not"


def test_a_flag_that_must_be_seen_is_for_people(quick_database: Database) -> None:
    a_case(quick_database)
    said = Said(AI, "test")
    must = FlagRaised("f", Severity.MUST_SEE, "x")
    with pytest.raises(Illegal):
        cases.record(quick_database, "C-1", must, said, strict=False)
    done = cases.record(quick_database, "C-1", FlagRaised("f", Severity.NOTE, "x"), said)
    assert done.outcome is cases.Outcome.RECORDED
