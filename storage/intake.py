"""The durable intake table: every received file, its lease and how far it has come.

The row is the truth. A worker that dies leaves a lease that another takes over; the work
itself can be repeated at any point without doing harm.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError

from storage.database import Database, intake, now, slide
from storage.errors import NotFound, Refused, SlideError, SvartidError
from storage.events import Event, record
from storage.records.intake import CLAIMABLE, ENDED, READABLE, Intake, IntakeState, Source
from storage.records.slide import PyramidRecord

_FIELDS = tuple(Intake.__slots__)
_AGAIN = {IntakeState.QUARANTINED, IntakeState.FAILED}
_WAITING_FOR = {working.value: waiting.value for waiting, working in CLAIMABLE.items()}
"""State of being worked on to the waiting state it goes back to."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A file that has been taken over into `originals` and can be read in."""

    fingerprint: str
    name: str
    bytes: int
    source: Source
    actor: str
    lossless: bool = False
    began_at: datetime | None = None
    """When taking over began: the clock of `seconds`; None is now."""


def slide_id_of(fingerprint: str) -> str:
    """The slide's opaque id; the same bytes get the same id, so one file is one slide."""
    return fingerprint[:20]


def submit(database: Database, delivery: Delivery) -> tuple[Intake, bool]:
    """Enter a delivery; returns its row and whether it is new work.

    The same bytes again give the row that is there. One that was quarantined or had failed is
    tried again, since somebody asked.
    """
    try:
        with database.transaction() as connection:
            return _insert(connection, delivery), True
    except IntegrityError:
        with database.transaction() as connection:
            row = connection.execute(
                sa.select(intake)
                .where(intake.c.fingerprint == delivery.fingerprint)
                .with_for_update()
            ).one()
            if IntakeState(row.state) not in _AGAIN:
                return _intake(row), False
            _restart(connection, row.intake_id, delivery.actor, "IntakeDeliveredAgain")
            return _get(connection, row.intake_id), True


def get(database: Database, intake_id: str) -> Intake:
    """One row; NotFound."""
    with database.reading() as connection:
        return _get(connection, intake_id)


def listing(
    database: Database, states: Collection[IntakeState] = (), limit: int = 200
) -> list[Intake]:
    """Rows newest first, all states unless some are named."""
    query = sa.select(intake).order_by(intake.c.received_at.desc()).limit(limit)
    if states:
        query = query.where(intake.c.state.in_([state.value for state in states]))
    with database.reading() as connection:
        return [_intake(row) for row in connection.execute(query)]


