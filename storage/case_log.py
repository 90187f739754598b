"""The events of cases in the one log: read as facts with their envelopes, appended as rows."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from storage import events
from storage.events import Event
from storage.exchange.facts import fact_from_json, fact_json
from storage.records.case_events import FACTS, CaseFact, Happened

SET_ASIDE = "EventSetAside"
SETTLED = "SetAsideSettled"


@dataclass(frozen=True, slots=True)
class Said:
    """Who says that something happened, from where, when, and what they call it."""

    actor: str
    source: str
    occurred_at: datetime | None = None
    """None is now."""
    key: str | None = None


def subject_of(accession: str) -> str:
    """The case's subject in the log."""
    return f"case:{accession}"


def read_log(connection: Connection, accession: str) -> list[Happened]:
    """The history of a case in the order of the log, inside the caller's transaction."""
    rows = events.history_in(connection, subject_of(accession))
    return [happened(row) for row in rows if row.kind in FACTS]


def happened(row: Event) -> Happened:
    """A row of the log as a fact with its envelope."""
    assert row.occurred_at is not None  # noqa: S101 - the log sets both
    assert row.received_at is not None  # noqa: S101
    fact = fact_from_json(row.kind, row.data)
    return Happened(fact, row.actor, row.source, row.occurred_at, row.received_at, row.event_id)


def append(connection: Connection, accession: str, new: Happened, key: str | None) -> int:
    """One more fact; its id."""
    row = Event(
        subject=subject_of(accession),
        kind=type(new.fact).__name__,
        actor=new.actor,
        source=new.source,
        data=fact_json(new.fact),
        occurred_at=new.occurred_at,
        key=key,
    )
    return events.record(connection, row)


def set_aside(
    connection: Connection, accession: str, fact: CaseFact, said: Said, reason: str
) -> int:
    """Keep what could not be recorded, as what it is: the repair list shows it, once."""
    data: dict[str, Any] = {
        "accession": accession,
        "kind": type(fact).__name__,
        "fact": fact_json(fact),
        "reason": reason,
        "occurred_at": said.occurred_at.isoformat() if said.occurred_at else None,
        "actor": said.actor,
    }
    told = json.dumps([data, said.source], sort_keys=True).encode()
    key = said.key or f"aside:{hashlib.sha256(told).hexdigest()}"
    known = events.find_by_key(connection, key)
    if known is not None:
        return known.event_id
    row = Event("set_aside", SET_ASIDE, said.actor, said.source, data, key=key)
    return events.record(connection, row)


def is_same(row: Event, accession: str, fact: CaseFact) -> bool:
    """Whether a row, recorded or set aside, is this very fact of this case."""
    if row.kind == SET_ASIDE:
        told = (row.data["accession"], row.data["kind"], row.data["fact"])
        return told == (accession, type(fact).__name__, fact_json(fact))
    told = (row.subject, row.kind, row.data)
    return told == (subject_of(accession), type(fact).__name__, fact_json(fact))
