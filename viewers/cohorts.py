"""Research sets over HTTP: what is in them, without a slide's own id; they leave by the command."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from storage import cohorts
from storage.exchange.plain import to_plain
from storage.records.cohorts import Cohort
from storage.records.people import Right
from viewers.access import needs, principal_of
from viewers.context import context_of

router = APIRouter(tags=["cohorts"])
Name = Annotated[str, Path(max_length=40)]
Number = Annotated[int, Path(ge=0, le=1_000_000)]


@router.get("/api/v1/cohorts", dependencies=[needs(Right.SEE_COHORTS)])
def list_cohorts(request: Request) -> dict[str, Any]:
    """All versions of all sets, newest first."""
    context = context_of(request)
    context.desk.listing(principal_of(request), "cohorts")
    return {"cohorts": [_json(at) for at in cohorts.listing(context.database)]}


@router.get("/api/v1/cohorts/{name}/{number}", dependencies=[needs(Right.SEE_COHORTS)])
def one_cohort(request: Request, name: Name, number: Number) -> dict[str, Any]:
    """A version of a set, with its members by pseudonym."""
    context = context_of(request)
    context.desk.listing(principal_of(request), "cohorts")
    made = cohorts.get(context.database, name, number)
    members = [
        {"id": at.pseudonym, "stain": at.stain, "scanner": at.scanner, "verdict": at.verdict}
        for at in made.members
    ]
    return _json(made) | {"slides": members}


def _json(made: Cohort) -> dict[str, Any]:
    return {
        "name": made.name,
        "version": made.version,
        "query": to_plain(made.query),
        "count": len(made.members),
        "by": {what: dict(made.counts(what)) for what in ("stain", "scanner", "verdict")},
        "sha256": made.sha256,
        "at": made.at.isoformat(),
    }
