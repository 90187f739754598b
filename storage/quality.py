"""Runs of checks, what people said of them, and the policies verdicts are reached by."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storage import events
from storage.case_tables import case_image, case_slide
from storage.database import Database, now
from storage.errors import Malformed, NotFound
from storage.events import Event
from storage.exchange.plain import from_plain, to_plain
from storage.quality_tables import quality_attempt, quality_policy, quality_run
from storage.records.quality import HumanVerdict, Policy, QualityReport
from storage.tables import slide

MOST_TRIES, MOST_WAITING = 3, 50
_MOST_ALIKE = 400
"""Newest runs that are asked what slides of one kind look like."""
RELEASED, REJECTED = "released", "rejected"


@dataclass(frozen=True, slots=True)
class Run:
    """A report as it was entered, and what a person said of it since."""

    report: QualityReport
    sha256: str
    human: HumanVerdict | None = None


@dataclass(frozen=True, slots=True)
class Ordered:
    """What the laboratory says of the glass an image shows."""

    barcode: str
    stain: str


def unchecked(database: Database, limit: int = MOST_WAITING) -> list[str]:
    """Readable slides nobody has run the checks on, oldest first; not those that break them."""
    ran = sa.select(quality_run.c.run_id).where(quality_run.c.slide_id == slide.c.slide_id)
    broke = sa.select(quality_attempt.c.slide_id).where(
        quality_attempt.c.slide_id == slide.c.slide_id, quality_attempt.c.count > MOST_TRIES
    )
    query = sa.select(slide.c.slide_id).where(~ran.exists(), ~broke.exists())
    with database.reading() as connection:
        return list(connection.execute(query.order_by(slide.c.ready_at).limit(limit)).scalars())


def begin(database: Database, slide_id: str) -> int:
    """Note that a run begins; which one it is since the last that ended, from 1."""
    with database.transaction() as connection:
        events.hold(connection)  # two may begin at once
        found = connection.execute(
            sa.select(quality_attempt.c.count).where(quality_attempt.c.slide_id == slide_id)
        ).scalar_one_or_none()
        count = (found or 0) + 1
        values = {"count": count, "at": now()}
        if found is None:
            connection.execute(sa.insert(quality_attempt).values(slide_id=slide_id, **values))
        else:
            connection.execute(
                sa.update(quality_attempt)
                .where(quality_attempt.c.slide_id == slide_id)
                .values(**values)
            )
    return count


def give_back(database: Database, slide_id: str) -> None:
    """A run that ended because something else was not ready does not count."""
    at = quality_attempt.c
    with database.transaction() as connection:
        connection.execute(
            sa.update(quality_attempt)
            .where(at.slide_id == slide_id, at.count > 0)
            .values(count=at.count - 1)
        )


def enter(database: Database, report: QualityReport, actor: str) -> Run:
    """Enter a report; it is the slide's from now on, and older ones stay."""
    document, sha256 = to_plain(report), digest(report)
    values = {
        "run_id": report.run_id,
        "slide_id": report.slide_id,
        "at": report.at,
        "state": report.verdict.state.value,
        "scanner": report.scanner[:80],
        "stain": report.stain[:40],
        "report": document,
        "sha256": sha256,
    }
    told = {"run": report.run_id, "state": report.verdict.state.value, "sha256": sha256}
    with database.transaction() as connection:
        events.hold(connection)
        connection.execute(sa.insert(quality_run).values(**values))
        connection.execute(
            sa.delete(quality_attempt).where(quality_attempt.c.slide_id == report.slide_id)
        )
        happened = Event(f"slide:{report.slide_id}", "QualityAssessed", actor, "quality", told)
        events.record(connection, happened)
    return Run(report, sha256)


def digest(report: QualityReport) -> str:
    """SHA-256 of a report as JSON with sorted keys: what the event log remembers of it."""
    return hashlib.sha256(json.dumps(to_plain(report), sort_keys=True).encode()).hexdigest()


def latest(database: Database, slide_id: str) -> Run | None:
    """The newest run of a slide; None before there is one."""
    with database.reading() as connection:
        return latest_in(connection, slide_id)


def latest_in(connection: Connection, slide_id: str) -> Run | None:
    """The same inside the caller's transaction."""
    query = sa.select(quality_run).where(quality_run.c.slide_id == slide_id)
    query = query.order_by(quality_run.c.at.desc(), quality_run.c.run_id).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else run_of_row(row)


def runs(database: Database, slide_id: str) -> list[Run]:
    """All runs of a slide, newest first."""
    query = sa.select(quality_run).where(quality_run.c.slide_id == slide_id)
    with database.reading() as connection:
        rows = connection.execute(query.order_by(quality_run.c.at.desc(), quality_run.c.run_id))
        return [run_of_row(row) for row in rows]


def get(database: Database, slide_id: str, run_id: str) -> Run:
    """One run of a slide. Errors: NotFound."""
    with database.reading() as connection:
        return run_of_row(_row(connection, slide_id, run_id))


