"""Scans: asked for once, taken by one, failed and offered again, taken back from the dead."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from storage import cases, scanning, work_items
from storage.database import Database, now
from storage.errors import Illegal, NotFound
from storage.records.case_events import CaseCancelled
from storage.records.case_words import RescanReason, SlideState
from storage.records.milestones import Priority
from storage.records.slide_events import ImageAvailable, ImageStored, RescanRequested
from storage.records.work import WorkItem, WorkKind, WorkState
from tests.storage.lab import order, say

LATER = timedelta(hours=2)


def glass(database: Database, accession: str, barcode: str) -> SlideState:
    return cases.get(database, accession).slides[barcode].state


def kinds(database: Database, accession: str) -> list[str]:
    return [type(at.fact).__name__ for at in cases.history(database, accession)]


def take(database: Database, performer: str = "s1", station: str = "S1") -> WorkItem:
    item = scanning.next_scan(database, performer, station)
    assert item is not None
    return item


def item_of(database: Database, item_id: str) -> WorkItem:
    (found,) = work_items.listing(database, [WorkKind.SCAN], list(WorkState), item_id=item_id)
    return found


def test_a_scan_is_asked_for_once(database: Database) -> None:
    order(database, "P1", "P1-A1")
    first = scanning.queue_scan(database, "P1-A1", "tech", rack="R1", slot="3")
    again = scanning.queue_scan(database, "P1-A1", "tech", slot="4")
    assert (first.item_id, again.rack, again.slot) == (again.item_id, "R1", "4")
    assert glass(database, "P1", "P1-A1") is SlideState.QUEUED
    assert kinds(database, "P1").count("ScanQueued") == 1
    assert (first.site, first.unit, first.accession) == ("naestved", "pato-n", "P1")


def test_many_who_ask_at_once_get_one_scan(database: Database) -> None:
    order(database, "P1", "P1-A1")
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(scanning.queue_scan, database, "P1-A1", f"t{n}") for n in range(6)]
        assert len({at.result().item_id for at in asked}) == 1


def test_what_cannot_be_scanned_is_refused(database: Database) -> None:
    with pytest.raises(NotFound):
        scanning.queue_scan(database, "P9-A1", "tech")
    order(database, "P1", "P1-A1")
    order(database, "P2", "P2-A1")
    say(database, "P2", CaseCancelled("moved"))
    with pytest.raises(Illegal, match="case closed"):
        scanning.queue_scan(database, "P2-A1", "tech")
    say(database, "P1", ImageStored("P1-A1", "a"), ImageAvailable("P1-A1", "a"))
    with pytest.raises(Illegal, match="slide is available"):
        scanning.queue_scan(database, "P1-A1", "tech")
    assert work_items.listing(database, [WorkKind.SCAN]) == []


def test_the_most_urgent_is_taken_first_and_by_one_station_only(database: Database) -> None:
    order(database, "P1", "P1-A1")
    order(database, "P2", "P2-A1", priority=Priority.URGENT)
    for barcode in ("P1-A1", "P2-A1"):
        scanning.queue_scan(database, barcode, "tech")
    first = take(database)
    assert first.barcode == "P2-A1"
    assert take(database).item_id == first.item_id  # the answer was lost: it asks again
    assert take(database, station="S2").barcode == "P1-A1"
    assert scanning.next_scan(database, "s3", "S3") is None
    with pytest.raises(Illegal, match="claimed by another"):
        scanning.start(database, first.item_id, "s3")


def test_a_station_gets_what_its_site_has(database: Database) -> None:
    order(database, "P1", "P1-A1")
    scanning.queue_scan(database, "P1-A1", "tech")
    assert scanning.next_scan(database, "s1", "S1", "roskilde") is None
    assert scanning.next_scan(database, "s1", "S1", "naestved") is not None


def test_start_beat_and_finish(database: Database) -> None:
    order(database, "P1", "P1-A1")
    scanning.queue_scan(database, "P1-A1", "tech")
    item = take(database)
    for _ in range(2):
        scanning.start(database, item.item_id, "s1", "S1")
    assert glass(database, "P1", "P1-A1") is SlideState.SCANNING
    scanning.beat(database, item.item_id, "s1")
    for _ in range(2):
        done = scanning.finish(database, item.item_id, "s1", "f" * 64)
    assert (done.state, glass(database, "P1", "P1-A1")) == (WorkState.DONE, SlideState.SCANNED)
    assert kinds(database, "P1")[-3:] == ["ScanQueued", "ScanStarted", "ScanCompleted"]
    assert cases.get(database, "P1").slides["P1-A1"].scans[0].scanner == "S1"
    with pytest.raises(Illegal, match="work ended"):
        scanning.beat(database, item.item_id, "s1")


def test_finished_without_a_start_is_taken(database: Database) -> None:
    order(database, "P1", "P1-A1")
    scanning.queue_scan(database, "P1-A1", "tech")
    scanning.finish(database, take(database).item_id, "s1")
    assert kinds(database, "P1")[-2:] == ["ScanStarted", "ScanCompleted"]


def test_the_image_may_come_before_the_scanner_says_it_is_done(database: Database) -> None:
    order(database, "P1", "P1-A1")
    scanning.queue_scan(database, "P1-A1", "tech")
    item = scanning.start(database, take(database).item_id, "s1")
    say(database, "P1", ImageStored("P1-A1", "a"), ImageAvailable("P1-A1", "a"))
    assert scanning.finish(database, item.item_id, "s1").state is WorkState.DONE
    assert glass(database, "P1", "P1-A1") is SlideState.AVAILABLE


def test_a_failed_scan_is_offered_three_times_in_all(database: Database) -> None:
    order(database, "P1", "P1-A1")
    scanning.queue_scan(database, "P1-A1", "tech")
    for attempt in (1, 2, 3):
        item = scanning.start(database, take(database).item_id, "s1")
        assert item.attempts == attempt
        failed = scanning.fail(database, item.item_id, "s1", "focus")
        assert scanning.fail(database, item.item_id, "s1", "focus") == failed
        expected = WorkState.FAILED if attempt == 3 else WorkState.OFFERED
        assert (failed.state, failed.reason) == (expected, "focus")
    assert glass(database, "P1", "P1-A1") is SlideState.FAILED
    assert kinds(database, "P1").count("ScanFailed") == 3
    assert scanning.next_scan(database, "s1", "S1") is None
    (left,) = work_items.listing(database, [WorkKind.SCAN], [WorkState.FAILED])
    assert [at["reason"] for at in left.data["failures"]] == ["focus"] * 3
    anew = scanning.queue_scan(database, "P1-A1", "tech")  # a person has cleaned the glass
    assert (anew.attempts, glass(database, "P1", "P1-A1")) == (0, SlideState.QUEUED)


def test_only_who_has_it_may_speak_for_it(database: Database) -> None:
    order(database, "P1", "P1-A1")
    scanning.queue_scan(database, "P1-A1", "tech")
    item = scanning.start(database, take(database).item_id, "s1")
    for word in (scanning.beat, scanning.finish):
        with pytest.raises(Illegal, match="claimed by another"):
            word(database, item.item_id, "s2")
    with pytest.raises(Illegal, match="claimed by another"):
        scanning.fail(database, item.item_id, "s2", "focus")
    assert scanning.fail(database, item.item_id, "tech", "jammed", anyone=True).performer == ""
    with pytest.raises(NotFound):
        scanning.beat(database, "0" * 32, "s1")


def test_a_scanner_that_died_loses_its_scan(database: Database) -> None:
    order(database, "P1", "P1-A1", "P1-A2")
    for barcode in ("P1-A1", "P1-A2"):
        scanning.queue_scan(database, barcode, "tech")
    begun = scanning.start(database, take(database).item_id, "s1")
    idle = take(database, station="S2")
    assert scanning.dead(database) == []
    found = scanning.dead(database, now() + LATER)
    assert set(found) == {begun.item_id, idle.item_id}
    for item_id in found:
        assert not scanning.release(database, item_id)  # it has just spoken
        assert scanning.release(database, item_id, now() + LATER)
    states = [item_of(database, item_id).state for item_id in found]
    assert states == [WorkState.OFFERED] * 2
    assert kinds(database, "P1").count("ScanFailed") == 1  # what never began did not fail
    with pytest.raises(Illegal, match="not claimed"):
        scanning.finish(database, begun.item_id, "s1")


def test_a_scan_without_an_image_has_come_to_nothing(database: Database) -> None:
    order(database, "P1", "P1-A1")
    scanning.queue_scan(database, "P1-A1", "tech")
    item = scanning.finish(database, take(database).item_id, "s1")
    assert scanning.dead(database) == []
    assert scanning.dead(database, now() + LATER) == [item.item_id]
    assert scanning.release(database, item.item_id, now() + LATER)
    assert glass(database, "P1", "P1-A1") is SlideState.QUEUED
    assert item_of(database, item.item_id).state is WorkState.OFFERED


def test_an_older_scan_is_not_taken_for_the_one_under_way(database: Database) -> None:
    order(database, "P1", "P1-A1")
    scanning.queue_scan(database, "P1-A1", "tech")
    old = scanning.finish(database, take(database).item_id, "s1", "a" * 64)
    say(database, "P1", ImageStored("P1-A1", "a"), ImageAvailable("P1-A1", "a"))
    say(database, "P1", RescanRequested("P1-A1", RescanReason.DIRT))
    new = scanning.start(database, take(database).item_id, "s1")
    assert new.data["rescan"] == "dirt"
    assert scanning.dead(database, now() + LATER) == [new.item_id]
    with database.reading() as connection:
        assert scanning.scan_of(connection, "a" * 64, "nobody") is None
        said = scanning.scan_of(connection, "b" * 64, "s1")
    assert said is not None
    assert said.item_id == new.item_id != old.item_id


def test_which_scan_a_file_comes_from(database: Database) -> None:
    order(database, "P1", "P1-A1", "P1-A2", "P1-A3")
    for barcode in ("P1-A1", "P1-A2", "P1-A3"):
        scanning.queue_scan(database, barcode, "tech")
    named = scanning.finish(database, take(database).item_id, "s1", "a" * 64)
    with database.reading() as connection:
        found = scanning.scan_of(connection, "a" * 64, "folder:incoming")
        assert found is not None
        assert found.item_id == named.item_id
        assert scanning.scan_of(connection, "b" * 64, "s1") is None
    for _ in range(2):
        scanning.start(database, take(database).item_id, "s1")
    with database.reading() as connection:
        assert scanning.scan_of(connection, "b" * 64, "s1") is None  # one of two: not said


def test_a_closed_case_wants_no_second_try(database: Database) -> None:
    order(database, "P1", "P1-A1")
    scanning.queue_scan(database, "P1-A1", "tech")
    item = scanning.start(database, take(database).item_id, "s1")
    say(database, "P1", CaseCancelled("moved"))
    assert scanning.fail(database, item.item_id, "s1", "focus").state is WorkState.CANCELLED
