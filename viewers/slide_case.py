"""The case of the slide under the microscope: whose it is, its glasses, and which scan to read."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from storage import cases, people, relations, worklist
from storage.exchange.case_json import case_json
from storage.records.access import decide
from storage.records.case import Case, CaseSlide
from storage.records.people import Principal, Right, Role
from viewers.access import needs, principal_of
from viewers.case_rows import rows_json
from viewers.context import Context, context_of, plain_id

router = APIRouter(tags=["slides"])
_SHOWN = (
    "slides",
    "consultations",
    "flags",
    "reports",
    "preliminaries",
    "draft",
    "clinical_information",
    "specimens",
    "standing_in_the_way",
)
"""Of the case, what is read beside the slide."""


@router.get("/api/v1/slides/{slide_id}/case", dependencies=[needs(Right.READ_SLIDES)])
def case_of_slide(request: Request, slide_id: str) -> dict[str, Any]:
    """The case with its glasses, and this image among the scans of its glass.

    `current_slide_id` is the scan to read; another one than this has replaced it. A slide of no
    case says `{"accession": null}`.
    """
    context, principal = context_of(request), principal_of(request)
    grant = context.desk.slide(principal, Right.READ_SLIDES, plain_id(slide_id), "case of slide")
    if grant.accession is None:
        return {"accession": None}
    case = cases.get(context.database, grant.accession)
    (line,) = rows_json(context, [worklist.row(context.database, grant.accession)])
    told = case_json(case)
    return (
        line
        | {name: told[name] for name in _SHOWN}
        | _glass(case, slide_id)
        | {
            "responsible": bool(case.assignee) and case.assignee == principal.name,
            "people": people.full_names(context.database, _named(case)),
            "may": {"rescan": _may_rescan(context, principal, case.accession)},
        }
    )


def _glass(case: Case, slide_id: str) -> dict[str, Any]:
    """Which glass and which of its scans this image is."""
    glass, number = _find(case, slide_id)
    if glass is None:
        return {"barcode": None, "scan": None, "current_slide_id": None}
    shown = glass.shown
    current = shown.slide_id if shown else None
    return {"barcode": glass.barcode, "scan": number, "current_slide_id": current}


def _find(case: Case, slide_id: str) -> tuple[CaseSlide | None, int]:
    for glass in case.slides.values():
        for scan in glass.scans:
            if scan.slide_id == slide_id:
                return glass, scan.number
    return None, 0


def _named(case: Case) -> set[str]:
    """Those who are named beside the slide."""
    named = {at.signed_by for at in case.reports} | {at.by for at in case.preliminaries}
    for at in case.consultations.values():
        named |= {at.asked, at.consultant}
    return named | ({case.draft.by} if case.draft else set())


def _may_rescan(context: Context, principal: Principal, accession: str) -> bool:
    """The laboratory, or the responsible pathologist: as the glass itself is asked for."""
    right = Right.RUN_LAB if principal.role is Role.TECHNICIAN else Right.REPORT
    concern = relations.concern_of_case(context.database, principal, accession)
    return bool(decide(principal, right, concern.relation))
