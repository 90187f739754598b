"""Lines of lists and the whole case as JSON: what is stored, whose it is, and how time stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from processing.turnaround.telling import (
    by_urgency,
    clocks_json,
    standing_json,
    steps_json,
)
from processing.turnaround.working_days import local_date
from storage import people
from storage.database import now
from storage.exchange.case_json import case_json, moment_json, why_json
from storage.patients import Patient
from storage.records.case import Case
from storage.records.case_state import milestones_of
from storage.records.case_words import AssignedBy
from storage.records.cpr import PatientId, PatientIdKind
from storage.records.milestones import Milestones
from storage.worklist import CaseRow
from viewers.context import Context

_MOST_NAMED = 12
"""Missing glasses that a line names; the case has them all."""


def rows_json(context: Context, rows: Sequence[CaseRow]) -> list[dict[str, Any]]:
    """Lines in the order of urgency: who will miss the goal first is first."""
    moment, policy = now(), context.timing.policy()
    names = people.full_names(context.database)
    ordered = sorted(rows, key=lambda row: by_urgency(policy, row.milestones, moment))
    return [_row(context, row, (moment, names)) for row in ordered]


def document_json(context: Context, row: CaseRow, case: Case) -> dict[str, Any]:
    """The case with its line, clocks and steps; `slide_count` is how many glasses are awaited."""
    moment, policy = now(), context.timing.policy()
    told = (moment, people.full_names(context.database))
    line, times = _row(context, row, told), milestones_of(case)
    counts = {"slide_count": line["slides"], "flag_count": line["flags"]}
    return (
        line
        | case_json(case)
        | counts
        | {
            "clocks": clocks_json(policy, times, moment),
            "steps": steps_json(times, moment),
            "people": _named(case, told[1]),
        }
    )


def patient_json(patient: Patient, today: date) -> dict[str, Any]:
    """Whose case it is; the identifier as people write it."""
    kind = PatientIdKind(patient.kind)
    return {
        "patient_id": patient.patient_id,
        "name": patient.name,
        "identifier": PatientId(kind, patient.identifier).written,
        "kind": kind.value,
        "birth_date": patient.birth_date.isoformat() if patient.birth_date else None,
        "sex": patient.sex,
        "age": age_of(patient.birth_date, today),
    }


def age_of(born: date | None, today: date) -> int | None:
    """In whole years; on 29 February's years the birthday of others is 1 March."""
    if born is None:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _row(context: Context, row: CaseRow, told: tuple[datetime, dict[str, str]]) -> dict[str, Any]:
    (moment, names), policy = told, context.timing.policy()
    times, standing = row.milestones, standing_json(policy, row.milestones, moment)
    return {
        "accession": row.accession,
        "patient": patient_json(row.patient, local_date(moment)),
        "site": row.site,
        "unit": row.unit,
        "state": row.state.value,
        "assignee": row.assignee,
        "assignee_name": names.get(row.assignee) or row.assignee,
        "priority": times.priority.value,
        "specimen_class": times.specimen_class.value,
        "subspecialty": times.subspecialty,
        "received_at": moment_json(times.received_at),
        "ready_at": moment_json(times.ready_at),
        "opened_at": moment_json(times.opened_at),
        "due_at": standing["due_at"],
        "standing": standing,
        "forecast": context.timing.forecast(row),
        "missing": _missing(times),
        **row.summary,
        "updated_at": moment_json(row.updated_at),
    }


def _missing(case: Milestones) -> list[str]:
    """Barcodes of the first glasses that cannot be read yet."""
    return [at.barcode for at in case.slides if at.available_at is None][:_MOST_NAMED]


def _named(case: Case, names: dict[str, str]) -> dict[str, str]:
    """The full names of those the case mentions."""
    mentioned = {case.assignee, *(at.signed_by for at in case.reports)}
    mentioned |= {at.placed_by for at in case.orders.values()}
    mentioned |= {at.raised_by for at in case.flags.values()}
    mentioned |= {at.closed_by for at in case.flags.values()}
    mentioned |= {at.actor for at in case.pauses.values()}
    for at in case.consultations.values():
        mentioned |= {at.asked, at.consultant, at.requested_by}
    if case.draft:
        mentioned.add(case.draft.by)
    mentioned |= {at.by for at in case.preliminaries}
    by_rules = case.assigned_by is AssignedBy.RULES
    mentioned |= {at["name"] for at in why_json(case.why, by_rules=by_rules) if "name" in at}
    return _known(mentioned, names)


def _known(mentioned: Iterable[str], names: dict[str, str]) -> dict[str, str]:
    return {name: names[name] for name in mentioned if names.get(name)}
