"""Who is told of steps: of one, of all, or of those that match; and what is to be told to each.

What was said of one step goes before what was said of all; unsubscribing from all ends everything
(PS3.4 CC.2.3.1). Nobody is told of a step that they may not see. Steps are never deleted, so every
deletion lock is granted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storage.database import Database, now
from storage.errors import Illegal, Malformed
from storage.records.people import Principal, Role
from storage.records.ups import GLOBAL, Step, StepEvent, Subscriber, Told, Way
from storage.tables import person
from storage.ups_journal import state_report, step_of_row, tell
from storage.ups_steps import live_within_reach, within_reach, worker
from storage.ups_tables import ups_news, ups_step, ups_subscriber, ups_subscription

_AE_TITLE = re.compile(r"[\x21-\x5b\x5d-\x7e](?:[\x20-\x5b\x5d-\x7e]{0,14}[\x21-\x5b\x5d-\x7e])?")
_KEPT = timedelta(days=7)
_MOST = 200
"""News looked at in one go."""


def subscribe_to_one(
    database: Database, subscriber: Subscriber, uid: str, *, lock: bool
) -> None:  # fmt: skip
    """Tell somebody of one step from now on, and how it stands. Errors: Illegal (`not_owner`)."""
    with database.transaction() as connection:
        _enter(connection, subscriber)
        _put(connection, subscriber.aet, uid, subscribed=True, lock=lock)
        _tell_state(connection, subscriber.aet, [uid])


def subscribe_to_all(database: Database, subscriber: Subscriber) -> None:
    """Tell somebody of all steps; with a lock, at once how each stands. Errors: Illegal."""
    who = told_as(database, subscriber)
    everything = {"everything": True, "lock": subscriber.lock, "suspended_at": None}
    with database.transaction() as connection:
        _enter(connection, subscriber, **everything)
        none = ups_subscription.c.subscribed.is_(False)
        _forget(connection, subscriber.aet, none)
        if subscriber.lock:
            _tell_state(connection, subscriber.aet, live_within_reach(connection, who))


def subscribe_to_matching(
    database: Database, subscriber: Subscriber, uids: Iterable[str]
) -> None:  # fmt: skip
    """Tell somebody of the steps that match now, and of those to come. Errors: Illegal."""
    with database.transaction() as connection:
        last = connection.execute(sa.select(sa.func.max(ups_news.c.news_id))).scalar() or 0
        about = {"wanted": dict(subscriber.wanted or {}), "lock": subscriber.lock, "synced": last}
        _enter(connection, subscriber, **about, suspended_at=None)
        for uid in uids:
            _put(connection, subscriber.aet, uid, subscribed=True, lock=subscriber.lock)
        if subscriber.lock:
            _tell_state(connection, subscriber.aet, uids)


def unsubscribe(database: Database, who: Principal, aet: str, uid: str) -> None:
    """Tell somebody no more of one step, or of any. Errors: Illegal (`not_owner`)."""
    with database.transaction() as connection:
        known = _known(connection, aet)
        if known is None:
            return
        _demand_owner(known, who)
        if uid == GLOBAL:
            _forget(connection, aet, sa.true())
            _change(connection, aet, everything=False, wanted=None, suspended_at=None)
        else:
            _put(connection, aet, uid, subscribed=False, lock=False)


def suspend(database: Database, who: Principal, aet: str) -> None:
    """What comes from now on is not told; of what there is, it goes on. Errors: Illegal."""
    with database.transaction() as connection:
        known = _known(connection, aet)
        if known is None or not (known.everything or known.wanted):
            raise Illegal("not_subscribed")
        _demand_owner(known, who)
        _change(connection, aet, suspended_at=now())


def get(database: Database, aet: str) -> Subscriber | None:
    """Who is told under an AE title."""
    with database.reading() as connection:
        return _known(connection, aet)


def listing(database: Database, way: Way) -> list[Subscriber]:
    """All who are told in one way."""
    query = sa.select(ups_subscriber).where(ups_subscriber.c.way == way.value)
    with database.reading() as connection:
        return [_subscriber(row) for row in connection.execute(query)]


def is_anybody_told(database: Database, uid: str) -> bool:
    """Whether a request about the step would reach anybody."""
    with database.reading() as connection:
        subscribers = [_subscriber(row) for row in connection.execute(sa.select(ups_subscriber))]
        return any(uid in _subscribed(connection, at, [uid]) for at in subscribers)


def last_news(database: Database) -> int:
    """How far there is something to tell."""
    with database.reading() as connection:
        return connection.execute(sa.select(sa.func.max(ups_news.c.news_id))).scalar() or 0


def news_for(database: Database, subscriber: Subscriber, after: int) -> tuple[list[Told], int]:
    """What a subscriber is to be told after that, in order, and how far that is."""
    who = told_as(database, subscriber)
    to_all_or_it = ups_news.c.aet.in_(["", subscriber.aet])
    query = sa.select(ups_news).where(ups_news.c.news_id > after, to_all_or_it)
    with database.reading() as connection:
        rows = connection.execute(query.order_by(ups_news.c.news_id).limit(_MOST)).all()
        if not rows:
            return [], after
        uids = sorted({row.uid for row in rows})
        subscribed = _subscribed(connection, subscriber, uids)
        seen = within_reach(connection, who, uids)
    told = [row for row in rows if row.uid in seen and (row.aet or row.uid in subscribed)]
    return [_told(row) for row in told], rows[-1].news_id


def born_since(database: Database, subscriber: Subscriber) -> tuple[list[str], int]:
    """Steps that have come since a filter was last held against such, and how far that is."""
    query = sa.select(ups_news.c.uid).where(
        ups_news.c.news_id > subscriber.synced, ups_news.c.born.is_(True)
    )
    if subscriber.suspended_at is not None:
        query = query.where(ups_news.c.at <= subscriber.suspended_at)
    last = last_news(database)
    with database.reading() as connection:
        return list(connection.execute(query.where(ups_news.c.news_id <= last)).scalars()), last


def add_matching(database: Database, subscriber: Subscriber, uids: list[str], upto: int) -> None:
    """Of the steps that have come, these match."""
    with database.transaction() as connection:
        for uid in uids:
            _put(connection, subscriber.aet, uid, subscribed=True, lock=subscriber.lock)
        _change(connection, subscriber.aet, synced=upto)


def mark_told(database: Database, aet: str, upto: int) -> None:
    """A subscriber has been told everything up to there."""
    with database.transaction() as connection:
        _change(connection, aet, told=upto)


def forget_old(database: Database) -> None:
    """News that is a week old is told to nobody any more."""
    with database.transaction() as connection:
        connection.execute(sa.delete(ups_news).where(ups_news.c.at < now() - _KEPT))


def told_as(database: Database, subscriber: Subscriber) -> Principal:
    """In whose name it is told, as they are now, and what that lets them do."""
    query = sa.select(person).where(person.c.name == subscriber.owner)
    with database.reading() as connection:
        row = connection.execute(query).one()
    return worker(database, Principal(row.name, Role(row.role), "ups", row.site, row.unit))


def _subscribed(
    connection: Connection, subscriber: Subscriber, uids: Iterable[str]
) -> set[str]:  # fmt: skip
    """Which of some steps a subscriber is told of, whether they may see them or not."""
    mine = sa.select(ups_subscription).where(
        ups_subscription.c.aet == subscriber.aet, ups_subscription.c.uid.in_(uids)
    )
    said = {row.uid: row.subscribed for row in connection.execute(mine)}
    found = {uid for uid, subscribed in said.items() if subscribed}
    if subscriber.everything:
        query = sa.select(ups_step.c.uid).where(ups_step.c.uid.in_(uids))
        if subscriber.suspended_at is not None:
            query = query.where(ups_step.c.created_at <= subscriber.suspended_at)
        found |= {uid for uid in connection.execute(query).scalars() if uid not in said}
    return found


def _enter(connection: Connection, subscriber: Subscriber, **values: Any) -> None:  # noqa: ANN401
    if not _AE_TITLE.fullmatch(subscriber.aet):
        raise Malformed("an AE title is 1 to 16 printable ASCII characters without backslash")
    known = _known(connection, subscriber.aet)
    if known is not None and known.owner != subscriber.owner:
        raise Illegal("not_owner")
    if known is None:
        last = connection.execute(sa.select(sa.func.max(ups_news.c.news_id))).scalar() or 0
        made = {"aet": subscriber.aet, "owner": subscriber.owner, "told": last, "synced": last}
        connection.execute(sa.insert(ups_subscriber).values(way=subscriber.way.value, **made))
    _change(connection, subscriber.aet, way=subscriber.way.value, **values)


def _demand_owner(known: Subscriber, who: Principal) -> None:
    if known.owner != who.name:
        raise Illegal("not_owner")


def _known(connection: Connection, aet: str) -> Subscriber | None:
    query = sa.select(ups_subscriber).where(ups_subscriber.c.aet == aet)
    row = connection.execute(query).one_or_none()
    return None if row is None else _subscriber(row)


def _change(connection: Connection, aet: str, **values: Any) -> None:  # noqa: ANN401
    where = ups_subscriber.c.aet == aet
    connection.execute(sa.update(ups_subscriber).where(where).values(**values))


def _put(connection: Connection, aet: str, uid: str, *, subscribed: bool, lock: bool) -> None:
    where = (ups_subscription.c.aet == aet, ups_subscription.c.uid == uid)
    values = {"subscribed": subscribed, "lock": lock}
    known = sa.update(ups_subscription).where(*where).values(**values)
    if connection.execute(known).rowcount == 0:
        connection.execute(sa.insert(ups_subscription).values(aet=aet, uid=uid, **values))


def _forget(connection: Connection, aet: str, which: sa.ColumnElement[bool]) -> None:
    connection.execute(sa.delete(ups_subscription).where(ups_subscription.c.aet == aet, which))


def _tell_state(connection: Connection, aet: str, uids: Iterable[str]) -> None:
    query = sa.select(ups_step).where(ups_step.c.uid.in_(list(uids)))
    steps = [step_of_row(row) for row in connection.execute(query.order_by(ups_step.c.created_at))]
    for step in steps:
        tell(connection, step.uid, StepEvent.STATE, _standing(step), aet=aet)


def _standing(step: Step) -> Mapping[str, Any]:
    return state_report(step.state, step.reason)


def _subscriber(row: Row[Any]) -> Subscriber:
    values = {name: getattr(row, name) for name in Subscriber.__slots__}
    return Subscriber(**values | {"way": Way(row.way)})


def _told(row: Row[Any]) -> Told:
    return Told(row.news_id, row.uid, StepEvent(row.event), row.data, row.born)
