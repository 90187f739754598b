"""Turnaround over HTTP: a month, its trends, today's open cases; publishing a month.

Figures only, without patients; small groups always with their number. Late open cases are named,
by accession, to those who may read them, and leave their lines in the access log.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from processing.turnaround.figures_csv import csv_text
from processing.turnaround.figures_json import month_json
from processing.turnaround.overview import Question, overview_json, question
from processing.turnaround.telling import by_urgency, forecast_json, standing_json
from storage import events, published_months, worklist
from storage.database import now
from storage.errors import Malformed
from storage.exchange.case_json import moment_json
from storage.published_months import Published
from storage.records.people import Principal, Right, allowed
from storage.records.published import DataCut
from storage.worklist import Which
from viewers.access import needs, principal_of
from viewers.acts import SOURCE, Line, Word
from viewers.context import Context, context_of
from viewers.i18n import language_of

router = APIRouter(tags=["turnaround"])
_SEE = [needs(Right.SEE_TURNAROUND)]
_ADDRESS = "/api/v1/turnaround"
_MONTH = r"^20\d\d-(0[1-9]|1[0-2])$"
_FRESH, _TIMES = 15.0, 10.0
"""Seconds that figures are good for; more where computing them took more than a tenth of it."""
_MOST = 64
_MOST_NAMED = 50
Month = Annotated[str | None, Query(pattern=_MONTH)]
Place = Annotated[Word, Query()]
_computed: OrderedDict[tuple[str, int, Question], tuple[float, dict[str, Any]]] = OrderedDict()
"""Figures by database, version of the policy and question: until when they are good."""
_one_at_a_time = threading.Lock()


class Publish(BaseModel):
    """Which unit's month (empty: all units), and why it is published again."""

    unit: Word = ""
    reason: Line = ""


@router.get(_ADDRESS, dependencies=_SEE)
def turnaround(
    request: Request, month: Month = None, unit: Place = "", site: Place = ""
) -> dict[str, Any]:
    """A month (this one by default) of a unit or site; trends, open cases, what was published."""
    context, principal = context_of(request), principal_of(request)
    asked = _asked(month, unit, site)
    context.desk.listing(principal, "turnaround")
    return _overview(context, asked) | {
        "published": [_published(at) for at in _latest(context, unit)],
        "late_cases": _late_cases(context, principal, asked),
        "may": {"publish": allowed(principal, Right.MANAGE)},
    }


@router.get(_ADDRESS + ".csv", dependencies=_SEE)
def turnaround_csv(
    request: Request, month: Month = None, unit: Place = "", site: Place = ""
) -> Response:
    """The same month as a table: semicolons and decimal commas for Danish spreadsheets."""
    context = context_of(request)
    asked = _asked(month, unit, site)
    context.desk.listing(principal_of(request), "turnaround")
    danish = language_of(request) == "da"
    text = csv_text(_overview(context, asked), danish=danish)
    name = f"svartid-{asked.scope.month}.csv"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "Vary": "Cookie, Accept-Language",
    }
    data = text.encode("utf-8-sig" if danish else "utf-8")
    return Response(data, media_type="text/csv; charset=utf-8", headers=headers)


@router.post(
    _ADDRESS + "/{month}/publish", status_code=201, dependencies=[needs(Right.MANAGE)]
)  # fmt: skip
def publish(
    request: Request, month: Annotated[str, Path(pattern=_MONTH)], wanted: Publish
) -> dict[str, Any]:
    """Freeze a month with the policy's version and the last event that is known."""
    context, name = context_of(request), principal_of(request).name
    scope = _asked(month, wanted.unit, "").scope
    done = published_months.publish(
        context.database, scope, month_json, name, SOURCE, wanted.reason
    )  # fmt: skip
    return _published(done) | {"figures": done.figures}


def _asked(month: str | None, unit: str, site: str) -> Question:
    try:
        return question(month, unit, site, now())
    except ValueError as error:
        raise Malformed(str(error)) from error


def _overview(context: Context, asked: Question) -> dict[str, Any]:
    """Computed by one request at a time: whoever waited finds what that one made."""
    policy = context.timing.policy()
    key = (context.database.url, policy.version, asked)
    with _one_at_a_time:
        until, known = _computed.get(key, (0.0, {}))
        began = time.monotonic()
        if began < until:
            return known
        cut = DataCut(events.last_id(context.database), now())
        cases = worklist.milestones(context.database, asked.since)
        found = overview_json(policy, context.timing.experience(), cases, asked, cut)
        ended = time.monotonic()
        _computed[key] = (ended + max(_FRESH, _TIMES * (ended - began)), found)
        _computed.move_to_end(key)
        while len(_computed) > _MOST:
            _computed.popitem(last=False)
        return found


def _late_cases(
    context: Context, principal: Principal, asked: Question
) -> list[dict[str, Any]] | None:
    """Those of the asker's own unit, most urgent first; None: the role reads no cases."""
    if not allowed(principal, Right.READ_CASES):
        return None
    moment, policy = now(), context.timing.policy()
    experience = context.timing.experience()
    found = []
    for row in worklist.cases(context.database, principal, Which.UNIT):
        times, here = row.milestones, asked.site in ("", row.site)
        standing = standing_json(policy, times, moment)
        if standing["state"] == "late" and here and asked.scope.unit in ("", row.unit):
            found.append((by_urgency(policy, times, moment), row, standing))
    found = sorted(found, key=lambda at: at[0])[:_MOST_NAMED]
    named = [(row.accession, row.patient.patient_id) for _, row, _ in found]
    context.desk.listed(principal, "turnaround late cases", named)
    return [
        {
            "accession": row.accession,
            "priority": row.milestones.priority.value,
            "specimen_class": row.milestones.specimen_class.value,
            "state": row.state.value,
            "due_at": standing["due_at"],
            "standing": standing,
            "forecast": forecast_json(policy, experience, row.milestones, moment),
        }
        for _, row, standing in found
    ]


def _latest(context: Context, unit: str) -> list[Published]:
    """The edition that counts of each month."""
    found = {at.scope.month: at for at in published_months.of_unit(context.database, unit)}
    return list(found.values())


def _published(at: Published) -> dict[str, Any]:
    whole = at.figures["whole"]
    return {
        "month": at.scope.month,
        "unit": at.scope.unit,
        "edition": at.edition,
        "policy_version": at.policy_version,
        "event_id": at.cut.event_id,
        "data_until": moment_json(at.cut.at),
        "published_at": moment_json(at.published_at),
        "by": at.by,
        "reason": at.reason,
        "n": whole["n"],
        "percent": whole["percent"],
    }
