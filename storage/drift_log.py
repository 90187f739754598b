"""What is written about drift: reference glasses, new baselines, breaches as they begin and end."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage import events
from storage.database import Database, now
from storage.drift_tables import drift_baseline, drift_breach, drift_reference, drift_standing
from storage.errors import Malformed, NotFound
from storage.events import Event
from storage.exchange.plain import is_moment, is_text, to_plain
from storage.quality_drift import Kept, breach_of
from storage.records.drift import Breach, Channel, Reference, Standing

ALL_STAINS = "*"
_SOURCE, _SYSTEM = "drift", "svartid"


def add_reference(database: Database, reference: Reference) -> None:
    """Know a glass as the scanner's reference; again, it changes nothing. Errors: Malformed."""
    named = (reference.scanner.strip(), reference.barcode.strip("* "))
    if not all(named) or not _fit((reference.scanner, 80), (reference.barcode, 64)):
        raise Malformed("a reference is a scanner's name (to 80 letters) and a barcode (to 64)")
    at = drift_reference.c
    same = sa.and_(at.scanner == reference.scanner, at.barcode == reference.barcode)
    with database.transaction() as connection:
        events.hold(connection)
        if connection.execute(sa.select(at.scanner).where(same)).first():
            return
        values = {"scanner": reference.scanner, "barcode": reference.barcode}
        connection.execute(
            sa.insert(drift_reference).values(**values, by=reference.by, at=reference.at)
        )
        told = {"barcode": reference.barcode}
        _tell(connection, reference.scanner, "DriftReferenceAdded", reference.by, told)


def remove_reference(database: Database, scanner: str, barcode: str, by: str) -> None:
    """It is an ordinary glass from now on. Errors: NotFound."""
    at = drift_reference.c
    with database.transaction() as connection:
        events.hold(connection)
        gone = sa.delete(drift_reference).where(at.scanner == scanner, at.barcode == barcode)
        if not connection.execute(gone).rowcount:
            raise NotFound("no such reference glass; svartid drift reference list")
        _tell(connection, scanner, "DriftReferenceRemoved", by, {"barcode": barcode})


def begin_anew(
    database: Database, scanner: str, stain: str, from_at: datetime, why: tuple[str, str]
) -> None:
    """Learn a new baseline from slides received since; `stain` may be `*`; why: (by, reason).

    Errors: Malformed.
    """
    by, reason = why
    if not reason.strip() or not scanner or not is_moment(from_at):
        raise Malformed("a new baseline needs a scanner, a time and a reason")
    if not _fit((scanner, 80), (stain, 40), (reason, 2000)):
        raise Malformed("a scanner's name has at most 80 letters, a stain's code 40")
    at = drift_baseline.c
    with database.transaction() as connection:
        events.hold(connection)
        connection.execute(
            sa.delete(drift_baseline).where(at.scanner == scanner, at.stain == stain)
        )
        values = {"scanner": scanner, "stain": stain, "from_at": from_at, "reason": reason}
        connection.execute(sa.insert(drift_baseline).values(**values, by=by, at=now()))
        told = {"stain": stain, "from_at": from_at.isoformat(), "reason": reason}
        _tell(connection, scanner, "DriftBaselineSet", by, told)


def keep(database: Database, found: Kept) -> tuple[list[Breach], list[Breach]]:
    """Keep what an evaluation came to; the breaches that began with it, and those that ended.

    The same evaluation again changes nothing. A figure that could not be judged now (nobody
    measured it, a new baseline is being learnt) ends its breach: nothing is claimed of it.
    """
    out = {at.figure: at for at in found.standings if at.breached}
    with database.transaction() as connection:
        events.hold(connection)
        _write(connection, found)
        lasting = {at.figure: at for at in _lasting(connection, found.channel)}
        began = [
            _begin(connection, found, standing)
            for figure, standing in out.items()
            if figure not in lasting
        ]
        ended = [_end(connection, at, found.at) for at in lasting.values() if at.figure not in out]
        if found.missing:
            _tell_missing(connection, found.channel.scanner, found.missing)
    return began, ended


