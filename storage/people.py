"""People, their passwords, sessions and tokens; only digests of secrets are kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta

import argon2
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.database import Database, now
from storage.errors import NotFound
from storage.events import Event, record
from storage.records.people import Principal, Role
from storage.tables import access_key, person

SESSION_HOURS = 12
_HASHER = argon2.PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_hex(16))
"""Verified when the name is unknown, so that the answer takes as long as for a known one."""


def ensure_person(database: Database, name: str, role: Role) -> None:
    """Make a person without a password (a program, say) unless there is one of that name."""
    with database.transaction() as connection:
        if _role(connection, name) is None:
            _insert_person(connection, name, role, None)


def ensure_administrator(database: Database, name: str = "admin") -> str | None:
    """Make the first administrator who can sign in; the password once, None if there is one."""
    query = sa.select(person.c.name).where(
        person.c.role == Role.ADMINISTRATOR.value, person.c.password.is_not(None)
    )
    with database.reading() as connection:
        if connection.execute(query).first() is not None:
            return None
    return add_person(database, name, Role.ADMINISTRATOR)


def reset_password(database: Database, name: str) -> str:
    """A new random password, ending all sessions and tokens; NotFound."""
    password = secrets.token_urlsafe(12)
    with database.transaction() as connection:
        changed = connection.execute(
            sa.update(person).where(person.c.name == name).values(password=_HASHER.hash(password))
        )
        if not changed.rowcount:
            raise NotFound(f"nobody is called {name}")
        connection.execute(sa.delete(access_key).where(access_key.c.name == name))
        record(connection, Event(f"person:{name}", "PasswordReset", "command", "command"))
    return password


def add_person(database: Database, name: str, role: Role) -> str:
    """Add or re-role a person and give a new random password."""
    ensure_person(database, name, role)
    with database.transaction() as connection:
        connection.execute(sa.update(person).where(person.c.name == name).values(role=role.value))
    return reset_password(database, name)


def change_role(database: Database, name: str, role: Role) -> None:
    """Another role, ending all sessions and tokens that came with the old one; NotFound."""
    with database.transaction() as connection:
        before = _role(connection, name)
        if before is None:
            raise NotFound(f"nobody is called {name}")
        if before == role.value:
            return
        connection.execute(sa.update(person).where(person.c.name == name).values(role=role.value))
        connection.execute(sa.delete(access_key).where(access_key.c.name == name))
        about = {"before": before, "role": role.value}
        record(connection, Event(f"person:{name}", "RoleChanged", "command", "command", about))


def check_password(database: Database, name: str, password: str) -> Role | None:
    """The person's role when the password is right; takes the same time when it is not."""
    with database.reading() as connection:
        row = connection.execute(
            sa.select(person.c.password, person.c.role).where(person.c.name == name)
        ).one_or_none()
    digest = row.password if row is not None and row.password else _NOBODY
    try:
        _HASHER.verify(digest, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return None
    return Role(row.role) if row is not None else None


def open_session(database: Database, name: str, role: Role) -> str:
    """The secret of a new session, good for a working day."""
    return _new_key(database, "session", name, role, timedelta(hours=SESSION_HOURS))


def create_token(database: Database, name: str, role: Role, days: float) -> str:
    """The secret of a new token for a program, shown once."""
    return _new_key(database, "token", name, role, timedelta(days=days))


def principal_of(database: Database, secret: str) -> Principal | None:
    """Whose secret this is, unless it is unknown or has expired."""
    query = (
        sa.select(access_key, person.c.site, person.c.unit)
        .join(person, person.c.name == access_key.c.name)
        .where(access_key.c.digest == _digest(secret))
    )
    with database.reading() as connection:
        row = connection.execute(query).one_or_none()
    if row is None or (row.expires_at is not None and row.expires_at <= now()):
        return None
    return Principal(row.name, Role(row.role), row.label, row.site, row.unit)


def tokens(database: Database) -> list[dict[str, object]]:
    """Tokens that are good now: label, name, role, until when; never a secret."""
    query = (
        sa.select(access_key)
        .where(access_key.c.kind == "token", access_key.c.expires_at > now())
        .order_by(access_key.c.created_at)
    )
    with database.reading() as connection:
        return [
            {
                "label": row.label,
                "user": row.name,
                "role": row.role,
                "expires_at": row.expires_at.isoformat(timespec="seconds"),
            }
            for row in connection.execute(query)
        ]


def revoke(database: Database, name: str, label: str | None = None) -> int:
    """End a person's tokens, or the one of that label; how many."""
    chosen = sa.delete(access_key).where(access_key.c.name == name, access_key.c.kind == "token")
    if label:
        chosen = chosen.where(access_key.c.label == label)
    with database.transaction() as connection:
        ended = connection.execute(chosen).rowcount
        record(connection, Event(f"person:{name}", "TokensRevoked", "command", "command"))
    return ended


def role_of(database: Database, name: str) -> Role | None:
    """The role of a person; None when nobody is called so."""
    with database.reading() as connection:
        role = _role(connection, name)
    return None if role is None else Role(role)


def is_unit(database: Database, unit: str) -> bool:
    """Whether anybody works at a unit of that name."""
    query = sa.select(person.c.name).where(person.c.unit == unit).limit(1)
    with database.reading() as connection:
        return bool(unit) and connection.execute(query).first() is not None


def holds_session(database: Database, principal: Principal) -> bool:
    """Whether somebody came by signing in, and not by a program's token."""
    query = sa.select(access_key.c.kind).where(
        access_key.c.label == principal.session, access_key.c.name == principal.name
    )
    with database.reading() as connection:
        return connection.execute(query).scalars().all() == ["session"]


def full_names(database: Database, of: Collection[str] | None = None) -> dict[str, str]:
    """What people are called, by the name they sign in with; of some, or of all who have said."""
    query = sa.select(person.c.name, person.c.full_name).where(person.c.full_name != "")
    if of is not None:
        query = query.where(person.c.name.in_(of))
    with database.reading() as connection:
        return {row.name: row.full_name for row in connection.execute(query)}


def note_failed_sign_in(database: Database, name: str, client: str) -> None:
    """Leave a trace of a wrong name or password."""
    with database.transaction() as connection:
        event = Event(f"person:{name[:60]}", "SignInFailed", "unknown", "web", {"client": client})
        record(connection, event)


def close_session(database: Database, secret: str) -> None:
    """End a session at once."""
    with database.transaction() as connection:
        connection.execute(sa.delete(access_key).where(access_key.c.digest == _digest(secret)))


def _new_key(database: Database, kind: str, name: str, role: Role, life: timedelta) -> str:
    secret, moment = f"svt_{secrets.token_urlsafe(32)}", now()
    with database.transaction() as connection:
        connection.execute(sa.delete(access_key).where(access_key.c.expires_at < moment))
        connection.execute(
            sa.insert(access_key).values(
                digest=_digest(secret),
                kind=kind,
                label=secrets.token_hex(6),
                name=name,
                role=role.value,
                created_at=moment,
                expires_at=moment + life,
            )
        )
        happened = "SignedIn" if kind == "session" else "TokenCreated"
        record(connection, Event(f"person:{name}", happened, name, kind, {"role": role.value}))
    return secret


def _role(connection: Connection, name: str) -> str | None:
    query = sa.select(person.c.role).where(person.c.name == name)
    return connection.execute(query).scalar_one_or_none()


def _insert_person(connection: Connection, name: str, role: Role, password: str | None) -> None:
    connection.execute(
        sa.insert(person).values(name=name, role=role.value, password=password, created_at=now())
    )
    record(connection, Event(f"person:{name}", "PersonAdded", "command", "command", {"role": role}))


def _digest(secret: str) -> str:
    # The secret has 256 random bits: a plain digest is enough, and a look-up needs a fixed one.
    return hashlib.sha256(secret.encode()).hexdigest()
