"""The repair list: what was set aside, what is odd, what failed for good, and settling it.

Nothing here is changed: a person who settles a line leaves an event that points at it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage import cases, events, outbound, work_items
from storage.case_log import SETTLED, Said
from storage.case_tables import pathology_case
from storage.cases import Recorded
from storage.database import Database
from storage.errors import Illegal, NotFound
from storage.events import Event
from storage.exchange.facts import fact_from_json
from storage.records.people import Principal
from storage.records.repair import Repair, RepairAct, RepairKind
from storage.records.work import WorkState
from storage.relations import within_reach
from storage.repair_lists import failed_scans, long_pauses, oddities, set_asides, undelivered

_SUBJECT = "set_aside"
_ORDER = list(RepairKind)


def listing(database: Database, principal: Principal) -> list[Repair]:
    """Every open line within reach: the most harmful kind first, then the newest."""
    with database.reading() as connection:
        found = list(_all(connection, principal))
    newest = sorted(found, key=lambda at: (at.recorded_at, at.repair_id), reverse=True)
    return sorted(newest, key=lambda at: _ORDER.index(at.kind))


def find(database: Database, principal: Principal, repair_id: str) -> Repair:
    """One open line within reach. Errors: NotFound."""
    found = next((at for at in listing(database, principal) if at.repair_id == repair_id), None)
    if found is None:
        raise NotFound("nothing like that is on the repair list")
    return found


def retry(database: Database, repair: Repair, actor: str) -> Recorded | None:
    """Record a set-aside fact again as it was said, or send a message now (None).

    Errors: Illegal, with the reason that still stands.
    """
    _demand(repair, RepairAct.RETRY)
    with database.transaction() as connection:
        events.hold(connection)
        if repair.kind is RepairKind.UNDELIVERED:
            outbound.hurry(connection, repair.repair_id.removeprefix("message-"))
            about = {"repair_id": repair.repair_id, "accession": repair.accession}
            events.record(connection, Event(_SUBJECT, "DeliveryHurried", actor, "repairs", about))
            return None
        return _again(connection, repair, actor)


def dismiss(database: Database, repair: Repair, actor: str, reason: str) -> None:
    """A person has looked at it: off the list, with the reason kept. Errors: Illegal."""
    _demand(repair, RepairAct.DISMISS)
    if not reason.strip():
        raise Illegal("reason_missing")
    with database.transaction() as connection:
        events.hold(connection)
        if repair.kind is RepairKind.LONG_PAUSE:
            item_id = repair.repair_id.removeprefix("pause-")
            work_items.end(connection, item_id, WorkState.DONE, reason)
        _settle(connection, repair, actor, {"how": "dismissed", "reason": reason})


def _all(connection: Connection, principal: Principal) -> Iterator[Repair]:
    reach = sa.select(pathology_case.c.accession).where(within_reach(principal))
    for part in (set_asides, oddities, failed_scans, undelivered, long_pauses):
        yield from part(connection, principal, reach)


def _again(connection: Connection, repair: Repair, actor: str) -> Recorded:
    event_id = int(repair.repair_id.removeprefix("event-"))
    row = events.get(connection, event_id)
    assert row is not None  # noqa: S101 - it is on the list
    fact = fact_from_json(row.data["kind"], row.data["fact"])
    said = Said(row.actor, row.source, _moment(row), key=f"retry:{event_id}")
    done = cases.record_in(connection, row.data["accession"], fact, said)
    _settle(connection, repair, actor, {"how": "retried", "event": done.event_id})
    return done


def _moment(row: Event) -> datetime | None:
    """When it was said to have happened; when it was told, if nothing was said."""
    told = row.data.get("occurred_at")
    return datetime.fromisoformat(told) if told else row.received_at


def _settle(connection: Connection, repair: Repair, actor: str, how: dict[str, Any]) -> None:
    key = f"settled:{repair.repair_id}"
    if events.find_by_key(connection, key) is not None:
        raise Illegal("work_ended")
    about = {"repair_id": repair.repair_id, "accession": repair.accession, **how}
    events.record(connection, Event(_SUBJECT, SETTLED, actor, "repairs", about, key=key))


def _demand(repair: Repair, act: RepairAct) -> None:
    if act not in repair.acts:
        raise Illegal("not_possible_here")