def say_in(connection: Connection, slide_id: str, run_id: str, said: HumanVerdict) -> Run:
    """What a person says of a run after looking. Errors: NotFound, Malformed.

    Through `quality_case.judge`, which tells the case as well.
    """
    if said.state not in (RELEASED, REJECTED):
        raise Malformed("state is released or rejected")
    if not said.note.strip() or len(said.note) > 2000:
        raise Malformed("a note says why")
    _row(connection, slide_id, run_id)
    values = {
        "human_state": said.state,
        "human_by": said.by,
        "human_note": said.note.strip(),
        "human_at": said.at,
    }
    connection.execute(
        sa.update(quality_run).where(quality_run.c.run_id == run_id).values(**values)
    )
    told = {"run": run_id, "state": said.state}
    happened = Event(f"slide:{slide_id}", "QualityJudged", said.by, "quality", told)
    events.record(connection, happened)
    return run_of_row(_row(connection, slide_id, run_id))


def ordered(database: Database, slide_id: str) -> Ordered | None:
    """What was ordered of the glass an image shows; None while it belongs to none."""
    query = (
        sa.select(case_slide.c.barcode, case_slide.c.detail)
        .join(case_image, case_image.c.barcode == case_slide.c.barcode)
        .where(case_image.c.slide_id == slide_id)
    )
    with database.reading() as connection:
        row = connection.execute(query).first()
    return None if row is None else Ordered(row.barcode, str(row.detail.get("stain") or ""))


def figures_like(
    database: Database, slide_id: str, scanner: str, stain: str, check: str
) -> list[dict[str, float]]:
    """A check's figures on other slides from the same scanner in the same stain.

    Of each slide the newest run counts, unless a person rejected it; empty where scanner or stain
    is not known.
    """
    if not scanner or not stain:
        return []
    at = quality_run.c
    query = (
        sa.select(at.slide_id, at.report, at.human_state)
        .where(at.scanner == scanner[:80], at.stain == stain[:40], at.slide_id != slide_id)
        .order_by(at.at.desc(), at.run_id)
        .limit(_MOST_ALIKE)
    )
    with database.reading() as connection:
        rows = connection.execute(query).all()
    newest = {row.slide_id: row for row in reversed(rows)}
    found = [
        finding["figures"]
        for row in newest.values()
        if row.human_state != REJECTED
        for finding in row.report["findings"]
        if finding["check"] == check and finding["figures"]
    ]
    return [
        {name: float(value) for name, value in figures.items() if isinstance(value, int | float)}
        for figures in found
    ]


def policy_for(database: Database, scanner: str, stain: str) -> Policy | None:
    """The policy that fits a slide best: both, scanner, stain, neither; None where none is kept."""
    fits = sa.and_(
        quality_policy.c.scanner.in_(["", scanner]), quality_policy.c.stain.in_(["", stain])
    )
    with database.reading() as connection:
        rows = connection.execute(sa.select(quality_policy).where(fits)).all()
    newest: dict[str, Row[Any]] = {}
    for row in rows:
        if row.policy_id not in newest or newest[row.policy_id].version < row.version:
            newest[row.policy_id] = row
    best = max(
        newest.values(),
        key=lambda row: (bool(row.scanner) * 2 + bool(row.stain), row.at),
        default=None,
    )
    return None if best is None else from_plain(Policy, best.policy)


def keep_policy(database: Database, policy: Policy, by: str) -> Policy:
    """Keep a policy as the next version of its name; what it is from now on."""
    with database.transaction() as connection:
        events.hold(connection)
        return keep_policy_in(connection, policy, by)


def keep_policy_in(connection: Connection, policy: Policy, by: str) -> Policy:
    """The same inside the caller's transaction, which holds the log."""
    at = quality_policy.c
    query = sa.select(sa.func.max(at.version)).where(at.policy_id == policy.policy_id)
    version = (connection.execute(query).scalar() or 0) + 1
    document = to_plain(policy) | {"version": version}
    kept = from_plain(Policy, document)
    connection.execute(
        sa.insert(quality_policy).values(
            policy_id=kept.policy_id, version=version, scanner=kept.scanner,
            stain=kept.stain, policy=document, by=by, at=now(),
        )
    )  # fmt: skip
    told = {"policy": kept.policy_id, "version": version}
    subject = f"quality_policy:{kept.policy_id}"
    events.record(connection, Event(subject, "QualityPolicyKept", by, "quality", told))
    return kept


def _row(connection: Connection, slide_id: str, run_id: str) -> Row[Any]:
    query = sa.select(quality_run).where(
        quality_run.c.run_id == run_id, quality_run.c.slide_id == slide_id
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("no such run of the checks")
    return row


def run_of_row(row: Row[Any]) -> Run:
    """A row of the table of runs as a run."""
    human = (
        HumanVerdict(row.human_state, row.human_by, row.human_note, row.human_at)
        if row.human_state
        else None
    )
    return Run(from_plain(QualityReport, row.report), row.sha256, human)
