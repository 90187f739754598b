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
