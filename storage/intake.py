"""The durable intake table: every received file, its lease and how far it has come.

The row is the truth. A worker that dies leaves a lease that another takes over; the work
itself can be repeated at any point without doing harm.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from storage.catalogue import enter_slide, remove_slide
from storage.database import Database, now
from storage.errors import LevelsDisagree, Refused, SlideError, SvartidError
from storage.events import record
from storage.intake_rows import about, as_intake, change, fetch, is_readable, locked
from storage.records.intake import ENDED, READABLE, Intake, IntakeState, Source
from storage.records.slide import PyramidRecord, printable
from storage.tables import intake, slide

_REPORTED_WITHIN = 5.0
"""Seconds in which the run of a row that has just ended may still be on its way."""
_AGAIN = {IntakeState.QUARANTINED, IntakeState.FAILED}


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


@dataclass(frozen=True, slots=True)
class Completion:
    """What phase two came to."""

    root: str
    proof: str
    skeleton: str | None
    """SHA-256 of the skeleton that stands for the original; None where that is kept whole."""
    stored_bytes: int
    notices: frozenset[str] = frozenset()
    """What it found in addition."""


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
                return as_intake(row), False
            _restart(connection, row.intake_id, delivery.actor, "IntakeDeliveredAgain")
            return fetch(connection, row.intake_id), True


def get(database: Database, intake_id: str) -> Intake:
    """One row; NotFound."""
    with database.reading() as connection:
        return fetch(connection, intake_id)


def listing(
    database: Database, states: Collection[IntakeState] = (), limit: int = 200
) -> list[Intake]:
    """Rows newest first, all states unless some are named."""
    query = sa.select(intake).order_by(intake.c.received_at.desc()).limit(limit)
    if states:
        query = query.where(intake.c.state.in_([state.value for state in states]))
    with database.reading() as connection:
        return [as_intake(row) for row in connection.execute(query)]


def counts(database: Database) -> dict[str, int]:
    """How many rows are in each state."""
    query = sa.select(intake.c.state, sa.func.count()).group_by(intake.c.state)
    with database.reading() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def mark_ready(database: Database, intake_id: str, pyramid: PyramidRecord) -> None:
    """Phase one is published: the slide enters the catalogue in the same transaction.

    Refused when the intake was given up meanwhile.
    """
    with database.transaction() as connection:
        row = locked(connection, intake_id)
        if row.state in READABLE:
            return
        if row.state in ENDED:
            raise Refused(f"an intake that is {row.state} does not become ready")
        moment = now()
        seconds = (moment - row.received_at).total_seconds()
        enter_slide(connection, row, pyramid, moment)
        change(
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
        record(connection, about(row, "SlideReady", {"seconds": round(seconds, 3)}))


def mark_complete(database: Database, intake_id: str, done: Completion) -> None:
    """Phase two is published.

    Refused when the slide is not readable, or was given up meanwhile.
    """
    with database.transaction() as connection:
        row = locked(connection, intake_id)
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
            .values(
                complete_at=moment,
                notices=[*known, *sorted(done.notices - set(known))],
                root=done.root,
                proof=done.proof,
                skeleton=done.skeleton,
                stored_bytes=done.stored_bytes,
            )
        )
        change(
            connection,
            intake_id,
            state=IntakeState.COMPLETE.value,
            complete_seconds=seconds,
            owner=None,
            lease_until=None,
            attempts=0,
        )
        data = {"seconds": round(seconds, 3), "root": done.root, "proof": done.proof}
        record(connection, about(row, "PyramidCompleted", data))


def mark_ended(database: Database, intake_id: str, error: SvartidError) -> IntakeState:
    """The file's fault ends in quarantine, any other in failed; with the reason, recorded.

    A slide that can be read is not quarantined, since its file was good enough for phase one,
    unless its levels contradict each other: then it leaves the catalogue. What has ended stays
    as it ended. The state the row is in then.
    """
    with database.transaction() as connection:
        row = locked(connection, intake_id)
        if row.state in ENDED:
            return row.state
        lies = isinstance(error, LevelsDisagree)
        if lies:
            remove_slide(connection, row.slide_id)
        theirs = isinstance(error, SlideError) and not is_readable(connection, row.slide_id)
        state = IntakeState.QUARANTINED if theirs else IntakeState.FAILED
        change(
            connection,
            intake_id,
            state=state.value,
            reason=error.code,
            detail=printable(str(error))[:2000],
            owner=None,
            lease_until=None,
        )
        kind = "SlideQuarantined" if theirs else "IntakeFailed"
        record(connection, about(row, kind, {"reason": error.code}))
    return state


def try_again(database: Database, intake_id: str, actor: str, *, release: bool = False) -> Intake:
    """Try a failed or quarantined row again; Refused in any other state.

    With `release` somebody answers for it: levels that disagree no longer hold the slide back.
    """
    with database.transaction() as connection:
        row = locked(connection, intake_id)
        if row.state not in _AGAIN:
            raise Refused(f"only failed or quarantined files are tried again, not {row.state}")
        kind = "IntakeRetried" if row.state is IntakeState.FAILED else "QuarantineReleased"
        if release and row.reason == LevelsDisagree.code:
            change(connection, intake_id, released=True)
        _restart(connection, intake_id, actor, kind)
        return fetch(connection, intake_id)


def set_flow_run(database: Database, intake_id: str, flow_run: str) -> None:
    """Remember the Prefect run that reports this intake."""
    with database.transaction() as connection:
        change(connection, intake_id, flow_run=flow_run)


def unreported(database: Database) -> list[Intake]:
    """Ended rows that no flow run has reported yet (Prefect was away)."""
    ended = [state.value for state in (*_AGAIN, IntakeState.COMPLETE)]
    query = sa.select(intake).where(
        intake.c.flow_run.is_(None),
        intake.c.state.in_(ended),
        intake.c.updated_at < now() - timedelta(seconds=_REPORTED_WITHIN),
    )
    with database.reading() as connection:
        return [as_intake(row) for row in connection.execute(query.limit(20))]


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
    row = fetch(connection, intake_id)
    record(connection, about(row, "SlideReceived", {"bytes": row.bytes}, delivery.actor))
    return row


def _restart(connection: Connection, intake_id: str, actor: str, kind: str) -> None:
    """Back to the phase that did not end: a slide that can be read is only completed."""
    row = fetch(connection, intake_id)
    readable = is_readable(connection, row.slide_id)
    change(
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
    record(connection, about(row, kind, {}, actor))
