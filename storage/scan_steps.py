"""Scans as other nodes are told of them (worklist) and tell of them (performed procedure steps)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from storage.case_tables import case_slide, pathology_case, patient, work_item
from storage.database import Database, now
from storage.dicom_tables import dicom_step, dicom_uid
from storage.dicom_uids import CASE, known_root
from storage.errors import Illegal, NotFound
from storage.records.imaging import Glass, Whose
from storage.records.people import Principal
from storage.records.scans import ScheduledScan
from storage.records.work import WorkKind, WorkState
from storage.relations import within_reach

IN_PROGRESS = "IN PROGRESS"


@dataclass(frozen=True, slots=True)
class Step:
    """What a node has told of a scan, as it told it (DICOM JSON model)."""

    sop_uid: str
    state: str
    """As DICOM says it: IN PROGRESS, COMPLETED or DISCONTINUED."""
    accession: str
    peer: str
    dataset: Mapping[str, Any]
    started_at: datetime
    ended_at: datetime | None = None


def scheduled(
    database: Database, principal: Principal, limit: int, offset: int = 0
) -> list[ScheduledScan]:
    """Scans within a node's reach that wait for anybody, or are its own; most urgent first."""
    waits = work_item.c.state == WorkState.OFFERED.value
    own = sa.and_(
        work_item.c.state == WorkState.CLAIMED.value, work_item.c.performer == principal.name
    )
    query = _scans(principal).where(sa.or_(waits, own))
    order = (work_item.c.rank.desc(), work_item.c.created_at, work_item.c.item_id)
    with database.reading() as connection:
        rows = connection.execute(query.order_by(*order).limit(limit).offset(offset)).all()
    return [_scan(database, row) for row in rows]


def items_of(database: Database, principal: Principal, step_id: str) -> list[str]:
    """Work items within reach that go by a step's id: one, or none."""
    if not step_id.isalnum():
        return []
    query = _scans(principal).where(work_item.c.item_id.startswith(step_id, autoescape=True))
    with database.reading() as connection:
        found = [row.item_id for row in connection.execute(query.limit(2))]
    return found if len(found) == 1 else []


def enter(database: Database, step: Step) -> None:
    """A node tells of a scan for the first time. Errors: Illegal (`known`)."""
    values = {name: getattr(step, name) for name in Step.__slots__}
    try:
        with database.transaction() as connection:
            connection.execute(sa.insert(dicom_step).values(**values))
    except IntegrityError:
        raise Illegal("known") from None


def get(database: Database, sop_uid: str) -> Step:
    """One step. Errors: NotFound."""
    query = sa.select(dicom_step).where(dicom_step.c.sop_uid == sop_uid)
    with database.reading() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("nobody has told of such a step")
    return Step(**row._mapping)


def change(database: Database, sop_uid: str, state: str, dataset: Mapping[str, Any]) -> None:
    """A node tells more. Errors: Illegal (`ended`: what has ended stays as it is)."""
    ended = None if state == IN_PROGRESS else now()
    going = (dicom_step.c.sop_uid == sop_uid, dicom_step.c.state == IN_PROGRESS)
    values = {"state": state, "dataset": dict(dataset), "ended_at": ended}
    with database.transaction() as connection:
        changed = sa.update(dicom_step).where(*going).values(**values)
        if connection.execute(changed).rowcount == 0:
            raise Illegal("ended")


def _scans(principal: Principal) -> sa.Select[Any]:
    given = sa.and_(dicom_uid.c.kind == CASE, dicom_uid.c.key == work_item.c.accession)
    whose = (patient.c.identifier, patient.c.name, patient.c.birth_date, patient.c.sex)
    return (
        sa.select(
            work_item, pathology_case.c.received_at, pathology_case.c.patient_id,
            case_slide.c.detail, dicom_uid.c.uid, *whose,
        )
        .join(pathology_case, pathology_case.c.accession == work_item.c.accession)
        .outerjoin(patient, patient.c.patient_id == pathology_case.c.patient_id)
        .outerjoin(case_slide, case_slide.c.barcode == work_item.c.barcode)
        .outerjoin(dicom_uid, given)
        .where(work_item.c.kind == WorkKind.SCAN.value, within_reach(principal))
    )  # fmt: skip


def _scan(database: Database, row: Row[Any]) -> ScheduledScan:
    detail = row.detail or {}
    words = ("part", "block", "stain")
    glass = Glass(row.barcode or "", *(detail.get(word) or "" for word in words))
    place = " ".join(at for at in (row.rack, row.slot) if at)
    return ScheduledScan(
        item_id=row.item_id,
        accession=row.accession,
        study_uid=row.uid or known_root(database, CASE, row.accession),
        glass=glass,
        whose=Whose(
            row.identifier or "", row.name or "", row.birth_date, row.sex or "", row.patient_id
        ),
        rank=row.rank,
        asked_at=row.created_at,
        is_begun=bool(row.data.get("begun")),
        place=place,
        site=row.site,
        case_at=row.received_at,
    )
