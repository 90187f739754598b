"""Brings the database at SVARTID_MIGRATE_URL up to date, one process at a time."""

from __future__ import annotations

import os
from pathlib import Path

import alembic.command
import alembic.config
import sqlalchemy as sa

from storage.database import Database, retrying

_LOCK = 7383
"""PostgreSQL's advisory lock; SQLite's own write lock is taken when the transaction begins."""


def main() -> int:
    """Upgrade to the newest revision."""
    database = Database(os.environ["SVARTID_MIGRATE_URL"])
    config = alembic.config.Config()
    config.set_main_option("script_location", str(Path(__file__).parent))

    def upgrade() -> None:
        with database.transaction() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            config.attributes["connection"] = connection
            alembic.command.upgrade(config, "head")

    retrying(upgrade)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
