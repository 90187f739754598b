"""The people treated: found or entered by their identifier, named elsewhere by an opaque id."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError

from storage import events
from storage.case_tables import patient
from storage.database import Database, now
from storage.errors import NotFound
from storage.events import Event


@dataclass(frozen=True, slots=True)
class Patient:
    """Whose case it is; `identifier` is a CPR or replacement number without a hyphen."""

    patient_id: str
    identifier: str
    kind: str
    """`cpr`, `x_ecpr` or `d_ecpr`."""
    name: str
    birth_date: date | None
    sex: str


def enter(
    connection: Connection,
    kind: str,
    identifier: str,
    name: str,
    birth_date: date | None = None,
    sex: str = "",
    *,
    said_by: str = "unknown",
) -> str:
    """The id of the patient with that identifier, entered when new.

    The newest that is said of name, date of birth and sex counts; what is not said stays. A name
    that changes leaves an event with both names, and who said so.
    """
    where = (patient.c.kind == kind, patient.c.identifier == identifier)
    values = {"name": name, "birth_date": birth_date, "sex": sex}
    known = connection.execute(sa.select(patient.c.patient_id).where(*where)).scalar_one_or_none()
    if known is None:
        known = uuid.uuid4().hex
        row = {"patient_id": known, "kind": kind, "identifier": identifier, "created_at": now()}
        try:
            with connection.begin_nested():
                connection.execute(sa.insert(patient).values(**row, **values))
        except IntegrityError:  # somebody entered the same patient a moment ago
            query = sa.select(patient.c.patient_id).where(*where)
            known = connection.execute(query).scalar_one()
    else:
        said = {key: value for key, value in values.items() if value}
        if said:
            if is_another_name(connection, kind, identifier, name):
                before = _name(connection, kind, identifier)
                _note_name(connection, str(known), {"before": before, "after": name}, said_by)
            connection.execute(sa.update(patient).where(*where).values(**said))
    return str(known)


def is_another_name(connection: Connection, kind: str, identifier: str, name: str) -> bool:
    """The identifier is known under another name: a slip in the number, or a new name."""
    known = _name(connection, kind, identifier)
    return bool(known and name) and not same_name(known, name)


def same_name(one: str, other: str) -> bool:
    """True when both are the same words, whatever their case and order (family name first)."""
    return _words(one) == _words(other)


def _note_name(
    connection: Connection, patient_id: str, names: dict[str, str], said_by: str
) -> None:
    """What somebody was called before stays in the log."""
    happened = Event(f"patient:{patient_id}", "PatientRenamed", said_by, "patients", names)
    events.record(connection, happened)


def _name(connection: Connection, kind: str, identifier: str) -> str:
    where = (patient.c.kind == kind, patient.c.identifier == identifier)
    return connection.execute(sa.select(patient.c.name).where(*where)).scalar_one_or_none() or ""


def _words(name: str) -> list[str]:
    return sorted(name.casefold().replace(",", " ").split())


def get(database: Database, patient_id: str) -> Patient:
    """One patient; NotFound."""
    with database.reading() as connection:
        row = connection.execute(
            sa.select(patient).where(patient.c.patient_id == patient_id)
        ).one_or_none()
    if row is None:
        raise NotFound("there is no such patient")
    return as_patient(row)


def find(database: Database, identifier: str) -> Patient | None:
    """By identifier of any kind, as it is stored; None when unknown."""
    query = sa.select(patient).where(patient.c.identifier == identifier).limit(1)
    with database.reading() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else as_patient(row)


def as_patient(row: Row[Any]) -> Patient:
    """A row that has the columns of `patient`."""
    return Patient(row.patient_id, row.identifier, row.kind, row.name, row.birth_date, row.sex)
