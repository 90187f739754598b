"""Slides for browsers and programs: the list, Deep Zoom's descriptor, label and overview."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from storage import intake, worklist
from storage.catalogue import get_slide
from storage.errors import NotFound
from storage.exchange.slide_json import channels_json, intake_json, slide_json
from storage.receipts import receipt
from storage.records.intake import IntakeState
from storage.records.people import Right, allowed
from storage.tiles import OpenPyramid
from viewers.access import needs, principal_of
from viewers.context import Context, context_of, plain_id

router = APIRouter()
READ = [needs(Right.READ_SLIDES)]
_ARRIVING = (IntakeState.RECEIVED, IntakeState.READING)
_DZI = """<?xml version="1.0" encoding="UTF-8"?>
<Image xmlns="http://schemas.microsoft.com/deepzoom/2008" Format="jpeg" Overlap="0" \
TileSize="{edge}"><Size Width="{width}" Height="{height}"/></Image>
"""
_MEDIA = {"jpg": "image/jpeg", "png": "image/png"}


@router.get("/api/v1/slides", tags=["slides"], dependencies=READ)
def list_slides(request: Request) -> dict[str, Any]:
    """Readable slides newest first, those on their way, and how many are in quarantine."""
    context, principal = context_of(request), principal_of(request)
    context.desk.listing(principal, "list")
    found = worklist.slides(context.database, principal)
    arriving = intake.listing(context.database, _ARRIVING)
    held = intake.counts(context.database).get(IntakeState.QUARANTINED.value, 0)
    return {
        "slides": [slide_json(slide) for slide in found],
        "arriving": [intake_json(row) for row in arriving],
        "quarantined": held if allowed(principal, Right.OPERATE) else 0,
    }


@router.get("/api/v1/slides/{slide_id}", tags=["slides"], dependencies=READ)
def read_slide(request: Request, slide_id: str) -> dict[str, Any]:
    """One readable slide, with its channels where it has such, and its case if it has one."""
    context = context_of(request)
    slide = get_slide(context.database, plain_id(slide_id))
    channels = _pyramid(context, slide_id).record.plan.channels
    grant = context.desk.slide(principal_of(request), Right.READ_SLIDES, slide_id, "metadata")
    of_case = {"accession": grant.accession}
    return slide_json(slide) | {"channels": channels_json(channels)} | of_case


@router.get("/slides/{slide_id}.dzi", tags=["tiles"], dependencies=READ)
def deep_zoom(request: Request, slide_id: str) -> Response:
    """Deep Zoom descriptor; TileSize is the stored tiles' edge, Overlap 0."""
    context = context_of(request)
    plan = _pyramid(context, slide_id).record.plan
    context.desk.slide(principal_of(request), Right.READ_SLIDES, slide_id, "view")
    size = plan.size
    xml = _DZI.format(edge=plan.tile_edge, width=size.width, height=size.height)
    return Response(xml, media_type="application/xml", headers=_private(60))


@router.get("/slides/{slide_id}/associated/{name}", tags=["tiles"], dependencies=READ)
def associated_image(request: Request, slide_id: str, name: str) -> Response:
    """Label, overview or thumbnail; a thumbnail is made where the scanner gave none."""
    context = context_of(request)
    pyramid = _pyramid(context, slide_id)
    file = pyramid.record.associated.get(name)
    if file is None and name != "thumbnail":
        raise NotFound("the slide has no such image")
    context.desk.slide(principal_of(request), Right.READ_SLIDES, slide_id, name)
    if file is not None:
        data, media = (pyramid.folder / file).read_bytes(), _MEDIA[file.rpartition(".")[2]]
    else:
        data, media = context.tiles.thumbnail(pyramid), "image/jpeg"
    return Response(data, media_type=media, headers=_private(86400))


@router.get(
    "/api/v1/slides/{slide_id}/tiles/{level}/{column}/{row}/receipt",
    tags=["tiles"],
    dependencies=READ,
)
def tile_receipt(
    request: Request, slide_id: str, level: int, column: int, row: int, channel: int = 0
) -> dict[str, Any]:
    """Where a tile's bytes come from, and the path from its digest to the scan's root."""
    context = context_of(request)
    slide = get_slide(context.database, plain_id(slide_id))
    context.desk.slide(principal_of(request), Right.READ_SLIDES, slide_id, "receipt")
    return receipt(context.pyramids, slide, (level, column, row), channel)


def _pyramid(context: Context, slide_id: str) -> OpenPyramid:
    return context.tiles.pyramid(plain_id(slide_id))


def _private(seconds: int) -> dict[str, str]:
    return {"Cache-Control": f"private, max-age={seconds}"}
