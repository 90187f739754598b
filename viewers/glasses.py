"""The glasses of a case: expected by hand, stained, scanned again, read as glass, called off."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from storage.errors import Illegal
from storage.records import slide_events as slides
from storage.records.case_events import CaseFact
from storage.records.case_words import RescanReason
from storage.records.people import Right, Role
from viewers.access import needs, principal_of
from viewers.acts import (
    CASE,
    GLASS,
    Accession,
    Barcode,
    BarcodeInPath,
    Because,
    Line,
    Note,
    Word,
    said,
    tell,
)
from viewers.context import context_of

router = APIRouter(tags=["cases"])
Fraction = Annotated[float, Field(ge=0, le=1)]


class NewGlass(BaseModel):
    """A glass that will come."""

    barcode: Barcode
    part: Word = ""
    block: Word = ""
    stain: Line = ""
    order_id: Barcode = ""


class Rescan(BaseModel):
    """Why, and where on the glass: left, top, width, height as fractions of it."""

    reason: RescanReason
    note: Note = ""
    region: tuple[Fraction, Fraction, Fraction, Fraction] | None = None


@router.post(CASE + "/slides", status_code=201, dependencies=[needs(Right.ENTER_CASES)])
def expect_glass(request: Request, accession: Accession, body: NewGlass) -> dict[str, Any]:
    """A glass will come; the case waits for it."""
    if not body.barcode:
        raise Illegal("barcode_missing")
    fact = slides.SlideExpected(body.barcode, body.part, body.block, body.stain, body.order_id)
    return tell(request, Right.ENTER_CASES, accession, "expect glass", fact)


@router.post(GLASS + "/rescan", dependencies=[needs(Right.READ_CASES)])
def scan_again(request: Request, barcode: BarcodeInPath, body: Rescan) -> dict[str, Any]:
    """The responsible pathologist or the laboratory wants another scan; the old one stays."""
    fact = slides.RescanRequested(barcode, body.reason, body.note, body.region)
    return _about(request, _wants(request), barcode, "rescan", fact)


@router.post(GLASS + "/glass-only", dependencies=[needs(Right.READ_CASES)])
def read_as_glass(request: Request, barcode: BarcodeInPath, body: Because) -> dict[str, Any]:
    """It is read under the light microscope; the case no longer waits for an image."""
    fact = slides.SlideGlassOnly(barcode, body.reason)
    return _about(request, _wants(request), barcode, "glass only", fact)


@router.post(GLASS + "/cancel", dependencies=[needs(Right.ENTER_CASES)])
def cancel_glass(request: Request, barcode: BarcodeInPath, body: Because) -> dict[str, Any]:
    """The glass will not come after all."""
    fact = slides.SlideCancelled(barcode, body.reason)
    return _about(request, Right.ENTER_CASES, barcode, "cancel glass", fact)


@router.post(GLASS + "/stained", dependencies=[needs(Right.RUN_LAB)])
def stained(request: Request, barcode: BarcodeInPath) -> dict[str, Any]:
    """Stained and coverslipped: it can be scanned."""
    fact = slides.SlideStained(barcode)
    return _about(request, Right.RUN_LAB, barcode, "stained", fact)


def _wants(request: Request) -> Right:
    """What it takes: the laboratory's right for those who work there, else to be responsible."""
    lab = principal_of(request).role is Role.TECHNICIAN
    return Right.RUN_LAB if lab else Right.REPORT


def _about(
    request: Request, right: Right, barcode: str, action: str, fact: CaseFact
) -> dict[str, Any]:
    grant = context_of(request).desk.glass(principal_of(request), right, barcode, action)
    assert grant.accession is not None  # noqa: S101 - an expected glass belongs to a case
    return said(request, grant.accession, fact)
