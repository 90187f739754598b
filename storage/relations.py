"""How somebody stands to a case or to a slide: what the access decision needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storage.case_tables import case_image, case_slide, pathology_case, work_item
from storage.database import Database
from storage.errors import NotFound
from storage.records.access import GIVING_OPINIONS, TREATING, Relation
from storage.records.people import SVARTID, Principal, Right, Role, allowed
from storage.records.work import LEFT_ALONE, WorkKind, WorkState
from storage.tables import slide

_READING = (Role.PATHOLOGIST, Role.TECHNICIAN, Role.CONSULTANT, Role.NODE)
_ASKED = (WorkState.OFFERED.value, WorkState.CLAIMED.value, WorkState.DONE.value)


@dataclass(frozen=True, slots=True)
class Concern:
    """The case something is about, and how the asker stands to it."""

    accession: str | None
    """None while it is not known whose it is."""
    patient_id: str | None
    relation: Relation


def concern_of_case(database: Database, principal: Principal, accession: str) -> Concern:
    """Errors: NotFound."""
    with database.reading() as connection:
        return _concern(connection, principal, accession)


def concern_of_slide(database: Database, principal: Principal, slide_id: str) -> Concern | None:
    """None when the slide belongs to no case, and nobody asks whose it is."""
    where = case_image.c.slide_id == slide_id
    found = _by(database, principal, case_image.c.accession, where)
    if found is not None:
        return found
    query = sa.select(work_item.c.item_id).where(work_item.c.slide_id == slide_id, held())
    with database.reading() as connection:
        unknown = connection.execute(query.limit(1)).first() is not None
    return Concern(None, None, Relation(unidentified=True)) if unknown else None


def held() -> sa.ColumnElement[bool]:
    """The items of images that have not found their glass, or were returned as nobody's."""
    return sa.and_(
        work_item.c.kind == WorkKind.UNKNOWN_SLIDE.value,
        work_item.c.state != WorkState.DONE.value,
        work_item.c.reason != LEFT_ALONE,
    )


def concern_of_barcode(database: Database, principal: Principal, barcode: str) -> Concern:
    """Errors: NotFound."""
    column, where = case_slide.c.accession, case_slide.c.barcode == barcode
    found = _by(database, principal, column, where)
    if found is None:
        raise NotFound("no glass with that barcode is expected")
    return found


def concern_of_patient(database: Database, principal: Principal, patient_id: str) -> Concern:
    """The patient's images: as one stands to the case of the patient one stands closest to."""
    query = sa.select(pathology_case).where(
        pathology_case.c.patient_id == patient_id, within_reach(principal)
    )
    mine = (pathology_case.c.assignee == principal.name).desc()
    with database.reading() as connection:
        row = connection.execute(
            query.order_by(mine, pathology_case.c.updated_at.desc()).limit(1)
        ).one_or_none()
        if row is None:
            return Concern(None, patient_id, Relation())
        return _concern(connection, principal, row.accession)


def open_to(principal: Principal) -> sa.ColumnElement[bool]:
    """Which slides of `slide`, outer joined with `case_image`, somebody may see.

    Those of no case, unless they may show anybody's name, and those of cases within reach.
    """
    if principal is SVARTID:
        return sa.true()
    treats = allowed(principal, Right.READ_SLIDES) and principal.role in _READING
    reach = sa.select(pathology_case.c.accession).where(within_reach(principal))
    theirs = case_image.c.accession.in_(reach) if treats else sa.false()
    unknown = sa.select(work_item.c.slide_id).where(held(), work_item.c.slide_id.is_not(None))
    finds_out = allowed(principal, Right.RUN_LAB)
    nobodys = sa.true() if finds_out else slide.c.slide_id.not_in(unknown)
    return sa.or_(sa.and_(case_image.c.slide_id.is_(None), nobodys), theirs)


def within_reach(principal: Principal) -> sa.ColumnElement[bool]:
    """The cases of `pathology_case` that `decide` lets somebody see; for lists.

    Who is asked as a unit is its physicians: neither the others there nor their nodes.
    """
    if principal is SVARTID or (principal.role is Role.NODE and not principal.unit):
        return sa.true()
    asked = sa.select(work_item.c.accession).where(_asks(principal))
    treats = bool(principal.unit) and principal.role in (*TREATING, Role.NODE)
    ways = [
        (pathology_case.c.assignee == principal.name, principal.role is Role.PATHOLOGIST),
        (pathology_case.c.unit == principal.unit, treats),
        (pathology_case.c.accession.in_(asked), principal.role in GIVING_OPINIONS),
    ]
    return sa.or_(sa.false(), *(where for where, holds in ways if holds))


def _by(
    database: Database,
    principal: Principal,
    column: sa.Column[Any],
    where: sa.ColumnElement[bool],
) -> Concern | None:
    with database.reading() as connection:
        accession = connection.execute(sa.select(column).where(where)).scalar_one_or_none()
        return None if accession is None else _concern(connection, principal, accession)


def _concern(connection: Connection, principal: Principal, accession: str) -> Concern:
    query = sa.select(pathology_case).where(pathology_case.c.accession == accession)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("no case has that accession number")
    asked = sa.select(work_item.c.item_id).where(
        _asks(principal), work_item.c.accession == accession
    )
    consulted = connection.execute(asked.limit(1)).first() is not None
    return Concern(accession, row.patient_id, _relation(row, principal, consulted=consulted))


def _relation(row: Row[Any], principal: Principal, *, consulted: bool) -> Relation:
    return Relation(
        same_unit=bool(principal.unit) and row.unit == principal.unit,
        assigned=row.assignee == principal.name,
        consulted=consulted,
    )


def _asks(principal: Principal) -> sa.ColumnElement[bool]:
    """Consultations that ask this person, or the unit as a group."""
    names = [principal.name, principal.unit] if principal.unit else [principal.name]
    return sa.and_(
        work_item.c.kind == WorkKind.CONSULTATION.value,
        work_item.c.state.in_(_ASKED),
        work_item.c.performer.in_(names),
    )
