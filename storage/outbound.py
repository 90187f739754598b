"""The one queue of what leaves: entered with the event it belongs to, tried until it is there."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storage.case_tables import outbound
from storage.database import Database, now

_FIRST_WAIT = 15.0
_LONGEST_WAIT = 3600.0
_DOUBLINGS = 10
WAITING, SENT = "waiting", "sent"


@dataclass(frozen=True, slots=True)
class Message:
    """Something that goes to somebody outside; the text itself stays in the case."""

    message_id: str
    kind: str
    destination: str
    accession: str | None
    body: Mapping[str, Any]
    state: str
    attempts: int
    reason: str
    created_at: datetime
    next_at: datetime
    sent_at: datetime | None


def enqueue(
    connection: Connection,
    kind: str,
    destination: str,
    accession: str | None,
    body: Mapping[str, Any],
    message_id: str = "",
) -> str:
    """Enter a message inside the caller's transaction; its id, made where none is given."""
    message_id, moment = message_id or uuid.uuid4().hex, now()
    connection.execute(
        sa.insert(outbound).values(
            message_id=message_id,
            kind=kind,
            destination=destination,
            accession=accession,
            body=dict(body),
            state=WAITING,
            created_at=moment,
            next_at=moment,
        )
    )
    return message_id


def due(database: Database, limit: int = 20, **about: Any) -> list[Message]:  # noqa: ANN401
    """Messages whose time has come, oldest first; `about` narrows by columns."""
    query = (
        sa.select(outbound)
        .where(outbound.c.state == WAITING, outbound.c.next_at <= now(), *_narrowed(about))
        .order_by(outbound.c.created_at, outbound.c.message_id)
        .limit(limit)
    )
    with database.reading() as connection:
        return [_message(row) for row in connection.execute(query)]


def mark_sent(connection: Connection, message_id: str) -> bool:
    """It is there; False when that was known."""
    done = connection.execute(
        sa.update(outbound)
        .where(outbound.c.message_id == message_id, outbound.c.state != SENT)
        .values(state=SENT, sent_at=now(), reason="")
    )
    return bool(done.rowcount)


def put_off(database: Database, message: Message, reason: str) -> None:
    """It could not be delivered: later, each time after a longer wait."""
    wait = min(_FIRST_WAIT * 2.0 ** min(message.attempts, _DOUBLINGS), _LONGEST_WAIT)
    with database.transaction() as connection:
        connection.execute(
            sa.update(outbound)
            .where(outbound.c.message_id == message.message_id, outbound.c.state == WAITING)
            .values(
                attempts=outbound.c.attempts + 1,
                reason=reason,
                next_at=now() + timedelta(seconds=wait),
            )
        )


def hurry(connection: Connection, message_id: str) -> None:
    """Try it now, whatever it was put off to."""
    connection.execute(
        sa.update(outbound)
        .where(outbound.c.message_id == message_id, outbound.c.state == WAITING)
        .values(next_at=now())
    )


def listing(database: Database, limit: int = 200, **about: Any) -> list[Message]:  # noqa: ANN401
    """Messages newest first; `about` narrows by columns, each to a value or a list of them."""
    query = sa.select(outbound).where(*_narrowed(about))
    query = query.order_by(outbound.c.created_at.desc(), outbound.c.message_id).limit(limit)
    with database.reading() as connection:
        return [_message(row) for row in connection.execute(query)]


def _narrowed(about: Mapping[str, Any]) -> list[sa.ColumnElement[bool]]:
    return [
        outbound.c[name].in_(value) if isinstance(value, list) else outbound.c[name] == value
        for name, value in about.items()
    ]


def _message(row: Row[Any]) -> Message:
    return Message(**dict(row._mapping))
