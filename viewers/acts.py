"""What all acts on a case share: who may, the line in the access log, the fact, the answer.

An act is one fact (or several that stand or fall together) said by the person who asks. What the
rules refuse is answered with 409 and the reason in a word.
"""

from __future__ import annotations

import unicodedata
import uuid
from typing import Annotated, Any

from fastapi import Path, Request
from pydantic import AfterValidator, BaseModel, Field

from storage import cases, people
from storage.case_log import Said
from storage.cases import Recorded
from storage.errors import Illegal
from storage.records.case_events import CaseFact
from storage.records.case_state import state_of
from storage.records.people import Right, Role
from viewers.access import principal_of
from viewers.context import Context, context_of

CASES = "/api/v1/cases"
CASE = CASES + "/{accession:path}"
"""Accession numbers may have strokes in them: routers with longer addresses are included first."""
GLASS = "/api/v1/glasses/{barcode:path}"
SOURCE = "web"
_LINES = "\n\r\t"


def _clean(text: str) -> str:
    """Text without control characters, which no screen shows and not every database keeps."""
    if any(unicodedata.category(at) == "Cc" and at not in _LINES for at in text):
        raise ValueError("control characters")
    return text


def _line(text: str) -> str:
    """The same in one line, without spaces around."""
    if any(at in text for at in _LINES):
        raise ValueError("more than one line")
    return _clean(text).strip()


Name = Annotated[str, Field(max_length=80), AfterValidator(_line)]
Word = Annotated[str, Field(max_length=40), AfterValidator(_line)]
Barcode = Annotated[str, Field(max_length=64), AfterValidator(_line)]
Line = Annotated[str, Field(max_length=200), AfterValidator(_line)]
Note = Annotated[str, Field(max_length=4000), AfterValidator(_clean)]
Text = Annotated[str, Field(max_length=100_000), AfterValidator(_clean)]
Accession = Annotated[str, Path(max_length=40), AfterValidator(_line)]
BarcodeInPath = Annotated[str, Path(max_length=64), AfterValidator(_line)]
Id = Annotated[str, Path(max_length=64), AfterValidator(_line)]


class Because(BaseModel):
    """An act that takes a reason and no more."""

    reason: Note


def new_id() -> str:
    """Of an order, a question, a flag or a pause."""
    return uuid.uuid4().hex


def tell(
    request: Request, right: Right, accession: str, action: str, *facts: CaseFact
) -> dict[str, Any]:
    """Let somebody act on a case, and record it. Errors: Forbidden, NotFound, Illegal."""
    context = context_of(request)
    context.desk.case(principal_of(request), right, accession, action)
    return said(request, accession, *facts)


def said(request: Request, accession: str, *facts: CaseFact) -> dict[str, Any]:
    """Record what a person says who has been let at the case; all of it or nothing."""
    context, who = context_of(request), Said(principal_of(request).name, SOURCE)
    with context.database.transaction() as connection:
        done = [cases.record_in(connection, accession, fact, who) for fact in facts]
    return answer(done[-1])


def answer(done: Recorded) -> dict[str, Any]:
    """What became of an act, and where the case is now; the browser asks for the rest."""
    return {
        "outcome": done.outcome.value,
        "state": state_of(done.case).value,
        "assignee": done.case.assignee,
        "version": done.case.version,
    }


def demand_pathologist(context: Context, name: str) -> None:
    """A case can only go to a pathologist. Errors: Illegal."""
    if people.role_of(context.database, name) is not Role.PATHOLOGIST:
        raise Illegal("pathologist_unknown")
