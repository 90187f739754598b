"""The repair list: what needs a person's look, settled by recording again or with a reason.

And corrections: an event of a case did not happen, or at another time; it stays in the log.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel

from storage import people, repairs
from storage.exchange.case_json import moment_json
from storage.records.case_events import EventCorrected
from storage.records.people import Principal, Right, allowed
from storage.records.repair import Repair, RepairAct
from viewers.access import needs, principal_of
from viewers.acts import CASE, Accession, Because, Note, tell
from viewers.context import Context, context_of

router = APIRouter(tags=["repairs"])
_REPAIR = [needs(Right.REPAIR)]
_ONE = "/api/v1/repairs/{repair_id:path}"


class Correction(BaseModel):
    """What was wrong: no moment is that it did not happen at all."""

    reason: Note
    occurred_at: AwareDatetime | None = None


@router.get("/api/v1/repairs", dependencies=_REPAIR)
def repair_list(request: Request) -> dict[str, Any]:
    """Open lines of the asker's unit, the most harmful kind first, then the newest."""
    context, principal = context_of(request), principal_of(request)
    context.desk.listing(principal, "repairs")
    found = repairs.listing(context.database, principal)
    lines = [_line(at, principal) for at in found]
    kinds = [line["kind"] for line in lines]
    return {
        "repairs": lines,
        "counts": {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)},
        "people": people.full_names(context.database, {at.actor for at in found}),
    }


@router.post(_ONE + "/retry", dependencies=_REPAIR)
def retry(request: Request, repair_id: str) -> dict[str, Any]:
    """Record it again as it was said, at its own time; or send a message now."""
    context, repair = _asked_for(request, repair_id, "repair: record again")
    done = repairs.retry(context.database, repair, principal_of(request).name)
    return {"outcome": done.outcome.value if done else "hurried"}


@router.post(_ONE + "/dismiss", dependencies=_REPAIR)
def dismiss(request: Request, repair_id: str, said: Because) -> dict[str, Any]:
    """Looked at: off the list, with name and reason."""
    context, repair = _asked_for(request, repair_id, "repair: dismiss")
    repairs.dismiss(context.database, repair, principal_of(request).name, said.reason)
    return {"outcome": "dismissed"}


@router.post(CASE + "/events/{event_id}/correct", dependencies=_REPAIR)
def correct(
    request: Request, accession: Accession, event_id: int, wrong: Correction
) -> dict[str, Any]:
    """An event of the case was wrong; what follows from it is worked out anew."""
    fact = EventCorrected(event_id, wrong.reason, _plain(wrong.occurred_at))
    return tell(request, Right.REPAIR, accession, "correct event", fact)


def _plain(moment: datetime | None) -> datetime | None:
    """Of the standard type: what the log keeps."""
    return datetime.fromisoformat(moment.isoformat()) if moment else None


def _asked_for(request: Request, repair_id: str, action: str) -> tuple[Context, Repair]:
    """The line, within reach; the access log has its line before anything is done."""
    context, principal = context_of(request), principal_of(request)
    repair = repairs.find(context.database, principal, repair_id)
    if repair.has_case:
        context.desk.case(principal, Right.REPAIR, repair.accession, action)
    else:
        context.desk.listing(principal, action)
    return context, repair


def _line(repair: Repair, principal: Principal) -> dict[str, Any]:
    lab = allowed(principal, Right.RUN_LAB)
    return {
        "repair_id": repair.repair_id,
        "kind": repair.kind.value,
        "accession": repair.accession,
        "has_case": repair.has_case,
        "recorded_at": moment_json(repair.recorded_at),
        "occurred_at": moment_json(repair.occurred_at),
        "actor": repair.actor,
        "source": repair.source,
        "what": repair.what,
        "reason": repair.reason,
        "about": dict(repair.about),
        "count": repair.count,
        "acts": [act.value for act in repair.acts if lab or act is not RepairAct.SCAN],
    }
