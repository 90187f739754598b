"""The index of received DICOM objects: entered once, contradictions told apart, series ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError

from storage.database import Database, now
from storage.dicom_tables import dicom_object, dicom_quarantine, dicom_series
from storage.errors import Illegal, NotFound
from storage.events import Event, hold, record
from storage.records.imaging import Entered, SeriesFacts, SeriesState, StoredObject


class Objects:
    """The index bound to a database, for `processing.dicom`, which knows no database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def enter(self, found: StoredObject, number: int, series: SeriesFacts) -> Entered:
        """See `enter`."""
        return enter(self._database, found, number, series)

    def set_aside(self, found: StoredObject, reason: str) -> None:
        """See `set_aside`."""
        set_aside(self._database, found, reason)

    def get(self, sop_uid: str) -> StoredObject:
        """See `get`."""
        return get(self._database, sop_uid)

    def of_series(self, series_uid: str) -> list[StoredObject]:
        """See `of_series`."""
        return of_series(self._database, series_uid)


def check_new(database: Database, sop_uid: str, sha256: str, series: SeriesFacts) -> Entered:
    """Whether the object is new. Errors: Illegal (`another_object`, `another_series`)."""
    with database.reading() as connection:
        return _check(connection, sop_uid, sha256, series)


def enter(database: Database, found: StoredObject, number: int, series: SeriesFacts) -> Entered:
    """Enter an object whose file is in place; once, whoever else hands it in at this moment.

    Errors: Illegal (`another_object`: the UID stands for other bytes; `another_series`: the series
    is another patient's or study's), Transient.
    """
    try:
        with database.transaction() as connection:
            if _check(connection, found.sop_uid, found.sha256, series) is Entered.KNOWN:
                return Entered.KNOWN
            _enter_series(connection, series, found)
            connection.execute(sa.insert(dicom_object).values(number=number, **_row(found)))
    except IntegrityError:
        return check_new(database, found.sop_uid, found.sha256, series)
    return Entered.NEW


def set_aside(database: Database, found: StoredObject, reason: str) -> None:
    """Enter an object that lies in quarantine, and why."""
    values = {
        "reason": reason, "sop_uid": found.sop_uid[:64], "bytes": found.bytes,
        "received_at": found.received_at, "received_from": found.received_from,
    }  # fmt: skip
    with database.transaction() as connection:
        known = sa.update(dicom_quarantine).where(dicom_quarantine.c.sha256 == found.sha256)
        if connection.execute(known.values(**values)).rowcount == 0:
            connection.execute(sa.insert(dicom_quarantine).values(sha256=found.sha256, **values))
        about = {"reason": reason, "bytes": found.bytes}
        subject = f"object:{found.sha256[:20]}"
        record(connection, Event(subject, "ObjectQuarantined", found.received_from, "dicom", about))


def quarantined(database: Database, limit: int = 200) -> list[dict[str, Any]]:
    """What lies in quarantine, newest first; without anything of a patient."""
    query = sa.select(dicom_quarantine).order_by(dicom_quarantine.c.received_at.desc())
    with database.reading() as connection:
        return [dict(row._mapping) for row in connection.execute(query.limit(limit))]


def get(database: Database, sop_uid: str) -> StoredObject:
    """One object. Errors: NotFound."""
    query = sa.select(dicom_object).where(dicom_object.c.sop_uid == sop_uid)
    with database.reading() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("no such object has been received")
    return _object(row)


def of_series(database: Database, series_uid: str) -> list[StoredObject]:
    """The objects of a series by their number."""
    query = (
        sa.select(dicom_object)
        .where(dicom_object.c.series_uid == series_uid)
        .order_by(dicom_object.c.number, dicom_object.c.sop_uid)
    )
    with database.reading() as connection:
        return [_object(row) for row in connection.execute(query)]


def counts(database: Database, series_uids: list[str]) -> dict[str, int]:
    """How many objects there are, by series."""
    found = dict[str, int]()
    with database.reading() as connection:
        for start in range(0, len(series_uids), 500):
            some = dicom_object.c.series_uid.in_(series_uids[start : start + 500])
            query = sa.select(dicom_object.c.series_uid, sa.func.count()).where(some)
            rows = connection.execute(query.group_by(dicom_object.c.series_uid))
            found |= {row[0]: row[1] for row in rows}
    return found


def known(database: Database, sop_uids: list[str]) -> dict[str, str]:
    """SOP class by SOP instance UID, of those that are kept (for storage commitment)."""
    found = dict[str, str]()
    with database.reading() as connection:
        for start in range(0, len(sop_uids), 500):
            some = dicom_object.c.sop_uid.in_(sop_uids[start : start + 500])
            query = sa.select(dicom_object.c.sop_uid, dicom_object.c.sop_class).where(some)
            found |= {row.sop_uid: row.sop_class for row in connection.execute(query)}
    return found


