"""Images whose glass is not known: a person says which it is, or gives the glass back."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage import cases, events, matching, work_items
from storage.case_tables import patient
from storage.catalogue import get_slide
from storage.database import Database
from storage.errors import Illegal, NotFound
from storage.events import Event
from storage.patients import Patient, as_patient
from storage.records.case import Case
from storage.records.work import LEFT_ALONE, OPEN, WorkItem, WorkKind, WorkState

RETURNED = "returned"
_DATES = ("%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%Y", "%d%m%Y", "%d%m%y")
"""How a day of birth may be written."""


class Second(StrEnum):
    """What a person confirms a match by, beside the barcode."""

    ACCESSION = "accession"
    CPR = "cpr"
    """Or a replacement number."""
    BIRTH_DATE = "birth_date"
    BLOCK = "block"


def match(
    database: Database, item_id: str, barcode: str, second: tuple[Second, str], actor: str
) -> Case:
    """A person says which glass an image shows, by its barcode and something else that fits.

    Errors: NotFound (item, glass), Illegal (`second_does_not_fit`, `work_ended`, the rules').
    """
    with database.reading() as connection:
        slide_id = work_items.get_in(connection, item_id).slide_id or ""
    image = get_slide(database, slide_id)
    with database.transaction() as connection:
        item = _open_item(connection, item_id)
        accession = matching.expected(connection, [barcode]).get(barcode)
        if accession is None:
            raise NotFound("no glass with that barcode is expected")
        case = cases.get_in(connection, accession)
        if not _fits(case, barcode, _patient(connection, case.patient_id), second):
            raise Illegal("second_does_not_fit")
        case = matching.attach(connection, image, (accession, barcode), actor, "matching")
        _tell(connection, item, "SlideMatched", actor, {"barcode": barcode, "by": second[0].value})
    return case


def give_back(database: Database, item_id: str, reason: str, actor: str) -> WorkItem:
    """The glass is not ours, or cannot be told: it goes back. Errors: NotFound, Illegal."""
    if not reason.strip():
        raise Illegal("reason_missing")
    with database.transaction() as connection:
        item = _open_item(connection, item_id)
        _tell(connection, item, "SlideReturned", actor, {"reason": reason})
        return work_items.end(connection, item_id, WorkState.CANCELLED, RETURNED)


def _open_item(connection: Connection, item_id: str) -> WorkItem:
    events.hold(connection)
    item = work_items.get_in(connection, item_id)
    if item.kind is not WorkKind.UNKNOWN_SLIDE:
        raise NotFound("there is no such unknown slide")
    if item.state not in OPEN and item.reason != LEFT_ALONE:
        raise Illegal("work_ended")
    return item


def _patient(connection: Connection, patient_id: str) -> Patient:
    query = sa.select(patient).where(patient.c.patient_id == patient_id)
    return as_patient(connection.execute(query).one())


def _fits(case: Case, barcode: str, whose: Patient, second: tuple[Second, str]) -> bool:
    kind, value = second[0], second[1].strip()
    if kind is Second.ACCESSION:
        return value.casefold() == case.accession.casefold()
    if kind is Second.CPR:
        return value.replace("-", "").replace(" ", "").upper() == whose.identifier
    if kind is Second.BIRTH_DATE:
        return whose.birth_date is not None and value in _written(whose.birth_date)
    return bool(value) and value.casefold() == case.slides[barcode].block.casefold()


def _written(born: date) -> list[str]:
    return [born.strftime(form) for form in _DATES]


def _tell(
    connection: Connection, item: WorkItem, kind: str, actor: str, data: dict[str, Any]
) -> None:
    """Who decided about the image, and by what; the identifier itself is not kept."""
    about = {"item_id": item.item_id, "why": item.data.get("why", ""), **data}
    events.record(connection, Event(f"slide:{item.slide_id}", kind, actor, "person", about))
