"""Images and the glasses they show: which wait to be matched, attached, set before a person.

Every readable image ends in one of three ways: attached to an expected glass; an open item of kind
UNKNOWN_SLIDE, for a person; or such an item that was closed at once (`left_alone`), when the image
is nothing to the laboratory. So what has none of them has not been looked at yet.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage import cases, events, work_items
from storage.case_log import Said
from storage.case_tables import case_image, case_slide, pathology_case, work_item
from storage.catalogue import get_slide
from storage.database import Database, now
from storage.records.case import Case
from storage.records.case_words import LEFT_OUT
from storage.records.slide import Slide
from storage.records.slide_events import ImageAvailable, ImageCommitted, ImageStored
from storage.records.work import LEFT_ALONE, OPEN, WorkItem, WorkKind, WorkState
from storage.tables import event, slide

EXPECTED_LATER, MATCHED = "expected_later", "matched"
ALARM = 9
"""Rank of what contradicts itself: above every priority."""
_LATE = timedelta(days=7)
"""How long after an image its glass may be told of and still get it without a person."""
_KIND = WorkKind.UNKNOWN_SLIDE


@dataclass(frozen=True, slots=True)
class Aside:
    """Why an image is not attached, and what it said of itself."""

    why: str
    said: Mapping[str, Any]
    barcode: str | None = None
    """The one code it carries, when no glass of that barcode is expected (yet)."""
    rank: int = 0
    site: str = ""
    unit: str = ""
    left_alone: bool = False


def unmatched(database: Database, limit: int = 500) -> list[str]:
    """Readable images that nobody has looked at, oldest first."""
    items = sa.select(work_item.c.item_id).where(
        work_item.c.slide_id == slide.c.slide_id, work_item.c.kind == _KIND.value
    )
    attached = sa.select(case_image.c.slide_id).where(case_image.c.slide_id == slide.c.slide_id)
    query = sa.select(slide.c.slide_id).where(~attached.exists(), ~items.exists())
    with database.reading() as connection:
        return list(connection.execute(query.order_by(slide.c.ready_at).limit(limit)).scalars())


def expected_meanwhile(database: Database) -> list[str]:
    """Images set aside lately whose barcode has become that of an expected glass."""
    waits = sa.and_(
        work_item.c.state == WorkState.CANCELLED.value, work_item.c.reason == LEFT_ALONE
    )
    query = (
        sa.select(work_item.c.slide_id)
        .join(case_slide, case_slide.c.barcode == work_item.c.barcode)
        .where(
            work_item.c.kind == _KIND.value,
            work_item.c.created_at > now() - _LATE,
            sa.or_(work_item.c.state.in_([state.value for state in OPEN]), waits),
            _is_expected(),
        )
    )
    with database.reading() as connection:
        return list(connection.execute(query).scalars())


def may_be_matched(connection: Connection, slide_id: str) -> bool:
    """Nobody has decided about the image yet, or only that its barcode was not known."""
    if _is_attached(connection, slide_id):
        return False
    item = item_about(connection, slide_id)
    if item is None:
        return True
    open_or_left = item.state in OPEN or item.reason == LEFT_ALONE
    return open_or_left and item.barcode is not None


def item_about(connection: Connection, slide_id: str) -> WorkItem | None:
    """The item that stands for an image that is not attached."""
    query = sa.select(work_item.c.item_id).where(
        work_item.c.slide_id == slide_id, work_item.c.kind == _KIND.value
    )
    item_id = connection.execute(query.limit(1)).scalar_one_or_none()
    return None if item_id is None else work_items.get_in(connection, item_id)


def expected(connection: Connection, barcodes: Collection[str]) -> dict[str, str]:
    """Those of the barcodes that are expected glasses', with the accession of each."""
    query = sa.select(case_slide.c.barcode, case_slide.c.accession).where(
        case_slide.c.barcode.in_(barcodes), _is_expected()
    )
    return {row.barcode: row.accession for row in connection.execute(query)}


def any_case(connection: Connection) -> bool:
    """Whether there is a case at all: without one, slides are only looked at."""
    return connection.execute(sa.select(pathology_case.c.accession).limit(1)).first() is not None


