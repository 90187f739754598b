"""Answers that other nodes wait for: which of their objects are kept for good (PS3.4 J).

Each is a message of the one queue of what leaves, of kind `commitment`; asked is entered before the
question is acknowledged, so no restart loses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from storage import outbound
from storage.case_tables import outbound as outbound_table
from storage.database import Database, now
from storage.outbound import WAITING, Message

KIND = "commitment"


@dataclass(frozen=True, slots=True)
class Commitment:
    """A question that waits for its answer."""

    message: Message
    transaction_uid: str
    objects: tuple[tuple[str, str], ...]
    """SOP class and SOP instance UID of each."""

    @property
    def peer(self) -> str:
        """The node that asked."""
        return self.message.destination


def enter(
    database: Database, peer: str, transaction_uid: str, objects: Sequence[tuple[str, str]],
    held: timedelta,
) -> Commitment:  # fmt: skip
    """Enter a question; for so long it is the caller's to answer. Errors: Transient."""
    body = {"transaction_uid": transaction_uid, "objects": [list(pair) for pair in objects]}
    with database.transaction() as connection:
        message_id = outbound.enqueue(connection, KIND, peer, None, body)
        at = outbound_table.c.message_id == message_id
        later = {"next_at": now() + held}
        connection.execute(sa.update(outbound_table).where(at).values(**later))
    (message,) = outbound.listing(database, message_id=message_id)
    return _commitment(message)


def due(database: Database) -> list[Commitment]:
    """Questions whose answer can be tried now, oldest first."""
    return [_commitment(message) for message in outbound.due(database, kind=KIND)]


def claim(database: Database, asked: Commitment, held: timedelta) -> bool:
    """For so long it is the caller's to answer; False when another has it, or has answered."""
    table = outbound_table.c
    where = (
        table.message_id == asked.message.message_id,
        table.state == WAITING,
        table.next_at <= now(),
    )
    with database.transaction() as connection:
        claimed = sa.update(outbound_table).where(*where).values(next_at=now() + held)
        return bool(connection.execute(claimed).rowcount)


def answered(database: Database, asked: Commitment) -> None:
    """The node has the answer."""
    with database.transaction() as connection:
        outbound.mark_sent(connection, asked.message.message_id)


def hurry(database: Database, asked: Commitment) -> None:
    """Whoever held it could not answer: it is due again."""
    with database.transaction() as connection:
        outbound.hurry(connection, asked.message.message_id)


def _commitment(message: Message) -> Commitment:
    objects = tuple((str(at[0]), str(at[1])) for at in message.body["objects"])
    return Commitment(message, str(message.body["transaction_uid"]), objects)
