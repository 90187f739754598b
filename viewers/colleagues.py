"""The colleagues of a unit: who a case can go to, who can be asked, who is away."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from storage import colleagues, worklist
from storage.records.people import Colleague, Right, Role
from viewers.access import needs, principal_of
from viewers.acts import Line
from viewers.context import context_of

router = APIRouter(tags=["people"])
_PHYSICIANS = (Role.PATHOLOGIST, Role.CONSULTANT)


@router.get("/api/v1/colleagues", dependencies=[needs(Right.READ_CASES)])
def list_colleagues(
    request: Request, accession: Annotated[Line, Query(alias="for", max_length=40)] = ""
) -> list[dict[str, Any]]:
    """Pathologists and consultants, those of the case's unit (else of the asker's) first."""
    context, principal = context_of(request), principal_of(request)
    unit = principal.unit
    if accession:
        context.desk.case(principal, Right.READ_CASES, accession, "colleagues")
        unit = worklist.row(context.database, accession).unit
    loads = worklist.open_cases(context.database)
    found = [at for at in colleagues.colleagues(context.database) if at.role in _PHYSICIANS]
    found.sort(key=lambda at: (at.unit != unit, at.absent, at.shown.casefold()))
    return [_document(at, loads.get(at.name, 0)) for at in found]


def _document(at: Colleague, open_cases: int) -> dict[str, Any]:
    return {
        "name": at.name,
        "full_name": at.full_name,
        "role": at.role.value,
        "unit": at.unit,
        "site": at.site,
        "subspecialties": list(at.subspecialties),
        "languages": list(at.languages),
        "absent": at.absent,
        "open_cases": open_cases,
    }
