"""Research cohorts: chosen by a query, versioned, under pseudonyms. Every change is an event."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storage import events
from storage.case_tables import case_image, case_slide
from storage.database import Database, now
from storage.errors import Malformed, NotFound, Refused
from storage.events import Event
from storage.exchange.plain import from_plain, to_plain
from storage.model_tables import cohort
from storage.quality_tables import quality_run
from storage.records.cohorts import Cohort, CohortMember, CohortQuery
from storage.tables import slide

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{1,39}")


def create(database: Database, name: str, query: CohortQuery, by: str) -> Cohort:
    """The next version of a set: the slides that fit now, under new pseudonyms.

    Errors: Malformed for such a name; Refused where no slide fits.
    """
    if not _NAME.fullmatch(name):
        raise Malformed("a cohort's name has small letters, digits, - and _, 2 to 40 in all")
    with database.transaction() as connection:
        events.hold(connection)
        members = _members(connection, query)
        if not members:
            raise Refused("no complete slide fits; nothing was made")
        newest = sa.select(sa.func.max(cohort.c.version)).where(cohort.c.name == name)
        version = (connection.execute(newest).scalar() or 0) + 1
        made = Cohort(name, version, query, members, _digest(query, members), now(), by)
        connection.execute(
            sa.insert(cohort).values(
                name=name, version=version, query=to_plain(query), sha256=made.sha256,
                members=[to_plain(at) for at in members], at=made.at, by=by,
            )
        )  # fmt: skip
        told = {"version": version, "count": len(members), "sha256": made.sha256}
        events.record(connection, Event(f"cohort:{name}", "CohortMade", by, "cohorts", told))
    return made


def listing(database: Database) -> list[Cohort]:
    """All versions of all sets, newest first."""
    with database.reading() as connection:
        rows = connection.execute(sa.select(cohort).order_by(cohort.c.at.desc(), cohort.c.name))
        return [_cohort(row) for row in rows]


def get(database: Database, name: str, version: int | None = None) -> Cohort:
    """A set, its newest version without `version`. Errors: NotFound."""
    query = sa.select(cohort).where(cohort.c.name == name).order_by(cohort.c.version.desc())
    if version is not None:
        query = query.where(cohort.c.version == version)
    with database.reading() as connection:
        row = connection.execute(query.limit(1)).one_or_none()
    if row is None:
        raise NotFound(f"no cohort {name}")
    return _cohort(row)


def note_export(database: Database, made: Cohort, form: str, card_sha256: str, by: str) -> None:
    """Enter that a set has left, in which form, under which card."""
    told = {"version": made.version, "form": form, "card_sha256": card_sha256}
    with database.transaction() as connection:
        happened = Event(f"cohort:{made.name}", "CohortExported", by, "cohorts", told)
        events.record(connection, happened)


def _members(connection: Connection, query: CohortQuery) -> tuple[CohortMember, ...]:
    """In an order that says nothing of when they came."""
    asked = (
        sa.select(slide.c.slide_id, slide.c.root, slide.c.scanner, case_slide.c.detail)
        .outerjoin(case_image, case_image.c.slide_id == slide.c.slide_id)
        .outerjoin(case_slide, case_slide.c.barcode == case_image.c.barcode)
        .where(slide.c.root.is_not(None))
    )
    if query.since:
        asked = asked.where(slide.c.received_at >= datetime.combine(query.since, time(), UTC))
    if query.until:
        after = datetime.combine(query.until, time(), UTC) + timedelta(days=1)
        asked = asked.where(slide.c.received_at < after)
    verdicts, found = _verdicts(connection), []
    for row in connection.execute(asked.order_by(slide.c.received_at.desc())):
        stain = str((row.detail or {}).get("stain") or "")
        at = CohortMember(
            secrets.token_hex(8), row.slide_id, row.root, stain, row.scanner or "",
            verdicts.get(row.slide_id, ""),
        )  # fmt: skip
        wanted = (query.stain, query.scanner, query.verdict)
        told = (at.stain, at.scanner, at.verdict)
        if all(want in ("", has) for want, has in zip(wanted, told, strict=True)):
            found.append(at)
    return tuple(sorted(found[: query.most], key=lambda at: at.pseudonym))


def _verdicts(connection: Connection) -> Mapping[str, str]:
    """The state of each slide's newest run."""
    runs = sa.select(quality_run.c.slide_id, quality_run.c.state).order_by(quality_run.c.at)
    return {row.slide_id: row.state for row in connection.execute(runs)}


def _digest(query: CohortQuery, members: tuple[CohortMember, ...]) -> str:
    shown = [[at.pseudonym, at.stain, at.scanner, at.verdict] for at in members]
    document = json.dumps([to_plain(query), shown], sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()


def _cohort(row: Row[Any]) -> Cohort:
    members = tuple(from_plain(CohortMember, at) for at in row.members)
    query = from_plain(CohortQuery, row.query)
    return Cohort(row.name, row.version, query, members, row.sha256, row.at, row.by)
