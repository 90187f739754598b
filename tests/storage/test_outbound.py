"""What leaves: entered with its event or not at all, tried with growing waits until it is there."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa

from storage import cases, outbound
from storage.case_log import Said
from storage.case_tables import outbound as table
from storage.database import Database, now
from storage.errors import Illegal
from storage.outbound import SENT, WAITING, Message
from storage.records import reading_events as reading
from storage.records.case_words import ReportKind
from tests.storage.histories import CODES, FINAL, Story, a_story, at


@pytest.fixture
def story(empty_database: Database) -> Story:
    return a_story(empty_database)


def put_in(database: Database, name: str = "gp-1") -> str:
    with database.transaction() as connection:
        return outbound.enqueue(connection, "notice", name, None, {"to": name})


def only(database: Database) -> Message:
    (message,) = outbound.listing(database)
    return message


def test_a_signature_sends_its_report(story: Story) -> None:
    story.tell_all([*story.until_ready("x"), *story.opened(), *story.answered()])
    story.tell(reading.ReportSigned(ReportKind.CORRECTED, "Rettet", CODES), 600)
    sent = {(at.body["kind"], at.body["version"]) for at in outbound.listing(story.database)}
    assert sent == {("final", 1), ("corrected", 2)}
    assert {at.destination for at in outbound.listing(story.database)} == {"gp-1"}
    assert {at.accession for at in outbound.due(story.database)} == {story.name}
    assert "Fund" not in str([at.body for at in outbound.listing(story.database)])


def test_what_is_refused_sends_nothing(story: Story) -> None:
    story.tell_all([*story.until_ready("x"), *story.opened()])
    with pytest.raises(Illegal):
        story.tell(reading.ReportSigned(FINAL, "Fund", ()), 500)
    fact = reading.ReportSigned(FINAL, "Fund", CODES)
    with suppress(RuntimeError), story.database.transaction() as connection:
        cases.record_in(connection, story.name, fact, Said("kir", "test", at(500)))
        raise RuntimeError
    assert outbound.listing(story.database) == []
    assert story.case.reports == ()


def test_sent_once(story: Story) -> None:
    name = put_in(story.database)
    with story.database.transaction() as connection:
        assert outbound.mark_sent(connection, name)
        assert not outbound.mark_sent(connection, name)
        assert not outbound.mark_sent(connection, "nothing")
    message = only(story.database)
    assert (message.state, message.reason) == (SENT, "")
    outbound.put_off(story.database, message, "nobody there")
    assert only(story.database) == message
    assert outbound.due(story.database) == []


def test_the_wait_grows_and_is_capped(story: Story) -> None:
    put_in(story.database)
    waits = []
    for _ in range(12):
        before = now()
        outbound.put_off(story.database, only(story.database), "nobody there")
        message = only(story.database)
        waits.append(round((message.next_at - before).total_seconds()))
    assert waits == [15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]
    assert (message.attempts, message.state, message.reason) == (12, WAITING, "nobody there")
    assert outbound.due(story.database) == []


@pytest.mark.parametrize("attempts", [60, 1100, 2_000_000])
def test_it_is_tried_for_as_long_as_it_takes(story: Story, attempts: int) -> None:
    name = put_in(story.database)
    with story.database.transaction() as connection:
        connection.execute(sa.update(table).values(attempts=attempts))
    outbound.put_off(story.database, only(story.database), "nobody there")
    message = only(story.database)
    assert message.message_id == name
    assert timedelta(minutes=59) < message.next_at - now() <= timedelta(minutes=60)


def test_due_are_the_oldest_first(story: Story) -> None:
    names = [put_in(story.database, f"gp-{number}") for number in range(5)]
    outbound.put_off(story.database, outbound.due(story.database)[0], "nobody there")
    assert [at.message_id for at in outbound.due(story.database, 3)] == names[1:4]
    newest = [at.message_id for at in outbound.listing(story.database, destination="gp-4")]
    assert newest == names[4:]
