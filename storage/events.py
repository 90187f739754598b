"""The one event log: what happened, to what, by whom; appended, never changed.

Appends are serialised, so that the order of ids is the order of commits: a reader who has seen
id N has seen everything below it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storage.database import Database, now
from storage.errors import Illegal
from storage.records.ai_rules import KINDS, is_ai
from storage.tables import event

_LOCK = 0x5376_6172_7469_64  # "Svartid"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; `kind` is in the past tense (SlideReady)."""

    subject: str
    """`slide:<id>`, `intake:<id>`, `case:<accession>`, `person:<name>`."""
    kind: str
    actor: str
    source: str
    data: Mapping[str, Any] = field(default_factory=dict)
    occurred_at: datetime | None = None
    """None is now."""
    key: str | None = None
    """What the sender calls it; a second event of the same key is never appended."""
    received_at: datetime | None = None
    """Set by the log."""
    event_id: int = 0
    """Set by the log."""


def record(connection: Connection, happened: Event) -> int:
    """Append inside the caller's transaction, so that state and history cannot part; its id.

    Errors: sqlalchemy's IntegrityError when the key is there already; Illegal for what a program
    that judges pictures may not say.
    """
    if is_ai(happened.actor) and happened.kind not in KINDS:
        raise Illegal("ai_may_not")
    hold(connection)
    received = now()
    done = connection.execute(
        sa.insert(event).values(
            subject=happened.subject,
            kind=happened.kind,
            occurred_at=happened.occurred_at or received,
            received_at=received,
            actor=happened.actor,
            source=happened.source,
            data=dict(happened.data),
            key=happened.key,
        )
    )
    assert done.inserted_primary_key is not None  # noqa: S101 - the table has one
    return int(done.inserted_primary_key[0])


def hold(connection: Connection) -> None:
    """Nobody else appends before this transaction ends; for those who decide by what is there."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def history(database: Database, subject: str) -> list[Event]:
    """Everything that happened to one subject, in the order of the log."""
    with database.reading() as connection:
        return history_in(connection, subject)


def history_in(connection: Connection, subject: str) -> list[Event]:
    """The same inside the caller's transaction."""
    query = sa.select(event).where(event.c.subject == subject).order_by(event.c.event_id)
    return [event_of_row(row) for row in connection.execute(query)]


def find_by_key(connection: Connection, key: str) -> Event | None:
    """The event that a sender's key names."""
    row = connection.execute(sa.select(event).where(event.c.key == key)).one_or_none()
    return None if row is None else event_of_row(row)


def get(connection: Connection, event_id: int) -> Event | None:
    """One event."""
    row = connection.execute(sa.select(event).where(event.c.event_id == event_id)).one_or_none()
    return None if row is None else event_of_row(row)


def of_kinds(database: Database, kinds: Sequence[str], limit: int = 500) -> list[Event]:
    """The newest events of some kinds, newest first."""
    query = sa.select(event).where(event.c.kind.in_(kinds)).order_by(event.c.event_id.desc())
    with database.reading() as connection:
        return [event_of_row(row) for row in connection.execute(query.limit(limit))]


def last_id(database: Database) -> int:
    """The id of the newest event, 0 when there is none: a cut through the log."""
    with database.reading() as connection:
        return connection.execute(sa.select(sa.func.max(event.c.event_id))).scalar() or 0


def event_of_row(row: Row[Any]) -> Event:
    """A row of the table as an event."""
    return Event(
        subject=row.subject,
        kind=row.kind,
        actor=row.actor,
        source=row.source,
        data=row.data,
        occurred_at=row.occurred_at,
        key=row.key,
        received_at=row.received_at,
        event_id=row.event_id,
    )
