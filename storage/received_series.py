"""Received series: whose they are, and who may see them.

A series that became a slide is the slide: its case decides. Any other is the patient's whose
identifier and name it carries; where they do not fit together it is nobody's until a person has
looked, and is for those who find out.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from storage.case_tables import case_image, pathology_case, patient
from storage.database import Database
from storage.dicom_tables import dicom_series
from storage.errors import NotFound
from storage.patients import same_name
from storage.records.access import Relation
from storage.records.case_words import ScanState
from storage.records.imaging import SeriesEntry, Whose
from storage.records.people import SVARTID, Principal, Right, allowed
from storage.relations import (
    Concern,
    concern_of_patient,
    concern_of_slide,
    open_to,
    within_reach,
)
from storage.tables import slide

_case_patient = patient.alias("case_patient")
_PAST = (ScanState.WITHDRAWN, ScanState.REPLACED, ScanState.FAILED)
_OF_CASE = ("patient_id", "identifier", "name", "birth_date", "sex")

ACCESSION = sa.func.coalesce(case_image.c.accession, dicom_series.c.accession)
IDENTIFIER = sa.func.coalesce(_case_patient.c.identifier, dicom_series.c.identifier)
NAME = sa.func.coalesce(_case_patient.c.name, dicom_series.c.patient_name)
PATIENT_ID = sa.func.coalesce(_case_patient.c.patient_id, patient.c.patient_id)
"""What the case says of a slide's series, else what the series says of itself."""


def received_within(principal: Principal) -> sa.Select[Any]:
    """Rows for `entry_received`, which looks closer at names than a database can."""
    if not allowed(principal, Right.READ_SLIDES):
        return _rows().where(sa.false())
    theirs = sa.select(pathology_case.c.patient_id).where(within_reach(principal))
    is_slide = dicom_series.c.slide_id.is_not(None)
    reached: sa.ColumnElement[bool] = patient.c.patient_id.in_(theirs)
    as_slide = sa.and_(is_slide, slide.c.slide_id.is_not(None), open_to(principal), is_shown())
    of_patient = reached
    if _finds_out(principal):
        # Names that differ as written may still be the same words.
        differs = sa.func.lower(patient.c.name) != sa.func.lower(dicom_series.c.patient_name)
        of_patient = sa.or_(reached, patient.c.patient_id.is_(None), differs)
    return (
        _rows()
        .add_columns(reached.label("reached"))
        .outerjoin(slide, slide.c.slide_id == dicom_series.c.slide_id)
        .where(sa.or_(as_slide, sa.and_(sa.not_(is_slide), of_patient)))
    )


def is_shown() -> sa.ColumnElement[bool]:
    """Of `case_image`: not withdrawn, and no newer scan of the glass has taken over."""
    state = case_image.c.state
    return sa.or_(state.is_(None), state.not_in([at.value for at in _PAST]))


def entry_received(row: Row[Any], principal: Principal) -> SeriesEntry | None:
    """The series of a row; None when it is nobody's who is within reach."""
    known = _patient_of(row)
    if row.slide_id is None and not (row.reached if known else _finds_out(principal)):
        return None
    whose = Whose(row.identifier, row.patient_name, row.birth_date, row.sex, known)
    if row.case_patient_id is not None:  # the glass has found its case, which knows better
        whose = Whose(
            row.case_identifier, row.case_name, row.case_birth_date, row.case_sex,
            row.case_patient_id,
        )  # fmt: skip
    return SeriesEntry(
        study_uid=row.study_uid,
        series_uid=row.series_uid,
        modality=row.modality,
        whose=whose,
        accession=row.case_accession or row.accession,
        case=row.case_accession or "",
        study_at=row.study_at,
        study_description=row.study_description,
        series_at=row.series_at,
        series_description=row.description,
        series_number=row.number,
        body_part=row.body_part,
        slide_id=row.slide_id,
        received=True,
    )


def concern_of_received(
    database: Database, principal: Principal, series_uid: str
) -> Concern | None:
    """How somebody stands to a received series; None: no case is concerned. Errors: NotFound."""
    with database.reading() as connection:
        row = connection.execute(
            _rows().where(dicom_series.c.series_uid == series_uid)
        ).one_or_none()
    if row is None:
        raise NotFound("there is no such series")
    if row.slide_id is not None:
        return concern_of_slide(database, principal, row.slide_id)
    patient_id = _patient_of(row)
    if patient_id is None:
        return Concern(None, None, Relation(unidentified=True))
    return concern_of_patient(database, principal, patient_id)


def _rows() -> sa.Select[Any]:
    """Series with the patient of that identifier, and the case of the slide it became."""
    whose = sa.and_(
        dicom_series.c.identifier != "", patient.c.identifier == dicom_series.c.identifier
    )
    of_case = [_case_patient.c[name].label(f"case_{name}") for name in _OF_CASE]
    accession = case_image.c.accession.label("case_accession")
    return (
        sa.select(dicom_series, patient.c.patient_id, patient.c.name, accession, *of_case)
        .select_from(dicom_series)
        .outerjoin(patient, whose)
        .outerjoin(case_image, case_image.c.slide_id == dicom_series.c.slide_id)
        .outerjoin(pathology_case, pathology_case.c.accession == case_image.c.accession)
        .outerjoin(_case_patient, _case_patient.c.patient_id == pathology_case.c.patient_id)
    )


def _patient_of(row: Row[Any]) -> str | None:
    """Our id of the patient: same identifier and same name, or unknown."""
    if row.patient_id is None or not same_name(row.patient_name or row.name, row.name):
        return None
    return str(row.patient_id)


def _finds_out(principal: Principal) -> bool:
    """Whether somebody may see images of which it is not known whose they are."""
    return principal is SVARTID or allowed(principal, Right.RUN_LAB)
