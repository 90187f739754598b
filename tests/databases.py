"""Fixtures: `database`, once as SQLite and once as PostgreSQL in a temporary cluster.

Where no PostgreSQL is installed these tests are skipped, or fail with SVARTID_REQUIRE_SLIDES=1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage.database import Database

_OPTIONS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200"


def find_postgres() -> Path | None:
    """The folder of PostgreSQL's programs, the newest there is."""
    on_path = shutil.which("initdb")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = [Path(on_path).resolve()] if on_path else installed[-1:]
    return found[0].parent if found else None


@contextmanager
def temporary_postgres(programs: Path) -> Iterator[str]:
    """A cluster on a Unix socket in a temporary folder; the URL of its `postgres` database."""
    folder = Path(tempfile.mkdtemp(prefix="svartid-pg-"))  # short: a socket's path has 107 bytes
    user = _unprivileged()
    if user:
        shutil.chown(folder, user)

    def call(program: str, *arguments: str) -> None:
        command = [programs / program, "-D", folder / "data", *arguments]
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, user=user, cwd=folder, timeout=120
        )

    try:
        call("initdb", "-A", "trust", "-U", "svartid", "-E", "UTF8", "--no-locale", "--no-sync")
        options = f"{_OPTIONS} -c listen_addresses='' -c unix_socket_directories={folder}"
        call("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql+psycopg://svartid@/postgres?host={folder}"
        finally:
            call("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root: whose rights it gets then."""
    return "nobody" if os.geteuid() == 0 else None


@contextmanager
def fresh_database(server: str, template: str = "template1") -> Iterator[str]:
    """The URL of a new database of the cluster: empty, or the copy of another."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield server.replace("/postgres?", f"/{name}?")
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        engine.dispose()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a temporary PostgreSQL."""
    programs = find_postgres()
    if programs is None:
        if os.environ.get("SVARTID_REQUIRE_SLIDES") == "1":
            pytest.fail("SVARTID_REQUIRE_SLIDES=1, but PostgreSQL is not installed")
        pytest.skip("NO POSTGRESQL here, nothing was tested on it: tests/system-packages.txt")
    with temporary_postgres(programs) as url:
        yield url


@pytest.fixture(scope="session", autouse=True)
def tables_are_copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A new SQLite file gets its tables as a copy of one that was really migrated.

    Migrating takes a process and half a second, a thousand times over; `test_migrations.py` goes
    the real way, as does every command the tests start.
    """
    template = tmp_path_factory.mktemp("migrated") / "svartid.sqlite"
    really = Database.migrate

    def migrate(database: Database) -> None:
        url = sa.make_url(database.url)
        file = Path(url.database or "") if url.get_backend_name() == "sqlite" else None
        if file is not None and not (file.exists() and file.stat().st_size):
            if not template.exists():
                first = Database(f"sqlite:///{template}")
                really(first)
                first.dispose()
            shutil.copy(template, file)
        really(database)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "migrate", migrate)
        yield


@pytest.fixture(scope="session")
def migrated_postgres(postgres: str) -> Iterator[str]:
    """The name of a database of the cluster that new ones are copied from."""
    with fresh_database(postgres) as url:
        database = Database(url)
        database.migrate()
        database.dispose()
        yield str(sa.make_url(url).database)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without tables."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'svartid.sqlite'}")
        yield database
        database.dispose()
        return
    with fresh_database(request.getfixturevalue("postgres")) as url:
        database = Database(url)
        yield database
        database.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with this version's tables."""
    if request.param == "sqlite":
        yield from _opened(f"sqlite:///{tmp_path / 'svartid.sqlite'}")
        return
    server = request.getfixturevalue("postgres")
    with fresh_database(server, request.getfixturevalue("migrated_postgres")) as url:
        yield from _opened(url)


def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    database.migrate()
    yield database
    database.dispose()


@pytest.fixture
def quick_database(tmp_path: Path) -> Iterator[Database]:
    """SQLite alone, for tests of something else than what the database does."""
    yield from _opened(f"sqlite:///{tmp_path / 'svartid.sqlite'}")
