"""The laboratory's day in one answer: glasses by state, the scan queue, orders, unknown slides.

What is shown is of the asker's own unit; every patient on it leaves a line in the access log.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request

from processing.turnaround.working_days import local_date, midnight
from storage import people, work_items, worklist
from storage.database import now
from storage.exchange.case_json import moment_json
from storage.records.people import Principal, Right
from storage.records.work import WorkItem, WorkKind
from storage.worklist import CaseRow, Which
from viewers.access import needs, principal_of
from viewers.case_rows import patient_json
from viewers.context import Context, context_of
from viewers.lab_rows import counts, lab_json, queue_json, share_json
from viewers.unknown import unknown_of

router = APIRouter(tags=["laboratory"])
_MOST_ITEMS = 5000
_LATELY = 100
"""Answered cases that the scans' share of the response time is taken from."""
_FRESH = 300.0
_shares: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}
"""Figures without patients, by database and unit."""


@router.get("/api/v1/lab", dependencies=[needs(Right.RUN_LAB)])
def laboratory(request: Request) -> dict[str, Any]:
    """Glasses of today and older ones not readable yet, the queue, open orders, unknown slides."""
    context, principal, moment = context_of(request), principal_of(request), now()
    today = midnight(local_date(moment))
    slides = worklist.lab_slides(context.database, principal, today)
    cases = {at.accession: at.case for at in slides}
    orders = _orders(context, principal, cases)
    context.desk.listing(principal, "lab")
    named = [(at.accession, at.patient.patient_id) for at in cases.values()]
    context.desk.listed(principal, "lab", named)
    scans = work_items.listing(context.database, [WorkKind.SCAN], limit=_MOST_ITEMS)
    mine = [at for at in scans if at.unit == principal.unit or at.site == principal.site]
    lines = lab_json(context.timing.policy(), slides, mine, moment)
    unknown = unknown_of(context.database, principal)
    return {
        "slides": lines,
        "counts": counts(lines),
        "queue": queue_json(mine, moment) | _share(context, principal, moment),
        "orders": [_order(item, cases[item.accession or ""], moment) for item in orders],
        "unknown": unknown,
        "mismatches": sum(at["alarm"] for at in unknown),
        "people": people.full_names(context.database, {at.created_by for at in orders}),
    }


def _orders(context: Context, principal: Principal, cases: dict[str, CaseRow]) -> list[WorkItem]:
    """Open orders of the unit; the lines of their cases are added to `cases`."""
    if not principal.unit:
        return []
    database, kinds = context.database, [WorkKind.LAB_ORDER]
    found = work_items.listing(database, kinds, unit=principal.unit)
    for accession in {at.accession for at in found if at.accession} - set(cases):
        cases[accession] = worklist.row(database, accession)
    return [at for at in found if at.accession in cases]


def _order(item: WorkItem, case: CaseRow, moment: datetime) -> dict[str, Any]:
    return {
        "item_id": item.item_id,
        "order_id": item.about,
        "accession": case.accession,
        "patient": patient_json(case.patient, local_date(moment)),
        "priority": case.milestones.priority.value,
        "kind": item.data.get("order"),
        "block": item.data.get("block") or "",
        "stain": item.data.get("stain") or "",
        "note": item.data.get("note") or "",
        "placed_by": item.created_by,
        "placed_at": moment_json(item.created_at),
        "accepted_by": item.performer,
    }


def _share(context: Context, principal: Principal, moment: datetime) -> dict[str, Any]:
    key = (context.database.url, principal.unit)
    known = _shares.get(key)
    if known is None or time.monotonic() - known[0] > _FRESH:
        database = context.database
        ended = worklist.cases(database, principal, Which.UNIT, ended=True, limit=_LATELY)
        known = time.monotonic(), share_json((at.milestones for at in ended), moment)
        _shares[key] = known
    return known[1]
