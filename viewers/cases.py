"""Cases for reading: the worklists, searching, one case with all that belongs to it, its history.

What a list shows is within the asker's reach; every patient on it leaves a line in the access log.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from storage import cases, people, relations, worklist
from storage.errors import Malformed
from storage.exchange.case_json import happened_json
from storage.records.access import Relation, decide
from storage.records.case import Case
from storage.records.people import Principal, Right
from storage.worklist import CaseRow, Which
from viewers.access import needs, principal_of
from viewers.acts import CASE, CASES, Accession, Line
from viewers.case_rows import document_json, rows_json
from viewers.context import Context, context_of

router = APIRouter(tags=["cases"])
late = APIRouter(tags=["cases"])
"""The address of the case alone: registered after all that begin like it."""
_IDENTIFIER = re.compile(r"\d{6}[- ]?\d{4}")
_MAY = {
    "report": Right.REPORT,
    "assign": Right.ASSIGN,
    "answer": Right.ANSWER,
    "run_lab": Right.RUN_LAB,
    "enter": Right.ENTER_CASES,
}
_READ = [needs(Right.READ_CASES)]


class Search(BaseModel):
    """What is looked for; in the body, so that no identifier gets into an address."""

    text: Annotated[Line, Field(max_length=80)]


@router.get(CASES, dependencies=_READ)
def list_cases(
    request: Request,
    which: Annotated[Which, Query(alias="list")] = Which.MINE,
    ended: bool = False,
) -> dict[str, Any]:
    """One of the asker's lists in the order of urgency, and how much is on each of them."""
    context, principal = context_of(request), principal_of(request)
    rows = worklist.cases(context.database, principal, which, ended=ended)
    _leave_lines(context, principal, f"cases {which.value}", rows)
    found = rows_json(context, rows)
    if which is Which.ASKED:
        found = [line | {"questions": _questions(context, principal, line)} for line in found]
    return {"cases": found, "counts": worklist.counts(context.database, principal)}


@router.get(CASES + "/search", dependencies=_READ)
def search(request: Request, text: Annotated[Line, Query(max_length=80)]) -> dict[str, Any]:
    """By accession or barcode, as far as typed; a patient's identifier is asked for by POST."""
    if _IDENTIFIER.search(text):
        raise Malformed("an identifier of a patient does not belong into an address")
    return _found(request, text)


@router.post(CASES + "/search", dependencies=_READ)
def search_privately(request: Request, wanted: Search) -> dict[str, Any]:
    """By accession, barcode, or the patient's whole identifier."""
    return _found(request, wanted.text)


@late.get(CASE + "/events", dependencies=_READ)
def history(request: Request, accession: Accession) -> dict[str, Any]:
    """All that happened to a case, in the order it was told."""
    context = context_of(request)
    context.desk.case(principal_of(request), Right.READ_CASES, accession, "case history")
    events = cases.history(context.database, accession)
    return {
        "events": [happened_json(at) for at in events],
        "people": people.full_names(context.database, {at.actor for at in events}),
    }


@late.get(CASE, dependencies=_READ)
def read_case(request: Request, accession: Accession) -> dict[str, Any]:
    """One case: its line, glasses, orders, questions, reports, clocks, and what the asker may."""
    context, principal = context_of(request), principal_of(request)
    context.desk.case(principal, Right.READ_CASES, accession, "case")
    return whole_case(context, principal, accession)


def whole_case(context: Context, principal: Principal, accession: str) -> dict[str, Any]:
    """The document of a case somebody has been let at; its answer after every act as well."""
    row, case = worklist.row(context.database, accession), cases.get(context.database, accession)
    others = worklist.of_patient(context.database, principal, case.patient_id)
    earlier = [at for at in others if at.accession != accession]
    _leave_lines(context, principal, "earlier case", earlier)
    concern = relations.concern_of_case(context.database, principal, accession)
    return document_json(context, row, case) | {
        "earlier": rows_json(context, earlier),
        "may": _may(principal, concern.relation, case),
        "responsible": bool(case.assignee) and case.assignee == principal.name,
        "events_url": f"{CASES}/{accession}/events",
    }


def _may(principal: Principal, relation: Relation, case: Case) -> dict[str, bool]:
    may = {name: bool(decide(principal, right, relation)) for name, right in _MAY.items()}
    asked = any(at.is_open and is_asked(principal, at.asked) for at in case.consultations.values())
    return may | {"answer": may["answer"] and asked}


def is_asked(principal: Principal, asked: str) -> bool:
    """Whether a question went to this person, or to the unit as a group."""
    return asked == principal.name or (bool(principal.unit) and asked == principal.unit)


def _questions(context: Context, principal: Principal, line: dict[str, Any]) -> list[Any]:
    """Who asks what: the open questions to this person on a case."""
    case = cases.get(context.database, line["accession"])
    names = people.full_names(context.database, {case.assignee, *_askers(case)})
    return [
        {
            "consultation_id": at.consultation_id,
            "question": at.question,
            "requested_by": at.requested_by,
            "requested_by_name": names.get(at.requested_by) or at.requested_by,
            "requested_at": at.requested_at.isoformat(),
            "due": at.due.isoformat() if at.due else None,
            "accepted": at.accepted_at is not None,
        }
        for at in case.consultations.values()
        if at.is_open and is_asked(principal, at.asked)
    ]


def _askers(case: Case) -> set[str]:
    return {at.requested_by for at in case.consultations.values()}


def _found(request: Request, text: str) -> dict[str, Any]:
    context, principal = context_of(request), principal_of(request)
    rows = worklist.search(context.database, principal, text)
    _leave_lines(context, principal, "case search", rows)
    return {"cases": rows_json(context, rows)}


def _leave_lines(context: Context, principal: Principal, action: str, rows: list[CaseRow]) -> None:
    context.desk.listing(principal, action)
    named = [(row.accession, row.patient.patient_id) for row in rows]
    context.desk.listed(principal, action, named)
