"""Tables, engine and transactions; SQLite embedded or PostgreSQL, the same code.

All writing goes through `transaction`; times are UTC, stored with their zone.
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
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from storage.errors import StoreDamaged, Transient

T = TypeVar("T")
HEAD = "0003"
"""The newest migration; a test holds it against the folder."""
_BUSY_MS = 20_000
_AWAY = (OperationalError, InterfaceError, PoolTimeout)


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """Aware datetimes in and out on both databases; SQLite keeps ISO text."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:  # noqa: ANN401
        """To UTC; a time without a zone is a programming error."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times carry their zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:  # noqa: ANN401
        """UTC, aware."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


metadata = sa.MetaData()

slide = sa.Table(
    "slide",
    metadata,
    sa.Column("slide_id", sa.String(32), primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("tile_edge", sa.Integer, nullable=False),
    sa.Column("mpp_x", sa.Float),
    sa.Column("mpp_y", sa.Float),
    sa.Column("mpp_origin", sa.String(20), nullable=False),
    sa.Column("objective_power", sa.Float),
    sa.Column("scanner", sa.Text),
    sa.Column("vendor", sa.Text, nullable=False),
    sa.Column("barcode", sa.Text, index=True),
    sa.Column("notices", sa.JSON, nullable=False),
    sa.Column("associated", sa.JSON, nullable=False),
    sa.Column("icc", sa.Boolean, nullable=False),
    sa.Column("copied", sa.Boolean, nullable=False),
    sa.Column("received_at", UtcDateTime, nullable=False, index=True),
    sa.Column("ready_at", UtcDateTime, nullable=False),
    sa.Column("complete_at", UtcDateTime),
    sa.Column("root", sa.String(64)),
    sa.Column("proof", sa.String(64)),
    sa.Column("skeleton", sa.String(64)),
    sa.Column("stored_bytes", sa.BigInteger),
    sa.Column("tier", sa.String(10), nullable=False, server_default="warm"),
)

intake = sa.Table(
    "intake",
    metadata,
    sa.Column("intake_id", sa.String(32), primary_key=True),
    sa.Column("slide_id", sa.String(32), nullable=False, index=True),
    sa.Column("fingerprint", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("source", sa.String(20), nullable=False),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("reason", sa.String(40)),
    sa.Column("detail", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("done", sa.Integer, nullable=False, default=0),
    sa.Column("total", sa.Integer, nullable=False, default=0),
    sa.Column("lossless", sa.Boolean, nullable=False, default=False),
    sa.Column("released", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    sa.Column("received_at", UtcDateTime, nullable=False, index=True),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("seconds", sa.Float),
    sa.Column("complete_seconds", sa.Float),
    sa.Column("flow_run", sa.String(64)),
    sa.Column("owner", sa.String(80)),
    sa.Column("lease_until", UtcDateTime),
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("subject", sa.String(80), nullable=False, index=True),
    sa.Column("kind", sa.String(60), nullable=False),
    sa.Column("occurred_at", UtcDateTime, nullable=False),
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.String(80), nullable=False),
    sa.Column("source", sa.String(40), nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
)

person = sa.Table(
    "person",
    metadata,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("password", sa.Text),
    sa.Column("created_at", UtcDateTime, nullable=False),
)

access_key = sa.Table(
    "access_key",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("label", sa.String(16), nullable=False),
    sa.Column("name", sa.String(80), sa.ForeignKey("person.name"), nullable=False, index=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime),
)

access_log = sa.Table(
    "access_log",
    metadata,
    sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("name", sa.String(80), nullable=False, index=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("session", sa.String(16), nullable=False),
    sa.Column("action", sa.String(40), nullable=False),
    sa.Column("slide_id", sa.String(32), index=True),
)


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
