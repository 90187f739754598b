"""Tiles straight from the front's static files: where they lie, and whether somebody may.

The front (`svartid front`) asks `/direct-gate/{id}` before it gives a byte and remembers a yes for
some seconds; the rule and the access log are those of the tiles. See docs/serving.md.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from storage.records.people import Right
from storage.records.slide import JpegEncoding
from viewers.access import needs, principal_of
from viewers.context import context_of, plain_id

router = APIRouter()
READ = [needs(Right.READ_SLIDES)]
FRONT = "x-svartid-direct"
"""A header the front adds; whoever adds it without one sends nobody but himself astray."""


@router.get("/api/v1/slides/{slide_id}/direct", tags=["tiles"], dependencies=READ)
def direct_tiles(request: Request, slide_id: str) -> dict[str, Any]:
    """Where the shards lie, level by level; `base` is null where no front serves them."""
    context = context_of(request)
    pyramid = context.tiles.pyramid(plain_id(slide_id))
    context.desk.slide(principal_of(request), Right.READ_SLIDES, slide_id, "view")
    plan = pyramid.record.plan
    jpeg = [at for at in pyramid.present.values() if isinstance(at.encoding, JpegEncoding)]
    served = FRONT in request.headers and jpeg and not pyramid.cold
    grids = [(at.level, at.size.in_tiles(plan.tile_edge)) for at in jpeg]
    return {
        "base": f"/direct/{slide_id}/" if served else None,
        "shard_tiles": plan.shard_tiles,
        "levels": [
            {"level": level, "columns": grid.width, "rows": grid.height} for level, grid in grids
        ],
    }


@router.get("/direct-gate/{slide_id}", include_in_schema=False, dependencies=READ)
def direct_gate(request: Request, slide_id: str) -> Response:
    """204 lets the front serve the slide's shards for some seconds."""
    context = context_of(request)
    context.tiles.pyramid(plain_id(slide_id))
    context.desk.slide(principal_of(request), Right.READ_SLIDES, slide_id, "view")
    return Response(status_code=204)
