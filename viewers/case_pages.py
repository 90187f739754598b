"""The pages of cases as lists: what to do next, and entering a case. Shells only."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from storage.records.cpr import PatientIdKind
from storage.records.milestones import Priority, SpecimenClass
from storage.records.people import Right, Role, allowed
from storage.worklist import Which
from viewers.access import guarded, principal_of
from viewers.i18n import mark
from viewers.pages import render

LISTS: Final = {
    Which.MINE: mark("Mine"),
    Which.ASKED: mark("Questions"),
    Which.UNASSIGNED: mark("Unassigned"),
    Which.UNIT: mark("Department"),
}
_OF_ROLE: Final = {
    Role.PATHOLOGIST: tuple(Which),
    Role.CONSULTANT: (Which.ASKED,),
}
"""Others have the department's cases, and those that are nobody's."""


async def cases(request: Request) -> Response:
    """The worklist of everybody who has to do with cases."""
    principal = principal_of(request)
    which = _OF_ROLE.get(principal.role, (Which.UNIT, Which.UNASSIGNED))
    return render(
        request,
        "cases.html",
        lists=[(at.value, LISTS[at]) for at in which],
        may_enter=allowed(principal, Right.ENTER_CASES),
        may_claim=allowed(principal, Right.REPORT),
    )


async def new_case(request: Request) -> Response:
    """Entering a case by hand."""
    return render(
        request,
        "case_new.html",
        kinds=[at.value for at in PatientIdKind],
        priorities=[at.value for at in Priority],
        classes=[at.value for at in SpecimenClass],
    )


routes = [
    guarded("/cases", cases, Right.READ_CASES, ("GET",)),
    guarded("/cases/new", new_case, Right.ENTER_CASES, ("GET",)),
]
