"""A case with glasses on their way to the scanner, and images that were read in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from storage import cases, intake, leases, patients
from storage.case_log import Said
from storage.catalogue import get_slide
from storage.database import Database
from storage.records.case_events import CaseAccessioned, CaseFact, CaseOrdered, SpecimenReceived
from storage.records.intake import IntakeState, Source
from storage.records.milestones import Priority, SpecimenClass
from storage.records.slide import Slide, SlideMetadata
from storage.records.slide_events import SlideExpected, SlideStained
from tests.storage.samples import DONE, delivery, pyramid

LAB = Said("lab-1", "lis")
IDENTIFIER = "0101904321"
BORN = date(1990, 1, 1)


def say(database: Database, accession: str, *facts: CaseFact, actor: str = "lab-1") -> None:
    for fact in facts:
        cases.record(database, accession, fact, Said(actor, "lis"))


def order(database: Database, accession: str, *barcodes: str, **about: Any) -> None:  # noqa: ANN401
    """A case that has been received, with glasses that can be scanned."""
    with database.transaction() as connection:
        who = patients.enter(connection, "cpr", IDENTIFIER, "Nancy Ann", BORN)
    words: dict[str, Any] = {
        "requester": "dr-jensen",
        "site": "naestved",
        "unit": "pato-n",
        "priority": Priority.ROUTINE,
        "specimen_class": SpecimenClass.BIOPSY,
    }
    say(database, accession, CaseOrdered(who, **words | about))
    say(database, accession, SpecimenReceived("A"), CaseAccessioned())
    for barcode in barcodes:
        say(database, accession, SlideExpected(barcode, "A", "A1", "HE"), SlideStained(barcode))


def image(
    database: Database,
    name: str,
    barcode: str | None = None,
    actor: str = "tester",
    source: Source = Source.WATCH,
) -> Slide:
    """A slide that can be read; its metadata say `barcode`."""
    row, _ = intake.submit(database, replace(delivery(name, actor), source=source))
    assert leases.claim(database, actor, 60, (IntakeState.RECEIVED,), row.intake_id)
    metadata = SlideMetadata("test", barcode=barcode)
    intake.mark_ready(database, row.intake_id, pyramid(name, metadata))
    return get_slide(database, row.slide_id)


def complete(database: Database, slide: Slide) -> Slide:
    """The same slide with its root."""
    (row,) = [at for at in intake.listing(database) if at.slide_id == slide.slide_id]
    assert leases.claim(database, "tester", 60, (IntakeState.READY,), row.intake_id)
    intake.mark_complete(database, row.intake_id, DONE)
    return get_slide(database, slide.slide_id)
