"""What checks ask people to look at: images of cases within reach that nobody has decided about."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from storage import worklist
from storage.case_tables import case_image, case_slide, pathology_case
from storage.database import Database
from storage.quality import Run, run_of_row
from storage.quality_tables import quality_run
from storage.records.case_words import SlideState
from storage.records.people import Principal
from storage.records.quality import QualityState
from storage.relations import open_to, within_reach
from storage.tables import slide
from storage.worklist import CaseRow

_ASKS = (QualityState.RESCAN.value, QualityState.REVIEW.value)
_STANDS = (SlideState.AVAILABLE.value, SlideState.ARCHIVED.value)
"""States of a glass for which nobody has asked for another scan."""
NOT_YET = "not_yet"


@dataclass(frozen=True, slots=True)
class Asked:
    """The image to read of a glass, and the run that asks for a look at it."""

    case: CaseRow
    barcode: str
    block: str
    stain: str
    slide_id: str
    run: Run


def asked(database: Database, principal: Principal, limit: int = 200) -> list[Asked]:
    """Images that checks ask to be looked at, those to be scanned again first, then oldest first.

    Of each glass the newest image, of each image the newest run; neither those a person has
    decided about, nor glasses on their way to another scan.
    """
    glass = (case_slide.c.barcode, case_slide.c.accession, case_slide.c.detail)
    query = (
        sa.select(quality_run, *glass)
        .join(case_image, case_image.c.slide_id == quality_run.c.slide_id)
        .join(case_slide, case_slide.c.barcode == case_image.c.barcode)
        .join(pathology_case, pathology_case.c.accession == case_slide.c.accession)
        .where(_newest(), within_reach(principal))
        .where(quality_run.c.state.in_(_ASKS), quality_run.c.human_state == "")
        .where(case_slide.c.slide_id == quality_run.c.slide_id, case_slide.c.state.in_(_STANDS))
        .order_by(quality_run.c.state, quality_run.c.at)  # rescan before review
        .limit(limit)
    )
    with database.reading() as connection:
        rows = connection.execute(query).all()
    known = {name: worklist.row(database, name) for name in {row.accession for row in rows}}
    return [
        Asked(
            known[row.accession], row.barcode, str(row.detail.get("block") or ""),
            str(row.detail.get("stain") or ""), row.slide_id, run_of_row(row),
        )
        for row in rows
    ]  # fmt: skip


def states(
    database: Database, principal: Principal, accession: str | None, limit: int = 500
) -> dict[str, str]:
    """Where each image of a case stands, or each slide of no case: for the microscope's tray.

    A verdict, `released` or `rejected` where a person has decided, `not_yet` where no run ended.
    """
    at = quality_run.c
    query = (
        sa.select(slide.c.slide_id, at.state, at.human_state)
        .outerjoin(case_image, case_image.c.slide_id == slide.c.slide_id)
        .outerjoin(quality_run, sa.and_(at.slide_id == slide.c.slide_id, _newest()))
        .where(open_to(principal))
        .order_by(slide.c.received_at.desc())
        .limit(limit)
    )
    of_case = case_image.c.accession == accession if accession else case_image.c.slide_id.is_(None)
    with database.reading() as connection:
        rows = connection.execute(query.where(of_case)).all()
    return {row.slide_id: row.human_state or row.state or NOT_YET for row in rows}


def _newest() -> sa.ColumnElement[bool]:
    """No newer run of the same slide."""
    newer, at = quality_run.alias(), quality_run.c
    later = sa.or_(newer.c.at > at.at, sa.and_(newer.c.at == at.at, newer.c.run_id < at.run_id))
    found = sa.select(newer.c.run_id).where(newer.c.slide_id == at.slide_id, later)
    return ~found.correlate(quality_run).exists()
