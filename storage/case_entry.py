"""A case entered by hand: patient, requisition, parts and glasses, all of it or nothing.

Numbers that nobody gave are made: accession numbers one after the other by unit and year
(`NAE26-000123`), barcodes by block (`NAE26-000123-A1-2`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage import cases, events, patients
from storage.case_log import Said, subject_of
from storage.case_tables import case_slide, pathology_case
from storage.database import now
from storage.errors import Illegal
from storage.records import case_events as facts
from storage.records.milestones import Priority, SpecimenClass
from storage.records.slide_events import SlideExpected

_COPENHAGEN = ZoneInfo("Europe/Copenhagen")
_NOT_IN_A_PREFIX = re.compile(r"[^0-9A-ZÆØÅ]")
_LONGEST_PREFIX = 20


@dataclass(frozen=True, slots=True)
class Part:
    """A submitted specimen; received now when nobody says when."""

    part: str
    topography: str = ""
    taken_at: datetime | None = None
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Glass:
    """An expected glass; its barcode is made when it is empty."""

    part: str
    block: str = ""
    stain: str = ""
    barcode: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is written on the requisition and on the containers."""

    patient: tuple[str, str, str, date | None, str]
    """As `patients.enter` takes it: kind, identifier, name, date of birth, sex."""
    requester: str
    site: str
    unit: str
    priority: Priority
    specimen_class: SpecimenClass
    parts: Sequence[Part]
    slides: Sequence[Glass] = ()
    subspecialty: str = ""
    clinical_information: str = ""
    language: str = "da"
    accession: str = ""
    renamed: bool = False
    """A person has looked: the number is right, and the name is new."""


@dataclass(frozen=True, slots=True)
class Entered:
    """What the case is called now, and its glasses in the order they were given."""

    accession: str
    barcodes: tuple[str, ...]


def enter(connection: Connection, entry: Entry, prefix: str, said: Said) -> Entered:
    """Enter a case; the same key again is the same case. Errors: Illegal, Malformed.

    `prefix` is how an accession number begins that has to be made; empty is the unit.
    """
    _check(entry)
    events.hold(connection)
    known = events.find_by_key(connection, said.key) if said.key else None
    if known is not None:
        return _entered_before(connection, known.subject)
    accession = entry.accession or _next_accession(connection, prefix or entry.unit)
    _demand_free(connection, accession)
    glasses = [replace(at, barcode=code) for at, code in _with_barcodes(accession, entry.slides)]
    if not entry.renamed and patients.is_another_name(connection, *entry.patient[:3]):
        raise Illegal("another_name")
    patient_id = patients.enter(connection, *entry.patient, said_by=said.actor)
    for fact, moment, key in _facts(replace(entry, slides=glasses), patient_id, said):
        told = Said(said.actor, said.source, moment, key)
        cases.record_in(connection, accession, fact, told)
    return Entered(accession, tuple(at.barcode for at in glasses))


def _check(entry: Entry) -> None:
    parts = [at.part for at in entry.parts]
    if not parts or not all(parts):
        raise Illegal("part_missing")
    if len(set(parts)) < len(parts):
        raise Illegal("part_twice")
    if any(at.part not in parts for at in entry.slides):
        raise Illegal("part_unknown")
    given = [at.barcode for at in entry.slides if at.barcode]
    if len(set(given)) < len(given):
        raise Illegal("barcode_twice")


def _facts(
    entry: Entry, patient_id: str, said: Said
) -> Iterator[tuple[facts.CaseFact, datetime, str | None]]:
    """In the order they happened: the requisition is as old as the oldest thing it is about."""
    moment = now()
    times = [at for part in entry.parts for at in (part.taken_at, part.received_at) if at]
    ordered = facts.CaseOrdered(
        patient_id,
        entry.requester,
        entry.site,
        entry.unit,
        entry.priority,
        entry.specimen_class,
        entry.subspecialty,
        entry.clinical_information,
        entry.language,
    )
    yield ordered, min([moment, *times]), said.key
    for part in entry.parts:
        if part.taken_at:
            yield facts.SpecimenTaken(part.part), part.taken_at, None
        received = facts.SpecimenReceived(part.part, part.topography)
        yield received, part.received_at or moment, None
    yield facts.CaseAccessioned(), moment, None
    for part_name, block in dict.fromkeys((at.part, at.block) for at in entry.slides if at.block):
        yield facts.BlockEmbedded(part_name, block), moment, None
    for at in entry.slides:
        yield SlideExpected(at.barcode, at.part, at.block, at.stain), moment, None


def _with_barcodes(accession: str, slides: Sequence[Glass]) -> Iterator[tuple[Glass, str]]:
    """`<accession>-A1-1`: block A1's first glass; a block that is only a number belongs to its
    part."""
    taken = {at.barcode for at in slides}
    for at in slides:
        if at.barcode:
            yield at, at.barcode
            continue
        block = at.block if at.block.startswith(at.part) else f"{at.part}{at.block}"
        number = 1
        while f"{accession}-{block}-{number}" in taken:
            number += 1
        made = f"{accession}-{block}-{number}"
        taken.add(made)
        yield at, made


def _next_accession(connection: Connection, prefix: str) -> str:
    """One more than the highest of the unit and year; others wait until this one is there."""
    prefix = _NOT_IN_A_PREFIX.sub("", prefix.upper())[:_LONGEST_PREFIX]
    begin = f"{prefix or 'S'}{now().astimezone(_COPENHAGEN):%y}-"
    column = pathology_case.c.accession
    query = sa.select(column).where(column.like(f"{begin}______")).order_by(column.desc())
    made = (at.removeprefix(begin) for at in connection.execute(query).scalars())
    highest = next((int(at) for at in made if at.isascii() and at.isdigit()), 0)
    return f"{begin}{highest + 1:06}"


def _demand_free(connection: Connection, accession: str) -> None:
    if events.history_in(connection, subject_of(accession)):
        raise Illegal("accession_taken")


def _entered_before(connection: Connection, subject: str) -> Entered:
    accession = subject.removeprefix("case:")
    query = sa.select(case_slide.c.barcode).where(case_slide.c.accession == accession)
    found = connection.execute(query.order_by(case_slide.c.expected_at, case_slide.c.barcode))
    return Entered(accession, tuple(found.scalars()))
