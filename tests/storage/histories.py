"""Made-up cases told through the public functions, and what the tables hold of them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from storage import cases, patients
from storage.case_log import Said
from storage.case_tables import case_image, case_slide, pathology_case
from storage.cases import Outcome, Recorded
from storage.database import Database
from storage.records import case_events as facts
from storage.records import reading_events as reading
from storage.records import slide_events as slides
from storage.records.case import Case
from storage.records.case_events import CaseFact
from storage.records.case_state import state_of
from storage.records.case_words import AssignedBy, CaseState, ReportKind, RescanReason
from storage.records.milestones import PauseReason, Priority, SpecimenClass
from storage.tables import event, metadata

START = datetime(2025, 3, 3, 7, tzinfo=UTC)
CODES = ("T28000", "M80703")
FINAL = ReportKind.FINAL
_numbers = itertools.count(1)
Told = tuple[float, CaseFact]


def at(minute: float) -> datetime:
    """So many minutes into the story."""
    return START + timedelta(minutes=minute)


def a_patient(database: Database, identifier: str = "0101501234") -> str:
    with database.transaction() as connection:
        return patients.enter(connection, "cpr", identifier, "Nancy Berggren")


def ordered(patient_id: str, **changes: Any) -> facts.CaseOrdered:  # noqa: ANN401
    about: dict[str, Any] = {
        "patient_id": patient_id,
        "requester": "gp-1",
        "site": "roskilde",
        "unit": "patologi",
        "priority": Priority.ROUTINE,
        "specimen_class": SpecimenClass.BIOPSY,
    }
    return facts.CaseOrdered(**about | changes)


def a_story(empty: Database) -> Story:
    """A case of which nothing has been told, in a database whose tables are made quickly."""
    with empty.transaction() as connection:
        metadata.create_all(connection)
    return Story(empty, a_patient(empty))


@dataclass
class Story:
    """One case and who tells it; barcodes and ids are the case's own."""

    database: Database
    patient: str
    name: str = field(default_factory=lambda: f"P25-{next(_numbers)}")

    def glass(self, letter: str) -> str:
        return f"{self.name}:{letter}"

    def image(self, letter: str, number: int = 1) -> str:
        return f"{self.name}:{letter}{number}"

    def tell(
        self,
        fact: CaseFact,
        minute: float | None = None,
        actor: str = "kir",
        *,
        key: str | None = None,
        strict: bool = True,
    ) -> Recorded:
        said = Said(actor, "test", None if minute is None else at(minute), key)
        return cases.record(self.database, self.name, fact, said, strict=strict)

    def tell_all(self, story: list[Told]) -> Case:
        for minute, fact in story:
            assert self.tell(fact, minute).outcome is Outcome.RECORDED, fact
        return self.case

    @property
    def case(self) -> Case:
        return cases.get(self.database, self.name)

    @property
    def state(self) -> CaseState:
        return state_of(self.case)

    def scanned(self, letter: str, minute: float, number: int = 1) -> list[Told]:
        """From the scanner to the screen in ten minutes."""
        glass, image = self.glass(letter), self.image(letter, number)
        return [
            (minute, slides.ScanStarted(glass, "gt450")),
            (minute + 4, slides.ScanCompleted(glass)),
            (minute + 6, slides.ImageStored(glass, image)),
            (minute + 8, slides.QualityPassed(glass, image)),
            (minute + 10, slides.ImageAvailable(glass, image)),
        ]

    def received(self) -> list[Told]:
        return [
            (0, ordered(self.patient)),
            (1, facts.SpecimenTaken("A")),
            (60, facts.SpecimenReceived("A")),
        ]

    def until_ready(self, *letters: str) -> list[Told]:
        story = [
            *self.received(),
            (70, facts.CaseAccessioned()),
            (80, facts.GrossingDone("A", "to stykker")),
            (200, facts.BlockEmbedded("A", "A1")),
        ]
        for number, letter in enumerate(letters or ("x", "y")):
            glass = self.glass(letter)
            story += [
                (210 + number, slides.SlideExpected(glass, "A", "A1", "HE")),
                (240 + number, slides.SlideStained(glass)),
                *self.scanned(letter, 300 + 20 * number),
            ]
        return sorted(story, key=lambda told: told[0])

    def opened(self, minute: float = 400) -> list[Told]:
        return [
            (minute, reading.CaseAssigned("kir", AssignedBy.RULES)),
            (minute + 5, reading.CaseOpened("kir")),
        ]

    def answered(self, minute: float = 500) -> list[Told]:
        return [
            (minute, reading.ReportDrafted(FINAL, "Fund", CODES)),
            (minute + 5, reading.ReportSigned(FINAL, "Fund", CODES)),
            (minute + 6, reading.ReportDistributed(1, FINAL)),
            (minute + 7, reading.ReportAcknowledged(1)),
        ]

    def eventful(self) -> list[Told]:
        """A long history: a rescan, an order with a pause, an answer, a supplement."""
        order = f"{self.name}-o"
        return [
            *self.until_ready(),
            *self.opened(),
            (410, slides.RescanRequested(self.glass("x"), RescanReason.OUT_OF_FOCUS)),
            *self.scanned("x", 415, 2),
            (430, reading.WorkOrderPlaced(order, reading.WorkOrderKind.IMMUNO, "A1", "CK7")),
            (431, facts.ClockPaused("p", PauseReason.EXTERNAL_ANALYSIS, order)),
            (440, slides.SlideExpected(self.glass("z"), "A", "A1", "CK7", order)),
            (450, slides.SlideStained(self.glass("z"))),
            *self.scanned("z", 460),
            (475, facts.TargetWarned(at(600))),
            (480, facts.PriorityChanged(Priority.URGENT, "ringet")),
            *self.answered(),
            (600, reading.WorkOrderPlaced(f"{order}2", reading.WorkOrderKind.RECUT, "A1")),
            (700, reading.ReportSigned(ReportKind.SUPPLEMENTARY, "Mere", CODES)),
            (701, reading.ReportDistributed(2, ReportKind.SUPPLEMENTARY)),
        ]


def rows(database: Database, name: str = "") -> dict[str, list[tuple[Any, ...]]]:
    """The rows made from events, of one case or all, without the time they were made at."""
    found = {}
    with database.reading() as connection:
        for table in _MADE:
            columns = [column for column in table.c if column.name != "updated_at"]
            query = sa.select(*columns).where(_of(table, name)).order_by(columns[0])
            found[table.name] = [tuple(row) for row in connection.execute(query)]
    return found


def made_anew(database: Database, name: str = "") -> dict[str, list[tuple[Any, ...]]]:
    """The same rows after they were deleted and made from the events of each case."""
    with database.transaction() as connection:
        query = sa.select(pathology_case.c.accession).where(_of(pathology_case, name))
        names = connection.execute(query).scalars().all()
        for table in _MADE:
            connection.execute(sa.delete(table).where(_of(table, name)))
    for each in names:
        cases.rebuild(database, each)
    return rows(database, name)


_MADE = (pathology_case, case_slide, case_image)


def _of(table: sa.Table, name: str) -> sa.ColumnElement[bool]:
    return table.c.accession == name if name else sa.true()


def raw_log(database: Database) -> list[tuple[Any, ...]]:
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(sa.select(event).order_by(event.c[0]))]


def few(examples: int, **more: Any) -> settings:  # noqa: ANN401
    kinds = HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(kinds), **more)
