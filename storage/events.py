"""The one event log: what happened, to what, by whom; appended, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.database import Database, event, now


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; `kind` is in the past tense (SlideReady)."""

    subject: str
    """`slide:<id>`, `intake:<id>`, later `case:<accession>`."""
    kind: str
    actor: str
    source: str
    data: Mapping[str, Any] = field(default_factory=dict)
    occurred_at: datetime | None = None
    """None is now."""


def record(connection: Connection, happened: Event) -> None:
    """Append inside the caller's transaction, so that state and history cannot part."""
    received = now()
    connection.execute(
        sa.insert(event).values(
            subject=happened.subject,
            kind=happened.kind,
            occurred_at=happened.occurred_at or received,
            received_at=received,
            actor=happened.actor,
            source=happened.source,
            data=dict(happened.data),
        )
    )


def history(database: Database, subject: str) -> list[Event]:
    """Everything that happened to one subject, oldest first."""
    query = sa.select(event).where(event.c.subject == subject).order_by(event.c.event_id)
    with database.reading() as connection:
        return [
            Event(row.subject, row.kind, row.actor, row.source, row.data, row.occurred_at)
            for row in connection.execute(query)
        ]
