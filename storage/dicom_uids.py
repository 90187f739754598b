"""The roots of the UIDs that svartid gives: random, one for each slide and each case.

What hangs below them is in `storage.records.uids`.
"""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from storage.database import Database
from storage.dicom_tables import dicom_uid

SLIDE, CASE = "slide", "case"


def root_of(connection: Connection, kind: str, key: str) -> str:
    """The root UID of a slide or case, given now when there is none, in this transaction."""
    where = (dicom_uid.c.kind == kind, dicom_uid.c.key == key)
    query = sa.select(dicom_uid.c.uid).where(*where)
    known: str | None = connection.execute(query).scalar_one_or_none()
    if known is not None:
        return known
    fresh = f"2.25.{uuid.uuid4().int}"
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(dicom_uid).values(uid=fresh, kind=kind, key=key))
    except IntegrityError:  # another gave one in this moment
        return str(connection.execute(query).scalar_one())
    return fresh


def known_root(database: Database, kind: str, key: str) -> str:
    """The root UID, given now when there is none."""
    query = sa.select(dicom_uid.c.uid).where(dicom_uid.c.kind == kind, dicom_uid.c.key == key)
    with database.reading() as connection:
        known: str | None = connection.execute(query).scalar_one_or_none()
    if known is not None:
        return known
    with database.transaction() as connection:
        return root_of(connection, kind, key)


def slide_of(database: Database, series_uid: str) -> str | None:
    """The slide whose root that UID is; None when it is no slide's."""
    query = sa.select(dicom_uid.c.key).where(
        dicom_uid.c.uid == series_uid, dicom_uid.c.kind == SLIDE
    )
    with database.reading() as connection:
        found: str | None = connection.execute(query).scalar_one_or_none()
    return found
