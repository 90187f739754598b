"""The pages of turnaround: are answers in time and where do they wait; what is promised."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from storage.records.people import Right
from viewers.access import guarded
from viewers.pages import render


async def turnaround(request: Request) -> Response:
    """Figures of a month, trends, today's open cases."""
    return render(request, "turnaround.html")


async def policy(request: Request) -> Response:
    """Goals, closing days and rules; changed by those who manage."""
    return render(request, "policy.html")


routes = [
    guarded("/turnaround", turnaround, Right.SEE_TURNAROUND, ("GET",)),
    guarded("/turnaround/policy", policy, Right.SEE_TURNAROUND, ("GET",)),
]
