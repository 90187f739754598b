"""A slide's colours: its ICC profile as it came, what it does, and the table that corrects."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response

from storage.errors import NotFound, ProfileUnusable
from storage.records.people import Right
from storage.tiles import OpenPyramid
from viewers.access import needs, principal_of
from viewers.colour_tables import profile_of
from viewers.context import context_of, plain_id

router = APIRouter(tags=["colour"])
READ = [needs(Right.READ_SLIDES)]
_PROFILE = "application/vnd.iccprofile"


@router.get("/slides/{slide_id}/profile.icc", dependencies=READ)
def icc_profile(request: Request, slide_id: str) -> Response:
    """The profile, byte for byte as the scanner wrote it."""
    pyramid = _pyramid(request, slide_id)
    if pyramid.record.icc_profile is None:
        raise NotFound("the slide has no colour profile")
    context_of(request).desk.slide(principal_of(request), Right.READ_SLIDES, slide_id, "profile")
    path = pyramid.folder / pyramid.record.icc_profile
    return FileResponse(path, media_type=_PROFILE, headers=_private())


@router.get("/api/v1/slides/{slide_id}/colour", dependencies=READ)
def colour(request: Request, slide_id: str) -> dict[str, Any]:
    """What the profile does, in ΔE2000; `usable` false and a reason where it cannot be used."""
    context, pyramid = context_of(request), _pyramid(request, slide_id)
    context.desk.slide(principal_of(request), Right.READ_SLIDES, slide_id, "metadata")
    try:
        found = context.colours.of(profile_of(pyramid))
    except ProfileUnusable as error:
        return {"usable": False, "reason": str(error)}
    return {
        "usable": True,
        "name": found.name,
        "srgb": found.is_srgb,
        "nodes": found.nodes,
        "error": found.error,
        "change": found.change,
        "most_change": found.most_change,
    }


@router.get("/api/v1/slides/{slide_id}/colour-table", dependencies=READ)
def colour_table(request: Request, slide_id: str) -> Response:
    """The table from the slide's RGB to sRGB; docs/api.md says how it is laid out and used."""
    context, pyramid = context_of(request), _pyramid(request, slide_id)
    context.desk.slide(principal_of(request), Right.READ_SLIDES, slide_id, "view")
    found = context.colours.of(profile_of(pyramid))
    return Response(found.table, media_type="application/octet-stream", headers=_private())


def _pyramid(request: Request, slide_id: str) -> OpenPyramid:
    return context_of(request).tiles.pyramid(plain_id(slide_id))


def _private() -> dict[str, str]:
    return {"Cache-Control": "private, max-age=86400"}
