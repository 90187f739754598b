"""Leases on intake rows: who works on what, until when, and what becomes of the dead's work."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta

import sqlalchemy as sa

from storage.database import Database, now
from storage.intake_rows import WAITING_FOR, change, fetch, is_row, locked
from storage.records.intake import CLAIMABLE, Intake, IntakeState
from storage.tables import intake


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
        change(
            connection,
            row.intake_id,
            state=CLAIMABLE[IntakeState(row.state)].value,
            owner=owner,
            lease_until=now() + timedelta(seconds=lease),
            attempts=row.attempts + 1,
        )
        return fetch(connection, row.intake_id)


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
            .where(intake.c.state.in_(WAITING_FOR))
            .values(lease_until=now() + timedelta(seconds=lease))
        )
        return bool(result.rowcount)


def progress(database: Database, intake_id: str, done: int, total: int) -> None:
    """Tiles done of tiles to do in the present phase."""
    with database.transaction() as connection:
        if locked(connection, intake_id).state.value in WAITING_FOR:
            change(connection, intake_id, done=done, total=total)


def release_abandoned(database: Database, alive: Callable[[str], bool]) -> int:
    """Give rows back whose lease ran out or whose owner is known to be dead; how many."""
    query = sa.select(intake).where(intake.c.state.in_(WAITING_FOR))
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
                .values(state=WAITING_FOR[row.state], owner=None, lease_until=None)
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
        row = locked(connection, intake_id)
        holder = connection.scalar(sa.select(intake.c.owner).where(is_row(intake_id)))
        if row.state.value not in WAITING_FOR or owner not in (None, holder):
            return
        change(
            connection,
            intake_id,
            state=WAITING_FOR[row.state.value],
            owner=None,
            lease_until=now() + timedelta(seconds=wait) if wait else None,
            attempts=row.attempts if counted else max(row.attempts - 1, 0),
        )


def _is_due(wanted: Collection[IntakeState]) -> sa.ColumnElement[bool]:
    """Waiting in one of the states, and not put off; a waiting row's lease is when it is due."""
    return sa.and_(
        intake.c.state.in_([state.value for state in wanted]),
        sa.or_(intake.c.lease_until.is_(None), intake.c.lease_until <= now()),
    )
