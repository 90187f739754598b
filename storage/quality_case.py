"""What checks and people say of an image, told to the case it belongs to.

Nothing is hidden by it: an image that can be read stays so. Told once, whichever was there first,
the image's glass or the report on it; of several runs the newest speaks.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storage import cases, events, matching, quality
from storage.case_log import Said
from storage.case_tables import case_image, work_item
from storage.cases import Outcome
from storage.database import Database
from storage.quality import Run
from storage.quality_tables import quality_run
from storage.records.case import Scan
from storage.records.case_events import CaseFact
from storage.records.case_words import Checked, ScanState
from storage.records.quality import HumanVerdict, QualityState, Verdict
from storage.records.slide_events import QualityFlagged, QualityPassed, QualityReleased
from storage.records.work import WorkKind
from storage.tables import event, slide

SOURCE = "quality"
_SHOWN = tuple(
    state.value for state in (ScanState.AVAILABLE, ScanState.REPLACED, ScanState.ARCHIVED)
)
_TOLD = tuple(
    state.value for state in (QualityState.PASS, QualityState.REVIEW, QualityState.RESCAN)
)
_MOST_REASONS = 6


def untold(database: Database, since: datetime | None = None, limit: int = 200) -> list[str]:
    """Images of cases, the newest run on which the case has not been told of, oldest first."""
    newer = quality_run.alias()
    at = quality_run.c
    later = sa.select(newer.c.run_id).where(
        newer.c.slide_id == at.slide_id,
        sa.or_(newer.c.at > at.at, sa.and_(newer.c.at == at.at, newer.c.run_id < at.run_id)),
    )
    key = sa.literal(f"{SOURCE}:") + at.run_id + ":" + case_image.c.barcode
    known = sa.select(event.c.event_id).where(event.c.key == key)
    query = (
        sa.select(at.slide_id)
        .join(case_image, case_image.c.slide_id == at.slide_id)
        .where(at.state.in_(_TOLD), case_image.c.state.in_(_SHOWN))
        .where(~later.exists(), ~known.exists())
    )
    if since is not None:
        query = query.where(at.at > since)
    with database.reading() as connection:
        return list(connection.execute(query.order_by(at.at).limit(limit)).scalars())


def undecided(database: Database, slide_ids: Collection[str], since: datetime) -> set[str]:
    """Those readable since then that casework has not looked at yet: a glass may be theirs."""
    at = work_item.c
    items = sa.select(at.item_id).where(
        at.slide_id == slide.c.slide_id, at.kind == WorkKind.UNKNOWN_SLIDE.value
    )
    attached = sa.select(case_image.c.slide_id).where(case_image.c.slide_id == slide.c.slide_id)
    query = sa.select(slide.c.slide_id).where(
        slide.c.slide_id.in_(slide_ids), slide.c.ready_at > since, ~items.exists()
    )
    with database.reading() as connection:
        if not matching.any_case(connection):
            return set()
        return set(connection.execute(query.where(~attached.exists())).scalars())


def tell(database: Database, slide_id: str) -> Outcome | None:
    """Tell the case what the newest run found; None when there is nothing to say, or nobody."""
    with database.transaction() as connection:
        events.hold(connection)
        return tell_in(connection, slide_id)


def tell_in(connection: Connection, slide_id: str) -> Outcome | None:
    """The same inside the caller's transaction."""
    run, image = quality.latest_in(connection, slide_id), _image(connection, slide_id)
    if run is None or image is None or run.report.verdict.state.value not in _TOLD:
        return None
    verdict = run.report.verdict
    fact: CaseFact = QualityPassed(image.barcode, slide_id)
    if verdict.state is not QualityState.PASS:
        fact = QualityFlagged(image.barcode, slide_id, finding_of(verdict))
    said = Said(cases.SYSTEM, SOURCE, key=f"{SOURCE}:{run.report.run_id}:{image.barcode}")
    return cases.record_in(connection, image.accession, fact, said, strict=False).outcome


def judge(database: Database, slide_id: str, run_id: str, said: HumanVerdict) -> Run:
    """What a person says of a run after looking, entered and told to the case.

    Errors: NotFound, Malformed.
    """
    with database.transaction() as connection:
        events.hold(connection)
        run = quality.say_in(connection, slide_id, run_id, said)
        newest, image = quality.latest_in(connection, slide_id), _image(connection, slide_id)
        if newest is None or newest.report.run_id != run_id or image is None:
            return run
        tell_in(connection, slide_id)
        _tell_verdict(connection, image, said)
    return run


def finding_of(verdict: Verdict) -> str:
    """`rescan tiles.missing missing_mm2>0, ...`: the worst first, in the words of the policy."""
    told = [" ".join(filter(None, reason)) for reason in verdict.reasons[:_MOST_REASONS]]
    return f"{verdict.state.value} {', '.join(told)}".strip()


def _tell_verdict(connection: Connection, image: Row[Any], said: HumanVerdict) -> None:
    """Released is released; who takes that back lets the finding stand again."""
    scan = _scan(connection, image)
    fact: CaseFact | None = None
    if said.state == quality.RELEASED and scan.checked is Checked.FLAGGED:
        fact = QualityReleased(image.barcode, image.slide_id, said.note.strip())
    elif said.state == quality.REJECTED and scan.checked is Checked.RELEASED:
        fact = QualityFlagged(image.barcode, image.slide_id, scan.finding)
    if fact is not None:
        cases.record_in(connection, image.accession, fact, Said(said.by, "web"))


def _scan(connection: Connection, image: Row[Any]) -> Scan:
    glass = cases.get_in(connection, image.accession).slides[image.barcode]
    return next(at for at in glass.scans if at.slide_id == image.slide_id)


def _image(connection: Connection, slide_id: str) -> Row[Any] | None:
    """The glass of an image that people are shown, or were."""
    query = sa.select(case_image).where(
        case_image.c.slide_id == slide_id, case_image.c.state.in_(_SHOWN)
    )
    return connection.execute(query).one_or_none()
