"""Images of a patient: those beside a case in one line of time, and one study to look at.

What is within reach is decided by the catalogue (storage/imaging.py); pixels come by DICOMweb.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from processing.turnaround.working_days import local_date
from storage import cases, imaging, patients, worklist
from storage.database import now
from storage.errors import NotFound
from storage.exchange.case_json import moment_json
from storage.records.imaging import SeriesEntry, Wanted, Whose
from storage.records.people import Principal, Right, allowed
from viewers.access import needs, principal_of
from viewers.acts import CASE, Accession
from viewers.case_rows import age_of, patient_json
from viewers.context import Context, context_of

router = APIRouter(tags=["imaging"])
Uid = Annotated[str, Path(pattern=r"^[0-9]+(\.[0-9]+)*$", max_length=64)]


@router.get(CASE + "/imaging", dependencies=[needs(Right.READ_CASES)])
def imaging_of_case(request: Request, accession: Accession) -> dict[str, Any]:
    """All images of the case's patient within the asker's reach, newest study first.

    `own` studies are the case's; the others are the same patient's.
    """
    context, principal = context_of(request), principal_of(request)
    context.desk.case(principal, Right.READ_CASES, accession, "case imaging")
    if not allowed(principal, Right.READ_SLIDES):
        return {"accession": accession, "studies": []}
    patient_id = cases.get(context.database, accession).patient_id
    wanted = Wanted(patient_id=patient_id)
    found = imaging.series(context.database, principal, wanted)
    others = {at.case for at in found if at.case not in ("", accession)}
    context.desk.listed(principal, "case imaging", [(at, patient_id) for at in sorted(others)])
    studies = [_line(accession, entries) for entries in _by_study(found)]
    studies.sort(key=lambda at: at["at"] or "", reverse=True)
    return {"accession": accession, "studies": studies}


@router.get("/api/v1/imaging/{study_uid}", dependencies=[needs(Right.READ_SLIDES)])
def read_study(request: Request, study_uid: Uid) -> dict[str, Any]:
    """One study: whose it is, and its series. Errors: NotFound, Forbidden."""
    context, principal = context_of(request), principal_of(request)
    found = imaging.series(context.database, principal, Wanted(study_uids=(study_uid,)))
    if not found:
        raise NotFound("there is no such study within reach")
    for entry in found:
        context.desk.series(principal, Right.READ_SLIDES, entry.series_uid, "study")
    first = found[0]
    return _study(found) | {
        "accession": first.accession,
        "case": _case_of(context, principal, first),
        "patient": _patient(context, first.whose),
        "known": first.whose.patient_id is not None,
    }


def _by_study(found: Sequence[SeriesEntry]) -> list[list[SeriesEntry]]:
    studies = dict[str, list[SeriesEntry]]()
    for entry in found:
        studies.setdefault(entry.study_uid, []).append(entry)
    return list(studies.values())


def _line(accession: str, entries: list[SeriesEntry]) -> dict[str, Any]:
    return _study(entries) | {
        "own": any(at.accession == accession for at in entries),
        "accession": entries[0].accession,
    }


def _study(entries: Sequence[SeriesEntry]) -> dict[str, Any]:
    moments = [at for at in (_moment(entry) for entry in entries) if at is not None]
    told = next((at.study_description for at in entries if at.study_description), "")
    return {
        "study_uid": entries[0].study_uid,
        "at": moment_json(min(moments)) if moments else None,
        "description": told,
        "series": [_series(at) for at in entries],
    }


def _moment(entry: SeriesEntry) -> datetime | None:
    """Slides lie where they were scanned; what was received, where its study began."""
    return entry.study_at or entry.series_at if entry.received else entry.series_at


def _series(entry: SeriesEntry) -> dict[str, Any]:
    glass = entry.glass
    return {
        "series_uid": entry.series_uid,
        "modality": entry.modality,
        "description": entry.series_description,
        "body_part": entry.body_part,
        "number": entry.series_number,
        "at": moment_json(entry.series_at),
        "slide_id": entry.slide_id,
        "received": entry.received,
        "glass": {"part": glass.part, "block": glass.block, "stain": glass.stain},
    }


def _case_of(context: Context, principal: Principal, entry: SeriesEntry) -> str | None:
    """The case of that accession, else the patient's newest; None when none is within reach."""
    patient_id = entry.whose.patient_id
    if patient_id is None or not allowed(principal, Right.READ_CASES):
        return None
    theirs = worklist.of_patient(context.database, principal, patient_id)
    named = [at.accession for at in theirs]
    return entry.accession if entry.accession in named else next(iter(named), None)


def _patient(context: Context, whose: Whose) -> dict[str, Any]:
    """As we know the patient, else as the images tell it."""
    today = local_date(now())
    if whose.patient_id is not None:
        return patient_json(patients.get(context.database, whose.patient_id), today)
    return {
        "patient_id": None,
        "name": whose.name,
        "identifier": whose.identifier,
        "kind": "",
        "birth_date": whose.birth_date.isoformat() if whose.birth_date else None,
        "sex": whose.sex,
        "age": age_of(whose.birth_date, today),
    }
