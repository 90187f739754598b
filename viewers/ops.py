"""For those who keep it running: intake by state, retry and release, processes, disk, flow runs."""

from __future__ import annotations

import os
import shutil
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
from fastapi import APIRouter, Request
from starlette.responses import Response

from storage import intake
from storage.board import read_board
from storage.dicom_objects import quarantined
from storage.errors import NotFound
from storage.exchange.slide_json import intake_json
from storage.layout import Layout
from storage.records.intake import IntakeState
from storage.records.people import Right
from viewers.access import needs, principal_of
from viewers.context import context_of, plain_id
from viewers.drift import alerts

router = APIRouter(tags=["ops"])
OPERATE = [needs(Right.OPERATE)]
_FRESH = 3.0
_RUNS = 30
_FLOWS = {
    "read in": "read in slide",
    "complete": "complete pyramid",
    "report": "report slide",
    "match": "match slide",
    "commit": "commit slide",
    "take back": "take scan back",
    "keep time": "keep time",
    "route": "route case",
    "deliver": "deliver message",
    "check": "check quality",
}
_UNKEPT = {"Cache-Control": "no-store"}
_cache: dict[str, tuple[float, Any]] = {}


@router.get("/api/v1/intake", dependencies=OPERATE)
def list_intake(request: Request, state: IntakeState | None = None) -> dict[str, Any]:
    """Received files newest first, and how many are in each state."""
    database = context_of(request).database
    rows = intake.listing(database, (state,) if state else ())
    return {"intake": [intake_json(row) for row in rows], "counts": intake.counts(database)}


@router.get("/api/v1/intake/{intake_id}", dependencies=[needs(Right.DELIVER_SLIDES)])
def read_intake(request: Request, intake_id: str) -> dict[str, Any]:
    """One received file."""
    return intake_json(intake.get(context_of(request).database, plain_id(intake_id)))


@router.post("/api/v1/intake/{intake_id}/retry", status_code=204, dependencies=OPERATE)
def retry(request: Request, intake_id: str) -> Response:
    """Try a failed file again."""
    return _again(request, intake_id, release=False)


@router.post("/api/v1/intake/{intake_id}/release", status_code=204, dependencies=OPERATE)
def release(request: Request, intake_id: str) -> Response:
    """Let a file out of quarantine for another try; recorded with the person's name."""
    return _again(request, intake_id, release=True)


@router.get("/api/v1/intake/{intake_id}/map", dependencies=OPERATE)
def damage_map(request: Request, intake_id: str) -> Response:
    """The scanner's overview with what its levels disagree about in red, as PNG."""
    context = context_of(request)
    row = intake.get(context.database, plain_id(intake_id))
    path = context.settings.layout.findings / row.fingerprint / "levels.png"
    if not path.is_file():
        raise NotFound("nothing was found that a map could show")
    context.desk.slide(principal_of(request), Right.READ_SLIDES, row.slide_id, "map")
    return Response(path.read_bytes(), media_type="image/png", headers=_UNKEPT)


@router.get("/api/v1/ops", dependencies=OPERATE)
def overview(request: Request) -> dict[str, Any]:
    """Processes, Prefect, disk, the latest flow runs, drift, and DICOM objects in quarantine."""
    context = context_of(request)
    layout = context.settings.layout
    board = read_board(layout)
    return {
        "version": version("svartid"),
        "started_at": board.get("started_at"),
        "processes": board.get("processes", []),
        "prefect": {"state": board.get("prefect", "down")},
        "disk": _cached(f"disk of {layout.root}", lambda: _disk(layout), 30.0),
        "flow_runs": _cached("runs", _flow_runs, _FRESH),
        "drift": alerts(context.database),
        "dicom_quarantine": [_set_aside_json(row) for row in quarantined(context.database)],
    }


def _set_aside_json(row: dict[str, Any]) -> dict[str, Any]:
    """A DICOM object in quarantine, by its fingerprint: of the patient nothing is told."""
    return {
        "sha256": row["sha256"],
        "reason": row["reason"],
        "bytes": row["bytes"],
        "received_at": row["received_at"].isoformat(),
        "received_from": row["received_from"],
    }


def _again(request: Request, intake_id: str, *, release: bool) -> Response:
    context, who = context_of(request), principal_of(request).name
    intake.try_again(context.database, plain_id(intake_id), who, release=release)
    return Response(status_code=204)


def _cached(name: str, ask: Any, seconds: float) -> Any:  # noqa: ANN401
    at, value = _cache.get(name, (float("-inf"), None))
    if time.monotonic() - at > seconds:
        value = ask()
        _cache[name] = time.monotonic(), value
    return value


def _disk(layout: Layout) -> dict[str, int]:
    usage = shutil.disk_usage(layout.root)
    return {
        "total": usage.total,
        "free": usage.free,
        "originals": _tree_bytes(layout.originals),
        "pyramids": _tree_bytes(layout.pyramids) + _tree_bytes(layout.cold),
    }


def _tree_bytes(folder: Path) -> int:
    total = 0
    for base, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.stat(os.path.join(base, name)).st_blocks * 512
            except OSError:
                continue
    return total


def _flow_runs() -> list[dict[str, Any]]:
    """Latest runs by Prefect's own API; an empty list when it is away."""
    url = os.environ.get("PREFECT_API_URL")
    user, _, password = os.environ.get("PREFECT_API_AUTH_STRING", "").partition(":")
    if not url:
        return []
    question = {"limit": _RUNS, "sort": "START_TIME_DESC"}
    try:
        answer = httpx.post(
            f"{url}/flow_runs/filter", json=question, auth=(user, password), timeout=3
        )
        answer.raise_for_status()
        return [_run_json(run) for run in answer.json()]
    except (httpx.HTTPError, ValueError):
        return []


def _run_json(run: dict[str, Any]) -> dict[str, Any]:
    name = str(run["name"])
    return {
        "name": name,
        "flow": _FLOWS.get(name.rpartition(" ")[0], name),
        "slide_id": (run.get("parameters") or {}).get("slide_id"),
        "state": run.get("state_name") or run.get("state_type"),
        "done": run.get("state_type") == "COMPLETED",
        "started_at": run.get("start_time"),
        "seconds": run.get("total_run_time"),
        "url": f"/ops/prefect/runs/flow-run/{run['id']}",
    }
