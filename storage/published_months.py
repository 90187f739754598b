"""Months of figures as they were published: frozen in the log with all it takes to make them again.

What is published is computed elsewhere (`Compute`); here it is made to rest on a cut through the
log and a version of the policy, and is kept as an event. Computing it again gives the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from storage import as_of, events, policies
from storage.database import Database, now
from storage.errors import Illegal, NotFound
from storage.events import Event
from storage.records.milestones import Milestones
from storage.records.policy import Policy
from storage.records.published import EVERY_UNIT, DataCut, Scope
from storage.tables import event

PUBLISHED = "MonthPublished"
_COPENHAGEN = ZoneInfo("Europe/Copenhagen")
Compute = Callable[[Policy, list[Milestones], Scope, DataCut], Mapping[str, Any]]
"""The figures as a JSON object; the same input gives an equal one."""


@dataclass(frozen=True, slots=True)
class Published:
    """A month as it was published."""

    scope: Scope
    edition: int
    """1, and one more each time it was published again."""
    policy_version: int
    cut: DataCut
    figures: Mapping[str, Any]
    by: str
    published_at: datetime
    reason: str
    """Why again; empty for the first edition."""


def publish(
    database: Database, scope: Scope, compute: Compute, by: str, source: str, reason: str = ""
) -> Published:
    """Freeze a month as it is known now, under the policy that holds now.

    Errors: Illegal: `month_not_over`; `published_before` unless there is a `reason` to do it again.
    """
    at = now()
    if scope.month >= f"{at.astimezone(_COPENHAGEN):%Y-%m}":
        raise Illegal("month_not_over")
    _demand_reason(editions(database, scope), reason)
    cut, policy = DataCut(events.last_id(database), at), policies.current(database, at)
    figures = compute(policy, as_of.milestones(database, cut.event_id), scope, cut)
    with database.transaction() as connection:
        events.hold(connection)
        rows = events.history_in(connection, scope.subject)
        _demand_reason([_published(row) for row in rows], reason)
        policies.keep_default(connection)
        data = {
            "month": scope.month,
            "unit": scope.unit,
            "edition": len(rows) + 1,
            "policy_version": policy.version,
            "cut": {"event_id": cut.event_id, "at": cut.at.isoformat()},
            "figures": dict(figures),
            "reason": reason,
        }
        events.record(connection, Event(scope.subject, PUBLISHED, by, source, data))
    return editions(database, scope)[-1]


def editions(database: Database, scope: Scope) -> list[Published]:
    """How a month was published, the first edition first."""
    return [_published(row) for row in events.history(database, scope.subject)]


def latest(database: Database, scope: Scope) -> Published:
    """The edition that counts. Errors: NotFound."""
    found = editions(database, scope)
    if not found:
        raise NotFound("that month has not been published")
    return found[-1]


def of_unit(database: Database, unit: str = "") -> list[Published]:
    """All that was published of a unit (of all units together), in the order of the months."""
    about = f"turnaround:{unit or EVERY_UNIT}:"
    query = sa.select(event).where(event.c.subject.startswith(about, autoescape=True))
    query = query.where(event.c.kind == PUBLISHED)
    with database.reading() as connection:
        rows = connection.execute(query.order_by(event.c.subject, event.c.event_id))
        return [_published(events.event_of_row(row)) for row in rows]


def computed_again(database: Database, published: Published, compute: Compute) -> Mapping[str, Any]:
    """The figures from the events up to the cut, under the policy of then."""
    policy = policies.version(database, published.policy_version)
    cases = as_of.milestones(database, published.cut.event_id)
    return compute(policy, cases, published.scope, published.cut)


def _demand_reason(known: list[Published], reason: str) -> None:
    if known and not reason:
        raise Illegal("published_before")


def _published(row: Event) -> Published:
    assert row.received_at is not None  # noqa: S101 - the log sets it
    data = row.data
    cut = DataCut(data["cut"]["event_id"], datetime.fromisoformat(data["cut"]["at"]))
    return Published(
        scope=Scope(data["month"], data["unit"]),
        edition=data["edition"],
        policy_version=data["policy_version"],
        cut=cut,
        figures=data["figures"],
        by=row.actor,
        published_at=row.received_at,
        reason=data["reason"],
    )
