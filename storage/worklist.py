"""Read-only questions that screens and statistics ask; each within the asker's reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from storage.case_tables import case_image, case_slide, pathology_case, patient, work_item
from storage.catalogue import slide_of_row
from storage.database import Database
from storage.errors import NotFound
from storage.exchange.plain import from_plain
from storage.patients import Patient, as_patient
from storage.records.case_words import CLOSED, IN_THE_LAB, CaseState, SlideState
from storage.records.milestones import Milestones
from storage.records.people import Principal
from storage.records.slide import Slide
from storage.records.work import OPEN, WorkKind
from storage.relations import open_to, within_reach
from storage.tables import slide


class Which(StrEnum):
    """The lists a person works from."""

    MINE = "mine"
    ASKED = "asked"
    """An opinion of mine is waited for."""
    UNASSIGNED = "unassigned"
    UNIT = "unit"


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A line of a list: who, where it stands, and the moments its clocks run between."""

    accession: str
    patient: Patient
    site: str
    unit: str
    state: CaseState
    assignee: str
    milestones: Milestones
    summary: Mapping[str, Any]
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class LabSlide:
    """An expected glass as the laboratory sees it."""

    barcode: str
    accession: str
    state: SlideState
    expected_at: datetime
    slide_id: str | None
    detail: Mapping[str, Any]
    case: CaseRow


_CASE = sa.select(pathology_case, patient).join(
    patient, patient.c.patient_id == pathology_case.c.patient_id
)


def cases(
    database: Database,
    principal: Principal,
    which: Which,
    *,
    ended: bool = False,
    limit: int = 1000,
) -> list[CaseRow]:
    """Open cases (or ended ones, newest first) of one of the lists."""
    query = _CASE.where(within_reach(principal), _of(which, principal))
    if ended:
        query = query.where(pathology_case.c.ended_at.is_not(None))
        query = query.order_by(pathology_case.c.ended_at.desc())
    else:
        query = query.where(pathology_case.c.ended_at.is_(None))
        query = query.order_by(pathology_case.c.received_at, pathology_case.c.accession)
    return _rows(database, query.limit(limit))


def search(database: Database, principal: Principal, text: str, limit: int = 50) -> list[CaseRow]:
    """Cases by accession, barcode or the patient's identifier, as typed but for spaces."""
    wanted = text.strip().replace("\\", "").replace("%", "")
    if len(wanted) < 3:
        return []
    glass = sa.select(case_slide.c.accession).where(case_slide.c.barcode == wanted)
    like = wanted.replace("_", r"\_") + "%"
    query = _CASE.where(
        within_reach(principal),
        sa.or_(
            pathology_case.c.accession.ilike(like, escape="\\"),
            pathology_case.c.accession.in_(glass),
            patient.c.identifier == wanted.replace("-", ""),
        ),
    )
    return _rows(database, query.order_by(pathology_case.c.updated_at.desc()).limit(limit))


def counts(database: Database, principal: Principal) -> dict[str, int]:
    """How many open cases are on each list, and how many of the unit's are in the laboratory."""
    is_open, case = pathology_case.c.ended_at.is_(None), sa.func.count()
    found = {
        which.value: sa.select(case).where(is_open, within_reach(principal), _of(which, principal))
        for which in Which
    }
    waiting = pathology_case.c.state.in_([state.value for state in IN_THE_LAB])
    found["waiting_in_lab"] = found[Which.UNIT.value].where(waiting)
    with database.reading() as connection:
        return {name: connection.execute(query).scalar_one() for name, query in found.items()}


def open_cases(database: Database) -> dict[str, int]:
    """How many open cases each pathologist has."""
    assignee = pathology_case.c.assignee
    query = sa.select(assignee, sa.func.count().label("cases")).group_by(assignee)
    query = query.where(pathology_case.c.ended_at.is_(None), assignee != "")
    with database.reading() as connection:
        return {row.assignee: row.cases for row in connection.execute(query)}


def row(database: Database, accession: str) -> CaseRow:
    """The line of one case; whether it may be seen was decided before. Errors: NotFound."""
    found = _rows(database, _CASE.where(pathology_case.c.accession == accession))
    if not found:
        raise NotFound("no case has that accession number")
    return found[0]


def of_patient(database: Database, principal: Principal, patient_id: str) -> list[CaseRow]:
    """The patient's cases within reach, newest first."""
    query = _CASE.where(pathology_case.c.patient_id == patient_id, within_reach(principal))
    return _rows(database, query.order_by(pathology_case.c.received_at.desc()))