def release(database: Database, series_uids: set[str]) -> None:
    """The sender has ended its association: what it sent is whole."""
    _turn(database, dicom_series.c.series_uid.in_(series_uids), SeriesState.WHOLE)


def end_quiet(database: Database, quiet: timedelta) -> None:
    """Series in which nothing has come for so long are whole."""
    _turn(database, dicom_series.c.changed_at < now() - quiet, SeriesState.WHOLE)


def touch(database: Database, series_uids: set[str]) -> None:
    """Objects of these series are on their way: as slides they are not quiet."""
    where = (
        dicom_series.c.series_uid.in_(series_uids),
        dicom_series.c.is_slide,
        dicom_series.c.state != SeriesState.TAKEN.value,
    )
    with database.reading() as connection:
        if connection.execute(sa.select(dicom_series.c.series_uid).where(*where)).first() is None:
            return
    with database.transaction() as connection:
        connection.execute(sa.update(dicom_series).where(*where).values(changed_at=now()))


def slides_to_take(database: Database, quiet: timedelta, limit: int = 20) -> list[str]:
    """Whole series of whole-slide images, quiet for so long, not yet handed to the intake.

    That an association has ended does not say that all levels are there: some send each alone.
    """
    where = (
        dicom_series.c.state == SeriesState.WHOLE.value,
        dicom_series.c.is_slide,
        dicom_series.c.changed_at < now() - quiet,
    )
    query = sa.select(dicom_series.c.series_uid).where(*where).order_by(dicom_series.c.changed_at)
    with database.reading() as connection:
        return list(connection.execute(query.limit(limit)).scalars())


def mark_taken(database: Database, series_uid: str, slide_id: str) -> None:
    """The series has been handed to the intake and is, or becomes, that slide."""
    with database.transaction() as connection:
        connection.execute(
            sa.update(dicom_series)
            .where(
                dicom_series.c.series_uid == series_uid,
                dicom_series.c.state == SeriesState.WHOLE.value,
            )
            .values(state=SeriesState.TAKEN.value, slide_id=slide_id)
        )


def _turn(database: Database, where: sa.ColumnElement[bool], state: SeriesState) -> None:
    arriving = dicom_series.c.state == SeriesState.ARRIVING.value
    with database.reading() as connection:
        query = sa.select(dicom_series.c.series_uid).where(arriving, where).limit(1)
        if connection.execute(query).first() is None:
            return
    with database.transaction() as connection:
        hold(connection)
        query = sa.select(dicom_series.c.series_uid, dicom_series.c.received_from)
        turned = connection.execute(query.where(arriving, where)).all()
        connection.execute(sa.update(dicom_series).where(arriving, where).values(state=state.value))
        for uid, source in turned:
            record(connection, Event(f"series:{uid}", "SeriesReceived", source, "dicom"))


def _check(connection: Connection, sop_uid: str, sha256: str, series: SeriesFacts) -> Entered:
    same = sa.select(dicom_object.c.sha256).where(dicom_object.c.sop_uid == sop_uid)
    there: str | None = connection.execute(same).scalar_one_or_none()
    if there is not None:
        if there != sha256:
            raise Illegal("another_object")
        return Entered.KNOWN
    of = dicom_series.c.series_uid == series.series_uid
    query = sa.select(dicom_series.c.study_uid, dicom_series.c.identifier).where(of)
    row = connection.execute(query).one_or_none()
    if row is not None and tuple(row) != (series.study_uid, series.identifier):
        raise Illegal("another_series")
    return Entered.NEW


def _enter_series(connection: Connection, series: SeriesFacts, found: StoredObject) -> None:
    """A series that was whole and gets one more object arrives again."""
    values = {"changed_at": found.received_at, "state": SeriesState.ARRIVING.value}
    where = dicom_series.c.series_uid == series.series_uid
    first = {"is_slide": True} if series.is_slide else {}
    if connection.execute(sa.update(dicom_series).where(where).values(**values, **first)).rowcount:
        return
    about = {name: getattr(series, name) for name in series.__slots__}
    came = {"received_at": found.received_at, "received_from": found.received_from}
    connection.execute(sa.insert(dicom_series).values(**about, **values, **came))


def _row(found: StoredObject) -> dict[str, Any]:
    return {name: getattr(found, name) for name in found.__slots__}


def _object(row: Row[Any]) -> StoredObject:
    return StoredObject(**{name: getattr(row, name) for name in StoredObject.__slots__})
