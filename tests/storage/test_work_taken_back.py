"""Work follows what is known: what did not happen asks for nothing, and opens no door."""

from __future__ import annotations

from datetime import timedelta

from storage import cases, work_items
from storage.case_log import Said
from storage.database import Database, now
from storage.records.case_events import EventCorrected, TargetBreached
from storage.records.case_words import WorkOrderKind
from storage.records.milestones import Distance
from storage.records.people import Principal, Role
from storage.records.reading_events import (
    ConsultationRequested,
    PreliminarySent,
    WorkOrderPlaced,
)
from storage.records.work import WorkKind, WorkState
from storage.relations import concern_of_case
from tests.storage.lab import order, say

SAID = Said("pia", "web")
CONSULTANT = Principal("karl", Role.CONSULTANT, "s")


def test_a_question_that_was_never_asked_lets_nobody_in(database: Database) -> None:
    order(database, "S-1", "B-1")
    question = ConsultationRequested("q1", Distance.NATIONAL, "karl", "What is it?")
    asked = cases.record(database, "S-1", question, SAID)
    assert concern_of_case(database, CONSULTANT, "S-1").relation.consulted
    cases.record(database, "S-1", EventCorrected(asked.event_id, "wrong case"), SAID)
    assert not concern_of_case(database, CONSULTANT, "S-1").relation.consulted
    (item,) = work_items.listing(database, [WorkKind.CONSULTATION], list(WorkState))
    assert (item.state, item.reason) == (WorkState.CANCELLED, "corrected")


def test_an_order_that_was_never_placed_is_no_work(database: Database) -> None:
    order(database, "S-1", "B-1")
    placed = WorkOrderPlaced("o1", WorkOrderKind.STAIN, "A1", "PAS")
    kept = WorkOrderPlaced("o2", WorkOrderKind.STAIN, "A1", "vGE")
    wrong = cases.record(database, "S-1", placed, SAID)
    cases.record(database, "S-1", kept, SAID)
    cases.record(database, "S-1", EventCorrected(wrong.event_id, "slip"), SAID)
    assert [at.about for at in work_items.listing(database, [WorkKind.LAB_ORDER])] == ["o2"]


def test_a_preliminary_answer_that_is_out_is_not_demanded(database: Database) -> None:
    order(database, "S-1", "B-1")
    order(database, "S-2", "B-2")
    say(database, "S-1", PreliminarySent("Text", "size", now() + timedelta(days=2)))
    for accession in ("S-1", "S-2"):
        say(database, accession, TargetBreached(now()))
    assert [at.accession for at in work_items.listing(database, [WorkKind.PRELIMINARY])] == ["S-2"]
