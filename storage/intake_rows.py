"""Rows of the intake table: fetched, locked and changed inside a caller's transaction."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storage.database import now
from storage.errors import NotFound
from storage.events import Event
from storage.records.intake import CLAIMABLE, Intake, IntakeState, Source
from storage.tables import intake, slide

_FIELDS = tuple(Intake.__slots__)
WAITING_FOR = {working.value: waiting.value for waiting, working in CLAIMABLE.items()}
"""State of being worked on to the waiting state it goes back to."""


def fetch(connection: Connection, intake_id: str) -> Intake:
    """The row; NotFound."""
    row = connection.execute(sa.select(intake).where(intake.c.intake_id == intake_id)).one_or_none()
    if row is None:
        raise NotFound("no such intake")
    return as_intake(row)


def locked(connection: Connection, intake_id: str) -> Intake:
    """The row, which nobody else changes until this transaction ends; NotFound."""
    query = sa.select(intake).where(is_row(intake_id)).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("no such intake")
    return as_intake(row)


def change(connection: Connection, intake_id: str, **values: Any) -> None:  # noqa: ANN401
    """Set columns of a row, and when."""
    connection.execute(
        sa.update(intake).where(intake.c.intake_id == intake_id).values(updated_at=now(), **values)
    )


def as_intake(row: Row[Any]) -> Intake:
    """A database row as a record."""
    words = row._mapping
    fields = {name: words[name] for name in _FIELDS}
    fields |= {"source": Source(row.source), "state": IntakeState(row.state)}
    return Intake(**fields)


def is_row(intake_id: str) -> sa.ColumnElement[bool]:
    """The condition that names one row."""
    return intake.c.intake_id == intake_id


def is_readable(connection: Connection, slide_id: str) -> bool:
    """True when the slide is in the catalogue."""
    query = sa.select(slide.c.slide_id).where(slide.c.slide_id == slide_id)
    return connection.execute(query).first() is not None


def about(row: Intake, kind: str, data: dict[str, Any], actor: str = "svartid") -> Event:
    """Something that happened to the slide of a row."""
    return Event(f"slide:{row.slide_id}", kind, actor, row.source.value, data)
