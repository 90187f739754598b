"""Work follows what is known: what did not happen asks for nothing, and opens no door."""

from __future__ import annotations

from datetime import timedelta

from storage import cases, work_items
from storage.case_log import Said
from storage.database import Database, now
from storage.records.case_events import CaseCancelled, EventCorrected, TargetBreached
from storage.records.case_words import RescanReason, SlideState, WorkOrderKind
from storage.records.milestones import Distance
from storage.records.people import Principal, Role
from storage.records.reading_events import (
    ConsultationRequested,
    PreliminarySent,
    WorkOrderPlaced,
)
from storage.records.slide_events import (
    ImageAvailable,
    ImageStored,
    RescanRequested,
    SlideStained,
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


def test_what_is_told_after_the_case_was_closed_asks_for_no_work(database: Database) -> None:
    """It happened before, so it is true; nobody does it any more."""
    order(database, "S-1", "B-1")
    say(database, "S-1", SlideStained("B-1"), ImageStored("B-1", "i1"), ImageAvailable("B-1", "i1"))
    before = Said("pia", "web", now())
    cases.record(database, "S-1", CaseCancelled("bortfaldet"), Said("pia", "web", now()))
    asked = RescanRequested("B-1", RescanReason.OUT_OF_FOCUS)
    cases.record(database, "S-1", asked, before, strict=False)
    placed = WorkOrderPlaced("o1", WorkOrderKind.STAIN, "A1", "PAS")
    cases.record(database, "S-1", placed, before, strict=False)
    assert work_items.listing(database, [WorkKind.SCAN, WorkKind.LAB_ORDER]) == []
    assert cases.get(database, "S-1").slides["B-1"].state is SlideState.RESCAN
