"""The one work-item table: offered, claimed, done; whoever claims first has it.

Whoever changes an item holds the log first, as a fact does that ends it: the two cannot wait for
each other.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storage import events, ups_journal
from storage.case_tables import work_item
from storage.database import Database, now
from storage.errors import Illegal, NotFound
from storage.records.work import OPEN, WorkItem, WorkKind, WorkState

_FIELDS = {at.name for at in fields(WorkItem)}


def offer(
    connection: Connection,
    kind: WorkKind,
    created_by: str,
    **about: Any,  # noqa: ANN401 - columns of the table
) -> WorkItem:
    """A new item that waits for somebody; `about` are further fields of WorkItem."""
    unknown = set(about) - _FIELDS
    assert not unknown, unknown  # noqa: S101 - a slip of ours
    item_id = uuid.uuid4().hex
    values: dict[str, Any] = {"data": {}, **about}
    connection.execute(
        sa.insert(work_item).values(
            item_id=item_id,
            kind=kind.value,
            state=WorkState.OFFERED.value,
            created_at=now(),
            created_by=created_by,
            **values,
        )
    )
    item = get_in(connection, item_id)
    ups_journal.note_offered(connection, item)
    return item


def get_in(connection: Connection, item_id: str) -> WorkItem:
    """One item, held until the transaction ends; NotFound."""
    events.hold(connection)
    query = sa.select(work_item).where(work_item.c.item_id == item_id).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("there is no such work item")
    return _item(row)


def some_in(connection: Connection, item_ids: Collection[str]) -> dict[str, WorkItem]:
    """Items by their ids."""
    query = sa.select(work_item).where(work_item.c.item_id.in_(item_ids))
    return {row.item_id: _item(row) for row in connection.execute(query)}


def listing(
    database: Database,
    kinds: Collection[WorkKind] = (),
    states: Collection[WorkState] = OPEN,
    *,
    limit: int = 500,
    **about: Any,  # noqa: ANN401 - columns of the table
) -> list[WorkItem]:
    """Items most urgent first, then oldest; `about` narrows by columns."""
    with database.reading() as connection:
        return _listing(connection, kinds, states, limit, about)


def open_in(connection: Connection, kinds: Collection[WorkKind], **about: Any) -> list[WorkItem]:  # noqa: ANN401
    """Open items inside the caller's transaction."""
    return _listing(connection, kinds, OPEN, 500, about)


def newest_of(connection: Connection, kind: WorkKind, barcodes: Collection[str]) -> list[WorkItem]:
    """The last item of a kind about each of some glasses, whatever its state."""
    query = sa.select(work_item).where(
        work_item.c.kind == kind.value, work_item.c.barcode.in_(barcodes)
    )
    rows = connection.execute(query.order_by(work_item.c.created_at, work_item.c.item_id))
    return list({row.barcode: _item(row) for row in rows}.values())


def claim_next(
    connection: Connection, kind: WorkKind, performer: str, site: str = ""
) -> WorkItem | None:
    """Take the most urgent item that waits (at a site, if named); None when there is none."""
    events.hold(connection)
    query = (
        sa.select(work_item)
        .where(work_item.c.kind == kind.value, work_item.c.state == WorkState.OFFERED.value)
        .order_by(work_item.c.rank.desc(), work_item.c.created_at, work_item.c.item_id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if site:
        query = query.where(work_item.c.site.in_([site, ""]))
    row = connection.execute(query).one_or_none()
    return None if row is None else claim(connection, row.item_id, performer)


def claim(connection: Connection, item_id: str, performer: str) -> WorkItem:
    """Take an item; Illegal when another has it or it has ended. Twice by the same is once."""
    item = get_in(connection, item_id)
    if item.state is WorkState.CLAIMED and item.performer == performer:
        return item
    if item.state is not WorkState.OFFERED:
        raise Illegal("claimed_by_another" if item.state is WorkState.CLAIMED else "work_ended")
    changes = {"state": WorkState.CLAIMED.value, "performer": performer, "claimed_at": now()}
    return change(connection, item_id, changes | {"attempts": item.attempts + 1})


def end(connection: Connection, item_id: str, state: WorkState, reason: str = "") -> WorkItem:
    """Done, failed or cancelled; an item that has ended stays as it ended."""
    item = get_in(connection, item_id)
    if item.state not in OPEN:
        return item
    return change(connection, item_id, {"state": state.value, "reason": reason, "ended_at": now()})


def end_all(
    connection: Connection,
    kinds: Collection[WorkKind],
    state: WorkState,
    reason: str,
    **about: Any,  # noqa: ANN401
) -> None:
    """End every open item of these kinds that is about this."""
    for item in open_in(connection, kinds, **about):
        end(connection, item.item_id, state, reason)


def change(connection: Connection, item_id: str, values: Mapping[str, Any]) -> WorkItem:
    """Change fields of an item."""
    before = get_in(connection, item_id)
    connection.execute(sa.update(work_item).where(work_item.c.item_id == item_id).values(**values))
    item = get_in(connection, item_id)
    ups_journal.note_changed(connection, before, item)
    return item


def _listing(
    connection: Connection,
    kinds: Collection[WorkKind],
    states: Collection[WorkState],
    limit: int,
    about: Mapping[str, Any],
) -> list[WorkItem]:
    query = sa.select(work_item).where(work_item.c.state.in_([state.value for state in states]))
    if kinds:
        query = query.where(work_item.c.kind.in_([kind.value for kind in kinds]))
    for name, value in about.items():
        query = query.where(work_item.c[name] == value)
    order = (work_item.c.rank.desc(), work_item.c.created_at, work_item.c.item_id)
    return [_item(row) for row in connection.execute(query.order_by(*order).limit(limit))]


def _item(row: Row[Any]) -> WorkItem:
    values = dict(row._mapping)
    return WorkItem(
        **values | {"kind": WorkKind(values["kind"]), "state": WorkState(values["state"])}
    )
