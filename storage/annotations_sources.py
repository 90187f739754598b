"""Received DICOM objects with annotations: looked at once, imported when their slide is here."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.annotation_tables import annotation_source
from storage.database import Database, now
from storage.dicom_tables import dicom_object, dicom_series, dicom_uid
from storage.dicom_uids import SLIDE, slide_of
from storage.tables import slide

_at = annotation_source.c


def unseen(database: Database, sop_classes: Collection[str], limit: int = 100) -> list[str]:
    """Objects of those kinds that nobody has looked at, by SOPInstanceUID."""
    seen = sa.select(_at.sop_uid).where(_at.sop_uid == dicom_object.c.sop_uid)
    query = (
        sa.select(dicom_object.c.sop_uid)
        .where(dicom_object.c.sop_class.in_(sop_classes), sa.not_(seen.exists()))
        .order_by(dicom_object.c.received_at)
    )
    with database.reading() as connection:
        return list(connection.execute(query.limit(limit)).scalars())


def note(database: Database, sop_uid: str, series_uid: str, reason: str = "") -> None:
    """It has been looked at: it is about that series, or cannot be read."""
    with database.transaction() as connection:
        values = {"series_uid": series_uid[:64], "reason": reason, "at": now()}
        _put(connection, sop_uid, values)


def ready(database: Database, limit: int = 20) -> list[tuple[str, str]]:
    """Objects whose slide can be read, not imported yet: SOPInstanceUID and slide."""
    of_made = sa.select(dicom_uid.c.key).where(
        dicom_uid.c.uid == _at.series_uid, dicom_uid.c.kind == SLIDE
    )
    of_received = sa.select(dicom_series.c.slide_id).where(
        dicom_series.c.series_uid == _at.series_uid
    )
    whose = sa.func.coalesce(of_made.scalar_subquery(), of_received.scalar_subquery())
    query = (
        sa.select(_at.sop_uid, slide.c.slide_id)
        .select_from(annotation_source)
        .join(slide, slide.c.slide_id == whose)
        .where(_at.slide_id.is_(None), _at.reason == "", _at.series_uid != "")
        .order_by(_at.at)
    )
    with database.reading() as connection:
        return [(row.sop_uid, row.slide_id) for row in connection.execute(query.limit(limit))]


def slide_of_series(database: Database, series_uid: str) -> str | None:
    """The slide a series is, or became; None when it is none."""
    made = slide_of(database, series_uid)
    if made is not None:
        return made
    query = sa.select(dicom_series.c.slide_id).where(dicom_series.c.series_uid == series_uid)
    with database.reading() as connection:
        found: str | None = connection.execute(query).scalar_one_or_none()
    return found


def is_imported(database: Database, sop_uid: str) -> bool:
    """Whether the annotations of that object are here."""
    query = sa.select(_at.sop_uid).where(_at.sop_uid == sop_uid, _at.slide_id.is_not(None))
    with database.reading() as connection:
        return connection.execute(query).first() is not None


def mark(connection: Connection, sop_uid: str, slide_id: str, count: int) -> None:
    """Its annotations are being imported in this transaction."""
    _put(connection, sop_uid, {"slide_id": slide_id, "count": count, "at": now()})


def _put(connection: Connection, sop_uid: str, values: dict[str, object]) -> None:
    known = sa.update(annotation_source).where(_at.sop_uid == sop_uid)
    if connection.execute(known.values(**values)).rowcount == 0:
        connection.execute(sa.insert(annotation_source).values(sop_uid=sop_uid, **values))
