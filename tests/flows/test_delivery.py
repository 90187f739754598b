"""Reports leave: whole, once, to their receiver alone; what cannot be written waits."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import delivery
from flows.casework_duties import Outbox
from flows.casework_report import unreported
from flows.delivery import deliver, due, folder_of
from flows.services import Services
from storage import cases, outbound
from storage.case_tables import outbound as outbound_table
from storage.database import now
from storage.outbound import Message
from storage.records.case_words import AssignedBy, ReportKind
from storage.records.reading_events import (
    CaseAssigned,
    CaseOpened,
    PreliminarySent,
    ReportDistributed,
    ReportSigned,
)
from tests.storage.lab import IDENTIFIER, order, say

CODES = ("T28000", "M80103")


def signed(services: Services, **about: object) -> Message:
    """A case whose final report waits to leave."""
    order(services.database, "P1", **about)
    opened = CaseAssigned("anna", AssignedBy.CLAIM), CaseOpened("anna")
    final = ReportSigned(ReportKind.FINAL, "Adenokarcinom æøå.", CODES)
    say(services.database, "P1", *opened, final, actor="anna")
    (message,) = due(services.database)
    return message


def hand_over(services: Services, message: Message) -> str:
    return deliver(services.database, services.layout.outbox, message)


def files(services: Services) -> list[str]:
    outbox = services.layout.outbox
    return sorted(str(at.relative_to(outbox)) for at in outbox.rglob("*") if at.is_file())


def told(services: Services) -> list[ReportDistributed]:
    log = cases.history(services.database, "P1")
    return [at.fact for at in log if isinstance(at.fact, ReportDistributed)]


def state(services: Services) -> tuple[str, int, str]:
    (message,) = outbound.listing(services.database)
    return message.state, message.attempts, message.reason


def test_a_final_report_is_delivered_and_distributed(services: Services) -> None:
    message = signed(services)
    assert Outbox(services, unreported)() == 1
    assert Outbox(services, unreported)() == 0
    name = f"dr-jensen/{message.message_id}"
    assert files(services) == [f"{name}.json", f"{name}.txt"]
    text = (services.layout.outbox / f"{name}.txt").read_bytes().decode("utf-8")
    for word in ("Endeligt svar", "P1", IDENTIFIER, "Adenokarcinom æøå.", "M80103", "anna"):
        assert word in text
    fields = json.loads((services.layout.outbox / f"{name}.json").read_bytes())
    assert (fields["kind"], fields["version"], fields["codes"]) == ("final", 1, list(CODES))
    assert fields["patient"] == {"identifier": IDENTIFIER, "name": "Nancy Ann"}
    assert told(services) == [ReportDistributed(1, ReportKind.FINAL, message.message_id)]
    assert state(services)[0] == "sent"
    modes = {(services.layout.outbox / at).stat().st_mode & 0o777 for at in files(services)}
    assert modes == {0o600}


def test_a_preliminary_answer_is_delivered_and_no_more(services: Services) -> None:
    order(services.database, "P1", language="en")
    sent = PreliminarySent("Probably benign.", "decalcification", now())
    say(services.database, "P1", sent, actor="anna")
    (message,) = due(services.database)
    assert hand_over(services, message) == "delivered"
    text = (services.layout.outbox / files(services)[1]).read_text()
    assert "Preliminary report" in text
    assert "decalcification" in text
    assert told(services) == []


def test_killed_between_file_and_record(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = signed(services)

    def killed(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(delivery, "_record", killed)
    with pytest.raises(KeyboardInterrupt):
        hand_over(services, message)
    before = files(services)
    monkeypatch.undo()
    assert hand_over(services, message) == "delivered"
    assert hand_over(services, message) == "known"
    assert files(services) == before
    assert len(told(services)) == 1


def test_a_full_disk_puts_it_off_and_leaves_nothing_half(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = signed(services)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert hand_over(services, message) == "no_space"
    assert files(services) == []
    assert state(services) == ("waiting", 1, "no_space")
    assert due(services.database) == []  # it waits
    monkeypatch.undo()
    assert hand_over(services, message) == "delivered"


def test_no_rights_and_a_folder_that_is_none(services: Services) -> None:
    message = signed(services)
    (services.layout.outbox / "dr-jensen").write_text("in the way")
    assert hand_over(services, message) == "disk"
    assert told(services) == []


@pytest.mark.parametrize(
    "body", [{"kind": "final", "version": 9}, {"kind": "x"}, {}, {"kind": "final", "version": "a"}]
)
def test_a_message_about_nothing_waits_and_stops_no_other(
    services: Services, body: dict[str, object]
) -> None:
    signed(services)
    with services.database.transaction() as connection:
        connection.execute(outbound_table.update().values(created_at=now()))
        outbound.enqueue(connection, "report", "x", "P1", body)
        outbound.enqueue(connection, "report", "x", None, body)
    assert Outbox(services, unreported)() == 3
    states = sorted(at.state for at in outbound.listing(services.database))
    assert states == ["sent", "waiting", "waiting"]


HOSTILE = ["../../etc", "/etc/passwd", "..", ".", "", " ", "a\0b", "x" * 500, "Dr. Ærø / A", "-"]


@pytest.mark.parametrize("name", HOSTILE)
def test_receivers_folders_stay_in_the_outbox(name: str, tmp_path: Path) -> None:
    folder = folder_of(name)
    assert (tmp_path / folder).resolve().parent == tmp_path.resolve()
    (tmp_path / folder).mkdir()


@given(st.text(max_size=80), st.text(max_size=80))
def test_two_receivers_never_share_a_folder(one: str, other: str) -> None:
    assert (folder_of(one) == folder_of(other)) == (one == other)
