"""The rows that lists are made from: made from a case as its events have made it, never else."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.case_tables import case_image, case_slide, pathology_case, patient
from storage.database import now
from storage.dicom_uids import CASE, root_of
from storage.exchange.plain import to_plain
from storage.records.case import Case, CaseSlide
from storage.records.case_events import CaseFact, CaseOrdered
from storage.records.case_state import milestones_of, state_of
from storage.records.case_words import ScanState
from storage.records.slide_events import ImageStored, SlideExpected


def conflict(connection: Connection, accession: str, fact: CaseFact) -> str:
    """Why the fact contradicts another case; empty when it does not."""
    if isinstance(fact, SlideExpected):
        owner = _one(connection, case_slide.c.accession, case_slide.c.barcode == fact.barcode)
        return "barcode_of_another_case" if owner not in (None, accession) else ""
    if isinstance(fact, ImageStored):
        barcode = _one(connection, case_image.c.barcode, case_image.c.slide_id == fact.slide_id)
        return "image_of_another_slide" if barcode not in (None, fact.barcode) else ""
    if isinstance(fact, CaseOrdered):
        known = _one(connection, patient.c.patient_id, patient.c.patient_id == fact.patient_id)
        return "" if known else "patient_unknown"
    return ""


def write(connection: Connection, before: Case | None, case: Case) -> None:
    """The rows of a case; `before` spares those glasses that did not change.

    What a correction took back has no row: its barcode and its image are free for another case.
    """
    _replace(connection, pathology_case, {"accession": case.accession}, _case_row(case))
    if before is None or before.version == 0:
        root_of(connection, CASE, case.accession)
    _clear(connection, case)
    known = before.slides if before else {}
    for barcode, slide in case.slides.items():
        if known.get(barcode) == slide:
            continue
        _replace(connection, case_slide, {"barcode": barcode}, _slide_row(case, slide))
        for scan in slide.scans:
            if scan.slide_id:
                row = {
                    "barcode": barcode,
                    "accession": case.accession,
                    "state": scan.state.value,
                }
                _replace(connection, case_image, {"slide_id": scan.slide_id}, row)


def _clear(connection: Connection, case: Case) -> None:
    images = {scan.slide_id for slide in case.slides.values() for scan in slide.scans}
    for table, kept in ((case_slide.c.barcode, set(case.slides)), (case_image.c.slide_id, images)):
        mine = table.table.c.accession == case.accession
        there = set(connection.execute(sa.select(table).where(mine)).scalars())
        if there - kept:
            gone = table.in_(there - kept)
            connection.execute(sa.delete(table.table).where(mine, gone))


def _case_row(case: Case) -> dict[str, Any]:
    final = case.final
    return {
        "patient_id": case.patient_id or None,
        "site": case.site,
        "unit": case.unit,
        "state": state_of(case).value,
        "assignee": case.assignee,
        "received_at": case.received_at,
        "ended_at": case.closed_at or (final.distributed_at if final else None),
        "milestones": to_plain(milestones_of(case)),
        "summary": _summary(case),
        "version": case.version,
        "updated_at": now(),
    }


def _summary(case: Case) -> dict[str, Any]:
    """What a line of a list says beside the clocks."""
    slides = case.waited_for
    opinions = case.consultations.values()
    shown = [slide.shown for slide in slides]
    newest = max((at.available_at for at in shown if at and at.available_at), default=None)
    return {
        "slides": len(slides),
        "readable": sum(slide.is_readable for slide in slides),
        "flags": len(case.open_flags),
        "awaited_opinions": len([at for at in opinions if at.is_open]),
        "answered_opinions": len([at for at in opinions if at.answered_at]),
        "open_orders": len([at for at in case.orders.values() if at.is_open]),
        "rescans": len([at for at in slides if at.rescans and at.rescans[-1][1] is None]),
        "newest_image_at": newest.isoformat() if newest else None,
        "draft": case.draft is not None,
        "requester": case.requester,
        "oddities": sorted({at.code for at in case.oddities}),
    }


def _slide_row(case: Case, slide: CaseSlide) -> dict[str, Any]:
    shown, last = slide.shown, slide.scans[-1] if slide.scans else None
    times = {
        "stained_at": slide.stained_at,
        "queued_at": last.queued_at if last else None,
        "started_at": last.started_at if last else None,
        "scanned_at": last.scanned_at if last else None,
        "readable_at": slide.readable_at,
    }
    detail = {
        "part": slide.part,
        "block": slide.block,
        "stain": slide.stain,
        "order_id": slide.order_id,
        "reason": slide.reason,
        "rescan": slide.rescan.value if slide.rescan else None,
        "region": list(slide.region) if slide.region else None,
        "scanner": last.scanner if last else "",
        "scans": len(slide.scans),
        "failures": sum(at.state is ScanState.FAILED for at in slide.scans),
    }
    return {
        "accession": case.accession,
        "state": slide.state.value,
        "expected_at": slide.expected_at,
        "slide_id": shown.slide_id if shown else None,
        "detail": detail | {name: at.isoformat() if at else None for name, at in times.items()},
    }


def _replace(
    connection: Connection, table: sa.Table, key: dict[str, Any], values: dict[str, Any]
) -> None:
    where = [table.c[name] == value for name, value in key.items()]
    if connection.execute(sa.update(table).where(*where).values(**values)).rowcount == 0:
        connection.execute(sa.insert(table).values(**key, **values))


def _one(connection: Connection, column: sa.Column[Any], where: sa.ColumnElement[bool]) -> Any:  # noqa: ANN401
    return connection.execute(sa.select(column).where(where)).scalar_one_or_none()
