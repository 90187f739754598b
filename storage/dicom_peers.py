"""The other DICOM nodes: who may call, what they may do, and where they are called."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storage.database import Database, now
from storage.dicom_tables import dicom_peer, forward_rule
from storage.errors import Malformed, NotFound, Refused
from storage.events import Event, record
from storage.records.imaging import Peer, PeerMay
from storage.records.people import Principal, Role
from storage.tables import person

_AE_TITLE = re.compile(r"[\x21-\x5b\x5d-\x7e](?:[\x20-\x5b\x5d-\x7e]{0,14}[\x21-\x5b\x5d-\x7e])?")
"""Printable ASCII without backslash; spaces at its ends do not count (PS3.5 6.2, VR AE)."""
_ROWS = sa.select(dicom_peer, person.c.unit).join(person, person.c.name == dicom_peer.c.name)


def put(database: Database, peer: Peer, actor: str) -> None:
    """Enter a node or change it; it is a person-row of role node as well.

    Errors: Malformed (AE title, port), Refused (the name is a person's, the title another's).
    """
    if not _AE_TITLE.fullmatch(peer.ae_title):
        raise Malformed("an AE title is 1 to 16 printable ASCII characters without backslash")
    if not 0 <= peer.port <= 65535:
        raise Malformed("a port lies between 1 and 65535")
    values = {
        "ae_title": peer.ae_title, "host": peer.host, "port": peer.port, "tls": peer.tls,
        "url": peer.url.rstrip("/"), "may": sorted(word.value for word in peer.may),
    }  # fmt: skip
    with database.transaction() as connection:
        _ensure_person(connection, peer)
        taken = sa.select(dicom_peer.c.name).where(
            dicom_peer.c.ae_title == peer.ae_title, dicom_peer.c.name != peer.name
        )
        if connection.execute(taken).first() is not None:
            raise Refused(f"the AE title {peer.ae_title} is another node's")
        known = sa.update(dicom_peer).where(dicom_peer.c.name == peer.name).values(**values)
        if connection.execute(known).rowcount == 0:
            connection.execute(sa.insert(dicom_peer).values(name=peer.name, **values))
        record(connection, Event(f"node:{peer.name}", "NodeEntered", actor, "dicom", values))


def remove(database: Database, name: str, actor: str) -> None:
    """Forget a node and the rules that send to it. Errors: NotFound."""
    with database.transaction() as connection:
        connection.execute(sa.delete(forward_rule).where(forward_rule.c.peer == name))
        gone = connection.execute(sa.delete(dicom_peer).where(dicom_peer.c.name == name))
        if gone.rowcount == 0:
            raise NotFound(f"no node is called {name}")
        record(connection, Event(f"node:{name}", "NodeRemoved", actor, "dicom"))


def listing(database: Database) -> list[Peer]:
    """All nodes by name."""
    with database.reading() as connection:
        return [_peer(row) for row in connection.execute(_ROWS.order_by(dicom_peer.c.name))]


def get(database: Database, name: str) -> Peer:
    """One node by name. Errors: NotFound."""
    return _one(database, dicom_peer.c.name == name, f"no node is called {name}")


def by_ae_title(database: Database, ae_title: str) -> Peer:
    """One node by its AE title. Errors: NotFound."""
    where = dicom_peer.c.ae_title == ae_title.strip()
    return _one(database, where, "no node has that AE title")


def principal_of(peer: Peer, association: str) -> Principal:
    """The node as whoever asks; `association` names it in the access log."""
    return Principal(peer.name, Role.NODE, association[:16], "", peer.unit)


def _ensure_person(connection: Connection, peer: Peer) -> None:
    query = sa.select(person.c.role).where(person.c.name == peer.name)
    role = connection.execute(query).scalar_one_or_none()
    if role is None:
        from_now = {"name": peer.name, "role": Role.NODE.value, "unit": peer.unit}
        connection.execute(sa.insert(person).values(created_at=now(), **from_now))
    elif role != Role.NODE.value:
        raise Refused(f"{peer.name} is a person of role {role}; give the node another name")
    else:
        mine = person.c.name == peer.name
        connection.execute(sa.update(person).where(mine).values(unit=peer.unit))


def _one(database: Database, where: sa.ColumnElement[bool], missing: str) -> Peer:
    with database.reading() as connection:
        row = connection.execute(_ROWS.where(where)).one_or_none()
    if row is None:
        raise NotFound(missing)
    return _peer(row)


def _peer(row: Row[Any]) -> Peer:
    may = frozenset(PeerMay(word) for word in row.may)
    return Peer(row.name, row.ae_title, row.host, row.port, row.tls, row.url, row.unit, may)
