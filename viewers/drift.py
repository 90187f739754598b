"""How scanners and models measure over time: figures without patients, for all who see those."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.requests import Request as PageRequest
from starlette.responses import Response

from processing.quality_drift.figures import FOLLOWED
from storage import quality_drift
from storage.database import Database, now
from storage.exchange.case_json import moment_json
from storage.quality_drift import Kept
from storage.records.drift import Breach, Channel, DriftState, Standing
from storage.records.people import Right
from viewers.access import guarded, needs
from viewers.context import context_of
from viewers.pages import render

router = APIRouter(tags=["quality"])
_PAST = timedelta(days=28)
_ORDER = (DriftState.OUT, DriftState.SHIFTED, DriftState.STEADY, DriftState.LEARNING)


@router.get("/api/v1/quality/drift", dependencies=[needs(Right.SEE_TURNAROUND)])
def drift(request: Request) -> dict[str, Any]:
    """Every scanner and stain as last evaluated, and what drifts or did in the last 28 days."""
    database = context_of(request).database
    past = now() - _PAST
    return {
        "channels": [_kept_json(at) for at in quality_drift.kept(database)],
        "breaches": [_breach_json(at) for at in quality_drift.breaches(database, past)],
    }


def alerts(database: Database) -> dict[str, Any]:
    """What the operations page tells of it: what drifts now, and references that did not come."""
    return {
        "breaches": [_breach_json(at) for at in quality_drift.breaches(database)],
        "missing": [
            {"scanner": at.scanner, "day": at.day} for at in quality_drift.missing(database)
        ],
    }


async def page(request: PageRequest) -> Response:
    """Charts with limits by scanner and stain."""
    return render(request, "drift.html")


routes = [guarded("/ops/quality", page, Right.SEE_TURNAROUND, ("GET",))]


def _kept_json(kept: Kept) -> dict[str, Any]:
    worst = min((at.state for at in kept.standings), key=_ORDER.index, default=DriftState.LEARNING)
    return _channel_json(kept.channel) | {
        "at": moment_json(kept.at),
        "state": worst.value,
        "missing": kept.missing,
        "standings": [_standing_json(at) for at in kept.standings],
    }


def _channel_json(channel: Channel) -> dict[str, str]:
    return {
        "scanner": channel.scanner, "stain": channel.stain, "series": channel.series.value,
    }  # fmt: skip


def _standing_json(at: Standing) -> dict[str, Any]:
    followed = FOLLOWED.get(at.figure)
    return {
        "figure": at.figure,
        "unit": followed.unit if followed else "%",
        "state": at.state.value,
        "learnt": at.learnt,
        "baseline": at.baseline,
        "latest": at.latest,
        "recent": at.recent,
        "psi": at.psi,
        "psi_limit": at.psi_limit,
        "since": _moment(at.since),
        "points": [[moment_json(one.at), one.score, one.limit] for one in at.points],
    }


def _breach_json(breach: Breach) -> dict[str, Any]:
    return _channel_json(breach.channel) | {
        "figure": breach.figure,
        "state": breach.state.value,
        "began_at": moment_json(breach.began_at),
        "ended_at": _moment(breach.ended_at),
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else moment_json(at)
