"""Annotations out of files and received objects: new ones drawn, known ones compared, many grouped.

An annotation is known by its id. What a format could not carry of a known one stays as it is here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from storage import annotations_bulk, annotations_sources, events
from storage.annotation_tables import annotation
from storage.annotations_gathering import Gathering
from storage.annotations_single import By, draw_in, say_in
from storage.database import Database, now
from storage.errors import Malformed
from storage.exchange.geojson import NO_COLOUR
from storage.exchange.plain import from_plain
from storage.records.annotation import (
    Annotation,
    Brought,
    Content,
    Geometry,
    Measurement,
    Origin,
    OriginKind,
    new_id,
)
from storage.records.annotation_events import AnnotationChanged, AnnotationDrawn
from storage.records.annotation_rules import MOST_POINTS

SINGLE: Final = 1000
"""As many are kept one by one, and can be changed; what has more comes as groups."""
MOST: Final = 1_000_000
_NEAR: Final = 0.006
"""Pixels within which a place is the same: QuPath rounds to hundredths."""
_NONE: Final = bytes(NO_COLOUR).hex().upper()
_FUTURE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Source:
    """The file or object that is imported, and who does it."""

    name: str
    by: By
    sop_uid: str = ""
    """Of a received DICOM object: it is imported once."""


@dataclass(slots=True)
class Taken:
    """What became of them."""

    drawn: int = 0
    changed: int = 0
    known: int = 0
    newer_here: int = 0
    """Changed here since the file was written: what is here stays."""
    grouped: int = 0
    groups: list[str] = field(default_factory=list)


def take(database: Database, slide_id: str, brought: Iterable[Brought], source: Source) -> Taken:
    """Import all of a file, or nothing.

    Errors: Malformed (why, in a word), whatever reading it raises, Transient.
    """
    if source.sop_uid and annotations_sources.is_imported(database, source.sop_uid):
        return Taken()
    single, gathering = _sorted(brought, source)
    packed = annotations_bulk.pack(gathering, source.name)
    taken = Taken()
    try:
        with database.transaction() as connection:
            events.hold(connection)
            if source.sop_uid:
                count = len(single) + gathering.count
                annotations_sources.mark(connection, source.sop_uid, slide_id, count)
            for at in single:
                _take_one(connection, slide_id, at, source.by, taken)
            entered = annotations_bulk.enter(connection, slide_id, packed, source.by)
    except IntegrityError:  # somebody imported the same object at this moment
        if source.sop_uid and annotations_sources.is_imported(database, source.sop_uid):
            return Taken()
        raise
    taken.grouped = sum(at.count for at in entered)
    taken.known += gathering.count - taken.grouped
    taken.groups = [at.group_id for at in entered]
    return taken


def _sorted(brought: Iterable[Brought], source: Source) -> tuple[list[Brought], Gathering]:
    """Few as they are; from the one too many on, all are gathered. So are single huge ones."""
    single, gathering = list[Brought](), Gathering()
    for number, at in enumerate(brought, 1):
        if number > MOST:
            raise Malformed("too_many")
        at = replace(at, annotation=_imported(at.annotation, source))
        if gathering.count or sum(1 for _ in at.annotation.content.geometry.points) > MOST_POINTS:
            gathering.add(at.annotation)
            continue
        single.append(at)
        if len(single) > SINGLE:
            for one in single:
                gathering.add(one.annotation)
            single = []
    return single, gathering


def _imported(at: Annotation, source: Source) -> Annotation:
    """Nobody is made the author of something here by a file that says so."""
    origin = at.origin
    if origin.kind is OriginKind.PERSON:
        origin = Origin(OriginKind.IMPORT, source.name)
    drawn_at = min(at.drawn_at, now() + _FUTURE)
    return replace(at, origin=origin, drawn_at=drawn_at)


def _take_one(
    connection: Connection, slide_id: str, brought: Brought, by: By, taken: Taken
) -> None:
    at = brought.annotation
    query = sa.select(annotation.c.slide_id, annotation.c.state).where(
        annotation.c.annotation_id == at.annotation_id
    )
    row = connection.execute(query).one_or_none()
    if row is None or row.slide_id != slide_id:
        # The id of another slide's annotation: a copy of a slide's file, and this is its own.
        own = at.annotation_id if row is None else new_id()
        fact = AnnotationDrawn(slide_id, at.content, at.author, at.drawn_at, at.origin)
        draw_in(connection, own, fact, by)
        taken.drawn += 1
        return
    here = from_plain(Annotation, row.state)
    content = at.content if brought.whole else _completed(at.content, here.content)
    if here.removed or is_same(content, here.content):
        taken.known += 1
    elif (here.content.locked and content.locked) or (brought.whole and at.version < here.version):
        taken.newer_here += 1
    else:
        fact_changed = AnnotationChanged(content)
        say_in(connection, here, here.version, fact_changed, by)
        taken.changed += 1


def _completed(brought: Content, here: Content) -> Content:
    """What came, with what the format it came in has no place for."""
    shape = here.geometry if _near(brought.geometry, here.geometry) else brought.geometry
    units = {at.name: at.unit for at in here.measurements}
    return replace(
        brought,
        geometry=shape,
        colour="" if not here.colour and brought.colour == _NONE else brought.colour,
        group=here.group,
        measurements=tuple(
            Measurement(at.name, at.value, at.unit or units.get(at.name, ""))
            for at in brought.measurements
        ),
        foreign=brought.foreign or here.foreign,
    )


def is_same(one: Content, other: Content) -> bool:
    """The same, within what other programs round to."""
    if not _near(one.geometry, other.geometry) or one.geometry.kind is not other.geometry.kind:
        return False
    return replace(one, geometry=other.geometry) == other


def _near(one: Geometry, other: Geometry) -> bool:
    """Whether all points are in the same places; the kind may be another."""
    shape = [len(ring) for part in one.parts for ring in part]
    if shape != [len(ring) for part in other.parts for ring in part]:
        return False
    pairs = zip(one.points, other.points, strict=True)
    return all(abs(x - u) <= _NEAR and abs(y - v) <= _NEAR for (x, y), (u, v) in pairs)
