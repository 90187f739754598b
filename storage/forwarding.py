"""Series on their way to other nodes: messages of the one queue, each entered once per content."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage import outbound
from storage.case_tables import outbound as table
from storage.case_tables import pathology_case
from storage.database import Database, now
from storage.dicom_tables import dicom_object
from storage.errors import Illegal, NotFound
from storage.events import Event, record
from storage.outbound import SENT, WAITING, Message
from storage.records.forwarding import Forward, ForwardState
from storage.records.imaging import SeriesEntry
from storage.tables import slide

IMAGES = "images"
AWAY = "peer_away"
_COMMIT_ROOT = "2.25."


def content_of(connection: Connection, entry: SeriesEntry) -> str | None:
    """What names the objects of a series as they are now; None while more of them will come."""
    if entry.received:
        query = (
            sa.select(dicom_object.c.sop_uid, dicom_object.c.sha256)
            .where(dicom_object.c.series_uid == entry.series_uid)
            .order_by(dicom_object.c.sop_uid)
        )
        words = [f"{row.sop_uid} {row.sha256}" for row in connection.execute(query)]
    else:
        query = sa.select(slide.c.root).where(slide.c.slide_id == entry.slide_id)
        root = connection.execute(query).scalar_one_or_none()
        if root is None:
            return None
        words = [root, entry.study_uid]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def enter(connection: Connection, peer: str, entry: SeriesEntry, content: str) -> bool:
    """Put a series into the queue; False when that content has been there, in whatever state."""
    forward_id = _name(peer, entry.series_uid, content)
    known = sa.select(table.c.message_id).where(table.c.message_id == forward_id)
    if connection.execute(known).first() is not None:
        return False
    body: dict[str, Any] = {
        "series": entry.series_uid, "modality": entry.modality, "slide": entry.slide_id,
        "content": content, "objects": 0, "done": [], "failed": "",
    }  # fmt: skip
    ours = sa.select(pathology_case.c.accession).where(
        pathology_case.c.accession == entry.accession
    )
    accession = connection.execute(ours).scalar_one_or_none()
    outbound.enqueue(connection, IMAGES, peer, accession, body, forward_id)
    return True


def due(database: Database, peer: str | None = None) -> list[Forward]:
    """What should be sent now, oldest first."""
    about = {} if peer is None else {"destination": peer}
    return [forward_of(at) for at in outbound.due(database, 20, kind=IMAGES, **about)]


def peers_due(database: Database) -> list[str]:
    """Nodes for which something should be sent now, who has waited longest first."""
    query = (
        sa.select(table.c.destination)
        .where(table.c.kind == IMAGES, table.c.state == WAITING, table.c.next_at <= now())
        .group_by(table.c.destination)
        .order_by(sa.func.min(table.c.created_at), table.c.destination)
    )
    with database.reading() as connection:
        return list(connection.execute(query).scalars())


def get(database: Database, forward_id: str) -> Forward:
    """One of them. Errors: NotFound."""
    found = outbound.listing(database, message_id=forward_id, kind=IMAGES)
    if not found:
        raise NotFound(f"nothing is forwarded under the id {forward_id}")
    return forward_of(found[0])


def listing(
    database: Database, states: Collection[ForwardState] = (), limit: int = 200, **about: str
) -> list[Forward]:
    """Newest first; `about` narrows by columns of the queue."""
    words = {"state": [state.value for state in states]} if states else {}
    found = outbound.listing(database, limit, kind=IMAGES, **words, **about)
    return [forward_of(at) for at in found]


def counts(database: Database) -> dict[str, int]:
    """How many are in each state."""
    query = sa.select(table.c.state, sa.func.count()).where(table.c.kind == IMAGES)
    with database.reading() as connection:
        rows = connection.execute(query.group_by(table.c.state)).all()
    return {row[0]: row[1] for row in rows}


def note_progress(database: Database, forward: Forward, objects: int, done: list[str]) -> None:
    """So many objects of so many are there: whoever goes on begins after them."""
    with database.transaction() as connection:
        _note(connection, forward.forward_id, objects=objects, done=done)


def arrived(database: Database, forward: Forward, done: list[str]) -> None:
    """Every object is there; others that waited because the node was away are sent next."""
    with database.transaction() as connection:
        _note(connection, forward.forward_id, objects=len(done), done=done, failed="")
        outbound.mark_sent(connection, forward.forward_id)
        waits = _waiting(forward.peer), table.c.reason == AWAY
        connection.execute(sa.update(table).where(*waits).values(next_at=now()))


def put_off(database: Database, forward: Forward, reason: str, failed: str = "") -> None:
    """It did not all arrive: again, each time after a longer wait.

    A node that is away is not asked again for each of its series: they all wait as long as this.
    """
    with database.transaction() as connection:
        _note(connection, forward.forward_id, failed=failed)
    outbound.put_off(database, _message(database, forward.forward_id), reason)
    if reason != AWAY:
        return
    until = _message(database, forward.forward_id).next_at
    with database.transaction() as connection:
        sooner = _waiting(forward.peer), table.c.next_at < until
        values = {"next_at": until, "reason": AWAY}
        connection.execute(sa.update(table).where(*sooner).values(**values))


def refuse(database: Database, forward: Forward, reason: str) -> None:
    """It will not be sent, and nobody tries again by himself."""
    with database.transaction() as connection:
        where = (table.c.message_id == forward.forward_id, table.c.state == WAITING)
        values = {"state": ForwardState.REFUSED.value, "reason": reason}
        connection.execute(sa.update(table).where(*where).values(**values))


def resend(database: Database, forward_id: str, actor: str) -> None:
    """Send it again from the first object on, now. Errors: NotFound, Illegal (being sent)."""
    known = get(database, forward_id)
    with database.transaction() as connection:
        about = {"forward": forward_id}
        record(connection, Event(f"node:{known.peer}", "ImagesSentAgain", actor, "dicom", about))
        fresh = {"state": WAITING, "next_at": now(), "sent_at": None, "reason": "", "attempts": 0}
        where = (table.c.message_id == forward_id, table.c.state == known.state.value)
        if connection.execute(sa.update(table).where(*where).values(**fresh)).rowcount == 0:
            raise Illegal("changed_meanwhile")
        _note(connection, forward_id, done=[], failed="")


def commitment_uid(forward_id: str) -> str:
    """The Transaction UID under which a node is asked to keep what a message holds."""
    return f"{_COMMIT_ROOT}{int(forward_id, 16)}"


def mark_kept(database: Database, peer: str, transaction_uid: str, failed: str = "") -> bool:
    """A node's word on storage commitment; False when nothing of that name is on its way to it.

    `failed` is the first object it will not keep.
    """
    number = transaction_uid.removeprefix(_COMMIT_ROOT)
    if not (number.isascii() and number.isdigit()) or int(number) >= 2**128:
        return False
    name = f"{int(number):032x}"
    sent = (table.c.kind == IMAGES, table.c.destination == peer, table.c.state == SENT)
    where = (table.c.message_id == name, *sent)
    values = {"reason": "not_kept"} if failed else {"state": ForwardState.KEPT.value, "reason": ""}
    with database.transaction() as connection:
        done = connection.execute(sa.update(table).where(*where).values(**values))
        if done.rowcount and failed:
            _note(connection, name, failed=failed)
    return bool(done.rowcount)


def forward_of(message: Message) -> Forward:
    """A message of the queue as what it stands for."""
    body = message.body
    return Forward(
        message.message_id, message.destination, body["series"], body["modality"], body["slide"],
        ForwardState(message.state), message.attempts, message.reason, body["failed"],
        body["objects"], tuple(body["done"]), message.created_at, message.next_at, message.sent_at,
    )  # fmt: skip


def _name(peer: str, series_uid: str, content: str) -> str:
    """The same content of the same series to the same node has one name, and so one row."""
    return hashlib.sha256(f"{peer}\n{series_uid}\n{content}".encode()).hexdigest()[:32]


def _waiting(peer: str) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.kind == IMAGES, table.c.destination == peer, table.c.state == WAITING)


def _message(database: Database, forward_id: str) -> Message:
    return outbound.listing(database, message_id=forward_id)[0]


def _note(connection: Connection, forward_id: str, **words: Any) -> None:  # noqa: ANN401
    where = table.c.message_id == forward_id
    body = connection.execute(sa.select(table.c.body).where(where).with_for_update()).scalar_one()
    connection.execute(sa.update(table).where(where).values(body={**body, **words}))
