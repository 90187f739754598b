"""Engine and transactions; SQLite embedded or PostgreSQL, the same code.

All writing goes through `transaction`. The tables are in `storage.tables`.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from storage.errors import StoreDamaged, Transient

T = TypeVar("T")
HEAD = "0010"
"""The newest migration; a test holds it against the folder."""
_BUSY_MS = 20_000
_AWAY = (OperationalError, InterfaceError, PoolTimeout)


class Database:
    """An engine and its transactions; one per process, threads may share it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = _engine(url)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All or nothing, for writing; Transient when the database is away or too busy."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except _AWAY as error:
            raise Transient(_plainly(error)) from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for queries; Transient when the database is away."""
        try:
            with self._engine.connect() as connection:
                yield connection.execution_options(reading=True)
        except _AWAY as error:
            raise Transient(_plainly(error)) from error

    def migrate(self) -> None:
        """Bring the tables to this version's shape; safe when several processes start at once.

        The migrating itself happens in a process of its own: it is rare, and its library weighs
        more than a command that finds nothing to do should carry. Errors: Transient, StoreDamaged.
        """
        if self.revision() == HEAD:
            return
        command = [sys.executable, "-m", "storage.migrations"]
        environment = os.environ | {"SVARTID_MIGRATE_URL": self.url}
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        if done.returncode:
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise StoreDamaged(f"the tables cannot be brought up to date: {''.join(last)[:300]}")

    def revision(self) -> str | None:
        """The migration the tables are at, None before the first. Errors: Transient."""
        with self.reading() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.execute(
                sa.text("SELECT version_num FROM alembic_version")
            ).scalar_one_or_none()
            return found

    def dispose(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def retrying(work: Callable[[], T], tries: int = 8) -> T:
    """Call `work` again while another writer is in the way, waiting a little longer each time."""
    for attempt in range(tries):
        try:
            return work()
        except (Transient, DBAPIError):
            if attempt == tries - 1:
                raise
            time.sleep(0.05 * 2**attempt)
    raise AssertionError("unreachable")


def now() -> datetime:
    """This moment, UTC."""
    return datetime.now(UTC)


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True, pool_size=5)
    engine = sa.create_engine(url, connect_args={"timeout": _BUSY_MS / 1000})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # SQLAlchemy's own BEGIN, not the driver's: a writer takes its lock at once and waits for it,
    # where a deferred BEGIN would fail in the middle with "database is locked".
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _plainly(error: DBAPIError | PoolTimeout) -> str:
    """What went wrong without the statement, which may hold names."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return f"the database did not answer: {type(cause).__name__}"
