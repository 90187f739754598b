"""Entering a case by hand, where no laboratory system tells of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, Field

from storage import case_entry
from storage.case_entry import Entry, Glass, Part
from storage.case_log import Said
from storage.errors import Illegal
from storage.records.milestones import Priority, SpecimenClass
from storage.records.people import Principal, Right
from viewers.access import Forbidden, needs, principal_of
from viewers.acts import CASES, SOURCE, Barcode, Line, Name, Note, Word
from viewers.context import context_of
from viewers.identifiers import Named, understood

router = APIRouter(tags=["cases"])
_ENTER = [needs(Right.ENTER_CASES)]


class NewPart(BaseModel):
    """A submitted specimen; received now when left out."""

    part: Word
    topography: Word = ""
    taken_at: AwareDatetime | None = None
    received_at: AwareDatetime | None = None


class NewSlide(BaseModel):
    """An expected glass; the barcode is made when left out."""

    barcode: Barcode = ""
    part: Word
    block: Word = ""
    stain: Line = ""


class NewCase(Named):
    """What is written on the requisition and on the containers."""

    name: Annotated[Line, Field(min_length=1)]
    accession: Word = ""
    requester: Name
    site: Word = ""
    unit: Word = ""
    priority: Priority = Priority.ROUTINE
    specimen_class: SpecimenClass = SpecimenClass.BIOPSY
    subspecialty: Word = ""
    clinical_information: Note = ""
    language: Annotated[str, Field(pattern="^[a-z]{2}$")] = "da"
    parts: Annotated[tuple[NewPart, ...], Field(min_length=1, max_length=60)]
    slides: Annotated[tuple[NewSlide, ...], Field(max_length=300)] = ()
    renamed: bool = False
    """The number is known under another name, and a person says that this one is right."""
    key: Annotated[Word, Field(max_length=36)] = ""
    """The sender's own number: the same again is the same case."""


@router.post(CASES + "/identifier", dependencies=_ENTER)
def read_identifier(request: Request, body: Named) -> dict[str, Any]:
    """What a number says while it is being typed; who has it is not told. 422 with the reason."""
    return understood(body).document()


@router.post(CASES, status_code=201, dependencies=_ENTER)
def enter_case(request: Request, body: NewCase) -> dict[str, Any]:
    """Patient, requisition, parts and glasses in one go; what was made for it, and warnings."""
    context, principal = context_of(request), principal_of(request)
    who = understood(body)
    entry = _entry(principal, body, who.entered)
    prefix = context.settings.accession_prefixes.get(entry.unit, "")
    key = f"entry:{principal.name[:70]}:{body.key}" if body.key else None
    context.desk.listing(principal, "enter case")
    with context.database.transaction() as connection:
        said = Said(principal.name, SOURCE, None, key)
        done = case_entry.enter(connection, entry, prefix, said)
    context.desk.case(principal, Right.ENTER_CASES, done.accession, "enter case")
    return {
        "accession": done.accession,
        "barcodes": list(done.barcodes),
        "warnings": list(who.warnings),
    }


def _entry(principal: Principal, body: NewCase, patient: tuple[Any, ...]) -> Entry:
    """Into the asker's own unit: of another one they would not even see the case."""
    if not principal.unit:
        raise Illegal("unit_missing")
    if body.unit not in ("", principal.unit):
        raise Forbidden(principal)
    return Entry(
        patient=(patient[0], patient[1], patient[2], patient[3], patient[4]),
        requester=body.requester,
        site=body.site or principal.site or principal.unit,
        unit=principal.unit,
        priority=body.priority,
        specimen_class=body.specimen_class,
        parts=[Part(at.part, at.topography, at.taken_at, at.received_at) for at in body.parts],
        slides=[Glass(at.part, at.block, at.stain, at.barcode) for at in body.slides],
        subspecialty=body.subspecialty,
        clinical_information=body.clinical_information,
        language=body.language,
        accession=body.accession,
        renamed=body.renamed,
    )
