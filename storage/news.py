"""What has been appended to the log since somebody last looked: the pulse that flows work by."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from storage.database import Database
from storage.tables import event


@dataclass(frozen=True, slots=True)
class News:
    """The events of some kinds, oldest first, and how far the log has been seen."""

    seen: int
    found: tuple[tuple[str, str], ...]
    """Subject and kind of each."""

    def ids(self, kind: str) -> list[str]:
        """What the events of a kind are about, without the subject's prefix."""
        return [subject.partition(":")[2] for subject, one in self.found if one == kind]


def since(database: Database, seen: int, kinds: Collection[str]) -> News:
    """Events after `seen`. Ids are in the order of commits, so nothing is passed over."""
    query = (
        sa.select(event.c.subject, event.c.kind)
        .where(event.c.event_id > seen, event.c.kind.in_(kinds))
        .order_by(event.c.event_id)
    )
    with database.reading() as connection:
        last = connection.execute(sa.select(sa.func.max(event.c.event_id))).scalar() or 0
        if last <= seen:
            return News(seen, ())
        rows = connection.execute(query.where(event.c.event_id <= last)).all()
    return News(last, tuple((row.subject, row.kind) for row in rows))
