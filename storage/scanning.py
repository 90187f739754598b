"""Scans as work: asked for, taken by a scanner, done, failed, and taken back from a dead one.

Each word is the work item and the fact in the case at once, in one transaction. A scan that comes
to nothing is offered again until it has been tried MOST_ATTEMPTS times; then a person has to look.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage import cases, events, work_items
from storage.case_log import Said
from storage.case_tables import case_slide
from storage.database import Database, now
from storage.errors import Illegal, NotFound
from storage.records.case import Case, CaseSlide
from storage.records.case_words import SlideState
from storage.records.slide_events import ScanCompleted, ScanFailed, ScanQueued, ScanStarted
from storage.records.work import WorkItem, WorkKind, WorkState

MOST_ATTEMPTS = 3
NEWS_WITHIN = timedelta(minutes=15)
"""A scanner that has said nothing for so long is taken for dead."""
IMAGE_WITHIN = timedelta(minutes=60)
"""A scan whose image has not come so long after its end has come to nothing."""
_SOURCE = "scanning"
_UNDER_WAY = (SlideState.QUEUED, SlideState.SCANNING, SlideState.SCANNED)


def queue_scan(
    database: Database, barcode: str, actor: str, rack: str = "", slot: str = ""
) -> WorkItem:
    """Ask for a scan of an expected glass; while one is open, asking again changes nothing but
    where the glass lies. Errors: NotFound, Illegal."""
    with database.transaction() as connection:
        events.hold(connection)
        accession = connection.execute(
            sa.select(case_slide.c.accession).where(case_slide.c.barcode == barcode)
        ).scalar_one_or_none()
        if accession is None:
            raise NotFound("no glass with that barcode is expected")
        case = cases.get_in(connection, accession)
        if case.closed_at:
            raise Illegal("case_closed")
        place = {name: text for name, text in (("rack", rack), ("slot", slot)) if text}
        for item in work_items.open_in(connection, [WorkKind.SCAN], barcode=barcode):
            waits = item.state is WorkState.OFFERED and place
            return work_items.change(connection, item.item_id, place) if waits else item
        about = {"accession": accession, "barcode": barcode, "rank": case.priority.rank}
        about |= {"site": case.site, "unit": case.unit}
        item = work_items.offer(connection, WorkKind.SCAN, actor, **about, **place)
        fact = ScanQueued(barcode, item.item_id)
        cases.record_in(connection, accession, fact, Said(actor, _SOURCE))
        return item


def next_scan(
    database: Database, performer: str, station: str = "", site: str = ""
) -> WorkItem | None:
    """The most urgent scan that waits, for this station; None when there is none.

    A station that asks again before it has begun gets the same one: its answer may have been lost.
    """
    waiting = (WorkState.OFFERED, WorkState.CLAIMED)
    if not work_items.listing(database, [WorkKind.SCAN], waiting, limit=1):
        return None  # a cheap look that takes no lock: scanners ask all the time
    with database.transaction() as connection:
        for item in work_items.open_in(connection, [WorkKind.SCAN], performer=performer):
            if item.data.get("station") == station and not item.data.get("begun"):
                return item
        taken = work_items.claim_next(connection, WorkKind.SCAN, performer, site)
        if taken is None:
            return None
        return _note(connection, taken, station=station, begun=False, news_at=_said_now())


def start(database: Database, item_id: str, performer: str, station: str = "") -> WorkItem:
    """The scanner has the glass; an item that waits is taken thereby. Twice is once.

    Errors: NotFound, Illegal (another has it, it has ended, the glass is not to be scanned).
    """
    with database.transaction() as connection:
        return start_in(connection, item_id, performer, station)


def start_in(connection: Connection, item_id: str, performer: str, station: str = "") -> WorkItem:
    """The same inside the caller's transaction."""
    item = _scan(connection, item_id)
    station = station or str(item.data.get("station") or performer)
    item = work_items.claim(connection, item_id, performer)
    fact = ScanStarted(item.barcode or "", station, item_id)
    _record(connection, item, fact, performer)
    return _note(connection, item, station=station, begun=True, news_at=_said_now())


def beat(database: Database, item_id: str, performer: str) -> WorkItem:
    """It is still being scanned. Errors: NotFound, Illegal when it was taken away."""
    with database.transaction() as connection:
        return beat_in(connection, item_id, performer)