def attach(
    connection: Connection, image: Slide, place: tuple[str, str], actor: str, source: str
) -> Case:
    """The image is of the glass (accession, barcode) and can be read. Errors: Illegal."""
    accession, barcode = place
    facts: list[ImageStored | ImageCommitted | ImageAvailable]
    facts = [ImageStored(barcode, image.slide_id, image.fingerprint)]
    if image.root:
        facts.append(ImageCommitted(barcode, image.slide_id, image.root))
    facts.append(ImageAvailable(barcode, image.slide_id))
    for fact in facts:
        said = Said(actor, source, key=_key(fact))
        case = cases.record_in(connection, accession, fact, said).case
    item = item_about(connection, image.slide_id)
    if item is not None:
        reason = EXPECTED_LATER if actor == cases.SYSTEM else MATCHED
        ended = {"state": WorkState.DONE.value, "reason": reason, "ended_at": now()}
        work_items.change(connection, item.item_id, ended)
    return case


def set_aside(connection: Connection, slide_id: str, aside: Aside) -> WorkItem:
    """The image is not attached: enter it for a person, or as left alone; once."""
    item = item_about(connection, slide_id)
    data = {"why": aside.why, **aside.said}
    words = {"data": data, "barcode": aside.barcode, "rank": aside.rank}
    words |= {"site": aside.site, "unit": aside.unit}
    if item is None:
        about = words | {"slide_id": slide_id}
        item = work_items.offer(connection, _KIND, cases.SYSTEM, **about)
        if aside.left_alone:
            return work_items.end(connection, item.item_id, WorkState.CANCELLED, LEFT_ALONE)
        return item
    if not aside.left_alone and item.reason == LEFT_ALONE:
        words |= {"state": WorkState.OFFERED.value, "reason": "", "ended_at": None}
    return work_items.change(connection, item.item_id, words)


def leave_all_alone(database: Database, slide_ids: Collection[str]) -> bool:
    """Without a case there is nothing images could belong to: close them all; whether it was so."""
    query = sa.select(slide.c.slide_id, slide.c.barcode).where(slide.c.slide_id.in_(slide_ids))
    with database.transaction() as connection:
        events.hold(connection)
        if any_case(connection):
            return False
        for row in connection.execute(query).all():
            if item_about(connection, row.slide_id) is None:
                aside = Aside("unknown", {}, row.barcode or None, left_alone=True)
                set_aside(connection, row.slide_id, aside)
    return True


def is_attached(database: Database, slide_id: str) -> bool:
    """Whether the image is, or was, that of a glass."""
    with database.reading() as connection:
        return _is_attached(connection, slide_id)


def uncommitted(database: Database, since: datetime) -> list[str]:
    """Attached images whose pyramid was completed since then, with a root the case lacks."""
    key = sa.literal("committed:") + slide.c.slide_id + ":" + case_image.c.barcode
    known = sa.select(event.c.event_id).where(event.c.key == key)
    query = (
        sa.select(slide.c.slide_id)
        .join(case_image, case_image.c.slide_id == slide.c.slide_id)
        .where(slide.c.root.is_not(None), slide.c.complete_at > since, ~known.exists())
    )
    with database.reading() as connection:
        return list(connection.execute(query).scalars())


def commit_root(database: Database, slide_id: str) -> bool:
    """Record that every tile of an attached image is proven; False when there is nothing to say."""
    image = get_slide(database, slide_id)
    with database.transaction() as connection:
        events.hold(connection)
        query = sa.select(case_image).where(case_image.c.slide_id == slide_id)
        row = connection.execute(query).one_or_none()
        if row is None or image.root is None:
            return False
        fact = ImageCommitted(row.barcode, slide_id, image.root)
        said = Said(cases.SYSTEM, "matching", key=_key(fact))
        done = cases.record_in(connection, row.accession, fact, said, strict=False)
    return done.outcome is cases.Outcome.RECORDED


def _key(fact: ImageStored | ImageCommitted | ImageAvailable) -> str:
    word = {ImageStored: "stored", ImageCommitted: "committed", ImageAvailable: "available"}
    return f"{word[type(fact)]}:{fact.slide_id}:{fact.barcode}"


def _is_attached(connection: Connection, slide_id: str) -> bool:
    query = sa.select(case_image.c.slide_id).where(case_image.c.slide_id == slide_id)
    return connection.execute(query).first() is not None


def _is_expected() -> sa.ColumnElement[bool]:
    return case_slide.c.state.not_in([state.value for state in LEFT_OUT])