def open_everywhere(database: Database, limit: int = 5000) -> list[CaseRow]:
    """Every open case, for flows that keep time and route; nobody looks at them."""
    query = _CASE.where(
        pathology_case.c.ended_at.is_(None), pathology_case.c.received_at.is_not(None)
    )
    return _rows(database, query.order_by(pathology_case.c.received_at).limit(limit))


def milestones(database: Database, since: datetime | None = None, **about: str) -> list[Milestones]:
    """The moments of all cases that were not closed, for figures; those answered before `since`
    are left out. `about` narrows by site or unit. Names nobody but the accession."""
    closed = [state.value for state in CLOSED]
    query = sa.select(pathology_case.c.milestones).where(pathology_case.c.state.not_in(closed))
    if since is not None:
        ended = pathology_case.c.ended_at
        query = query.where(sa.or_(ended.is_(None), ended >= since))
    for name, value in about.items():
        query = query.where(pathology_case.c[name] == value)
    with database.reading() as connection:
        found = connection.execute(query.order_by(pathology_case.c.accession)).scalars().all()
    return [from_plain(Milestones, row) for row in found]


def sites(database: Database) -> list[str]:
    """Where there are cases."""
    query = sa.select(pathology_case.c.site).distinct().where(pathology_case.c.site != "")
    with database.reading() as connection:
        return sorted(connection.execute(query).scalars())


def lab_slides(
    database: Database, principal: Principal, since: datetime, limit: int = 3000
) -> list[LabSlide]:
    """Glasses expected since then, and older ones that are not readable yet; oldest first."""
    done = [SlideState.AVAILABLE, SlideState.GLASS_ONLY, SlideState.ARCHIVED]
    left = [*done, SlideState.CANCELLED, SlideState.WITHDRAWN]
    glass = (case_slide.c.barcode, case_slide.c.expected_at, case_slide.c.slide_id)
    query = (
        _CASE.add_columns(*glass, case_slide.c.detail, case_slide.c.state.label("slide_state"))
        .join(case_slide, case_slide.c.accession == pathology_case.c.accession)
        .where(within_reach(principal))
        .where(
            sa.or_(
                case_slide.c.expected_at >= since,
                case_slide.c.state.not_in([state.value for state in left]),
            )
        )
        .order_by(case_slide.c.expected_at, case_slide.c.barcode)
        .limit(limit)
    )
    with database.reading() as connection:
        return [
            LabSlide(
                barcode=row.barcode,
                accession=row.accession,
                state=SlideState(row.slide_state),
                expected_at=row.expected_at,
                slide_id=row.slide_id,
                detail=row.detail,
                case=_case_row(row),
            )
            for row in connection.execute(query)
        ]


def slides(database: Database, principal: Principal, limit: int = 500) -> list[Slide]:
    """Readable slides newest first: those of no case, and those of cases within reach."""
    query = (
        sa.select(slide)
        .outerjoin(case_image, case_image.c.slide_id == slide.c.slide_id)
        .where(open_to(principal))
        .order_by(slide.c.received_at.desc(), slide.c.slide_id)
        .limit(limit)
    )
    with database.reading() as connection:
        return [slide_of_row(row) for row in connection.execute(query)]


def _of(which: Which, principal: Principal) -> sa.ColumnElement[bool]:
    if which is Which.MINE:
        return pathology_case.c.assignee == principal.name
    if which is Which.UNASSIGNED:
        return sa.and_(pathology_case.c.assignee == "", pathology_case.c.unit == principal.unit)
    if which is Which.UNIT:
        return pathology_case.c.unit == principal.unit
    names = [principal.name, principal.unit] if principal.unit else [principal.name]
    asked = sa.select(work_item.c.accession).where(
        work_item.c.kind == WorkKind.CONSULTATION.value,
        work_item.c.state.in_([state.value for state in OPEN]),
        work_item.c.performer.in_(names),
    )
    return pathology_case.c.accession.in_(asked)


def _rows(database: Database, query: sa.Select[Any]) -> list[CaseRow]:
    with database.reading() as connection:
        return [_case_row(row) for row in connection.execute(query)]


def _case_row(row: Row[Any]) -> CaseRow:
    return CaseRow(
        accession=row.accession,
        patient=as_patient(row),
        site=row.site,
        unit=row.unit,
        state=CaseState(row.state),
        assignee=row.assignee,
        milestones=from_plain(Milestones, row.milestones),
        summary=row.summary,
        updated_at=row.updated_at,
    )
