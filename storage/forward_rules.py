"""The rules of what goes to another node by itself, and the log as each of them reads it."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storage.database import Database, now
from storage.dicom_tables import dicom_peer, forward_rule
from storage.errors import Malformed, NotFound
from storage.events import Event, event_of_row, hold, record
from storage.records.forwarding import ForwardOn, ForwardRule, ForwardWhat
from storage.tables import event

_MOST = 200
"""Events a rule looks at in one go."""
_FAR = 2000
"""Events a rule may lie behind the end of the log before it notes that none was for it."""
_SERIES, _COMMITTED, _SIGNED = "SeriesReceived", "ImageCommitted", "ReportSigned"
_KINDS = {
    ForwardOn.SLIDE_COMPLETE: (_COMMITTED,),
    ForwardOn.FINAL_REPORT: (_COMMITTED, _SIGNED, _SERIES),
    ForwardOn.SERIES_RECEIVED: (_SERIES,),
}


def add(database: Database, peer: str, what: ForwardWhat, actor: str) -> ForwardRule:
    """From now on such series go to that node. Errors: NotFound, Malformed."""
    rule_id, moment = uuid.uuid4().hex[:12], now()
    with database.transaction() as connection:
        hold(connection)
        query = sa.select(dicom_peer).where(dicom_peer.c.name == peer)
        node = connection.execute(query).one_or_none()
        if node is None:
            raise NotFound(f"no node is called {peer}")
        if not node.url and not (node.host and node.port):
            raise Malformed(f"nobody knows where {peer} listens: give it a host and port, or a URL")
        seen = connection.execute(sa.select(sa.func.max(event.c.event_id))).scalar() or 0
        values = {"rule_id": rule_id, "peer": peer, "what": _what_json(what) | {"seen": seen}}
        made = {"active": True, "created_at": moment, "created_by": actor}
        connection.execute(sa.insert(forward_rule).values(**values, **made))
        about = {"rule": rule_id, **_what_json(what)}
        record(connection, Event(f"node:{peer}", "ForwardRuleAdded", actor, "dicom", about))
    return ForwardRule(rule_id, peer, what, True, moment, actor, seen)


def remove(database: Database, rule_id: str, actor: str) -> None:
    """Forget a rule; what it has put into the queue goes all the same. Errors: NotFound."""
    with database.transaction() as connection:
        hold(connection)
        where = forward_rule.c.rule_id == rule_id
        peer = connection.execute(sa.select(forward_rule.c.peer).where(where)).scalar_one_or_none()
        if peer is None:
            raise NotFound(f"there is no rule {rule_id}")
        connection.execute(sa.delete(forward_rule).where(where))
        about = {"rule": rule_id}
        record(connection, Event(f"node:{peer}", "ForwardRuleRemoved", actor, "dicom", about))


def listing(database: Database) -> list[ForwardRule]:
    """All rules by node and age."""
    query = sa.select(forward_rule).order_by(forward_rule.c.peer, forward_rule.c.created_at)
    with database.reading() as connection:
        return [_rule(row) for row in connection.execute(query)]


def news_for(database: Database, rule: ForwardRule) -> tuple[list[Event], int]:
    """The events a rule has not looked at, oldest first, and how far the log is read by them."""
    query = (
        sa.select(event)
        .where(event.c.event_id > rule.seen, event.c.kind.in_(_KINDS[rule.what.on]))
        .order_by(event.c.event_id)
        .limit(_MOST)
    )
    with database.reading() as connection:
        last = connection.execute(sa.select(sa.func.max(event.c.event_id))).scalar() or 0
        if last <= rule.seen:
            return [], rule.seen
        rows = connection.execute(query.where(event.c.event_id <= last))
        found = [event_of_row(row) for row in rows]
    if len(found) == _MOST:
        return found, found[-1].event_id
    return found, last if found or last - rule.seen > _FAR else rule.seen


def advance(connection: Connection, rule: ForwardRule, seen: int) -> None:
    """The rule has looked at everything up to there, in the transaction of what came of it."""
    values = {"what": _what_json(rule.what) | {"seen": seen}}
    where = forward_rule.c.rule_id == rule.rule_id
    connection.execute(sa.update(forward_rule).where(where).values(**values))


def _what_json(what: ForwardWhat) -> dict[str, Any]:
    words = {name: list(getattr(what, name)) for name in ForwardWhat.__slots__ if name != "on"}
    return {"on": what.on.value} | {name: value for name, value in words.items() if value}


def _rule(row: Row[Any]) -> ForwardRule:
    words = {name: tuple(row.what.get(name, ())) for name in ForwardWhat.__slots__ if name != "on"}
    what = ForwardWhat(ForwardOn(row.what["on"]), **words)
    return ForwardRule(
        row.rule_id, row.peer, what, row.active, row.created_at, row.created_by, row.what["seen"]
    )
