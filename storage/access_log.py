"""Who saw what: appended, never changed. Tiles are folded to one line a slide and session."""

from __future__ import annotations

import sqlalchemy as sa

from storage.database import Database, access_log, now
from storage.records.people import Principal


def log_access(
    database: Database, principal: Principal, action: str, slide_id: str | None = None
) -> None:
    """Append one line; the caller folds what belongs together."""
    with database.transaction() as connection:
        connection.execute(
            sa.insert(access_log).values(
                at=now(),
                name=principal.name,
                role=principal.role.value,
                session=principal.session,
                action=action,
                slide_id=slide_id,
            )
        )


def accesses(database: Database, slide_id: str) -> list[tuple[str, str]]:
    """(name, action) of everyone who saw a slide, oldest first."""
    query = (
        sa.select(access_log.c.name, access_log.c.action)
        .where(access_log.c.slide_id == slide_id)
        .order_by(access_log.c.entry_id)
    )
    with database.reading() as connection:
        return [(name, action) for name, action in connection.execute(query)]
