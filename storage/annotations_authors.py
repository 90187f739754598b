"""Who has annotated a slide: a sheet for each, numbered for good in the order they came."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from storage import annotations_bulk, events, people
from storage.annotation_tables import annotation, annotation_group
from storage.annotations_codec import Block
from storage.annotations_sheet import Creator, Sheet
from storage.database import Database, now
from storage.exchange.plain import from_plain
from storage.records.annotation import Annotation, AnnotationGroup, Origin

_Key = tuple[str, Origin]


@dataclass(slots=True)
class _Rows:
    first: int
    revision: int = 0
    single: list[Annotation] = field(default_factory=list)
    groups: list[AnnotationGroup] = field(default_factory=list)


def sheets(database: Database, slide_id: str) -> list[Sheet]:
    """A sheet for everybody with something in sight."""
    by_creator = _collected(database, slide_id)
    order = sorted(by_creator.items(), key=lambda at: at[1].first)
    names = people.full_names(database, {author for author, _ in by_creator})
    found = list[Sheet]()
    for number, ((author, origin), rows) in enumerate(order, 1):
        if not rows.single and not rows.groups:
            continue
        with database.reading() as connection:
            newest = events.get(connection, rows.revision)
        found.append(
            Sheet(
                creator=Creator(author, names.get(author, author), origin),
                number=number,
                revision=rows.revision,
                at=(newest.occurred_at if newest else None) or now(),
                single=tuple(rows.single),
                groups=tuple((at, _blocks(database, at)) for at in rows.groups),
            )
        )
    return found


def _collected(database: Database, slide_id: str) -> dict[_Key, _Rows]:
    by_creator = dict[_Key, _Rows]()
    for row, at in _rows(database, slide_id):
        rows = by_creator.setdefault((at.author, at.origin), _Rows(row.first_event))
        rows.first = min(rows.first, row.first_event)
        rows.revision = max(rows.revision, row.last_event)
        if row.removed:
            continue
        if isinstance(at, Annotation):
            rows.single.append(at)
        else:
            rows.groups.append(at)
    return by_creator


def _rows(
    database: Database, slide_id: str
) -> Iterator[tuple[sa.Row[Any], Annotation | AnnotationGroup]]:
    """Removed ones, too: they keep their author's number."""
    with database.reading() as connection:
        mine = sa.select(annotation).where(annotation.c.slide_id == slide_id)
        for row in connection.execute(mine.order_by(annotation.c.first_event)):
            yield row, from_plain(Annotation, row.state)
        theirs = sa.select(annotation_group).where(annotation_group.c.slide_id == slide_id)
        for row in connection.execute(theirs.order_by(annotation_group.c.first_event)):
            yield row, from_plain(AnnotationGroup, row.about)


def _blocks(database: Database, group: AnnotationGroup) -> Callable[[], Iterator[Block]]:
    def blocks() -> Iterator[Block]:
        for at in annotations_bulk.places(database, group.group_id):
            yield annotations_bulk.block(database, group.group_id, at.number)

    return blocks
