"""Live updates as Server-Sent Events: what changed, never the data itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, NamedTuple

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from storage import annotations_single, case_log
from storage.case_tables import work_item
from storage.database import Database
from storage.errors import Transient
from storage.records.people import Right
from storage.records.work import WorkKind
from storage.tables import event, intake
from viewers.access import needs, principal_of
from viewers.context import Context, context_of, plain_id

router = APIRouter()
_EVERY = 0.5
_ALIVE = 20.0
"""Seconds between two comments that keep proxies from closing a quiet stream."""
_LONGEST = 600.0
"""Then the browser has to come again, and be let in again."""
Marks = dict[str, object]


class Opened(NamedTuple):
    """What somebody has before them, beside the lists."""

    case: str | None
    slide: str | None


def _newest(subjects: str) -> sa.Select[tuple[int]]:
    """The newest event about such subjects; read backwards along the log, so it is quick."""
    about = event.c.subject.like(f"{subjects}%")
    return sa.select(event.c.event_id).where(about).order_by(event.c.event_id.desc()).limit(1)


def _newest_of(subject: str) -> sa.Select[tuple[int]]:
    """The newest event about one subject."""
    return sa.select(sa.func.max(event.c.event_id)).where(event.c.subject == subject)


_LAST: dict[str, sa.Select[Any]] = {
    "slides": _newest("slide:"),
    "cases": _newest("case:"),
    "repairs": _newest("set_aside"),
    "unknown": sa.select(sa.func.max(work_item.c.created_at)).where(
        work_item.c.kind == WorkKind.UNKNOWN_SLIDE.value
    ),
}


@router.get("/api/v1/changes", tags=["slides"], dependencies=[needs(Right.SIGNED_IN)])
async def changes(
    request: Request,
    case: Annotated[str | None, Query(max_length=40)] = None,
    slide: Annotated[str | None, Query(max_length=64)] = None,
) -> StreamingResponse:
    """`event: change` with `{"what": …}`: slides, cases, repairs, …; then ask again.

    With `case`, an accession number, `case` is one more, and with `slide` `annotations`: whoever
    has one open need not fetch it again because another one has changed.
    """
    context, principal = context_of(request), principal_of(request)
    desk = context.desk
    if case is not None:
        await run_in_threadpool(desk.case, principal, Right.READ_CASES, case, "case")
    if slide is not None:
        plain_id(slide)
        await run_in_threadpool(desk.slide, principal, Right.READ_SLIDES, slide, "view")
    opened = Opened(case, slide)
    # Taken before the answer begins: what changes after the browser knows that it listens is told.
    known = await run_in_threadpool(_marks, context, opened)
    stream = _stream(request, context, opened, known)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _stream(
    request: Request, context: Context, opened: Opened, known: Marks
) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    quiet = 0.0
    ends = time.monotonic() + _LONGEST
    while time.monotonic() < ends and not await request.is_disconnected():
        await asyncio.sleep(_EVERY)
        quiet += _EVERY
        now = await run_in_threadpool(_marks, context, opened)
        for what in [name for name in now if now[name] != known.get(name)]:
            quiet = 0.0
            yield f'event: change\ndata: {{"what": "{what}"}}\n\n'
        known = now
        if quiet >= _ALIVE:
            quiet = 0.0
            yield ": still here\n\n"


def _marks(context: Context, opened: Opened) -> Marks:
    """A value for each topic that differs when the topic has changed."""
    board = context.settings.layout.run / "processes.json"
    stamp = board.stat().st_mtime_ns if board.exists() else 0
    try:
        return _database_marks(context.database, opened) | {"processes": stamp}
    except Transient:
        return {"processes": stamp}


def _database_marks(database: Database, opened: Opened) -> Marks:
    case = opened.case
    asked = _LAST | ({"case": _newest_of(case_log.subject_of(case))} if case else {})
    with database.reading() as connection:
        last = {what: connection.execute(query).scalar() for what, query in asked.items()}
        rows = connection.execute(sa.select(sa.func.max(intake.c.updated_at))).scalar()
    if opened.slide:
        last["annotations"] = annotations_single.revision(database, opened.slide)
    return last | {"intake": rows}
