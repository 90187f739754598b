"""Which series a rule means when something has happened, and whether a node may have one at all."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage import events, imaging
from storage.case_tables import case_image, case_slide, pathology_case
from storage.database import Database
from storage.dicom_peers import principal_of
from storage.dicom_tables import dicom_series
from storage.dicom_uids import slide_of
from storage.errors import Illegal, NotFound
from storage.events import Event
from storage.received_series import concern_of_received
from storage.records.access import Basis, decide
from storage.records.case_words import CaseState, ReportKind, ScanState
from storage.records.forwarding import ForwardOn, ForwardRule, ForwardWhat
from storage.records.imaging import Peer, SeriesEntry, Wanted
from storage.records.people import SVARTID, Principal, Right
from storage.relations import Concern, concern_of_slide

_OUT_OF_SIGHT = (ScanState.WITHDRAWN, ScanState.REPLACED)
_ANSWERED = (
    CaseState.SIGNED, CaseState.DISTRIBUTED, CaseState.SUPPLEMENTING, CaseState.CORRECTING,
)  # fmt: skip
_SESSION = "forward"


@dataclass(frozen=True, slots=True)
class Leaving:
    """A series that a node may have, and what that rests on: for the line in the access log."""

    entry: SeriesEntry
    who: Principal
    basis: Basis
    accession: str | None
    patient_id: str | None


def chosen(database: Database, rule: ForwardRule, peer: Peer, news: Event) -> list[SeriesEntry]:
    """The series that a rule sends because of an event, as far as the node may have them."""
    wanted = _wanted(news)
    if wanted is None:
        return []
    found = imaging.series(database, principal_of(peer, _SESSION), wanted)
    with database.reading() as connection:
        return [entry for entry in found if _is_meant(connection, rule.what, peer, entry)]


def leaving(database: Database, peer: Peer, series_uid: str) -> Leaving:
    """A series as that node may have it. Errors: Illegal (`gone`, `not_allowed`, `withdrawn`)."""
    who = principal_of(peer, _SESSION)
    try:
        entry = imaging.one_series(database, who, series_uid)
    except NotFound:
        raise Illegal(_why_not(database, series_uid)) from None
    with database.reading() as connection:
        if _is_out_of_sight(connection, entry.slide_id):
            raise Illegal("withdrawn")
    concern = _concern(database, who, entry)
    basis = decide(who, Right.READ_SLIDES, concern.relation if concern else None).basis
    if basis is None:
        raise Illegal("not_allowed")
    if concern is None:
        return Leaving(entry, who, basis, None, None)
    return Leaving(entry, who, basis, concern.accession, concern.patient_id)


def _why_not(database: Database, series_uid: str) -> str:
    with database.reading() as connection:
        if _is_out_of_sight(connection, slide_of(database, series_uid)):
            return "withdrawn"
    try:
        imaging.one_series(database, SVARTID, series_uid)
    except NotFound:
        return "gone"
    return "not_allowed"


def _concern(database: Database, who: Principal, entry: SeriesEntry) -> Concern | None:
    if entry.received:
        return concern_of_received(database, who, entry.series_uid)
    return concern_of_slide(database, who, entry.slide_id or "")


def _wanted(news: Event) -> Wanted | None:
    """What an event is about, as the catalogue is asked for it."""
    subject = news.subject.partition(":")[2]
    match news.kind:
        case "ImageCommitted":
            return Wanted(slide_id=str(news.data["slide_id"]))
        case "ReportSigned":
            final = news.data["kind"] != ReportKind.PRELIMINARY.value
            return Wanted(accession=subject) if final else None
        case _:
            return Wanted(series_uids=(subject,))


def _is_meant(connection: Connection, what: ForwardWhat, peer: Peer, entry: SeriesEntry) -> bool:
    """Whether a series meets every condition; it never goes back to where it came from."""
    came_from = _came_from(connection, entry)
    if came_from == peer.name or _is_out_of_sight(connection, entry.slide_id):
        return False
    if what.on is ForwardOn.FINAL_REPORT and not _is_answered(connection, entry.accession):
        return False
    if what.modalities and entry.modality not in what.modalities:
        return False
    if what.received_from and came_from not in what.received_from:
        return False
    if what.units and not set(what.units) & _units(connection, entry):
        return False
    return not what.stains or _stain(connection, entry) in {_plain(at) for at in what.stains}


def _came_from(connection: Connection, entry: SeriesEntry) -> str:
    """Who handed in the objects, or the file that the slide was read from."""
    if entry.received:
        query = sa.select(dicom_series.c.received_from)
        one = dicom_series.c.series_uid == entry.series_uid
        return str(connection.execute(query.where(one)).scalar_one())
    for happened in events.history_in(connection, f"slide:{entry.slide_id}"):
        if happened.kind == "SlideReceived":
            return happened.actor
    return ""


def _is_out_of_sight(connection: Connection, slide_id: str | None) -> bool:
    """An image that was taken back, or that a newer scan of the glass has replaced."""
    query = sa.select(case_image.c.state).where(case_image.c.slide_id == slide_id)
    return connection.execute(query).scalar_one_or_none() in [at.value for at in _OUT_OF_SIGHT]


def _is_answered(connection: Connection, accession: str) -> bool:
    query = sa.select(pathology_case.c.state).where(pathology_case.c.accession == accession)
    return connection.execute(query).scalar_one_or_none() in [at.value for at in _ANSWERED]


def _units(connection: Connection, entry: SeriesEntry) -> set[str]:
    """The unit of the slide's case, or those that have the patient of a received series."""
    column = pathology_case.c
    if entry.received and entry.slide_id is None:
        where = column.patient_id == entry.whose.patient_id
    else:
        where = column.accession == entry.accession
    return set(connection.execute(sa.select(column.unit).where(where)).scalars())


def _stain(connection: Connection, entry: SeriesEntry) -> str:
    query = (
        sa.select(case_slide.c.detail)
        .join(case_image, case_image.c.barcode == case_slide.c.barcode)
        .where(case_image.c.slide_id == entry.slide_id)
    )
    detail = connection.execute(query).scalar_one_or_none() or {}
    return _plain(detail.get("stain") or "")


def _plain(stain: str) -> str:
    return "".join(letter for letter in stain.casefold() if letter.isalnum())
