"""Annotations of a slide over HTTP, for all who may read the slide."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import Response

from storage import annotations_bulk, annotations_single, people
from storage.annotations_codec import Block, starts
from storage.annotations_json import annotation_json, group_json, history_json
from storage.catalogue import get_slide
from storage.errors import NotFound
from storage.records.access import decide
from storage.records.people import Principal, Right
from storage.relations import concern_of_slide
from viewers.access import needs, principal_of
from viewers.context import Context, context_of, plain_id

router = APIRouter(tags=["annotations"])
OF_SLIDE = "/api/v1/slides/{slide_id}/annotations"
_GROUP = OF_SLIDE + "/groups/{group_id}"
READ = [needs(Right.READ_SLIDES)]
_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}


@router.get(OF_SLIDE, dependencies=READ)
def list_annotations(request: Request, slide_id: str) -> dict[str, Any]:
    """What is drawn on a slide: single annotations, groups with where their blocks lie.

    `revision` grows with each change; `may` says whether the asker may draw.
    """
    context, principal = reading(request, slide_id), principal_of(request)
    database = context.database
    revision = annotations_single.revision(database, slide_id)
    single = annotations_single.listing(database, slide_id)
    groups = annotations_bulk.groups(database, slide_id)
    named = {name for at in single for name in (at.author, at.changed_by) if name}
    named |= {at.author for at in groups}
    return {
        "revision": revision,
        "annotations": [annotation_json(at) for at in single],
        "groups": [group_json(at, annotations_bulk.places(database, at.group_id)) for at in groups],
        "people": people.full_names(database, named),
        "may": {"annotate": _may_annotate(context, principal, slide_id)},
    }


@router.get(OF_SLIDE + "/{annotation_id}/history", dependencies=READ)
def history(request: Request, slide_id: str, annotation_id: str) -> dict[str, Any]:
    """What happened to an annotation: who, when, what."""
    context = reading(request, slide_id)
    chapters = annotations_single.history(context.database, slide_id, plain_id(annotation_id))
    names = {at.by for at in chapters}
    return {
        "history": history_json(chapters),
        "people": people.full_names(context.database, names),
    }


@router.get(_GROUP + "/middles", dependencies=READ)
def group_middles(request: Request, slide_id: str, group_id: str) -> Response:
    """Where each member of a group is, block after block: x and y as little-endian floats."""
    context = reading(request, slide_id)
    known = annotations_bulk.group(context.database, slide_id, plain_id(group_id))
    found = annotations_bulk.middles(context.database, known.group_id)
    return Response(found, media_type="application/octet-stream", headers=_FOREVER)


@router.get(_GROUP + "/blocks/{number}", dependencies=READ)
def group_block(request: Request, slide_id: str, group_id: str, number: int) -> Response:
    """The outlines of neighbours in a group, as `outlines` packs them."""
    context = reading(request, slide_id)
    if not 0 <= number < 1_000_000:
        raise NotFound("the group has no such block")
    known = annotations_bulk.group(context.database, slide_id, plain_id(group_id))
    found = outlines(annotations_bulk.block(context.database, known.group_id, number))
    return Response(found, media_type="application/octet-stream", headers=_FOREVER)


def reading(request: Request, slide_id: str, action: str = "annotations") -> Context:
    """Let somebody see the annotations of a slide. Errors: NotFound, Forbidden."""
    context = context_of(request)
    get_slide(context.database, plain_id(slide_id))
    context.desk.slide(principal_of(request), Right.READ_SLIDES, slide_id, action)
    return context


def outlines(block: Block) -> bytes:
    """A block for drawing, little-endian.

    How many annotations, rings and points (u4 each, and four bytes of nothing), the left top corner
    (two f8), the rings of each annotation (u4), the points of each ring (u4), and every point from
    that corner (two f4).
    """
    rings = np.add.reduceat(block.rings, starts(block.parts))
    corner = block.points.min(axis=0)
    head = struct.pack("<III4xdd", block.count, len(block.lengths), len(block.points), *corner)
    columns = (rings.astype("<u4"), block.lengths.astype("<u4"))
    places = (block.points - corner).astype("<f4")
    return b"".join([head, *(at.tobytes() for at in columns), places.tobytes()])


def _may_annotate(context: Context, principal: Principal, slide_id: str) -> bool:
    concern = concern_of_slide(context.database, principal, slide_id)
    return bool(decide(principal, Right.ANNOTATE, concern.relation if concern else None))
