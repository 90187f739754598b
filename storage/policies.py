"""Every version of what the laboratory promises; a change is a new version, never an edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storage import events
from storage.case_tables import policy
from storage.database import Database, now
from storage.errors import Illegal, Malformed, NotFound
from storage.events import Event
from storage.exchange.policy_json import policy_from_json, policy_to_json
from storage.records.policy import DEFAULT_POLICY, Policy

ENTERED = "PolicyEntered"
_SYSTEM = "svartid"


@dataclass(frozen=True, slots=True)
class Entered:
    """A version, and who entered it when."""

    policy: Policy
    entered_at: datetime
    entered_by: str


def current(database: Database, at: datetime | None = None) -> Policy:
    """What is promised at a moment (None: now): of those in effect the latest to take effect."""
    with database.reading() as connection:
        return current_in(connection, at or now())


def current_in(connection: Connection, at: datetime) -> Policy:
    """The same inside the caller's transaction."""
    query = (
        sa.select(policy)
        .where(policy.c.effective_from <= at)
        .order_by(policy.c.effective_from.desc(), policy.c.version.desc())
    )
    row = connection.execute(query.limit(1)).one_or_none()
    return _entered(row).policy if row is not None else DEFAULT_POLICY


def history(database: Database) -> list[Entered]:
    """Every version, newest first; what svartid comes with where none was entered."""
    query = sa.select(policy).order_by(policy.c.version.desc())
    with database.reading() as connection:
        found = [_entered(row) for row in connection.execute(query)]
    return found or [Entered(DEFAULT_POLICY, DEFAULT_POLICY.effective_from, _SYSTEM)]


def version(database: Database, number: int) -> Policy:
    """One version. Errors: NotFound."""
    for entered in history(database):
        if entered.policy.version == number:
            return entered.policy
    raise NotFound("no version of the policy has that number")


def enter(database: Database, document: object, by: str, source: str) -> Policy:
    """A new version out of a JSON document (`policy_json`), and the event of it; the version.

    `version` in it, if any, names the one it was made from; `effective_from` left out, or as it
    was in that one, is now. Errors: Malformed; Illegal `policy_changed` when another came between.
    """
    if not isinstance(document, Mapping):
        raise Malformed("a policy is a JSON object")
    with database.transaction() as connection:
        events.hold(connection)
        last = keep_default(connection)
        if document.get("version", last.version) != last.version:
            raise Illegal("policy_changed")
        entered = _new(document, last)
        _insert(connection, Entered(entered, now(), by))
        happened = Event(
            f"policy:{entered.version}",
            ENTERED,
            by,
            source,
            {"version": entered.version, "effective_from": entered.effective_from.isoformat()},
        )
        events.record(connection, happened)
    return entered


def keep_default(connection: Connection) -> Policy:
    """Keep what svartid came with as the first version, before another one or a published month
    rests on it: another release may come with something else. The newest version."""
    query = sa.select(policy).order_by(policy.c.version.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    if row is not None:
        return _entered(row).policy
    _insert(connection, Entered(DEFAULT_POLICY, now(), _SYSTEM))
    return DEFAULT_POLICY


def _new(document: Mapping[str, Any], last: Policy) -> Policy:
    moment = now()
    given = {"effective_from": moment.isoformat(), **document, "version": last.version + 1}
    found = policy_from_json(given)
    if found.effective_from == last.effective_from:
        return replace(found, effective_from=moment)
    if found.effective_from < moment:
        raise Malformed("effective_from: lies in the past; a change is for what comes")
    return found


def _insert(connection: Connection, entered: Entered) -> None:
    connection.execute(
        sa.insert(policy).values(
            version=entered.policy.version,
            effective_from=entered.policy.effective_from,
            document=policy_to_json(entered.policy),
            entered_at=entered.entered_at,
            entered_by=entered.entered_by,
        )
    )


def _entered(row: Row[Any]) -> Entered:
    return Entered(policy_from_json(row.document), row.entered_at, row.entered_by)