def counts(database: Database) -> dict[str, int]:
    """How many rows are in each state."""
    query = sa.select(intake.c.state, sa.func.count()).group_by(intake.c.state)
    with database.reading() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def claim(
    database: Database,
    owner: str,
    lease: float,
    wanted: Collection[IntakeState],
    only: str | None = None,
) -> Intake | None:
    """Take the oldest waiting row of the `wanted` states for `lease` seconds, None if none."""
    query = (
        sa.select(intake)
        .where(_is_due(wanted))
        .order_by(intake.c.received_at, intake.c.intake_id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if only:
        query = query.where(intake.c.intake_id == only)
    with database.transaction() as connection:
        row = connection.execute(query).one_or_none()
        if row is None:
            return None
        _change(
            connection,
            row.intake_id,
            state=CLAIMABLE[IntakeState(row.state)].value,
            owner=owner,
            lease_until=now() + timedelta(seconds=lease),
            attempts=row.attempts + 1,
        )
        return _get(connection, row.intake_id)


def waiting(database: Database, wanted: Collection[IntakeState]) -> bool:
    """True when a claim would find something; a cheap look without the writer's lock."""
    query = sa.select(intake.c.intake_id).where(_is_due(wanted)).limit(1)
    with database.reading() as connection:
        return connection.execute(query).first() is not None


def renew(database: Database, intake_id: str, owner: str, lease: float) -> bool:
    """Prolong a lease; False when it was lost to another worker."""
    with database.transaction() as connection:
        result = connection.execute(
            sa.update(intake)
            .where(intake.c.intake_id == intake_id, intake.c.owner == owner)
            .where(intake.c.state.in_(_WAITING_FOR))
            .values(lease_until=now() + timedelta(seconds=lease))
        )
        return bool(result.rowcount)


def progress(database: Database, intake_id: str, done: int, total: int) -> None:
    """Tiles done of tiles to do in the present phase."""
    with database.transaction() as connection:
        if _locked(connection, intake_id).state.value in _WAITING_FOR:
            _change(connection, intake_id, done=done, total=total)


def release_abandoned(database: Database, alive: Callable[[str], bool]) -> int:
    """Give rows back whose lease ran out or whose owner is known to be dead; how many."""
    query = sa.select(intake).where(intake.c.state.in_(_WAITING_FOR))
    with database.reading() as connection:
        working = connection.execute(query).all()
    given = 0
    for row in working:
        if row.lease_until > now() and alive(row.owner):
            continue
        with database.transaction() as connection:
            result = connection.execute(
                sa.update(intake)
                .where(intake.c.intake_id == row.intake_id, intake.c.owner == row.owner)
                .where(intake.c.lease_until == row.lease_until)
                .values(state=_WAITING_FOR[row.state], owner=None, lease_until=None)
            )
            given += result.rowcount
    return given


def give_back(
    database: Database,
    intake_id: str,
    owner: str | None = None,
    *,
    wait: float = 0.0,
    counted: bool = True,
) -> None:
    """Return a claimed row to its waiting state, for a stop in good order or a later try.

    Nobody claims it for `wait` seconds. A try that is not `counted` leaves `attempts` as before.
    With `owner`, nothing happens unless that one still has the row.
    """
    with database.transaction() as connection:
        row = _locked(connection, intake_id)
        holder = connection.scalar(sa.select(intake.c.owner).where(_is(intake_id)))
        if row.state.value not in _WAITING_FOR or owner not in (None, holder):
            return
        _change(
            connection,
            intake_id,
            state=_WAITING_FOR[row.state.value],
            owner=None,
            lease_until=now() + timedelta(seconds=wait) if wait else None,
            attempts=row.attempts if counted else max(row.attempts - 1, 0),
        )


def mark_ready(database: Database, intake_id: str, pyramid: PyramidRecord) -> None:
    """Phase one is published: the slide enters the catalogue in the same transaction.

    Refused when the intake was given up meanwhile.
    """
    with database.transaction() as connection:
        row = _locked(connection, intake_id)
        if row.state in READABLE:
            return
        if row.state in ENDED:
            raise Refused(f"an intake that is {row.state} does not become ready")
        moment = now()
        seconds = (moment - row.received_at).total_seconds()
        connection.execute(sa.delete(slide).where(slide.c.slide_id == row.slide_id))
        connection.execute(sa.insert(slide).values(_slide_row(row, pyramid, moment)))
        _change(
            connection,
            intake_id,
            state=IntakeState.READY.value,
            seconds=seconds,
            owner=None,
            lease_until=None,
            attempts=0,
            reason=None,
            detail=None,
        )
        record(connection, _about(row, "SlideReady", {"seconds": round(seconds, 3)}))


def mark_complete(database: Database, intake_id: str, notices: Collection[str] = ()) -> None:
    """Phase two is published; `notices` are what it found in addition.

    Refused when the slide is not readable, or was given up meanwhile.
    """
    with database.transaction() as connection:
        row = _locked(connection, intake_id)
        if row.state is IntakeState.COMPLETE:
            return
        if row.state not in READABLE:
            raise Refused(f"an intake that is {row.state} does not become complete")
        moment = now()
        seconds = (moment - row.received_at).total_seconds()
        known = connection.execute(
            sa.select(slide.c.notices).where(slide.c.slide_id == row.slide_id)
        ).scalar_one()
        connection.execute(
            sa.update(slide)
            .where(slide.c.slide_id == row.slide_id)
            .values(complete_at=moment, notices=[*known, *(n for n in notices if n not in known)])
        )
        _change(
            connection,
            intake_id,
            state=IntakeState.COMPLETE.value,
            complete_seconds=seconds,
            owner=None,
            lease_until=None,
            attempts=0,
        )
        record(connection, _about(row, "PyramidCompleted", {"seconds": round(seconds, 3)}))


def mark_ended(database: Database, intake_id: str, error: SvartidError) -> IntakeState:
    """The file's fault ends in quarantine, any other in failed; with the reason, recorded.

    A slide that can be read is never quarantined: its file was good enough for phase one. What
    has ended stays as it ended. The state the row is in then.
    """
    with database.transaction() as connection:
        row = _locked(connection, intake_id)
        if row.state in ENDED:
            return row.state
        theirs = isinstance(error, SlideError) and not _is_readable(connection, row.slide_id)
        state = IntakeState.QUARANTINED if theirs else IntakeState.FAILED
        _change(
            connection,
            intake_id,
            state=state.value,
            reason=error.code,
            detail=_printable(str(error))[:2000],
            owner=None,
            lease_until=None,
        )
        kind = "SlideQuarantined" if theirs else "IntakeFailed"
        record(connection, _about(row, kind, {"reason": error.code}))
    return state


def try_again(database: Database, intake_id: str, actor: str) -> Intake:
    """Retry a failed row or release a quarantined one; Refused in any other state."""
    with database.transaction() as connection:
        row = _locked(connection, intake_id)
        if row.state not in _AGAIN:
            raise Refused(f"only failed or quarantined files are tried again, not {row.state}")
        kind = "IntakeRetried" if row.state is IntakeState.FAILED else "QuarantineReleased"
        _restart(connection, intake_id, actor, kind)
        return _get(connection, intake_id)


def set_flow_run(database: Database, intake_id: str, flow_run: str) -> None:
    """Remember the Prefect run that reports this intake."""
    with database.transaction() as connection:
        _change(connection, intake_id, flow_run=flow_run)


def unreported(database: Database) -> list[Intake]:
    """Ended rows that no flow run has reported yet (Prefect was away)."""
    ended = [state.value for state in (*_AGAIN, IntakeState.COMPLETE)]
    query = sa.select(intake).where(intake.c.flow_run.is_(None), intake.c.state.in_(ended))
    with database.reading() as connection:
        return [_intake(row) for row in connection.execute(query.limit(20))]


def _insert(connection: Connection, delivery: Delivery) -> Intake:
    intake_id, moment = uuid.uuid4().hex, now()
    connection.execute(
        sa.insert(intake).values(
            intake_id=intake_id,
            slide_id=slide_id_of(delivery.fingerprint),
            fingerprint=delivery.fingerprint,
            name=delivery.name,
            source=delivery.source.value,
            state=IntakeState.RECEIVED.value,
            bytes=delivery.bytes,
            lossless=delivery.lossless,
            received_at=delivery.began_at or moment,
            updated_at=moment,
        )
    )
    row = _get(connection, intake_id)
    record(connection, _about(row, "SlideReceived", {"bytes": row.bytes}, delivery.actor))
    return row


def _restart(connection: Connection, intake_id: str, actor: str, kind: str) -> None:
    """Back to the phase that did not end: a slide that can be read is only completed."""
    row = _get(connection, intake_id)
    readable = _is_readable(connection, row.slide_id)
    _change(
        connection,
        intake_id,
        state=(IntakeState.READY if readable else IntakeState.RECEIVED).value,
        attempts=0,
        reason=None,
        detail=None,
        flow_run=None,
        owner=None,
        lease_until=None,
        received_at=now(),
    )
    record(connection, _about(row, kind, {}, actor))


def _is_readable(connection: Connection, slide_id: str) -> bool:
    query = sa.select(slide.c.slide_id).where(slide.c.slide_id == slide_id)
    return connection.execute(query).first() is not None


def _is(intake_id: str) -> sa.ColumnElement[bool]:
    return intake.c.intake_id == intake_id


def _is_due(wanted: Collection[IntakeState]) -> sa.ColumnElement[bool]:
    """Waiting in one of the states, and not put off; a waiting row's lease is when it is due."""
    return sa.and_(
        intake.c.state.in_([state.value for state in wanted]),
        sa.or_(intake.c.lease_until.is_(None), intake.c.lease_until <= now()),
    )


def _locked(connection: Connection, intake_id: str) -> Intake:
    """The row, which nobody else changes until this transaction ends; NotFound."""
    query = sa.select(intake).where(_is(intake_id)).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("no such intake")
    return _intake(row)


def _printable(text: str) -> str:
    """Text out of a file, fit for any database: no control characters, no lone surrogates."""
    words = " ".join(text.split())
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in words
    )


def _change(connection: Connection, intake_id: str, **values: Any) -> None:  # noqa: ANN401
    connection.execute(
        sa.update(intake).where(intake.c.intake_id == intake_id).values(updated_at=now(), **values)
    )


def _get(connection: Connection, intake_id: str) -> Intake:
    row = connection.execute(sa.select(intake).where(intake.c.intake_id == intake_id)).one_or_none()
    if row is None:
        raise NotFound("no such intake")
    return _intake(row)


def _intake(row: Row[Any]) -> Intake:
    words = row._mapping
    fields = {name: words[name] for name in _FIELDS}
    fields |= {"source": Source(row.source), "state": IntakeState(row.state)}
    return Intake(**fields)


def _about(row: Intake, kind: str, data: dict[str, Any], actor: str = "svartid") -> Event:
    return Event(f"slide:{row.slide_id}", kind, actor, row.source.value, data)


def _slide_row(row: Intake, pyramid: PyramidRecord, moment: datetime) -> dict[str, Any]:
    about, plan = pyramid.metadata, pyramid.plan
    return {
        "slide_id": row.slide_id,
        "fingerprint": row.fingerprint,
        "name": row.name,
        "bytes": row.bytes,
        "width": plan.size.width,
        "height": plan.size.height,
        "tile_edge": plan.tile_edge,
        "mpp_x": about.mpp.x if about.mpp else None,
        "mpp_y": about.mpp.y if about.mpp else None,
        "mpp_origin": about.mpp.origin.value if about.mpp else "unknown",
        "objective_power": about.objective_power,
        "scanner": _printable(about.scanner) if about.scanner else None,
        "vendor": _printable(about.vendor),
        "barcode": _printable(about.barcode) if about.barcode else None,
        "notices": [notice.value for notice in about.notices],
        "associated": sorted(pyramid.associated),
        "icc": pyramid.icc_profile is not None,
        "copied": plan.levels[0].origin.value == "copied",
        "received_at": row.received_at,
        "ready_at": moment,
    }
