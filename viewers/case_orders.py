"""What a pathologist asks of others: additional work of the laboratory, opinions of colleagues."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, Field

from storage import cases, people
from storage.errors import Illegal
from storage.records import reading_events as reading
from storage.records.case import Consultation
from storage.records.case_words import Agreement, WorkOrderKind
from storage.records.milestones import Distance
from storage.records.people import Right, Role
from viewers.access import Forbidden, needs, principal_of
from viewers.acts import (
    CASE,
    Accession,
    Barcode,
    Because,
    Id,
    Line,
    Name,
    Note,
    Text,
    new_id,
    said,
    tell,
)
from viewers.cases import is_asked
from viewers.context import Context, context_of

router = APIRouter(tags=["cases"])
_READ, _REPORT = [needs(Right.READ_CASES)], [needs(Right.REPORT)]
_LAB, _ANSWER = [needs(Right.RUN_LAB)], [needs(Right.ANSWER)]
_ORDER, _ASK = CASE + "/orders/{order_id}", CASE + "/consultations/{consultation_id}"


class NewOrder(BaseModel):
    """Recut, stain, immunohistochemistry or a new block."""

    kind: WorkOrderKind
    block: Line = ""
    stain: Line = ""
    note: Note = ""


class NewConsultation(BaseModel):
    """Who is asked what; without slides it is about the whole case."""

    asked: Name
    distance: Distance = Distance.INTERNAL
    question: Note
    slides: Annotated[tuple[Barcode, ...], Field(max_length=200)] = ()
    await_before_signing: bool = True
    due: AwareDatetime | None = None


class Opinion(BaseModel):
    """The answer."""

    opinion: Text
    agreement: Agreement | None = None


class Transfer(BaseModel):
    """Who is asked instead, and why."""

    asked: Name
    reason: Note


@router.post(CASE + "/orders", status_code=201, dependencies=_REPORT)
def place_order(request: Request, accession: Accession, body: NewOrder) -> dict[str, Any]:
    """Ask the laboratory for additional work."""
    fact = reading.WorkOrderPlaced(new_id(), body.kind, body.block, body.stain, body.note)
    done = tell(request, Right.REPORT, accession, "order", fact)
    return done | {"order_id": fact.order_id}


@router.post(_ORDER + "/accept", dependencies=_LAB)
def accept_order(request: Request, accession: Accession, order_id: Id) -> dict[str, Any]:
    """The laboratory takes it on."""
    fact = reading.WorkOrderAccepted(order_id)
    return tell(request, Right.RUN_LAB, accession, "accept order", fact)


@router.post(_ORDER + "/fulfil", dependencies=_LAB)
def fulfil_order(request: Request, accession: Accession, order_id: Id) -> dict[str, Any]:
    """It is done; an order with glasses of its own is when they can be read."""
    fact = reading.WorkOrderFulfilled(order_id)
    return tell(request, Right.RUN_LAB, accession, "fulfil order", fact)


@router.post(_ORDER + "/cancel", dependencies=_READ)
def cancel_order(
    request: Request, accession: Accession, order_id: Id, body: Because
) -> dict[str, Any]:
    """Not wanted any more (the pathologist), or not possible (the laboratory)."""
    if not body.reason.strip():
        raise Illegal("reason_missing")
    lab = principal_of(request).role is Role.TECHNICIAN
    fact = reading.WorkOrderCancelled(order_id, body.reason)
    return tell(request, Right.RUN_LAB if lab else Right.REPORT, accession, "cancel order", fact)


@router.post(CASE + "/consultations", status_code=201, dependencies=_REPORT)
def ask(request: Request, accession: Accession, body: NewConsultation) -> dict[str, Any]:
    """Ask for a second opinion: a person, a unit, or somebody far away."""
    fact = reading.ConsultationRequested(
        new_id(),
        body.distance,
        body.asked,
        body.question,
        body.slides,
        body.await_before_signing,
        body.due,
    )
    done = tell(request, Right.REPORT, accession, "ask", fact)
    return done | {"consultation_id": fact.consultation_id}


@router.post(_ASK + "/accept", dependencies=_ANSWER)
def accept(request: Request, accession: Accession, consultation_id: Id) -> dict[str, Any]:
    """The asked one will answer."""
    _let_answer(request, accession, consultation_id, "accept question")
    name = principal_of(request).name
    return said(request, accession, reading.ConsultationAccepted(consultation_id, name))


@router.post(_ASK + "/decline", dependencies=_ANSWER)
def decline(
    request: Request, accession: Accession, consultation_id: Id, body: Because
) -> dict[str, Any]:
    """The asked one will not answer."""
    _let_answer(request, accession, consultation_id, "decline question")
    return said(request, accession, reading.ConsultationDeclined(consultation_id, body.reason))


@router.post(_ASK + "/answer", dependencies=_ANSWER)
def give_opinion(
    request: Request, accession: Accession, consultation_id: Id, body: Opinion
) -> dict[str, Any]:
    """The opinion; one that came from outside is entered by the responsible pathologist."""
    asked = _let_answer(request, accession, consultation_id, "answer question")
    name = principal_of(request).name if is_asked(principal_of(request), asked.asked) else ""
    fact = reading.ConsultationAnswered(
        consultation_id, name or asked.asked, body.opinion, body.agreement
    )
    return said(request, accession, fact)


@router.post(_ASK + "/transfer", dependencies=_ANSWER)
def transfer(
    request: Request, accession: Accession, consultation_id: Id, body: Transfer
) -> dict[str, Any]:
    """Somebody else is asked instead; said by the asked one or by the asker."""
    _let_answer(request, accession, consultation_id, "transfer question", asker=True)
    if not body.asked:
        raise Illegal("asked_missing")
    fact = reading.ConsultationTransferred(consultation_id, body.asked, body.reason)
    return said(request, accession, fact)


@router.post(_ASK + "/withdraw", dependencies=_REPORT)
def withdraw(
    request: Request, accession: Accession, consultation_id: Id, body: Because
) -> dict[str, Any]:
    """The asker does not need it any more."""
    fact = reading.ConsultationWithdrawn(consultation_id, body.reason)
    return tell(request, Right.REPORT, accession, "withdraw question", fact)


def _let_answer(
    request: Request, accession: str, consultation_id: str, action: str, *, asker: bool = False
) -> Consultation:
    """Only who was asked; for those outside svartid, and to transfer, the responsible one too."""
    context, principal = context_of(request), principal_of(request)
    context.desk.case(principal, Right.READ_CASES, accession, action)
    case = cases.get(context.database, accession)
    found = case.consultations.get(consultation_id)
    if found is None:
        raise Illegal("consultation_unknown")
    if is_asked(principal, found.asked):
        context.desk.case(principal, Right.ANSWER, accession, action)
    elif asker or not _is_here(context, found.asked):
        context.desk.case(principal, Right.REPORT, accession, action)
    else:
        raise Forbidden(principal)
    return found


def _is_here(context: Context, asked: str) -> bool:
    """Whether somebody who can sign in was asked, or a unit of such."""
    return people.role_of(context.database, asked) is not None or people.is_unit(
        context.database, asked
    )
