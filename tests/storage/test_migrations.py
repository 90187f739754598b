"""The tables as migrations make them are the tables the code means, on both databases."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import alembic.command
import alembic.config
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import storage.database
from storage import (  # noqa: F401 - put their tables into the metadata
    annotation_tables,
    case_tables,
    dicom_tables,
    drift_tables,
    model_tables,
    quality_tables,
    ups_tables,
)
from storage.database import Database
from storage.tables import metadata

_MIGRATE = "import sys; from storage.database import Database; Database(sys.argv[1]).migrate()"


def tables(database: Database) -> set[str]:
    with database.reading() as connection:
        return set(sa.inspect(connection).get_table_names())


def test_upgrade_from_empty_gives_the_metadata(empty_database: Database) -> None:
    empty_database.migrate()
    assert set(metadata.tables) <= tables(empty_database)
    with empty_database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_every_step_goes_back(empty_database: Database) -> None:
    empty_database.migrate()
    config = alembic.config.Config()
    folder = Path(storage.database.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    with empty_database.transaction() as connection:
        config.attributes["connection"] = connection
        alembic.command.downgrade(config, "base")
    assert tables(empty_database) == {"alembic_version"}
    empty_database.migrate()
    assert set(metadata.tables) <= tables(empty_database)


def test_a_second_migration_changes_nothing(database: Database) -> None:
    before = tables(database)
    database.migrate()
    assert tables(database) == before


def test_several_processes_may_migrate_at_once(empty_database: Database) -> None:
    command = [sys.executable, "-W", "error", "-c", _MIGRATE, empty_database.url]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(5)]
    said = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 5, said
    assert set(metadata.tables) <= tables(empty_database)


def test_the_code_names_the_newest_revision() -> None:
    config = alembic.config.Config()
    config.set_main_option(
        "script_location", str(Path(storage.database.__file__).parent / "migrations")
    )
    assert ScriptDirectory.from_config(config).get_heads() == [storage.database.HEAD]
