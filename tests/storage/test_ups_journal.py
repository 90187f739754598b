"""Every change of work is a change of its steps: whoever changed it, subscribers are told alike."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from storage import scanning, work_items
from storage.database import Database
from storage.records.ups import StepState
from storage.records.work import WorkItem, WorkKind, WorkState
from storage.tables import metadata
from storage.ups_journal import newest
from storage.ups_tables import ups_news, ups_step
from tests.storage.lab import order

SCHEDULED, IN_PROGRESS, COMPLETED, CANCELED = StepState


@pytest.fixture
def database(empty_database: Database) -> Database:
    with empty_database.transaction() as connection:
        metadata.create_all(connection)
    return empty_database


def offered(database: Database, kind: WorkKind = WorkKind.SCAN, **about: Any) -> WorkItem:  # noqa: ANN401
    with database.transaction() as connection:
        return work_items.offer(connection, kind, "tester", **about)


def steps(database: Database, item: WorkItem) -> list[tuple[str, str, str]]:
    """UID, state and reason, in the order of tries."""
    query = sa.select(ups_step).where(ups_step.c.item_id == item.item_id)
    with database.reading() as connection:
        rows = connection.execute(query.order_by(ups_step.c.number))
        return [(row.uid, row.state, row.reason) for row in rows]


def news(database: Database) -> list[tuple[str, int, str]]:
    """UID, event and state told, in order."""
    with database.reading() as connection:
        rows = connection.execute(sa.select(ups_news).order_by(ups_news.c.news_id)).all()
    told = [row.data.get("00741000", {}).get("Value", [""])[0] for row in rows]
    return [(row.uid, row.event, state) for row, state in zip(rows, told, strict=True)]


def turn(database: Database, item: WorkItem, state: WorkState, **values: Any) -> None:  # noqa: ANN401
    with database.transaction() as connection:
        work_items.change(connection, item.item_id, {"state": state.value, **values})


def test_work_is_a_step_from_its_offer_to_its_end(database: Database) -> None:
    item = offered(database)
    uid = f"2.25.{int(item.item_id, 16)}"
    with database.transaction() as connection:
        work_items.claim(connection, item.item_id, "s1")
        work_items.change(connection, item.item_id, {"data": {"news_at": "x"}})
        work_items.end(connection, item.item_id, WorkState.DONE)
    assert steps(database, item) == [(uid, "COMPLETED", "")]
    assert news(database) == [(uid, 1, "SCHEDULED"), (uid, 1, "IN PROGRESS"), (uid, 1, "COMPLETED")]


@pytest.mark.parametrize(
    "kind", [at for at in WorkKind if at.value in ("lab_order", "preliminary")]
)
def test_other_work_is_no_step(database: Database, kind: WorkKind) -> None:
    item = offered(database, kind)
    turn(database, item, WorkState.DONE)
    assert (steps(database, item), news(database)) == ([], [])


def test_what_ends_without_being_claimed_was_in_progress_on_the_way(database: Database) -> None:
    item = offered(database)
    turn(database, item, WorkState.CANCELLED, reason="not_wanted")
    ((uid, state, reason),) = steps(database, item)
    assert (state, reason) == ("CANCELED", "not_wanted")
    assert [told for _, _, told in news(database)] == ["SCHEDULED", "IN PROGRESS", "CANCELED"]
    assert {at for at, _, _ in news(database)} == {uid}


def test_work_offered_again_is_another_step(database: Database) -> None:
    item = offered(database)
    turn(database, item, WorkState.CLAIMED, performer="s1")
    turn(database, item, WorkState.OFFERED, performer="", reason="no_news")
    turn(database, item, WorkState.CLAIMED, performer="s2")
    turn(database, item, WorkState.DONE)
    turn(database, item, WorkState.OFFERED, performer="", reason="no_image")
    turn(database, item, WorkState.FAILED, reason="no_image")
    root = f"2.25.{int(item.item_id, 16)}"
    assert steps(database, item) == [
        (root, "CANCELED", "no_news"),
        (f"{root}.2", "COMPLETED", ""),
        (f"{root}.3", "CANCELED", "no_image"),
    ]
    with database.reading() as connection:
        last = newest(connection, item.item_id)
    assert last is not None
    assert last.replaces == f"{root}.2"


def test_a_step_that_was_completed_stays_so(database: Database) -> None:
    item = offered(database)
    turn(database, item, WorkState.DONE)
    turn(database, item, WorkState.FAILED)
    assert [state for _, state, _ in steps(database, item)] == ["COMPLETED"]


def test_who_is_asked_is_told(database: Database) -> None:
    item = offered(database, WorkKind.CONSULTATION, performer="karl")
    turn(database, item, WorkState.OFFERED, performer="kamma")
    uid = f"2.25.{int(item.item_id, 16)}"
    assert news(database) == [(uid, 1, "SCHEDULED"), (uid, 5, ""), (uid, 5, "")]


def test_what_a_scanner_says_over_http_is_told_as_well(database: Database) -> None:
    order(database, "P1", "P1-A1-1")
    scanning.queue_scan(database, "P1-A1-1", "tina")
    item = scanning.next_scan(database, "s1", "station")
    assert item is not None
    scanning.start(database, item.item_id, "s1", "station")
    scanning.fail(database, item.item_id, "s1", "broken")
    assert [told for _, _, told in news(database)] == [
        "SCHEDULED", "IN PROGRESS", "CANCELED", "SCHEDULED",
    ]  # fmt: skip
    assert [(state, why) for _, state, why in steps(database, item)] == [
        ("CANCELED", "broken"), ("SCHEDULED", ""),
    ]  # fmt: skip