def beat_in(connection: Connection, item_id: str, performer: str) -> WorkItem:
    """The same inside the caller's transaction."""
    item = _scan(connection, item_id)
    _demand_claimed(item, performer)
    return _note(connection, item, news_at=_said_now())


def finish(database: Database, item_id: str, performer: str, fingerprint: str = "") -> WorkItem:
    """The scanner is done and the file is on its way; its SHA-256 ties it to the glass.

    Twice is once; so is telling it after the image has come. Errors: NotFound, Illegal.
    """
    with database.transaction() as connection:
        return finish_in(connection, item_id, performer, fingerprint)


def finish_in(
    connection: Connection, item_id: str, performer: str, fingerprint: str = ""
) -> WorkItem:
    """The same inside the caller's transaction."""
    item = _scan(connection, item_id)
    if item.state is WorkState.DONE and item.performer == performer:
        return item
    _demand_claimed(item, performer)
    barcode, station = item.barcode or "", str(item.data.get("station") or performer)
    if not item.data.get("begun"):
        _record(connection, item, ScanStarted(barcode, station, item_id), performer)
    _record(connection, item, ScanCompleted(barcode, item_id), performer)
    _note(connection, item, begun=True, news_at=_said_now(), fingerprint=fingerprint)
    return work_items.end(connection, item_id, WorkState.DONE)


def fail(
    database: Database, item_id: str, who: str, reason: str, *, anyone: bool = False
) -> WorkItem:
    """The scanner gave up, or no image came of it; with `anyone` also of another's scan.

    Twice is once. Errors: NotFound, Illegal.
    """
    with database.transaction() as connection:
        return fail_in(connection, item_id, who, reason, anyone=anyone)


def fail_in(
    connection: Connection, item_id: str, who: str, reason: str, *, anyone: bool = False
) -> WorkItem:
    """The same inside the caller's transaction."""
    item = _scan(connection, item_id)
    failures = item.data.get("failures") or [{}]
    if item.state in (WorkState.OFFERED, WorkState.FAILED) and failures[-1].get("by") == who:
        return item
    if not (anyone and item.state is WorkState.CLAIMED) and not (
        item.state is WorkState.DONE and (anyone or item.performer == who)
    ):
        _demand_claimed(item, who)
    return come_to_nothing(connection, item, who, reason)


def come_to_nothing(connection: Connection, item: WorkItem, who: str, reason: str) -> WorkItem:
    """A scan, under way or just done, gives no image: it is told, and offered again or given up.

    Inside the caller's transaction. Errors: Illegal when there is nothing to give up.
    """
    accession, barcode = item.accession or "", item.barcode or ""
    case = cases.get_in(connection, accession)
    glass = case.slides.get(barcode)
    if item.state is WorkState.DONE and (glass is None or glass.state is not SlideState.SCANNED):
        raise Illegal("work_ended")
    if glass is not None and glass.state in _UNDER_WAY:
        _record(connection, item, ScanFailed(barcode, reason, item.item_id), who)
    told = {"by": who, "reason": reason, "at": _said_now()}
    failures = [*(item.data.get("failures") or []), told]
    item = _note(connection, item, failures=failures, begun=False, fingerprint="", image="")
    if not _is_wanted(case, glass) or item.attempts >= MOST_ATTEMPTS:
        state = WorkState.CANCELLED if case.closed_at else WorkState.FAILED
        ended = {"state": state.value, "reason": reason, "ended_at": now()}
        return work_items.change(connection, item.item_id, ended)
    _record(connection, item, ScanQueued(barcode, item.item_id), cases.SYSTEM)
    return work_items.change(connection, item.item_id, _OFFERED_AGAIN | {"reason": reason})


def dead(database: Database, moment: datetime | None = None) -> list[str]:
    """Scans that nothing has been heard of for too long; a look without a lock."""
    moment = moment or now()
    taken = work_items.listing(database, [WorkKind.SCAN], [WorkState.CLAIMED])
    with database.reading() as connection:
        done = [at for at in _awaiting_image(connection) if at.state is WorkState.DONE]
    return [at.item_id for at in (*taken, *done) if _is_dead(at, moment)]


