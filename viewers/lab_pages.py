"""The pages of the laboratory: its day on one screen, and the repair list."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from storage.records.people import Right
from viewers.access import guarded
from viewers.pages import render


async def lab(request: Request) -> Response:
    """Which glass is missing, failed, unknown; scan queue, orders, unknown slides."""
    return render(request, "lab.html")


async def repairs(request: Request) -> Response:
    """What was set aside or is odd, and what can be done about it."""
    return render(request, "repairs.html")


routes = [
    guarded("/lab", lab, Right.RUN_LAB, ("GET",)),
    guarded("/repairs", repairs, Right.REPAIR, ("GET",)),
]
