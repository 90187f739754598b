"""The quality of a slide over HTTP: its report, maps to lay over it, and what people say of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from processing.turnaround.working_days import local_date
from storage import people, quality, quality_case, quality_maps, quality_worklist, relations
from storage.catalogue import get_slide
from storage.database import now
from storage.errors import NotFound
from storage.quality_worklist import Asked
from storage.records.access import decide
from storage.records.people import Principal, Right
from storage.records.quality import HumanVerdict
from viewers.access import needs, principal_of
from viewers.acts import Note
from viewers.case_rows import patient_json
from viewers.context import Context, context_of, plain_id
from viewers.quality_picture import picture
from viewers.quality_shown import asks_json, line_json, run_json, shown, suggestion

router = APIRouter(tags=["quality"])
OF_SLIDE = "/api/v1/slides/{slide_id}/quality"
_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}


class Judgement(BaseModel):
    """What a person says of a run after looking."""

    state: Literal["released", "rejected"]
    note: Annotated[Note, Field(min_length=1, max_length=2000)]


@router.get(OF_SLIDE, dependencies=[needs(Right.READ_SLIDES)])
def quality_of_slide(
    request: Request, slide_id: str, run: Annotated[str | None, Query(max_length=64)] = None
) -> dict[str, Any]:
    """The newest report of the checks, or the one of a run; `run` is null before there is one.

    `state` is the verdict, `released` or `rejected` once a person has decided, or `not_yet`;
    `tray` says the same of the other images of the case, or of the other slides of no case.
    """
    context, principal = context_of(request), principal_of(request)
    get_slide(context.database, plain_id(slide_id))
    grant = context.desk.slide(principal, Right.READ_SLIDES, slide_id, "quality")
    every = quality.runs(context.database, slide_id)
    found = next((at for at in every if run in (None, at.report.run_id)), None)
    if found is None and run is not None:
        raise NotFound("no such run of the checks")
    tray = quality_worklist.states(context.database, principal, grant.accession)
    named = {found.human.by} if found and found.human else set()
    return {
        "slide_id": slide_id,
        "state": tray.get(slide_id, quality_worklist.NOT_YET),
        "run": run_json(found) if found else None,
        "runs": [line_json(at) for at in every],
        "suggestion": suggestion(found) if found else None,
        "tray": tray,
        "people": people.full_names(context.database, named),
        "may": {"judge": _may_judge(context, principal, slide_id)},
    }


@router.get(OF_SLIDE + "/{run_id}/maps/{check}.png", dependencies=[needs(Right.READ_SLIDES)])
def map_picture(request: Request, slide_id: str, run_id: str, check: str) -> Response:
    """A map as RGBA, a pixel a cell, from the slide's corner; its legend is in the report."""
    context = context_of(request)
    get_slide(context.database, plain_id(slide_id))
    context.desk.slide(principal_of(request), Right.READ_SLIDES, slide_id, "quality")
    report = quality.get(context.database, slide_id, plain_id(run_id)).report
    finding = next((at for at in shown(report) if at.check == check and at.map), None)
    if finding is None or finding.map is None:
        raise NotFound("the run has no such map")
    stored = quality_maps.read_map(context.settings.layout, slide_id, finding.map)
    data = picture(finding, finding.map, stored)
    return Response(data, media_type="image/png", headers=_FOREVER)


@router.post(OF_SLIDE + "/{run_id}/verdict", dependencies=[needs(Right.JUDGE_QUALITY)])
def judge(request: Request, slide_id: str, run_id: str, body: Judgement) -> dict[str, Any]:
    """A person has looked: good enough as it is (`released`), or not (`rejected`), and why."""
    context, principal = context_of(request), principal_of(request)
    get_slide(context.database, plain_id(slide_id))
    context.desk.slide(principal, Right.JUDGE_QUALITY, slide_id, "judge quality")
    said = HumanVerdict(body.state, principal.name, body.note, now())
    run = quality_case.judge(context.database, slide_id, plain_id(run_id), said)
    return line_json(run)


@router.get("/api/v1/lab/quality", dependencies=[needs(Right.RUN_LAB)])
def to_be_looked_at(request: Request) -> dict[str, Any]:
    """Images of the unit that checks ask to be looked at, those to be scanned again first."""
    context, principal = context_of(request), principal_of(request)
    found = quality_worklist.asked(context.database, principal)
    context.desk.listing(principal, "lab quality")
    named = {(at.case.accession, at.case.patient.patient_id) for at in found}
    context.desk.listed(principal, "lab quality", sorted(named))
    return {"asked": [_asked(at) for at in found]}


def _asked(at: Asked) -> dict[str, Any]:
    report = at.run.report
    return {
        "slide_id": at.slide_id,
        "run_id": report.run_id,
        "at": report.at.isoformat(),
        "state": report.verdict.state.value,
        "reasons": asks_json(at.run),
        "suggestion": suggestion(at.run),
        "barcode": at.barcode,
        "block": at.block,
        "stain": at.stain,
        "accession": at.case.accession,
        "priority": at.case.milestones.priority.value,
        "patient": patient_json(at.case.patient, local_date(now())),
    }


def _may_judge(context: Context, principal: Principal, slide_id: str) -> bool:
    concern = relations.concern_of_slide(context.database, principal, slide_id)
    return bool(decide(principal, Right.JUDGE_QUALITY, concern.relation if concern else None))