def release(database: Database, item_id: str, moment: datetime | None = None) -> bool:
    """Take a scan back from a scanner that died, unless it has just spoken; whether it was."""
    moment = moment or now()
    with database.transaction() as connection:
        item = _scan(connection, item_id)
        if not _is_dead(item, moment):
            return False
        if item.state is WorkState.DONE:
            come_to_nothing(connection, item, cases.SYSTEM, "no_image")
        elif item.data.get("begun") or item.attempts >= MOST_ATTEMPTS:
            come_to_nothing(connection, item, cases.SYSTEM, "no_news")
        else:  # it was taken and never begun: nothing has happened to the glass
            work_items.change(connection, item_id, _OFFERED_AGAIN | {"reason": "no_news"})
    return True


def scan_of(connection: Connection, fingerprint: str, deliverer: str) -> WorkItem | None:
    """The scan that a delivered file is said to come from; None when nobody says so.

    Said by the file's SHA-256, else by a deliverer who has just one scan whose image is waited for.
    """
    waiting = [at for at in _awaiting_image(connection) if not at.data.get("image")]
    named = [at for at in waiting if at.data.get("fingerprint") == fingerprint]
    if named:
        return named[0]
    own = [at for at in waiting if at.performer == deliverer and not at.data.get("fingerprint")]
    return own[0] if len(own) == 1 else None


def stains(database: Database, barcodes: Collection[str]) -> dict[str, str]:
    """How each of some glasses is stained: what a scanner is told beside the barcode."""
    query = sa.select(case_slide.c.barcode, case_slide.c.detail)
    with database.reading() as connection:
        rows = connection.execute(query.where(case_slide.c.barcode.in_(barcodes)))
        return {row.barcode: row.detail.get("stain", "") for row in rows}


def note_image(connection: Connection, item: WorkItem, slide_id: str) -> None:
    """The scan's image has come, and a person has to say what it shows."""
    _note(connection, item, image=slide_id)


_OFFERED_AGAIN = {
    "state": WorkState.OFFERED.value, "performer": "", "claimed_at": None, "ended_at": None,
}  # fmt: skip


def _awaiting_image(connection: Connection) -> list[WorkItem]:
    """Scans taken or done, of glasses whose image has not come."""
    states = [SlideState.SCANNING.value, SlideState.SCANNED.value]
    query = sa.select(case_slide.c.barcode).where(case_slide.c.state.in_(states))
    barcodes = connection.execute(query).scalars().all()
    newest = work_items.newest_of(connection, WorkKind.SCAN, barcodes)
    return [at for at in newest if at.state in (WorkState.CLAIMED, WorkState.DONE)]


def _scan(connection: Connection, item_id: str) -> WorkItem:
    """The item, held; the log first, since whoever holds both takes them in this order."""
    events.hold(connection)
    item = work_items.get_in(connection, item_id)
    if item.kind is not WorkKind.SCAN:
        raise NotFound("there is no such scan")
    return item


def _demand_claimed(item: WorkItem, performer: str) -> None:
    if item.state is not WorkState.CLAIMED:
        raise Illegal("not_claimed" if item.state is WorkState.OFFERED else "work_ended")
    if item.performer != performer:
        raise Illegal("claimed_by_another")


def _record(
    connection: Connection,
    item: WorkItem,
    fact: ScanQueued | ScanStarted | ScanCompleted | ScanFailed,
    actor: str,
) -> None:
    cases.record_in(connection, item.accession or "", fact, Said(actor, _SOURCE))


def _is_wanted(case: Case, glass: CaseSlide | None) -> bool:
    """Another try makes sense: the case is alive, and the glass waits for an image."""
    return not case.closed_at and glass is not None and glass.state in _UNDER_WAY


def _note(connection: Connection, item: WorkItem, **words: Any) -> WorkItem:  # noqa: ANN401
    return work_items.change(connection, item.item_id, {"data": {**item.data, **words}})


def _said_now() -> str:
    return now().isoformat()


def _is_dead(item: WorkItem, moment: datetime) -> bool:
    if item.state is WorkState.DONE:
        return moment - (item.ended_at or moment) > IMAGE_WITHIN and not item.data.get("image")
    told = item.data.get("news_at")
    last = datetime.fromisoformat(told) if told else item.claimed_at or item.created_at
    return item.state is WorkState.CLAIMED and moment - last > NEWS_WITHIN
