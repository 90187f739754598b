"""Windows for the channels of a slide, found from what is seen."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from storage.records.geometry import Region
from storage.records.people import Right
from viewers.access import needs, principal_of
from viewers.context import context_of, plain_id

router = APIRouter()
_MOST = 2_000_000
Place = Annotated[int, Query(ge=0, le=_MOST)]
Side = Annotated[int, Query(ge=1, le=_MOST)]


@router.get(
    "/api/v1/slides/{slide_id}/windows",
    tags=["slides"],
    dependencies=[needs(Right.READ_SLIDES)],
)
def windows(
    request: Request, slide_id: str, x: Place, y: Place, width: Side, height: Side
) -> dict[str, Any]:
    """For every channel the window from 1 % to 99.9 % of a field, given in level-0 pixels."""
    context = context_of(request)
    pyramid = context.tiles.pyramid(plain_id(slide_id))
    context.desk.slide(principal_of(request), Right.READ_SLIDES, slide_id, "view")
    found = context.tiles.auto_windows(pyramid, Region(x, y, width, height))
    return {"windows": [{"low": at.low, "high": at.high} for at in found]}
