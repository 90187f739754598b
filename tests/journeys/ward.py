"""A small department with real images, served from this process, for looks at its screens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from playwright.sync_api import Browser, Page

from flows.bundles import bundles_at
from flows.follow import Follower
from flows.receive import receive
from flows.services import prepare_services
from processing.paint import Painting, write_svs
from storage import people
from storage.records import case_events as events
from storage.records import reading_events as reading
from storage.records import slide_events as slides
from storage.records.case_words import AssignedBy
from storage.records.intake import IntakeState, Source
from storage.records.milestones import Priority, SpecimenClass
from tests.journeys.running import wait_for
from tests.viewers.department import UNIT, Department

SIZES = ((1800, 1300), (1500, 1100), (2200, 1500), (2000, 1600))
NAME, NUMBER = "Anna Andersen", "010190-1234"


@dataclass(frozen=True)
class Ward:
    """People, a case of two images, a third image that can replace one, and the address."""

    department: Department
    url: str
    images: tuple[str, ...]

    def case(self, accession: str, *used: int) -> list[str]:
        """Pia's case with some of the images; its barcodes."""
        at = datetime.now(UTC) - timedelta(hours=20)
        order = events.CaseOrdered(
            self.department.patient(), "Lægerne Torvet", UNIT, UNIT, Priority.PACKAGE,
            SpecimenClass.BIOPSY, "hud", "Obs. melanom",
        )  # fmt: skip
        say = self.department.say
        say(accession, order, events.SpecimenReceived("A", "T02480"), at=at)
        say(accession, events.BlockEmbedded("A", "A1"), at=at)
        barcodes = [f"{accession}-{number}" for number in used]
        for barcode, number in zip(barcodes, used, strict=True):
            say(accession, slides.SlideExpected(barcode, "A", "A1", "HE"), at=at)
            say(accession, slides.SlideStained(barcode), at=at + timedelta(hours=4))
            self.show(accession, barcode, number)
        say(accession, reading.CaseAssigned("pia", AssignedBy.RULES))
        return barcodes

    def show(self, accession: str, barcode: str, number: int) -> None:
        """An image of the glass can be read."""
        image = self.images[number]
        came = (slides.ImageStored(barcode, image), slides.ImageAvailable(barcode, image))
        self.department.say(accession, *came)

    @contextmanager
    def window(self, browser: Browser, name: str = "pia") -> Iterator[Page]:
        """Somebody signed in; nothing may go wrong in the page."""
        password = people.reset_password(self.department.database, name)
        context = browser.new_context(
            viewport={"width": 1280, "height": 800}, locale="da-DK", timezone_id="Europe/Copenhagen"
        )
        page, complaints = context.new_page(), list[str]()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{self.url}/signin")
        page.fill("[name=name]", name)
        page.fill("[name=password]", password)
        with page.expect_navigation(wait_until="load"):
            page.keyboard.press("Enter")
        self.department.passwords[name] = password
        try:
            yield page
        finally:
            context.close()
        assert complaints == []


@contextmanager
def opened(folder: Path) -> Iterator[Ward]:
    """The department with its images, served until the end."""
    department = Department.found(folder / "data")
    images = tuple(_ingest(department, folder, number) for number in range(len(SIZES)))
    department.client(None)
    assert department.app is not None
    server = uvicorn.Server(uvicorn.Config(department.app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started, 20, "the web server")
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Ward(department, f"http://127.0.0.1:{port}", images)
    server.should_exit = True
    thread.join(10)


def _ingest(department: Department, folder: Path, number: int) -> str:
    path = folder / f"glass-{number}.svs"
    write_svs(Painting(*SIZES[number], seed=number + 3), path)
    services = prepare_services(department.settings)
    (bundle,) = bundles_at(path)
    row, _ = receive(services, bundle, Source.COMMAND, "test")
    with Follower(services) as follower:
        return follower.follow(row.intake_id, {IntakeState.COMPLETE}, lambda *_: None).slide_id
