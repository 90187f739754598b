"""One catalogue of all images, as DICOM counts them: studies and series within somebody's reach.

Slides are series made on the fly, in the study of their case; what was received stands beside
them as it came. Both are found by the same question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Row

from storage import dicom_objects, received_series
from storage.case_tables import case_image, case_slide, pathology_case, patient
from storage.database import Database
from storage.dicom_tables import dicom_series, dicom_uid
from storage.dicom_uids import CASE, SLIDE, slide_of
from storage.errors import NotFound
from storage.received_series import entry_received, is_shown, received_within
from storage.records.imaging import Glass, SeriesEntry, Wanted, Whose
from storage.records.people import SVARTID, Principal
from storage.records.uids import loose_study_uid, parse_instance
from storage.relations import open_to
from storage.tables import slide

_LOOSE = loose_study_uid("")
_case_uid = dicom_uid.alias("case_uid")
_slide_uid = dicom_uid.alias("slide_uid")
_STUDY_UID = sa.func.coalesce(_case_uid.c.uid, _slide_uid.c.uid + _LOOSE)
_STUDY_AT = sa.func.coalesce(pathology_case.c.received_at, slide.c.received_at)


def study_uids(
    database: Database, principal: Principal, wanted: Wanted, limit: int, offset: int = 0
) -> list[str]:
    """StudyInstanceUIDs of what is wanted and within reach, newest study first."""
    made = _made(principal, wanted).with_only_columns(
        _STUDY_UID.label("uid"), _STUDY_AT.label("at")
    )
    came = _came(principal, wanted).with_only_columns(
        dicom_series.c.study_uid.label("uid"),
        sa.func.coalesce(dicom_series.c.study_at, dicom_series.c.received_at).label("at"),
    )
    both = sa.union_all(made, came).subquery()
    newest = sa.func.max(both.c.at).desc()
    query = sa.select(both.c.uid).group_by(both.c.uid).order_by(newest, both.c.uid)
    with database.reading() as connection:
        return list(connection.execute(query.limit(limit).offset(offset)).scalars())


def series(database: Database, principal: Principal, wanted: Wanted) -> list[SeriesEntry]:
    """Series that are wanted and within reach, by study, then number, then UID."""
    made = _made(principal, wanted)
    came = _came(principal, wanted)
    with database.reading() as connection:
        found = [_entry_of_slide(row) for row in connection.execute(made)]
        received = [entry_received(row, principal) for row in connection.execute(came)]
    found += [at for at in received if at is not None]
    return sorted(found, key=lambda at: (at.study_uid, at.series_number, at.series_uid))


def one_series(database: Database, principal: Principal, series_uid: str) -> SeriesEntry:
    """One series within reach. Errors: NotFound."""
    found = series(database, principal, Wanted(series_uids=(series_uid,)))
    if not found:
        raise NotFound("there is no such series within reach")
    return found[0]


def of_slide(database: Database, principal: Principal, slide_id: str) -> SeriesEntry:
    """The series a slide is made into, or came as. Errors: NotFound."""
    found = series(database, principal, Wanted(slide_id=slide_id))
    if not found:
        raise NotFound("there is no such slide within reach")
    return found[0]


@dataclass(frozen=True, slots=True)
class Reach:
    """The catalogue within somebody's reach: what `processing.dicom.finding` searches through.

    Errors of all its questions: Transient.
    """

    database: Database
    principal: Principal

    def study_uids(self, wanted: Wanted, limit: int, offset: int) -> list[str]:
        """See `study_uids`."""
        return study_uids(self.database, self.principal, wanted, limit, offset)

    def series(self, wanted: Wanted) -> list[SeriesEntry]:
        """See `series`."""
        return series(self.database, self.principal, wanted)

    def series_of(self, sop_uid: str) -> str:
        """The series a received object is in. Errors: NotFound."""
        return dicom_objects.get(self.database, sop_uid).series_uid

    def counts(self, series_uids: list[str]) -> Mapping[str, int]:
        """Objects of received series."""
        return dicom_objects.counts(self.database, series_uids)


def made_here(database: Database, sop_uid: str) -> SeriesEntry | None:
    """The series whose instance that UID of ours is; None when it is no UID of ours."""
    key = parse_instance(sop_uid)
    if key is None or slide_of(database, key.series_uid) is None:
        return None
    found = series(database, SVARTID, Wanted(series_uids=(key.series_uid,)))
    return next((at for at in found if not at.received), None)


def _made(principal: Principal, wanted: Wanted) -> sa.Select[Any]:
    """Slides as series; those that came as DICOM over the network are shown as they came."""
    came = sa.select(dicom_series.c.slide_id).where(dicom_series.c.slide_id.is_not(None))
    query = (
        sa.select(
            _STUDY_UID.label("study_uid"), _STUDY_AT.label("at"), _slide_uid.c.uid.label("root"),
            slide.c.slide_id, slide.c.received_at, slide.c.barcode.label("read_barcode"),
            case_image.c.accession, case_image.c.barcode, case_slide.c.detail,
            patient.c.patient_id, patient.c.identifier, patient.c.name, patient.c.birth_date,
            patient.c.sex,
        )
        .select_from(slide)
        .join(
            _slide_uid,
            sa.and_(_slide_uid.c.kind == SLIDE, _slide_uid.c.key == slide.c.slide_id),
        )
        .outerjoin(case_image, case_image.c.slide_id == slide.c.slide_id)
        .outerjoin(case_slide, case_slide.c.barcode == case_image.c.barcode)
        .outerjoin(pathology_case, pathology_case.c.accession == case_image.c.accession)
        .outerjoin(patient, patient.c.patient_id == pathology_case.c.patient_id)
        .outerjoin(
            _case_uid,
            sa.and_(_case_uid.c.kind == CASE, _case_uid.c.key == case_image.c.accession),
        )
        .where(open_to(principal), slide.c.slide_id.not_in(came), is_shown())
    )  # fmt: skip
    if wanted.study_uids:
        loose = [uid[: -len(_LOOSE)] for uid in wanted.study_uids if uid.endswith(_LOOSE)]
        of_none = sa.and_(_case_uid.c.uid.is_(None), _slide_uid.c.uid.in_(loose))
        query = query.where(sa.or_(_case_uid.c.uid.in_(wanted.study_uids), of_none))
    if wanted.series_uids:
        query = query.where(_slide_uid.c.uid.in_(wanted.series_uids))
    about = _About(
        case_image.c.accession, patient.c.identifier, patient.c.patient_id, patient.c.name,
        _STUDY_AT, slide.c.slide_id,
    )  # fmt: skip
    return _narrowed(query, wanted, about)


def _came(principal: Principal, wanted: Wanted) -> sa.Select[Any]:
    """What was received, as far as it may be within reach."""
    query = received_within(principal)
    if wanted.study_uids:
        query = query.where(dicom_series.c.study_uid.in_(wanted.study_uids))
    if wanted.series_uids:
        query = query.where(dicom_series.c.series_uid.in_(wanted.series_uids))
    at = sa.func.coalesce(dicom_series.c.study_at, dicom_series.c.received_at)
    about = _About(
        received_series.ACCESSION, received_series.IDENTIFIER, received_series.PATIENT_ID,
        received_series.NAME, at, dicom_series.c.slide_id,
    )  # fmt: skip
    return _narrowed(query, wanted, about)


class _About(NamedTuple):
    """What a search may narrow by, as one of the two sources has it."""

    accession: sa.ColumnElement[str]
    identifier: sa.ColumnElement[str]
    patient_id: sa.ColumnElement[str]
    name: sa.ColumnElement[str]
    at: sa.ColumnElement[datetime]
    slide_id: sa.ColumnElement[str]


def _narrowed(query: sa.Select[Any], wanted: Wanted, about: _About) -> sa.Select[Any]:
    for column, value in (
        (about.accession, wanted.accession),
        (about.identifier, wanted.identifier),
        (about.patient_id, wanted.patient_id),
        (about.slide_id, wanted.slide_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(about.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(about.at < wanted.until)
    for part in wanted.name_parts:
        query = query.where(sa.func.lower(about.name).contains(part, autoescape=True))
    return query


def _entry_of_slide(row: Row[Any]) -> SeriesEntry:
    detail = row.detail or {}
    glass = Glass(
        row.barcode or row.read_barcode or "", detail.get("part") or "", detail.get("block") or "",
        detail.get("stain") or "",
    )  # fmt: skip
    scanned = detail.get("scanned_at")
    words = [at for at in (glass.part, glass.block, glass.stain) if at]
    return SeriesEntry(
        study_uid=row.study_uid,
        series_uid=row.root,
        modality="SM",
        whose=Whose(
            row.identifier or "", row.name or "", row.birth_date, row.sex or "", row.patient_id
        ),
        accession=row.accession or "",
        case=row.accession or "",
        study_at=row.at,
        series_at=datetime.fromisoformat(scanned) if scanned else row.received_at,
        series_description=" ".join(words),
        slide_id=row.slide_id,
        glass=glass,
    )
