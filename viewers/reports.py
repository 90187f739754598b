"""Writing and signing the answer: draft, preliminary answer, signature by step-up.

A signature takes the signer's own password once more: whoever finds an open screen cannot sign,
and a program with a token cannot either.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, Field, SecretStr
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from storage import cases, events, people
from storage.case_log import Said
from storage.errors import Illegal
from storage.exchange.case_json import moment_json
from storage.records import reading_events as reading
from storage.records.case_words import ReportKind
from storage.records.people import Right
from viewers import passwords
from viewers.access import needs, principal_of
from viewers.acts import (
    CASE,
    SOURCE,
    Accession,
    Line,
    Note,
    Text,
    Word,
    answer,
    said,
    tell,
)
from viewers.context import context_of

router = APIRouter(tags=["cases"])
_REPORT = [needs(Right.REPORT)]
Codes = Annotated[tuple[Word, ...], Field(max_length=100)]


class NewDraft(BaseModel):
    """Text and codes as they stand."""

    kind: ReportKind = ReportKind.FINAL
    text: Text
    codes: Codes = ()


class SavedDraft(NewDraft):
    """A draft, and which one it stands on: null is none; left out, it is not asked."""

    seen: AwareDatetime | None = None


class NewPreliminary(BaseModel):
    """Why the final answer is late, and when to expect it."""

    text: Text
    reason: Note
    expected_at: AwareDatetime


class Signature(NewDraft):
    """What is signed; what stood in the way and is overridden is named, with the reason."""

    password: SecretStr
    overridden: Annotated[tuple[Line, ...], Field(max_length=500)] = ()
    override_reason: Note = ""


@router.put(CASE + "/draft", dependencies=_REPORT)
def save_draft(request: Request, accession: Accession, body: SavedDraft) -> dict[str, Any]:
    """Keep the text as it stands, but not over a newer draft than the one seen (409)."""
    context, principal = context_of(request), principal_of(request)
    context.desk.case(principal, Right.REPORT, accession, "draft")
    fact = reading.ReportDrafted(body.kind, body.text, body.codes)
    with context.database.transaction() as connection:
        events.hold(connection)
        there = cases.get_in(connection, accession).draft
        if "seen" in body.model_fields_set and (there.at if there else None) != body.seen:
            raise Illegal("draft_newer")
        done = cases.record_in(connection, accession, fact, Said(principal.name, SOURCE))
    draft = done.case.draft
    return answer(done) | {"draft_at": moment_json(draft.at) if draft else None}


@router.post(CASE + "/preliminary", dependencies=_REPORT)
def send_preliminary(
    request: Request, accession: Accession, body: NewPreliminary
) -> dict[str, Any]:
    """A preliminary answer goes out: the requester knows why, and when to expect the final one."""
    fact = reading.PreliminarySent(body.text, body.reason, body.expected_at)
    return tell(request, Right.REPORT, accession, "preliminary", fact)


@router.post(CASE + "/sign", dependencies=_REPORT)
async def sign(request: Request, accession: Accession, body: Signature) -> Response:
    """Sign and send; 403 `step_up` when the password is not right, and nothing has happened."""
    context, principal = context_of(request), principal_of(request)
    desk = context.desk
    await run_in_threadpool(desk.case, principal, Right.REPORT, accession, "sign")
    if not await run_in_threadpool(people.holds_session, context.database, principal):
        return _not(403, "step_up")
    client = request.client.host if request.client else "unknown"
    if not passwords.may_try(principal.name, client):
        return _not(429, "too_many_tries")
    password = body.password.get_secret_value()
    if await passwords.check(context.database, principal.name, password, client) is None:
        return _not(403, "step_up")
    fact = reading.ReportSigned(
        body.kind, body.text, body.codes, body.overridden, body.override_reason
    )
    return JSONResponse(await run_in_threadpool(said, request, accession, fact))


def _not(status: int, code: str) -> Response:
    return JSONResponse({"error": code}, status, headers={"Cache-Control": "no-store"})
