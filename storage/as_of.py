"""Cases as they were known at an earlier point of the log: folded anew from the events up to it.

The rows of cases say how things stand now. A published month rests on what was known then: later
events, corrections of earlier ones among them, are as if they had not been written.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import sqlalchemy as sa

from storage.case_log import happened
from storage.database import Database
from storage.events import event_of_row
from storage.records.case_events import FACTS
from storage.records.case_fold import fold
from storage.records.case_state import milestones_of, state_of
from storage.records.case_words import CLOSED
from storage.records.milestones import Milestones
from storage.tables import event

_CASE = "case:"
_AT_ONCE = 5000
"""Rows fetched at a time; a whole log may not fit into memory."""


def milestones(database: Database, cut: int) -> list[Milestones]:
    """The moments of all cases that were not closed, from events with ids up to `cut`.

    With the newest event as the cut they are those of `worklist.milestones`; in their order.
    """
    return list(_folded(database, cut))


def _folded(database: Database, cut: int) -> Iterator[Milestones]:
    query = (
        sa.select(event)
        .where(event.c.subject.startswith(_CASE), event.c.event_id <= cut)
        .where(event.c.kind.in_(FACTS))
        .order_by(event.c.subject, event.c.event_id)
    )
    with database.reading() as connection:
        rows = connection.execute(query.execution_options(yield_per=_AT_ONCE))
        for subject, log in groupby(rows, key=lambda row: str(row.subject)):
            case = fold(subject.removeprefix(_CASE), [happened(event_of_row(row)) for row in log])
            if state_of(case) not in CLOSED:
                yield milestones_of(case)
