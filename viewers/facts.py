"""What laboratory systems, scanners and checks tell of cases: one fact at a time, kept whatever.

What contradicts is set aside for the repair list, not refused: a machine cannot be asked again.
What only people may say (who reads, what is asked, drafted and signed) is not taken from machines.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, Field

from storage import cases, patients, worklist
from storage.case_log import Said
from storage.errors import NotFound
from storage.exchange.facts import fact_from_json
from storage.records import case_events as events
from storage.records import reading_events as reading
from storage.records import slide_events as slides
from storage.records.case_events import CaseFact
from storage.records.people import Principal, Right
from viewers.access import Forbidden, needs, principal_of
from viewers.acts import CASE, Accession, Word
from viewers.context import Context, context_of
from viewers.identifiers import Named, understood

router = APIRouter(tags=["cases"])
TOLD: Final[tuple[type[CaseFact], ...]] = (
    events.CaseOrdered, events.SpecimenTaken, events.SpecimenDispatched, events.SpecimenReceived,
    events.CaseAccessioned, events.GrossingDone, events.BlockEmbedded, events.PriorityChanged,
    events.CaseCancelled, events.CaseRejected, slides.SlideExpected, slides.SlideCancelled,
    slides.SlidePrinted, slides.SlideSectioned, slides.SlideStained, slides.ScanStarted,
    slides.ScanCompleted, slides.ScanFailed, slides.QualityPassed, slides.QualityFlagged,
    reading.FlagRaised, reading.WorkOrderAccepted, reading.WorkOrderFulfilled,
    reading.WorkOrderCancelled, reading.ReportDistributed, reading.ReportAcknowledged,
)  # fmt: skip
"""The kinds a machine may tell of."""
_LONGEST_KEY = 120


class Told(BaseModel):
    """An event of docs/events.md, when it happened, and what the sender calls it."""

    kind: Word
    data: dict[str, Any] = {}
    occurred_at: AwareDatetime | None = None
    key: Annotated[str, Field(max_length=120)] = ""
    patient: Named | None = None
    """With CaseOrdered, in place of `patient_id`: entered when unknown."""


@router.post(CASE + "/facts", dependencies=[needs(Right.DO_WORK)])
def take_fact(request: Request, accession: Accession, body: Told) -> dict[str, str]:
    """Keep a fact: `recorded`, `known` before, or `set_aside` with the reason."""
    context, principal = context_of(request), principal_of(request)
    if body.kind in events.FACTS and events.FACTS[body.kind] not in TOLD:
        raise Forbidden(principal)
    is_new = not _let_in(context, principal, accession, body)
    said = Said(principal.name, "api", body.occurred_at, _key(principal, body.key))
    with context.database.transaction() as connection:
        data = dict(body.data)
        if body.patient and body.kind == events.CaseOrdered.__name__:
            who = understood(body.patient)
            data["patient_id"] = patients.enter(connection, *who.entered, said_by=principal.name)
        fact = fact_from_json(body.kind, data)
        done = cases.record_in(connection, accession, fact, said, strict=False)
    if is_new and done.outcome is cases.Outcome.RECORDED:
        context.desk.case(principal, Right.DO_WORK, accession, "tell")
    return {"outcome": done.outcome.value, "reason": done.reason}


def _let_in(context: Context, principal: Principal, accession: str, body: Told) -> bool:
    """Whether the case is there; of one that is not, only somebody of its unit may tell."""
    try:
        worklist.row(context.database, accession)
    except NotFound:
        unit = body.data.get("unit")
        if principal.unit and unit is not None and unit != principal.unit:
            raise Forbidden(principal) from None
        context.desk.listing(principal, "tell of a new case")
        return False
    context.desk.case(principal, Right.DO_WORK, accession, "tell")
    return True


def _key(principal: Principal, key: str) -> str | None:
    """Each sender numbers its messages by itself."""
    if not key:
        return None
    own = f"{principal.name}:{key}"
    if len(own) <= _LONGEST_KEY:
        return own
    return f"{principal.name[:40]}:{hashlib.sha256(key.encode()).hexdigest()}"
