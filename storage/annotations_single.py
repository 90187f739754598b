"""Annotations of a slide, one by one: drawn, changed, removed, restored, and how they came to be.

The events are the truth; the rows are their fold, written in the same transaction. Many at once
are in `storage.annotations_bulk`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage import events
from storage.annotation_tables import annotation, annotation_group
from storage.database import Database, now
from storage.errors import Illegal, Malformed, NotFound
from storage.events import Event
from storage.exchange.plain import from_plain, to_plain
from storage.records.annotation import Annotation, Content
from storage.records.annotation_events import (
    FACTS,
    AnnotationChanged,
    AnnotationDrawn,
    AnnotationFact,
    AnnotationRemoved,
    AnnotationRestored,
    Happened,
    after,
    drawn,
    refusal,
)
from storage.records.annotation_rules import problem_of

_SUBJECT = "annotation:"


@dataclass(frozen=True, slots=True)
class By:
    """Who says it, and by which way it came in."""

    name: str
    source: str


@dataclass(frozen=True, slots=True)
class Seen:
    """An annotation as somebody saw it when they made up their mind."""

    slide_id: str
    annotation_id: str
    version: int


@dataclass(frozen=True, slots=True)
class Chapter:
    """One event of an annotation, and what it was afterwards."""

    kind: str
    by: str
    source: str
    at: datetime
    state: Annotation


def draw(database: Database, annotation_id: str, fact: AnnotationDrawn, by: By) -> Annotation:
    """A new annotation; the same once more is the same one.

    Errors: Malformed (why, in a word), Illegal (`annotation_there`: another one has that id).
    """
    with database.transaction() as connection:
        return draw_in(connection, annotation_id, fact, by)


def draw_in(
    connection: Connection, annotation_id: str, fact: AnnotationDrawn, by: By
) -> Annotation:
    """The same inside the caller's transaction."""
    wrong = problem_of(fact.content)
    if wrong:
        raise Malformed(wrong)
    events.hold(connection)
    known = _row(connection, annotation_id)
    if known is not None:
        there = from_plain(Annotation, known.state)
        same = there.content == fact.content and there.author == fact.author
        if known.slide_id == fact.slide_id and same and not known.removed:
            return there
        raise Illegal("annotation_there")
    made = drawn(annotation_id, fact)
    number = _record(connection, annotation_id, fact, by, None)
    row = {"slide_id": fact.slide_id, "first_event": number}
    connection.execute(
        sa.insert(annotation).values(annotation_id=annotation_id, **row, **_state(made, number))
    )
    return made


def change(database: Database, seen: Seen, content: Content, by: By) -> Annotation:
    """Make it look or say otherwise.

    Errors: Malformed, NotFound, Illegal (`annotation_newer`, `annotation_removed`,
    `annotation_locked`).
    """
    wrong = problem_of(content)
    if wrong:
        raise Malformed(wrong)
    return _say(database, seen, AnnotationChanged(content), by)


def remove(database: Database, seen: Seen, by: By) -> Annotation:
    """Take it out of sight. Errors: as `change`."""
    return _say(database, seen, AnnotationRemoved(), by)


def restore(database: Database, seen: Seen, by: By) -> Annotation:
    """Show it again. Errors: as `change`, and Illegal (`annotation_there`)."""
    return _say(database, seen, AnnotationRestored(), by)


def listing(database: Database, slide_id: str) -> list[Annotation]:
    """The annotations of a slide that are in sight, in the order they came."""
    query = (
        sa.select(annotation.c.state)
        .where(annotation.c.slide_id == slide_id, annotation.c.removed.is_(False))
        .order_by(annotation.c.first_event)
    )
    with database.reading() as connection:
        return [from_plain(Annotation, at) for at in connection.execute(query).scalars()]


def get(database: Database, slide_id: str, annotation_id: str) -> Annotation:
    """One annotation, removed or not. Errors: NotFound."""
    with database.reading() as connection:
        row = _row(connection, annotation_id)
    if row is None or row.slide_id != slide_id:
        raise NotFound("the slide has no such annotation")
    return from_plain(Annotation, row.state)


def history(database: Database, slide_id: str, annotation_id: str) -> list[Chapter]:
    """Everything that happened to an annotation, in order. Errors: NotFound."""
    get(database, slide_id, annotation_id)
    chapters = list[Chapter]()
    state: Annotation | None = None
    for event in events.history(database, _SUBJECT + annotation_id):
        fact = _fact(event)
        at = event.occurred_at or now()
        if isinstance(fact, AnnotationDrawn):
            state = drawn(annotation_id, fact)
        elif state is not None:
            state = after(state, Happened(fact, event.actor, at))
        if state is not None:
            chapters.append(Chapter(event.kind, event.actor, event.source, at, state))
    return chapters


def revision(database: Database, slide_id: str) -> int:
    """The newest event about a slide's annotations; 0 before the first."""
    newest = 0
    with database.reading() as connection:
        for table in (annotation, annotation_group):
            query = sa.select(sa.func.max(table.c.last_event)).where(table.c.slide_id == slide_id)
            newest = max(newest, connection.execute(query).scalar() or 0)
    return newest


def _say(database: Database, seen: Seen, fact: AnnotationFact, by: By) -> Annotation:
    with database.transaction() as connection:
        events.hold(connection)
        row = _row(connection, seen.annotation_id)
        if row is None or row.slide_id != seen.slide_id:
            raise NotFound("the slide has no such annotation")
        return say_in(connection, from_plain(Annotation, row.state), seen.version, fact, by)


def say_in(
    connection: Connection, state: Annotation, seen: int, fact: AnnotationFact, by: By
) -> Annotation:
    """One more event about `state`, as it is now, inside the caller's transaction.

    Errors: Illegal.
    """
    if state.version != seen:
        raise Illegal("annotation_newer")
    why_not = refusal(state, fact)
    if why_not:
        raise Illegal(why_not)
    moment = now()
    made = after(state, Happened(fact, by.name, moment))
    number = _record(connection, state.annotation_id, fact, by, moment)
    where = annotation.c.annotation_id == state.annotation_id
    connection.execute(sa.update(annotation).where(where).values(**_state(made, number)))
    return made


def _record(
    connection: Connection,
    annotation_id: str,
    fact: AnnotationFact,
    by: By,
    at: datetime | None,
) -> int:
    kind, subject = type(fact).__name__, _SUBJECT + annotation_id
    return events.record(connection, Event(subject, kind, by.name, by.source, to_plain(fact), at))


def _fact(event: Event) -> AnnotationFact:
    return from_plain(FACTS[event.kind], event.data)


def _row(connection: Connection, annotation_id: str) -> sa.Row[Any] | None:
    query = sa.select(annotation).where(annotation.c.annotation_id == annotation_id)
    return connection.execute(query).one_or_none()


def _state(state: Annotation, event_id: int) -> dict[str, Any]:
    return {"state": to_plain(state), "removed": state.removed, "last_event": event_id}
