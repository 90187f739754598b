"""Work for scanners and laboratory systems: taken, begun, done or failed; and scans asked for.

What a device is told names a glass, never a patient or a case.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from storage import scanning, work_items
from storage.records.people import Principal, Right, allowed
from storage.records.work import WorkItem, WorkKind, WorkState
from viewers.access import needs, principal_of
from viewers.context import context_of, plain_id

router = APIRouter(tags=["work"])
WORK = [needs(Right.DO_WORK)]
_MOST = 500
_UNKEPT = {"Cache-Control": "no-store"}


_PLAIN = r"^[^\x00-\x1f\x7f]*$"
Short = Annotated[str, Field(max_length=40, pattern=_PLAIN)]
Place = Annotated[str, Field(max_length=20, pattern=_PLAIN)]


class _Body(BaseModel):
    """A JSON object with these fields and no others, every text short and plain."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Asked(_Body):
    """Who asks for what."""

    kind: Literal["scan"] = "scan"
    station: Short = ""
    site: Short = ""


class Begun(_Body):
    """Which machine has the glass."""

    station: Short = ""


class Done(_Body):
    """The SHA-256 of the file that is on its way, when the scanner knows it."""

    fingerprint: str = Field("", pattern=r"^([0-9a-f]{64})?$")


class Failed(_Body):
    """Why there is no image."""

    reason: str = Field(min_length=1, max_length=200, pattern=_PLAIN)


class Glass(_Body):
    """A glass to be scanned, and where it lies."""

    barcode: str = Field(min_length=1, max_length=64, pattern=_PLAIN)
    rack: Place = ""
    slot: Place = ""


@router.post("/api/v1/work/next", dependencies=WORK)
def take_next(request: Request, asked: Asked) -> Response:
    """The most urgent work that waits; 204 when there is none."""
    who = principal_of(request)
    database = context_of(request).database
    item = scanning.next_scan(database, who.name, asked.station, who.site or asked.site)
    if item is None:
        return Response(status_code=204, headers=_UNKEPT)
    return JSONResponse(_told(request, [item])[0], headers=_UNKEPT)


@router.get("/api/v1/work", dependencies=WORK)
def list_work(
    request: Request, kind: Literal["scan"] = "scan", state: WorkState = WorkState.OFFERED
) -> dict[str, Any]:
    """Work in one state, most urgent first."""
    about = _reach(principal_of(request))
    database = context_of(request).database
    items = work_items.listing(database, [WorkKind(kind)], [state], limit=_MOST, **about)
    return {"work": _told(request, items)}


@router.post("/api/v1/work/{item_id}/start", dependencies=WORK)
def start(request: Request, item_id: str, begun: Begun | None = None) -> dict[str, Any]:
    """The glass is in the machine; an item that waits is taken thereby."""
    who, station = principal_of(request).name, begun.station if begun else ""
    database = context_of(request).database
    return _told(request, [scanning.start(database, plain_id(item_id), who, station)])[0]


@router.post("/api/v1/work/{item_id}/beat", dependencies=WORK)
def beat(request: Request, item_id: str) -> dict[str, Any]:
    """It is still being worked on; 409 when it was taken away."""
    who, database = principal_of(request).name, context_of(request).database
    return _told(request, [scanning.beat(database, plain_id(item_id), who)])[0]


@router.post("/api/v1/work/{item_id}/finish", dependencies=WORK)
def finish(request: Request, item_id: str, done: Done | None = None) -> dict[str, Any]:
    """The machine is done and the file is on its way."""
    who, database = principal_of(request).name, context_of(request).database
    fingerprint = done.fingerprint if done else ""
    return _told(request, [scanning.finish(database, plain_id(item_id), who, fingerprint)])[0]


@router.post("/api/v1/work/{item_id}/fail", dependencies=WORK)
def fail(request: Request, item_id: str, failed: Failed) -> dict[str, Any]:
    """There will be no image; offered again, or given up after the third time.

    Who runs the laboratory may say it of any scan of the own unit.
    """
    who, database = principal_of(request), context_of(request).database
    anyone = allowed(who, Right.RUN_LAB) and _is_near(request, who, plain_id(item_id))
    item = scanning.fail(database, plain_id(item_id), who.name, failed.reason, anyone=anyone)
    return _told(request, [item])[0]


@router.post("/api/v1/lab/scan", dependencies=[needs(Right.RUN_LAB)])
def ask_for_scan(request: Request, glass: Glass) -> dict[str, Any]:
    """Have an expected glass scanned; asking twice is asking once."""
    context, who = context_of(request), principal_of(request)
    context.desk.glass(who, Right.RUN_LAB, glass.barcode, "queue_scan")
    item = scanning.queue_scan(context.database, glass.barcode, who.name, glass.rack, glass.slot)
    return _told(request, [item])[0]


def _reach(who: Principal) -> dict[str, str]:
    """Work of the own unit and site, for those who have one."""
    near = {"unit": who.unit, "site": who.site}
    return {name: value for name, value in near.items() if value}


def _is_near(request: Request, who: Principal, item_id: str) -> bool:
    database = context_of(request).database
    return bool(who.unit) and bool(
        work_items.listing(database, (), list(WorkState), item_id=item_id, unit=who.unit)
    )


def _told(request: Request, items: list[WorkItem]) -> list[dict[str, Any]]:
    stains = scanning.stains(context_of(request).database, [at.barcode or "" for at in items])
    return [_work_json(item, stains.get(item.barcode or "", "")) for item in items]


def _work_json(item: WorkItem, stain: str) -> dict[str, Any]:
    return {
        "item_id": item.item_id,
        "kind": item.kind.value,
        "state": item.state.value,
        "barcode": item.barcode,
        "stain": stain,
        "rack": item.rack,
        "slot": item.slot,
        "rank": item.rank,
        "attempts": item.attempts,
        "rescan": item.data.get("rescan"),
        "region": item.data.get("region"),
        "reason": item.reason,
        "station": item.data.get("station", ""),
    }
