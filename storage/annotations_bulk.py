"""Groups of annotations that came at once: one event and some blocks for a hundred thousand."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage import events
from storage.annotation_tables import annotation_block, annotation_group
from storage.annotations_codec import Block, decode, encode
from storage.annotations_gathering import Gathering, annotations_in, neighbours
from storage.annotations_single import By
from storage.database import Database, now
from storage.errors import Illegal, NotFound
from storage.events import Event
from storage.exchange.plain import from_plain, to_plain
from storage.records.annotation import Annotation, AnnotationGroup, BlockPlace, new_id


@dataclass(frozen=True, slots=True)
class Packed:
    """A group ready to be entered."""

    group: AnnotationGroup
    rows: tuple[dict[str, Any], ...]


def pack(gathering: Gathering, source: str) -> list[Packed]:
    """What was gathered, as groups; the work that needs no database."""
    packed = list[Packed]()
    for like, author, drawn_at, block in gathering.groups():
        group = AnnotationGroup(
            group_id=new_id(),
            kind=like.kind,
            count=block.count,
            label=like.label,
            colour=like.colour,
            group=like.group,
            author=author,
            drawn_at=drawn_at,
            origin=like.origin,
            source=source,
            digest=_digest(block),
        )
        packed.append(Packed(group, tuple(_rows(neighbours(block)))))
    return packed


def enter(
    connection: Connection, slide_id: str, packed: Iterable[Packed], by: By
) -> list[AnnotationGroup]:
    """Enter groups inside the caller's transaction: an event each, whatever their number.

    Those that are in sight already are left out; what was entered.
    """
    entered = list[AnnotationGroup]()
    there = {at.digest for at in _groups(connection, slide_id)}
    for at in packed:
        if at.group.digest in there:
            continue
        about = to_plain(at.group)
        happened = Event(
            f"annotations:{at.group.group_id}", "AnnotationsImported", by.name, by.source,
            {"slide_id": slide_id, **about},
        )  # fmt: skip
        number = events.record(connection, happened)
        row = {"slide_id": slide_id, "about": about, "count": at.group.count, "removed": False}
        row |= {"first_event": number, "last_event": number}
        connection.execute(sa.insert(annotation_group).values(group_id=at.group.group_id, **row))
        rows = [{"group_id": at.group.group_id, **row} for row in at.rows]
        connection.execute(sa.insert(annotation_block), rows)
        entered.append(at.group)
    return entered


def groups(database: Database, slide_id: str) -> list[AnnotationGroup]:
    """The groups of a slide that are in sight, in the order they came."""
    with database.reading() as connection:
        return _groups(connection, slide_id)


def group(database: Database, slide_id: str, group_id: str) -> AnnotationGroup:
    """One group, removed or not. Errors: NotFound."""
    with database.reading() as connection:
        return _group(connection, slide_id, group_id)


def places(database: Database, group_id: str) -> list[BlockPlace]:
    """Where the blocks of a group lie."""
    at = annotation_block.c
    query = sa.select(at.number, at.count, at.x0, at.y0, at.x1, at.y1).where(
        at.group_id == group_id
    )
    with database.reading() as connection:
        found = connection.execute(query.order_by(at.number)).all()
    return [BlockPlace(row[0], row[1], (row[2], row[3], row[4], row[5])) for row in found]


def middles(database: Database, group_id: str) -> bytes:
    """The middle of every member, block after block: x and y as little-endian floats."""
    at = annotation_block.c
    query = sa.select(at.places).where(at.group_id == group_id).order_by(at.number)
    with database.reading() as connection:
        return b"".join(connection.execute(query).scalars())


def block(database: Database, group_id: str, number: int) -> Block:
    """One block. Errors: NotFound, StoreDamaged."""
    at = annotation_block.c
    query = sa.select(at.data).where(at.group_id == group_id, at.number == number)
    with database.reading() as connection:
        data: bytes | None = connection.execute(query).scalar_one_or_none()
    if data is None:
        raise NotFound("the group has no such block")
    return decode(data)


def members(database: Database, known: AnnotationGroup) -> Iterator[Annotation]:
    """All of a group, a block at a time."""
    for at in places(database, known.group_id):
        yield from annotations_in(known, block(database, known.group_id, at.number))


def remove(database: Database, slide_id: str, group_id: str, by: By) -> AnnotationGroup:
    """Take a group out of sight. Errors: NotFound, Illegal (`annotation_removed`)."""
    return _turn(database, slide_id, group_id, by, removed=True)


def restore(database: Database, slide_id: str, group_id: str, by: By) -> AnnotationGroup:
    """Show a group again. Errors: NotFound, Illegal (`annotation_there`)."""
    return _turn(database, slide_id, group_id, by, removed=False)


def _turn(
    database: Database, slide_id: str, group_id: str, by: By, *, removed: bool
) -> AnnotationGroup:
    kind = "AnnotationsRemoved" if removed else "AnnotationsRestored"
    with database.transaction() as connection:
        events.hold(connection)
        known = _group(connection, slide_id, group_id)
        where = annotation_group.c.group_id == group_id
        there = sa.select(annotation_group.c.removed).where(where)
        if connection.execute(there).scalar_one() == removed:
            raise Illegal("annotation_removed" if removed else "annotation_there")
        happened = Event(
            f"annotations:{group_id}", kind, by.name, by.source, {"slide_id": slide_id}, now()
        )
        number = events.record(connection, happened)
        values = {"removed": removed, "last_event": number}
        connection.execute(sa.update(annotation_group).where(where).values(**values))
    return known


def _group(connection: Connection, slide_id: str, group_id: str) -> AnnotationGroup:
    query = sa.select(annotation_group.c.about).where(
        annotation_group.c.group_id == group_id, annotation_group.c.slide_id == slide_id
    )
    about = connection.execute(query).scalar_one_or_none()
    if about is None:
        raise NotFound("the slide has no such group of annotations")
    return from_plain(AnnotationGroup, about)


def _groups(connection: Connection, slide_id: str) -> list[AnnotationGroup]:
    query = (
        sa.select(annotation_group.c.about)
        .where(annotation_group.c.slide_id == slide_id, annotation_group.c.removed.is_(False))
        .order_by(annotation_group.c.first_event)
    )
    return [from_plain(AnnotationGroup, at) for at in connection.execute(query).scalars()]


def _digest(block: Block) -> str:
    """Of its members, in whatever order: they go out otherwise than they came."""
    ends = np.cumsum(block.lengths_of_each, dtype=np.int64).tolist()
    points, begin = memoryview(block.points.astype("<f8").tobytes()), 0
    each = list[bytes]()
    for place, end in enumerate(ends):
        identity = block.ids[16 * place : 16 * place + 16]
        each.append(hashlib.sha256(identity + points[16 * begin : 16 * end]).digest())
        begin = end
    return hashlib.sha256(b"".join(sorted(each))).hexdigest()


def _rows(blocks: Iterable[Block]) -> Iterator[dict[str, Any]]:
    for number, at in enumerate(blocks):
        low, high = at.points.min(axis=0), at.points.max(axis=0)
        yield {
            "number": number,
            "count": at.count,
            "x0": float(low[0]),
            "y0": float(low[1]),
            "x1": float(high[0]),
            "y1": float(high[1]),
            "places": at.middles.astype(np.dtype("<f4")).tobytes(),
            "data": encode(at),
        }
