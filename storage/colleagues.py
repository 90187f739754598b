"""Who a case may go to: the people of a unit, who is away, and how much each has to read."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storage.case_tables import absence, pathology_case
from storage.database import Database, now
from storage.errors import Illegal, NotFound
from storage.events import Event, record
from storage.records.case_words import CaseState
from storage.records.people import Colleague, Role
from storage.tables import person

PER_SLIDE = 0.1
"""What a slide adds to the weight of a case, which is 1 without any."""
_MOST_SLIDES = 40


def colleagues(
    database: Database, unit: str | None = None, at: datetime | None = None
) -> list[Colleague]:
    """People by name, of one unit or all; `absent` as of a moment (None: now)."""
    with database.reading() as connection:
        return colleagues_in(connection, unit, at)


def colleagues_in(
    connection: Connection, unit: str | None = None, at: datetime | None = None
) -> list[Colleague]:
    """The same inside the caller's transaction."""
    moment = at or now()
    away = sa.select(absence.c.name).where(absence.c.from_at <= moment, absence.c.until_at > moment)
    query = sa.select(person, person.c.name.in_(away).label("absent")).order_by(person.c.name)
    if unit is not None:
        query = query.where(person.c.unit == unit)
    return [_colleague(row) for row in connection.execute(query)]


def unassigned(database: Database, states: Collection[CaseState], limit: int = 200) -> list[str]:
    """Open cases in one of the states that nobody has, those received first, first."""
    query = (
        sa.select(pathology_case.c.accession)
        .where(
            pathology_case.c.state.in_([state.value for state in states]),
            pathology_case.c.assignee == "",
            pathology_case.c.ended_at.is_(None),
        )
        .order_by(pathology_case.c.received_at, pathology_case.c.accession)
    )
    with database.reading() as connection:
        return list(connection.execute(query.limit(limit)).scalars())


def loads(connection: Connection) -> dict[str, float]:
    """Open cases that each has, a case weighing the more the more slides it has."""
    query = sa.select(pathology_case.c.assignee, pathology_case.c.summary).where(
        pathology_case.c.assignee != "", pathology_case.c.ended_at.is_(None)
    )
    found: dict[str, float] = {}
    for row in connection.execute(query):
        found[row.assignee] = found.get(row.assignee, 0.0) + weight(row.summary.get("slides", 0))
    return found


def weight(slides: int) -> float:
    """What a case of so many slides weighs."""
    return 1.0 + PER_SLIDE * min(slides, _MOST_SLIDES)


def describe(
    database: Database,
    name: str,
    *,
    full_name: str | None = None,
    site: str | None = None,
    unit: str | None = None,
    subspecialties: list[str] | None = None,
    languages: list[str] | None = None,
) -> None:
    """Say more of somebody; what is None stays as it is. Errors: NotFound."""
    words: dict[str, Any] = {
        "full_name": full_name,
        "site": site,
        "unit": unit,
        "subspecialties": subspecialties,
        "languages": languages,
    }
    values = {name: value for name, value in words.items() if value is not None}
    with database.transaction() as connection:
        found = sa.select(person.c.name).where(person.c.name == name)
        if connection.execute(found).first() is None:
            raise NotFound("nobody is called that")
        if values:
            connection.execute(sa.update(person).where(person.c.name == name).values(**values))
            happened = Event(f"person:{name}", "PersonDescribed", "command", "command", values)
            record(connection, happened)


def be_away(
    database: Database, name: str, from_at: datetime, until_at: datetime, reason: str = ""
) -> str:
    """Somebody is away: the rules give them nothing meanwhile; the absence's id.

    Errors: NotFound, Illegal (`absence_empty`).
    """
    if until_at <= from_at:
        raise Illegal("absence_empty")
    absence_id = uuid.uuid4().hex
    values = {"from_at": from_at, "until_at": until_at, "reason": reason}
    with database.transaction() as connection:
        found = sa.select(person.c.name).where(person.c.name == name)
        if connection.execute(found).first() is None:
            raise NotFound("nobody is called that")
        connection.execute(sa.insert(absence).values(absence_id=absence_id, name=name, **values))
        told = {"from_at": from_at.isoformat(), "until_at": until_at.isoformat()}
        record(connection, Event(f"person:{name}", "AbsenceNoted", "command", "command", told))
    return absence_id


def _colleague(row: Row[Any]) -> Colleague:
    return Colleague(
        name=row.name,
        role=Role(row.role),
        full_name=row.full_name,
        site=row.site,
        unit=row.unit,
        subspecialties=_words(row.subspecialties),
        languages=_words(row.languages),
        absent=bool(row.absent),
    )


def _words(kept: Any) -> tuple[str, ...]:  # noqa: ANN401 - a JSON column; its default is text
    return tuple(json.loads(kept) if isinstance(kept, str) else kept)
