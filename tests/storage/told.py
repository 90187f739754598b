"""A made-up laboratory's months told as events, each at its own time, as if they had been lived."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from storage import cases, patients
from storage.case_log import Said
from storage.database import Database
from storage.records import case_events as facts
from storage.records import reading_events as reading
from storage.records import slide_events as slides
from storage.records.case_events import CaseFact
from storage.records.case_words import AssignedBy, ReportKind, WorkOrderKind
from storage.records.milestones import Distance, Milestones

_MINUTE = timedelta(minutes=1)
FINAL = ReportKind.FINAL
Told = tuple[datetime, str, CaseFact]


def tell_laboratory(database: Database, lived: Iterable[Milestones], until: datetime) -> int:
    """Record what had happened by then, in the order it happened; how many facts."""
    with database.transaction() as connection:
        patient = patients.enter(connection, "cpr", "0101501234", "Nancy Berggren")
    told = sorted(at for case in lived for at in _story(case, patient) if at[0] <= until)
    with _lived() as clock, database.transaction() as connection:
        for moment, accession, fact in told:
            clock[0] = moment
            said = Said("kir", "test", moment)
            cases.record_in(connection, accession, fact, said, strict=True)
    return len(told)


@contextmanager
def _lived() -> Iterator[list[datetime]]:
    """Events are entered when they happen: the log's clock shows what is put into the list."""
    clock: list[datetime] = [datetime.now(UTC)]
    with (
        patch("storage.events.now", lambda: clock[0]),
        patch("storage.cases.now", lambda: clock[0]),
    ):
        yield clock


def _story(case: Milestones, patient: str) -> Iterator[Told]:
    """Only of moments that the milestones have; steps that they leave out are left out."""
    about = (patient, "gp-1", case.site, case.unit, case.priority, case.specimen_class)
    start = case.received_at
    assert start
    one = f"{case.accession}-1"
    slide = case.slides[0]
    facts_at: list[tuple[datetime | None, CaseFact]] = [
        (start - 2 * _MINUTE, facts.CaseOrdered(*about)),
        (start, facts.SpecimenReceived("A")),
        (case.accessioned_at, facts.CaseAccessioned()),
        (start + _MINUTE, slides.SlideExpected(one, "A", "A1", "HE")),
        (slide.stained_at, slides.SlideStained(one)),
        (slide.started_at, slides.ScanStarted(one, "gt450")),
        (slide.scanned_at, slides.ScanCompleted(one)),
        (slide.scanned_at, slides.ImageStored(one, f"{one}i")),
        (slide.available_at, slides.ImageAvailable(one, f"{one}i")),
        (case.opened_at, reading.CaseAssigned("kir", AssignedBy.RULES)),
        (case.opened_at, reading.CaseOpened("kir")),
        *_awaited(case),
        (case.signed_at, reading.ReportSigned(FINAL, "Fund", ("T28000", "M80703"))),
        (case.distributed_at, reading.ReportDistributed(1, FINAL)),
    ]
    for number, (moment, fact) in enumerate(facts_at):
        if moment is not None:
            yield moment + timedelta(microseconds=number), case.accession, fact


def _awaited(case: Milestones) -> Iterator[tuple[datetime | None, CaseFact]]:
    for number, at in enumerate(case.awaited):
        about = f"{case.accession}-{number}"
        if at.about == "w":
            yield at.began_at, reading.WorkOrderPlaced(about, WorkOrderKind.IMMUNO, "A1", "CK7")
            yield at.ended_at, reading.WorkOrderFulfilled(about)
        else:
            yield (
                at.began_at,
                reading.ConsultationRequested(about, Distance.INTERNAL, "mads", "Enig?"),
            )
            yield at.ended_at, reading.ConsultationAnswered(about, "mads", "Enig")