def forget_others(database: Database, channels: Sequence[Channel], at: datetime) -> list[Breach]:
    """Standings of channels that nothing comes from any more go, and their breaches end."""
    known = {(one.scanner, one.stain, one.series.value) for one in channels}
    ended = []
    with database.transaction() as connection:
        events.hold(connection)
        for row in connection.execute(sa.select(drift_standing)).all():
            if (row.scanner, row.stain, row.series) not in known:
                connection.execute(sa.delete(drift_standing).where(_is(drift_standing, row)))
        lasting = sa.select(drift_breach).where(drift_breach.c.ended_at.is_(None))
        for row in connection.execute(lasting).all():
            if (row.scanner, row.stain, row.series) not in known:
                ended.append(_end(connection, breach_of(row), at))
    return ended


def _write(connection: Connection, found: Kept) -> None:
    connection.execute(sa.delete(drift_standing).where(_is(drift_standing, found.channel)))
    connection.execute(
        sa.insert(drift_standing).values(
            scanner=found.channel.scanner, stain=found.channel.stain,
            series=found.channel.series.value, missing=found.missing, at=found.at,
            standings=[to_plain(standing) for standing in found.standings],
        )
    )  # fmt: skip


def _lasting(connection: Connection, channel: Channel) -> list[Breach]:
    query = sa.select(drift_breach).where(
        _is(drift_breach, channel), drift_breach.c.ended_at.is_(None)
    )
    return [breach_of(row) for row in connection.execute(query)]


def _is(table: sa.Table, channel: Any) -> sa.ColumnElement[bool]:  # noqa: ANN401 - or a row
    at = table.c
    return sa.and_(
        at.scanner == channel.scanner, at.stain == channel.stain, at.series == str(channel.series)
    )


def _begin(connection: Connection, found: Kept, standing: Standing) -> Breach:
    breach = Breach(
        uuid.uuid4().hex, found.channel, standing.figure, standing.state,
        standing.since or found.at,
    )  # fmt: skip
    channel = found.channel
    connection.execute(
        sa.insert(drift_breach).values(
            breach_id=breach.breach_id, scanner=channel.scanner, stain=channel.stain,
            series=channel.series.value, figure=breach.figure, state=breach.state.value,
            began_at=breach.began_at,
        )
    )  # fmt: skip
    told = _about(breach) | {"state": standing.state.value, "latest": standing.latest}
    told |= {"baseline": standing.baseline, "psi": standing.psi}
    _tell(connection, channel.scanner, "DriftBegan", _SYSTEM, told)
    return breach


def _end(connection: Connection, breach: Breach, at: datetime) -> Breach:
    where = drift_breach.c.breach_id == breach.breach_id
    connection.execute(sa.update(drift_breach).where(where).values(ended_at=at))
    _tell(connection, breach.channel.scanner, "DriftEnded", _SYSTEM, _about(breach))
    return breach


def _about(breach: Breach) -> dict[str, Any]:
    channel = breach.channel
    return {
        "breach": breach.breach_id, "figure": breach.figure, "stain": channel.stain,
        "series": channel.series.value,
    }  # fmt: skip


def _tell_missing(connection: Connection, scanner: str, day: str) -> None:
    key = f"reference:{scanner}:{day}"
    if events.find_by_key(connection, key) is None:
        told = Event(_subject(scanner), "ReferenceMissed", _SYSTEM, _SOURCE, {"day": day}, key=key)
        events.record(connection, told)


def _tell(
    connection: Connection, scanner: str, kind: str, by: str, data: Mapping[str, Any]
) -> None:
    events.record(connection, Event(_subject(scanner), kind, by, _SOURCE, data))


def _subject(scanner: str) -> str:
    return f"scanner:{scanner}"[:80]


def _fit(*texts: tuple[str, int]) -> bool:
    return all(is_text(text, most) for text, most in texts)
