"""What was recorded as what it is can be looked at and settled: once, by name, with a reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from storage import cases, events, outbound, repairs, work_items
from storage.case_log import SETTLED, Said
from storage.case_tables import outbound as outbound_table
from storage.database import Database
from storage.errors import Illegal, NotFound
from storage.records.case_events import CaseCancelled, CaseFact, ClockPaused
from storage.records.case_words import AssignedBy
from storage.records.milestones import PauseReason
from storage.records.people import Principal, Role
from storage.records.reading_events import CaseAssigned
from storage.records.repair import Repair, RepairAct, RepairKind
from storage.records.slide_events import (
    ImageStored,
    ScanFailed,
    ScanQueued,
    ScanStarted,
    SlideExpected,
    SlideStained,
)
from storage.records.work import WorkKind, WorkState
from storage.tables import event
from tests.storage.lab import order, say

TINA = Principal("tina", Role.TECHNICIAN, "s", "naestved", "pato-n")
STRANGER = Principal("else", Role.TECHNICIAN, "s", "roskilde", "pato-r")
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)


def told(
    database: Database, accession: str, fact: CaseFact, at: datetime | None = None, key: str = ""
) -> cases.Recorded:
    """As a laboratory system does: it does not wait for the answer."""
    said = Said("lis", "hl7", at, key or None)
    return cases.record(database, accession, fact, said, strict=False)


def only(database: Database, kind: RepairKind, who: Principal = TINA) -> Repair:
    (found,) = [at for at in repairs.listing(database, who) if at.kind is kind]
    return found


def settled(database: Database) -> list[events.Event]:
    return events.of_kinds(database, [SETTLED])


def test_a_set_aside_fact_is_recorded_again_at_its_own_time(database: Database) -> None:
    told(database, "S-1", SlideStained("S-1-A1"), AT, key="lis-7")
    line = only(database, RepairKind.SET_ASIDE)
    assert (line.accession, line.what, line.reason) == ("S-1", "SlideStained", "slide_unknown")
    assert (line.actor, line.source, line.occurred_at) == ("lis", "hl7", AT)
    assert line.about == {"barcode": "S-1-A1"}
    with pytest.raises(Illegal, match="slide unknown"):
        repairs.retry(database, line, "tina")
    assert only(database, RepairKind.SET_ASIDE) == line  # nothing was settled by trying
    order(database, "S-1")
    moment = datetime.now(UTC)
    with pytest.raises(Illegal, match="slide unknown"):
        repairs.retry(database, line, "tina")
    expected = Said("lis", "hl7", AT - timedelta(hours=1))
    with pytest.raises(Illegal):  # a glass expected before its case was ordered
        cases.record(database, "S-1", SlideExpected("S-1-A1"), expected)
    late = Said("lis", "hl7", moment)
    cases.record(database, "S-1", SlideExpected("S-1-A1"), late)
    with pytest.raises(Illegal, match="slide unknown"):
        repairs.retry(database, line, "tina")  # its own time still counts: it cannot have been


def test_what_can_be_so_by_now_is_recorded_and_settled_once(database: Database) -> None:
    order(database, "S-1")
    moment = datetime.now(UTC)
    told(database, "S-1", SlideStained("S-1-A1"), moment + timedelta(seconds=1))
    line = only(database, RepairKind.SET_ASIDE)
    say(database, "S-1", SlideExpected("S-1-A1"))
    done = repairs.retry(database, repairs.find(database, TINA, line.repair_id), "tina")
    assert done is not None
    assert done.outcome is cases.Outcome.RECORDED
    assert done.case.slides["S-1-A1"].stained_at == moment + timedelta(seconds=1)
    (event,) = settled(database)
    assert (event.actor, event.data["how"]) == ("tina", "retried")
    assert event.data["repair_id"] == line.repair_id
    with pytest.raises(NotFound):
        repairs.find(database, TINA, line.repair_id)
    with pytest.raises(Illegal, match="work ended"):  # two people at the same line
        repairs.retry(database, line, "sara")
    history = cases.history(database, "S-1")
    assert [at.actor for at in history if isinstance(at.fact, SlideStained)] == ["lis"]
    assert len(settled(database)) == 1


def test_dismissing_needs_a_reason_and_keeps_it(database: Database) -> None:
    order(database, "S-1")
    told(database, "S-1", SlideStained("none"))
    line = only(database, RepairKind.SET_ASIDE)
    with pytest.raises(Illegal, match="reason missing"):
        repairs.dismiss(database, line, "tina", " ")
    repairs.dismiss(database, line, "tina", "typed wrong")
    assert repairs.listing(database, TINA) == []
    (event,) = settled(database)
    assert (event.actor, event.data["reason"]) == ("tina", "typed wrong")
    with pytest.raises(Illegal, match="work ended"):
        repairs.dismiss(database, line, "sara", "again")


def test_one_barcode_of_two_cases_names_both(database: Database) -> None:
    order(database, "S-1", "B-1")
    order(database, "S-2")
    told(database, "S-2", SlideExpected("B-1"))
    line = only(database, RepairKind.TWO_ACCESSIONS)
    assert line.accession == "S-2"
    assert line.about == {"barcode": "B-1", "other_accession": "S-1"}
    assert line == repairs.listing(database, TINA)[0]


def test_only_within_reach(database: Database) -> None:
    order(database, "S-1")
    order(database, "S-2", unit="pato-r", site="roskilde")
    told(database, "S-1", SlideStained("none"))
    told(database, "S-2", SlideStained("none"))
    told(database, "S-3", SlideStained("none"))  # of nobody's case: for whoever may repair
    seen = {
        who.name: {at.accession for at in repairs.listing(database, who)}
        for who in (TINA, STRANGER)
    }
    assert seen == {"tina": {"S-1", "S-3"}, "else": {"S-2", "S-3"}}


def test_oddities_stay_until_seen_and_come_back_with_new_ones(database: Database) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    order(database, "S-1")
    assert repairs.listing(database, TINA) == []
    with database.transaction() as connection:  # as if it had been told as it happened
        connection.execute(sa.update(event).values(occurred_at=yesterday, received_at=yesterday))
    for minutes, count in ((1, 1), (2, 2)):
        fact = ClockPaused(str(minutes), PauseReason.INFO_FROM_REQUESTER, "asked")
        told(database, "S-1", fact, yesterday + timedelta(minutes=minutes))
        line = only(database, RepairKind.BACKDATED)
        assert (line.accession, line.count, line.acts) == ("S-1", count, (RepairAct.DISMISS,))
    repairs.dismiss(database, line, "tina", "the network was down")
    assert repairs.listing(database, TINA) == []
    fact = ClockPaused("3", PauseReason.INFO_FROM_REQUESTER, "asked")
    told(database, "S-1", fact, yesterday + timedelta(minutes=3))
    assert only(database, RepairKind.BACKDATED).count == 1


def test_an_image_after_the_end_is_told_of(database: Database) -> None:
    order(database, "S-1", "B-1")
    say(database, "S-1", CaseCancelled("twice"))
    say(database, "S-1", ImageStored("B-1", "slide-1"))
    line = only(database, RepairKind.IMAGE_AFTER_CLOSING)
    assert (line.accession, line.what) == ("S-1", "ImageStored")


def test_a_pause_by_whom_it_excuses_is_looked_at(database: Database) -> None:
    """By somebody else it is none of the list's business."""
    order(database, "S-1", "B-1")
    say(database, "S-1", CaseAssigned("pia", AssignedBy.CLAIM))
    for actor in ("bo", "pia"):
        fact = ClockPaused(actor, PauseReason.INFO_FROM_REQUESTER, "asked")
        cases.record(database, "S-1", fact, Said(actor, "web"))
    line = only(database, RepairKind.OWN_PAUSE)
    assert (line.accession, line.actor, line.count) == ("S-1", "pia", 1)


