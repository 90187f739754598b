"""Is it alive, is it ready; the only addresses that ask for nothing."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from storage import intake
from storage.board import read_board
from storage.errors import Transient
from storage.records.people import Right
from viewers.access import needs
from viewers.context import context_of

router = APIRouter(tags=["health"])
PUBLIC = [needs(Right.PUBLIC)]


@router.get("/healthz", dependencies=PUBLIC)
def alive() -> dict[str, str]:
    """The web process answers."""
    return {"status": "alive"}


@router.get("/readyz", dependencies=PUBLIC)
def ready(request: Request) -> JSONResponse:
    """Every part has come up; Prefect going away later leaves it ready, and says so."""
    context = context_of(request)
    parts = {"database": _database(request)}
    board = read_board(context.settings.layout)
    for process in board.get("processes", []):
        parts[process["name"]] = process["state"]
    parts["prefect"] = board.get("prefect", "down")
    away = {"prefect", "web"}  # one of several web processes answers right now
    needed = [state for name, state in parts.items() if name.partition(" ")[0] not in away]
    up = all(state in {"running", "up"} for state in needed) and parts["prefect"] != "starting"
    status = "ready" if up else "starting"
    return JSONResponse({"status": status, "parts": parts}, 200 if up else 503)


def _database(request: Request) -> str:
    try:
        intake.counts(context_of(request).database)
    except Transient:
        return "down"
    return "up"
