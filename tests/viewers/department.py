"""A small department for the tests of cases: people with their clients, and cases."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from flows.services import prepare_services
from storage import cases, patients, people
from storage.case_log import Said
from storage.database import Database
from storage.records import case_events as events
from storage.records import reading_events as reading
from storage.records import slide_events
from storage.records.case import Case
from storage.records.case_words import AssignedBy
from storage.records.milestones import Priority, SpecimenClass
from storage.records.people import Role
from storage.settings import Settings, read_settings
from storage.tables import access_log, person
from viewers.app import create_app

UNIT, ELSEWHERE = "naestved", "roskilde"
STAFF = {
    "pia": (Role.PATHOLOGIST, UNIT, "Pia Patolog"),
    "poul": (Role.PATHOLOGIST, UNIT, "Poul Patolog"),
    "tina": (Role.TECHNICIAN, UNIT, ""),
    "sara": (Role.SECRETARY, UNIT, ""),
    "stranger": (Role.PATHOLOGIST, ELSEWHERE, ""),
    "strange_lab": (Role.TECHNICIAN, ELSEWHERE, ""),
    "strange_desk": (Role.SECRETARY, ELSEWHERE, ""),
    "karl": (Role.CONSULTANT, "", "Karl Konsulent"),
    "lis": (Role.DEVICE, "", ""),
    "strange_lis": (Role.DEVICE, ELSEWHERE, ""),
    "ops": (Role.OPS, UNIT, ""),
    "administrator": (Role.ADMINISTRATOR, UNIT, ""),
    "researcher": (Role.RESEARCHER, UNIT, ""),
    "guest": (Role.GUEST, UNIT, ""),
}
_NUMBERS = itertools.count(1)


@dataclass
class Department:
    """A data folder with people in it; every test enters cases of its own."""

    settings: Settings
    database: Database
    tokens: dict[str, str]
    passwords: dict[str, str] = field(default_factory=dict)
    app: ASGIApp | None = None

    @classmethod
    def found(cls, folder: Path) -> Department:
        """Of all the people of STAFF."""
        settings = read_settings(folder, {})
        database = prepare_services(settings).database
        tokens = {}
        for name, (role, unit, full_name) in STAFF.items():
            people.ensure_person(database, name, role)
            values = {"unit": unit, "site": unit, "full_name": full_name}
            with database.transaction() as connection:
                connection.execute(sa.update(person).where(person.c.name == name).values(**values))
            tokens[name] = people.create_token(database, name, role, 1)
        return cls(settings, database, tokens)

    def client(self, name: str | None) -> TestClient:
        """Somebody's program; None is nobody."""
        self.app = self.app or create_app(self.settings)
        headers = {"Authorization": f"Bearer {self.tokens[name]}"} if name else {}
        return TestClient(
            self.app, headers=headers, raise_server_exceptions=False, follow_redirects=False
        )

    @contextmanager
    def signed_in(self, name: str) -> Iterator[TestClient]:
        """Somebody with a session of the browser's kind; the password is in `passwords`."""
        self.passwords[name] = people.reset_password(self.database, name)
        self.tokens[name] = people.create_token(self.database, name, STAFF[name][0], 1)
        client = self.client(None)
        said = {"name": name, "password": self.passwords[name]}
        assert client.post("/signin", data=said).status_code == 303
        yield client

    def say(self, accession: str, *facts: events.CaseFact, at: datetime | None = None) -> Case:
        """Record facts, all at one moment."""
        said = Said("test", "test", at)
        return [cases.record(self.database, accession, fact, said) for fact in facts][-1].case

    def patient(self, identifier: str = "0101901234", name: str = "Anna Andersen") -> str:
        with self.database.transaction() as connection:
            return patients.enter(connection, "cpr", identifier, name)

    def case(
        self,
        *,
        received: timedelta = timedelta(hours=1),
        priority: Priority = Priority.ROUTINE,
        slides: int = 2,
        readable: int = 2,
        assignee: str = "",
        unit: str = UNIT,
        **order: Any,  # noqa: ANN401
    ) -> str:
        """A case that came some time ago; some of its glasses can be read."""
        number = next(_NUMBERS)
        accession, at = f"P26-{number:06}", datetime.now(UTC) - received
        klass = order.pop("specimen_class", SpecimenClass.BIOPSY)
        patient_id = order.pop("patient_id", None) or self.patient()
        ordered = events.CaseOrdered(
            patient_id, "Lægerne Torvet", unit, unit, priority, klass, **order
        )
        glasses = [f"{accession}-A1-{at}" for at in range(1, slides + 1)]
        self.say(
            accession,
            ordered,
            events.SpecimenReceived("A", "T06"),
            events.CaseAccessioned(),
            events.BlockEmbedded("A", "A1"),
            *(slide_events.SlideExpected(barcode, "A", "A1", "HE") for barcode in glasses),
            at=at,
        )
        for barcode in glasses[:readable]:
            slide_id = f"{number:04}{barcode[-1]:0>16}"
            self.say(
                accession,
                slide_events.SlideStained(barcode),
                slide_events.ImageStored(barcode, slide_id),
                slide_events.ImageAvailable(barcode, slide_id),
                at=at + received / 2,
            )
        if assignee:
            self.say(accession, reading.CaseAssigned(assignee, AssignedBy.PERSON))
        return accession

    def open(self, accession: str) -> None:
        """As its pathologist does."""
        assignee = cases.get(self.database, accession).assignee
        self.say(accession, reading.CaseOpened(assignee))

    def lines(self, name: str, accession: str) -> list[tuple[str, str, str]]:
        """What the access log says of somebody and a case: action, patient, basis."""
        query = sa.select(access_log).where(
            access_log.c.name == name, access_log.c.accession == accession
        )
        with self.database.reading() as connection:
            return [(at.action, at.patient_id, at.basis) for at in connection.execute(query)]