def test_a_scan_that_failed_for_good(database: Database) -> None:
    order(database, "S-1", "B-1")
    say(database, "S-1", ScanQueued("B-1", "i"), ScanStarted("B-1", "GT450", "i"))
    say(database, "S-1", ScanFailed("B-1", "no_focus", "i"))
    line = only(database, RepairKind.SCAN_FAILED)
    assert (line.reason, line.actor, line.acts) == ("no_focus", "GT450", (RepairAct.SCAN,))
    with pytest.raises(Illegal, match="not possible"):
        repairs.dismiss(database, line, "tina", "no")
    say(database, "S-1", ScanQueued("B-1", "j"))
    assert repairs.listing(database, TINA) == []


def test_messages_that_cannot_be_delivered_are_sent_now(database: Database) -> None:
    order(database, "S-1")
    with database.transaction() as connection:
        outbound.enqueue(connection, "report", "gp-1", "S-1", {})
    for _ in range(3):
        assert repairs.listing(database, TINA) == []
        (message,) = outbound.listing(database)
        outbound.put_off(database, message, "no_answer")
    line = only(database, RepairKind.UNDELIVERED)
    assert (line.about["destination"], line.reason) == ("gp-1", "no_answer")
    assert outbound.due(database) == []
    assert repairs.retry(database, line, "tina") is None
    assert [at.attempts for at in outbound.due(database)] == [3]
    (event,) = events.of_kinds(database, ["DeliveryHurried"])
    assert event.actor == "tina"
    with database.transaction() as connection:
        connection.execute(sa.update(outbound_table).values(state="sent"))
    assert repairs.listing(database, TINA) == []


def test_a_long_pause_is_looked_at(database: Database) -> None:
    order(database, "S-1")
    with database.transaction() as connection:
        item = work_items.offer(
            connection, WorkKind.LONG_PAUSE, "svartid", accession="S-1", about="p1"
        )
    line = only(database, RepairKind.LONG_PAUSE)
    repairs.dismiss(database, line, "tina", "the requester answers tomorrow")
    with database.transaction() as connection:
        assert work_items.get_in(connection, item.item_id).state is WorkState.DONE
    assert repairs.listing(database, TINA) == []
