"""Guests over HTTP: who they are for those who decide, what they say for those who may hear it.

Two doors, and no third. `of_slide` asks `model_results.for_reader`, which never gives a silent or
retired result; everything a model has said is for those with the right to see what is silent.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from storage import model_results, models, quality_maps
from storage.catalogue import get_slide
from storage.errors import NotFound
from storage.exchange.plain import from_plain, to_plain
from storage.records.evidence import Evidence
from storage.records.models import Model, ModelResult
from storage.records.people import Right
from storage.records.quality import ModelMode
from viewers.access import needs, principal_of
from viewers.acts import Note
from viewers.context import Context, context_of, plain_id

router = APIRouter(tags=["models"])
MODEL = "/api/v1/models/{name}/{version}"
OF_SLIDE = "/api/v1/slides/{slide_id}/models"
Name = Annotated[str, Path(max_length=40)]
Version = Annotated[str, Path(max_length=20)]
_UNKEPT = {"Cache-Control": "no-store"}


class Step(BaseModel):
    """A model is to rise or fall, and why."""

    to: ModelMode
    note: Annotated[Note, Field(min_length=1, max_length=2000)]
    evidence: dict[str, Any] | None = None
    """Counts of slides; needed to rise to a visible mode."""


@router.get("/api/v1/models", dependencies=[needs(Right.APPROVE_MODELS)])
def list_models(request: Request) -> dict[str, Any]:
    """All models with card, mode and admission; nothing of what they say."""
    return {"models": [_json(at) for at in models.listing(context_of(request).database)]}


@router.get(MODEL, dependencies=[needs(Right.APPROVE_MODELS)])
def one_model(request: Request, name: Name, version: Version) -> dict[str, Any]:
    """One version of a model."""
    return _json(models.get(context_of(request).database, name, version))


@router.post(MODEL + "/approvals", dependencies=[needs(Right.APPROVE_MODELS)])
def approve(request: Request, name: Name, version: Version, step: Step) -> dict[str, Any]:
    """Say in one's own name that it may rise; with the second person it does."""
    database, who = context_of(request).database, principal_of(request)
    known = models.get(database, name, version)
    evidence = None if step.evidence is None else from_plain(Evidence, step.evidence)
    why = models.Reason(step.note, evidence)
    return _json(models.approve(database, known, step.to, who, why))


@router.post(MODEL + "/demote", dependencies=[needs(Right.APPROVE_MODELS)])
def demote(request: Request, name: Name, version: Version, step: Step) -> dict[str, Any]:
    """Down at once, by one person."""
    database, who = context_of(request).database, principal_of(request)
    known = models.get(database, name, version)
    return _json(models.demote(database, known, step.to, who.name, step.note))


@router.get(MODEL + "/results", dependencies=[needs(Right.SEE_SILENT)])
def results(request: Request, name: Name, version: Version) -> dict[str, Any]:
    """Everything it has said, in all modes: for those who judge it, and treat nobody."""
    context = context_of(request)
    context.desk.listing(principal_of(request), "model_results")
    models.get(context.database, name, version)
    found = model_results.of_model(context.database, name, version)
    return {"results": [_result_json(at) for at in found]}


@router.get(OF_SLIDE, dependencies=[needs(Right.READ_SLIDES)])
def of_slide(request: Request, slide_id: str) -> dict[str, Any]:
    """What models that may be heard say of a slide."""
    return {"results": [_result_json(at) for at in _heard(request, slide_id)]}


@router.get(OF_SLIDE + "/{result_id}/maps/{output}", dependencies=[needs(Right.READ_SLIDES)])
def map_of_slide(request: Request, slide_id: str, result_id: str, output: str) -> Response:
    """A map of such a result: a byte a cell, row by row, as its `map` says; 255 is nothing."""
    found = next((at for at in _heard(request, slide_id) if at.result_id == result_id), None)
    ref = found.maps.get(output) if found else None
    if ref is None:
        raise NotFound("no such map")
    own = model_results.results_layout(context_of(request).settings.layout)
    stored = quality_maps.read_map(own, slide_id, ref)
    return Response(stored.tobytes(), media_type="application/octet-stream", headers=_UNKEPT)


def _heard(request: Request, slide_id: str) -> list[ModelResult]:
    context: Context = context_of(request)
    get_slide(context.database, plain_id(slide_id))
    context.desk.slide(principal_of(request), Right.READ_SLIDES, slide_id, "models")
    return model_results.for_reader(context.database, slide_id)


def _json(at: Model) -> dict[str, Any]:
    plain = to_plain(at)
    return {
        "name": at.manifest.name,
        "version": at.manifest.version,
        "sha256": at.manifest.sha256,
        "mode": at.mode.value,
        "mode_since": plain["mode_since"],
        "added_at": plain["added_at"],
        "added_by": at.added_by,
        "manifest": plain["manifest"],
        "card": plain["card"],
        "admission": plain.get("admission"),
        "admitted": bool(at.admission and at.admission.passed),
        "approvals": plain.get("approvals", []),
    }


def _result_json(at: ModelResult) -> dict[str, Any]:
    return {
        "result_id": at.result_id,
        "model": {"name": at.name, "version": at.version, "sha256": at.sha256},
        "slide_id": at.slide_id,
        "root": at.root,
        "mode": at.mode.value,
        "at": at.at.isoformat(),
        "figures": dict(at.figures),
        "maps": {name: to_plain(ref) for name, ref in at.maps.items()},
        "retired": at.retired,
    }
