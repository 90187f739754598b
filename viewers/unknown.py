"""The inbox of unknown slides: why each is there, its label, and deciding which glass it shows.

Nothing is decided for the person: barcodes that look alike are shown as such, and a match takes
the glass's barcode and one more thing that fits the case.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from storage import unknown_slides, work_items, worklist
from storage.catalogue import get_slide
from storage.database import Database, now
from storage.errors import NotFound
from storage.exchange.case_json import moment_json
from storage.matching import ALARM
from storage.records.people import Principal, Right
from storage.records.work import WorkItem, WorkKind, WorkState
from storage.unknown_slides import Second
from storage.worklist import LabSlide
from viewers.access import needs, principal_of
from viewers.acts import Barcode, Because, Line
from viewers.context import Context, context_of, plain_id

router = APIRouter(tags=["laboratory"])
_LAB = [needs(Right.RUN_LAB)]
_MOST_ALIKE, _ALIKE = 3, 0.9
_MEDIA = {"jpg": "image/jpeg", "png": "image/png"}


class Confirmation(BaseModel):
    """What a person read beside the barcode."""

    kind: Second
    value: Line


class Match(BaseModel):
    """Two identifiers of the glass."""

    barcode: Barcode
    second: Confirmation


@router.get("/api/v1/unknown", dependencies=_LAB)
def inbox(request: Request) -> dict[str, Any]:
    """Unknown slides, contradictions first, with barcodes of expected glasses that look alike."""
    context, principal = context_of(request), principal_of(request)
    context.desk.listing(principal, "unknown")
    found = unknown_of(context.database, principal)
    waiting = worklist.lab_slides(context.database, principal, now()) if found else []
    for line in found:
        line["alike"] = _alike(line, waiting)
    return {"unknown": found}


@router.get("/api/v1/unknown/{item_id}/{picture}", dependencies=_LAB)
def picture(request: Request, item_id: str, picture: str) -> Response:
    """The label or the overview of the glass, as the scanner took it."""
    context, item = context_of(request), _item(request, item_id)
    slide_id = item.slide_id or ""
    file = _file(context, slide_id, picture)
    context.desk.slide(principal_of(request), Right.RUN_LAB, slide_id, picture)
    path = context.tiles.pyramid(plain_id(slide_id)).folder / file
    media = _MEDIA[file.rpartition(".")[2]]
    headers = {"Cache-Control": "private, max-age=3600"}
    return Response(path.read_bytes(), media_type=media, headers=headers)


@router.post("/api/v1/unknown/{item_id}/match", dependencies=_LAB)
def match(request: Request, item_id: str, said: Match) -> dict[str, Any]:
    """The image shows the glass of that barcode; the second identifier must fit it."""
    context, principal, item = context_of(request), principal_of(request), _item(request, item_id)
    context.desk.glass(principal, Right.RUN_LAB, said.barcode, "match unknown slide")
    context.desk.slide(principal, Right.RUN_LAB, item.slide_id or "", "match unknown slide")
    second = (said.second.kind, said.second.value)
    case = unknown_slides.match(context.database, item_id, said.barcode, second, principal.name)
    return {"accession": case.accession, "barcode": said.barcode, "slide_id": item.slide_id}


@router.post("/api/v1/unknown/{item_id}/return", dependencies=_LAB)
def give_back(request: Request, item_id: str, said: Because) -> dict[str, Any]:
    """The glass is not ours, or cannot be told: it goes back, with the reason."""
    context, principal, item = context_of(request), principal_of(request), _item(request, item_id)
    slide_id = item.slide_id or ""
    context.desk.slide(principal, Right.RUN_LAB, slide_id, "return unknown slide")
    unknown_slides.give_back(context.database, item_id, said.reason, principal.name)
    return {"item_id": item_id}


def unknown_of(database: Database, principal: Principal) -> list[dict[str, Any]]:
    """Open items of the asker's unit, and those that no unit is known of."""
    items = work_items.listing(database, [WorkKind.UNKNOWN_SLIDE])
    return [_line(database, at) for at in items if _is_ours(at, principal)]


def _is_ours(item: WorkItem, principal: Principal) -> bool:
    return item.unit in ("", principal.unit)


def _line(database: Database, item: WorkItem) -> dict[str, Any]:
    slide = get_slide(database, item.slide_id or "")
    return {
        "item_id": item.item_id,
        "slide_id": item.slide_id,
        "why": str(item.data.get("why") or ""),
        "alarm": item.rank >= ALARM,
        "metadata": str(item.data.get("metadata") or ""),
        "label": [str(code) for code in item.data.get("label") or []],
        "said": str(item.data.get("said") or ""),
        "name": slide.name,
        "scanner": slide.metadata.scanner,
        "received_at": moment_json(slide.received_at),
        "created_at": moment_json(item.created_at),
        "pictures": [name for name in ("label", "overview") if name in slide.associated],
    }


def _alike(line: dict[str, Any], waiting: list[LabSlide]) -> list[dict[str, Any]]:
    """Glasses that wait for an image and whose barcode looks like what was read."""
    glasses = {at.barcode: at for at in waiting}
    read = {line["metadata"], *line["label"], line["said"]} - {""}
    found = [
        barcode
        for code in sorted(read)
        for barcode in get_close_matches(code, glasses, _MOST_ALIKE, _ALIKE)
    ]
    return [
        {
            "barcode": barcode,
            "accession": glasses[barcode].accession,
            "block": glasses[barcode].detail.get("block") or "",
            "stain": glasses[barcode].detail.get("stain") or "",
        }
        for barcode in dict.fromkeys(found)
    ]


def _item(request: Request, item_id: str) -> WorkItem:
    """An unknown slide of the asker's unit, open or not. Errors: NotFound."""
    context, principal = context_of(request), principal_of(request)
    kinds, plain = [WorkKind.UNKNOWN_SLIDE], plain_id(item_id)
    found = work_items.listing(context.database, kinds, list(WorkState), item_id=plain)
    if not found or not _is_ours(found[0], principal):
        raise NotFound("there is no such unknown slide")
    return found[0]


def _file(context: Context, slide_id: str, name: str) -> str:
    """The stored picture's file name. Errors: NotFound."""
    known = context.tiles.pyramid(plain_id(slide_id)).record.associated
    if name not in ("label", "overview") or name not in known:
        raise NotFound("the slide has no such picture")
    return known[name]
