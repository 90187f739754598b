"""Whose case it is and what holds it up: open, claim, hand over, assign, urgency, flags, pauses."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from storage import cases
from storage.case_log import Said
from storage.errors import Illegal
from storage.records import case_events as events
from storage.records import reading_events as reading
from storage.records.case_words import AssignedBy, Severity
from storage.records.milestones import PauseReason, Priority
from storage.records.people import Right
from viewers.access import needs, principal_of
from viewers.acts import (
    CASE,
    SOURCE,
    Accession,
    Barcode,
    Because,
    Id,
    Line,
    Name,
    Note,
    answer,
    demand_pathologist,
    new_id,
    tell,
)
from viewers.context import context_of

router = APIRouter(tags=["cases"])
_READ, _REPORT = [needs(Right.READ_CASES)], [needs(Right.REPORT)]
_ASSIGN, _ENTER = [needs(Right.ASSIGN)], [needs(Right.ENTER_CASES)]


class HandOver(BaseModel):
    """To whom, and why."""

    to: Name
    reason: Note


class NewPriority(BaseModel):
    """How urgent it is now, and why."""

    priority: Priority
    reason: Note


class NewFlag(BaseModel):
    """What is to be seen before the report is signed."""

    severity: Severity
    text: Note
    barcode: Barcode = ""


class NewPause(BaseModel):
    """Why the net clock stops, and what that is linked to."""

    reason: PauseReason
    evidence: Line


class Evidence(BaseModel):
    """What ended a pause."""

    evidence: Line = ""


@router.post(CASE + "/open", dependencies=_READ)
def open_case(request: Request, accession: Accession) -> dict[str, Any]:
    """The responsible pathologist opens it: the reading clock begins; others only look."""
    context, principal = context_of(request), principal_of(request)
    context.desk.case(principal, Right.READ_CASES, accession, "open case")
    case = cases.get(context.database, accession)
    opened = False
    if case.assignee == principal.name and case.opened_at is None:
        fact, who = reading.CaseOpened(principal.name), Said(principal.name, SOURCE)
        with suppress(Illegal):  # not received yet, or closed: looking at it is all the same
            cases.record(context.database, accession, fact, who)
            opened = True
    return {"opened": opened}


@router.post(CASE + "/claim", dependencies=_REPORT)
def claim(request: Request, accession: Accession) -> dict[str, Any]:
    """Take a case that is nobody's; of two who try at once exactly one has it."""
    fact = reading.CaseAssigned(principal_of(request).name, AssignedBy.CLAIM)
    return tell(request, Right.ASSIGN, accession, "claim", fact)


@router.post(CASE + "/release", dependencies=_ASSIGN)
def release(request: Request, accession: Accession, body: Because) -> dict[str, Any]:
    """Give it back to the department's list."""
    return tell(request, Right.ASSIGN, accession, "release", reading.CaseReleased(body.reason))


@router.post(CASE + "/hand-over", dependencies=_REPORT)
def hand_over(request: Request, accession: Accession, body: HandOver) -> dict[str, Any]:
    """The responsible pathologist gives it to another."""
    return _give(request, Right.REPORT, accession, body, AssignedBy.HANDOVER)


@router.post(CASE + "/assign", dependencies=_ASSIGN)
def assign(request: Request, accession: Accession, body: HandOver) -> dict[str, Any]:
    """Decide whose case it is."""
    return _give(request, Right.ASSIGN, accession, body, AssignedBy.PERSON)


@router.post(CASE + "/priority", dependencies=_ENTER)
def change_priority(request: Request, accession: Accession, body: NewPriority) -> dict[str, Any]:
    """More or less urgent than ordered."""
    fact = events.PriorityChanged(body.priority, body.reason)
    return tell(request, Right.ENTER_CASES, accession, "change priority", fact)


@router.post(CASE + "/cancel", dependencies=_ENTER)
def cancel(request: Request, accession: Accession, body: Because) -> dict[str, Any]:
    """No answer is wanted any more; scans that wait are called off."""
    return tell(request, Right.ENTER_CASES, accession, "cancel", events.CaseCancelled(body.reason))


@router.post(CASE + "/flags", dependencies=_READ)
def raise_flag(request: Request, accession: Accession, body: NewFlag) -> dict[str, Any]:
    """Whoever reads the case may ask for something to be seen."""
    if not body.text.strip():
        raise Illegal("text_missing")
    fact = reading.FlagRaised(new_id(), body.severity, body.text, body.barcode)
    done = tell(request, Right.READ_CASES, accession, "raise flag", fact)
    return done | {"flag_id": fact.flag_id}


@router.post(CASE + "/flags/{flag_id}/close", dependencies=_REPORT)
def close_flag(
    request: Request, accession: Accession, flag_id: Id, body: Because
) -> dict[str, Any]:
    """The responsible pathologist has seen it."""
    fact = reading.FlagClosed(flag_id, body.reason)
    return tell(request, Right.REPORT, accession, "close flag", fact)


@router.post(CASE + "/pauses", dependencies=_ENTER)
def pause(request: Request, accession: Accession, body: NewPause) -> dict[str, Any]:
    """The net clock stops for a reason of the closed list."""
    fact = events.ClockPaused(new_id(), body.reason, body.evidence)
    done = tell(request, Right.ENTER_CASES, accession, "pause", fact)
    return done | {"pause_id": fact.pause_id}


@router.post(CASE + "/pauses/{pause_id}/resume", dependencies=_ENTER)
def resume(request: Request, accession: Accession, pause_id: Id, body: Evidence) -> dict[str, Any]:
    """What was waited for has come."""
    fact = events.ClockResumed(pause_id, body.evidence)
    return tell(request, Right.ENTER_CASES, accession, "resume", fact)


def _give(
    request: Request, right: Right, accession: str, body: HandOver, by: AssignedBy
) -> dict[str, Any]:
    context, principal = context_of(request), principal_of(request)
    context.desk.case(principal, right, accession, by.value)
    if not body.reason.strip():
        raise Illegal("reason_missing")
    demand_pathologist(context, body.to)
    fact = reading.CaseAssigned(body.to, by, body.reason)
    return answer(cases.record(context.database, accession, fact, Said(principal.name, SOURCE)))
