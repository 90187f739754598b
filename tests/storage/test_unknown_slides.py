"""Images and glasses: attached once, set before a person, matched by two identifiers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage import cases, events, matching, work_items
from storage.database import Database, now
from storage.errors import Illegal, NotFound
from storage.matching import Aside
from storage.records.case_events import CaseCancelled
from storage.records.case_words import ScanState, SlideState
from storage.records.slide import Slide
from storage.records.slide_events import SlideCancelled, SlideExpected
from storage.records.work import WorkItem, WorkKind, WorkState
from storage.unknown_slides import Second, give_back, match
from tests.storage.lab import IDENTIFIER, complete, image, order, say


def set_aside(database: Database, slide: Slide, **about: object) -> WorkItem:
    words = {"why": "unknown", "said": {}, "barcode": None, **about}
    with database.transaction() as connection:
        return matching.set_aside(connection, slide.slide_id, Aside(**words))  # type: ignore[arg-type]


def attach(database: Database, slide: Slide, accession: str, barcode: str) -> None:
    with database.transaction() as connection:
        matching.attach(connection, slide, (accession, barcode), cases.SYSTEM, "matching")


def kinds(database: Database, accession: str) -> list[str]:
    return [type(at.fact).__name__ for at in cases.history(database, accession)]


def test_every_image_is_looked_at_until_something_became_of_it(database: Database) -> None:
    order(database, "P1", "P1-A1")
    slides = [image(database, name) for name in ("a", "b", "c")]
    assert matching.unmatched(database) == [at.slide_id for at in slides]
    attach(database, slides[0], "P1", "P1-A1")
    set_aside(database, slides[1])
    left = set_aside(database, slides[2], left_alone=True)
    assert matching.unmatched(database) == []
    assert (left.state, left.reason) == (WorkState.CANCELLED, matching.LEFT_ALONE)
    inbox = work_items.listing(database, [WorkKind.UNKNOWN_SLIDE])
    assert [at.slide_id for at in inbox] == [slides[1].slide_id]


def test_an_image_is_attached_once_and_its_root_follows(database: Database) -> None:
    order(database, "P1", "P1-A1")
    slide = image(database, "a")
    for _ in range(2):
        attach(database, slide, "P1", "P1-A1")
    assert kinds(database, "P1")[-3:] == ["ImageStored", "ImageAvailable", "CaseReady"]
    since = now() - timedelta(days=1)
    assert matching.uncommitted(database, since) == []
    assert not matching.commit_root(database, slide.slide_id)
    complete(database, slide)
    assert matching.uncommitted(database, since) == [slide.slide_id]
    assert matching.commit_root(database, slide.slide_id)
    assert not matching.commit_root(database, slide.slide_id)
    assert matching.uncommitted(database, since) == []
    (scan,) = cases.get(database, "P1").slides["P1-A1"].scans
    assert (scan.root, scan.state) == ("a" * 64, ScanState.AVAILABLE)


def test_a_complete_image_brings_its_root_along(database: Database) -> None:
    order(database, "P1", "P1-A1")
    attach(database, complete(database, image(database, "a")), "P1", "P1-A1")
    assert kinds(database, "P1")[-4:-1] == ["ImageStored", "ImageCommitted", "ImageAvailable"]


def test_a_new_scan_replaces_the_old(database: Database) -> None:
    order(database, "P1", "P1-A1")
    for name in ("a", "b"):
        attach(database, image(database, name), "P1", "P1-A1")
    glass = cases.get(database, "P1").slides["P1-A1"]
    assert [at.state for at in glass.scans] == [ScanState.REPLACED, ScanState.AVAILABLE]
    assert glass.state is SlideState.AVAILABLE


@pytest.mark.parametrize("left_alone", [False, True])
def test_a_glass_that_is_expected_later_is_found(database: Database, left_alone: bool) -> None:
    order(database, "P1")
    slide = image(database, "a")
    set_aside(database, slide, barcode="P1-A1", left_alone=left_alone)
    assert matching.expected_meanwhile(database) == []
    say(database, "P1", SlideExpected("P1-A1"))
    assert matching.expected_meanwhile(database) == [slide.slide_id]
    with database.transaction() as connection:
        assert matching.may_be_matched(connection, slide.slide_id)
    attach(database, slide, "P1", "P1-A1")
    assert matching.expected_meanwhile(database) == []
    (item,) = work_items.listing(database, [WorkKind.UNKNOWN_SLIDE], list(WorkState))
    assert (item.state, item.reason) == (WorkState.DONE, matching.EXPECTED_LATER)


def test_what_was_set_aside_for_another_reason_is_not_tried_again(database: Database) -> None:
    order(database, "P1", "P1-A1")
    slide = image(database, "a")
    set_aside(database, slide, why="mismatch")
    with database.transaction() as connection:
        assert not matching.may_be_matched(connection, slide.slide_id)
    assert matching.expected_meanwhile(database) == []


FITTING = [
    (Second.ACCESSION, " p1 "), (Second.CPR, "010190-4321"), (Second.CPR, IDENTIFIER),
    (Second.BIRTH_DATE, "1990-01-01"), (Second.BIRTH_DATE, "01-01-1990"), (Second.BLOCK, "a1"),
]  # fmt: skip


def test_what_fits_as_second_identifier(database: Database) -> None:
    order(database, "P1", *(f"P1-A{number}" for number in range(len(FITTING))))
    for number, second in enumerate(FITTING):
        slide = image(database, f"image {number}")
        item = set_aside(database, slide, why="no_barcode")
        match(database, item.item_id, f"P1-A{number}", second, "tech")
        told = events.history(database, f"slide:{slide.slide_id}")[-1]
        assert (told.kind, told.actor, told.data["by"]) == ("SlideMatched", "tech", second[0])
        assert second[1].strip() not in told.data.values()


def test_a_match_needs_a_second_identifier_that_fits(database: Database) -> None:
    order(database, "P1", "P1-A1")
    item = set_aside(database, image(database, "a"), why="no_barcode")
    for second in [
        (Second.ACCESSION, "P2"), (Second.CPR, "0101901234"), (Second.CPR, ""),
        (Second.BIRTH_DATE, "1990-01-02"), (Second.BLOCK, ""), (Second.BLOCK, "B1"),
    ]:  # fmt: skip
        with pytest.raises(Illegal, match="second does not fit"):
            match(database, item.item_id, "P1-A1", second, "tech")
    with pytest.raises(NotFound):
        match(database, item.item_id, "P1-A9", (Second.ACCESSION, "P1"), "tech")
    assert "ImageStored" not in kinds(database, "P1")
    case = match(database, item.item_id, "P1-A1", (Second.ACCESSION, "P1"), "tech")
    assert case.slides["P1-A1"].state is SlideState.AVAILABLE
    assert {at.actor for at in cases.history(database, "P1")[-3:-1]} == {"tech"}
    with pytest.raises(Illegal, match="work ended"):
        match(database, item.item_id, "P1-A1", (Second.ACCESSION, "P1"), "tech")


def test_a_glass_that_is_not_expected_any_more_is_no_match(database: Database) -> None:
    order(database, "P1", "P1-A1")
    say(database, "P1", SlideCancelled("P1-A1", "broken"))
    item = set_aside(database, image(database, "a"))
    with pytest.raises(NotFound):
        match(database, item.item_id, "P1-A1", (Second.ACCESSION, "P1"), "tech")


def test_an_image_of_a_closed_case_is_attached_and_shown_as_odd(database: Database) -> None:
    order(database, "P1", "P1-A1")
    say(database, "P1", CaseCancelled("moved"))
    attach(database, image(database, "a"), "P1", "P1-A1")
    assert [at.code for at in cases.get(database, "P1").oddities] == ["image_after_closing"]


def test_returned_with_a_reason(database: Database) -> None:
    order(database, "P1", "P1-A1")
    slide = image(database, "a")
    item = set_aside(database, slide)
    with pytest.raises(Illegal, match="reason missing"):
        give_back(database, item.item_id, " ", "tech")
    done = give_back(database, item.item_id, "belongs to Roskilde", "tech")
    assert (done.state, done.reason) == (WorkState.CANCELLED, "returned")
    last = events.history(database, f"slide:{slide.slide_id}")[-1]
    assert (last.kind, last.actor) == ("SlideReturned", "tech")
    assert matching.unmatched(database) == []
    with pytest.raises(Illegal, match="work ended"):
        match(database, item.item_id, "P1-A1", (Second.ACCESSION, "P1"), "tech")
