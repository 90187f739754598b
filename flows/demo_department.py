"""A small department to look at: its people, and cases that live on from the moment they are made.

Nobody in it exists: the patients carry replacement numbers that begin with DEMO, but for Nancy
Ann Berggren, whose number is the Danish test patient's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.engine import Connection

from storage import case_entry, cases, colleagues, matching, people, scanning
from storage.case_entry import Entry, Glass, Part
from storage.case_log import Said
from storage.catalogue import get_slide
from storage.database import Database, now
from storage.errors import Illegal, NotFound
from storage.records.case_events import CaseFact
from storage.records.case_words import AssignedBy, ReportKind
from storage.records.milestones import Distance, Priority, SpecimenClass
from storage.records.people import Role
from storage.records.reading_events import (
    CaseAssigned,
    CaseOpened,
    ConsultationRequested,
    ReportSigned,
)
from storage.records.slide_events import SlideGlassOnly, SlideStained

UNIT = "naestved"
FIRST, SECOND, TECHNICIAN, SECRETARY = "patolog1", "patolog2", "bioanalytiker", "sekretaer"
_SOURCE = "demo"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the department."""

    name: str
    role: Role
    full_name: str
    reads: tuple[str, ...] = ()


STAFF = (
    Member(FIRST, Role.PATHOLOGIST, "Anne Holm", ("gastro", "hud")),
    Member(SECOND, Role.PATHOLOGIST, "Jens Friis", ("hoved-hals", "mamma")),
    Member(TECHNICIAN, Role.TECHNICIAN, "Mette Lund"),
    Member(SECRETARY, Role.SECRETARY, "Sofie Krogh"),
)


@dataclass(frozen=True, slots=True)
class Made:
    """Somebody who is new, with the password that is shown once."""

    member: Member
    password: str


@dataclass(frozen=True, slots=True)
class Story:
    """A case: what came, and how far it is."""

    accession: str
    patient: tuple[str, str, str, date, str]
    requester: str
    priority: Priority
    specimen_class: SpecimenClass
    subspecialty: str
    clinical_information: str
    hours: float
    """Since it was received."""
    waits: int = 0
    """Glasses that are still to be scanned."""
    assignee: str = ""
    asks: str = ""
    """A question to the other pathologist: then it has been opened."""
    answer: tuple[str, tuple[str, ...]] = ("", ())
    """Text and codes of the report: then it was read under the light microscope, and signed."""


def _of(number: int, name: str, born: date, sex: str) -> tuple[str, str, str, date, str]:
    return "d_ecpr", f"DEMO{number:06}", name, born, sex


STORIES = (
    Story(
        "DEMO-0001", ("cpr", "2512489996", "Nancy Ann Berggren", date(1948, 12, 25), "female"),
        "Lægerne Torvet, Næstved", Priority.PACKAGE, SpecimenClass.BIOPSY, "gastro",
        "Vægttab og diarré gennem tre måneder. Duodenalbiopsi. Giardia? Cøliaki?", 26,
        assignee=FIRST,
    ),
    Story(
        "DEMO-0002", _of(2, "Bent Demosen", date(1957, 7, 7), "male"),
        "Øre-næse-hals, Køge", Priority.URGENT, SpecimenClass.BIOPSY, "hoved-hals",
        "Tumor i mundbunden, bløder. Operation planlagt i overmorgen. Planocellulært karcinom?", 2,
    ),
    Story(
        "DEMO-0003", _of(3, "Grethe Demosen", date(1971, 3, 2), "female"),
        "Kirurgisk afdeling, Slagelse", Priority.ROUTINE, SpecimenClass.RESECTION, "gastro",
        "Hemikolektomi. Kendt adenom med høj grad af dysplasi. Rande fri?", 150, waits=1,
        assignee=FIRST,
    ),
    Story(
        "DEMO-0004", _of(4, "Karen Demosen", date(1984, 11, 19), "female"),
        "Brystkirurgisk klinik, Ringsted", Priority.PACKAGE, SpecimenClass.BIOPSY, "mamma",
        "Knude i venstre bryst, BI-RADS 4. IHK medsendt.", 5,
        assignee=SECOND, asks="Er du enig i, at farvningen er positiv og ikke baggrund?",
    ),
    Story(
        "DEMO-0005", _of(5, "Mikkel Demosen", date(1999, 1, 1), "male"),
        "Lægehuset Vordingborg", Priority.ROUTINE, SpecimenClass.BIOPSY, "hud",
        "Pigmenteret forandring på ryggen, vokset i et halvt år. Melanom?", 1, waits=2,
    ),
    Story(
        "DEMO-0006", _of(6, "Ulla Demosen", date(1966, 5, 23), "female"),
        "Lægehuset Vordingborg", Priority.ROUTINE, SpecimenClass.BIOPSY, "hud",
        "Let hævet, vortet forandring på venstre skulder. Seboroisk keratose?", 50, waits=1,
        assignee=FIRST, answer=(
            "Hudbiopsi fra venstre skulder: seboroisk keratose, fjernet i sundt væv. "
            "Intet tegn på malignitet.",
            ("T02610", "M72750"),
        ),
    ),
)  # fmt: skip


def found(database: Database) -> list[Made]:
    """Make those of the department who are not there; the others keep their passwords."""
    made = []
    for member in STAFF:
        if people.role_of(database, member.name) is not None:
            continue
        password = people.add_person(database, member.name, member.role)
        colleagues.describe(
            database, member.name, full_name=member.full_name, site=UNIT, unit=UNIT,
            subspecialties=list(member.reads), languages=["da", "en"],
        )  # fmt: skip
        made.append(Made(member, password))
    return made


def enter_cases(database: Database, barcodes: Collection[str]) -> None:
    """Enter the cases that are not there, with glasses for the images that will come."""
    for story in STORIES:
        with_image = [at for at in barcodes if at.startswith(f"{story.accession}-")]
        if not cases.history(database, story.accession):
            with suppress(Illegal):
                _enter(database, story, with_image)


def attach(database: Database, images: Mapping[str, str]) -> dict[str, str]:
    """A person says which glass each image (by slide id) shows; those that are still to come."""
    left = {}
    for slide_id, barcode in images.items():
        try:
            image = get_slide(database, slide_id)
        except NotFound:
            left[slide_id] = barcode
            continue
        if matching.is_attached(database, slide_id):
            continue
        with suppress(Illegal), database.transaction() as connection:
            known = matching.expected(connection, [barcode])
            if barcode in known:
                place = (known[barcode], barcode)
                matching.attach(connection, image, place, TECHNICIAN, _SOURCE)
    return left


def _enter(database: Database, story: Story, with_image: list[str]) -> None:
    entry = Entry(
        patient=story.patient,
        requester=story.requester,
        site=UNIT,
        unit=UNIT,
        priority=story.priority,
        specimen_class=story.specimen_class,
        parts=[Part("A", received_at=now() - timedelta(hours=story.hours))],
        slides=_glasses(story, with_image),
        subspecialty=story.subspecialty,
        clinical_information=story.clinical_information,
        accession=story.accession,
    )
    with database.transaction() as connection:
        key = f"demo:{story.accession}"
        done = case_entry.enter(connection, entry, "", Said(SECRETARY, _SOURCE, None, key))
        for barcode in done.barcodes:
            _say(connection, story, SlideStained(barcode), TECHNICIAN)
        if story.assignee:
            _assign(connection, story)
        if story.answer[0]:
            _sign(connection, story, done.barcodes)
            return
    for barcode in set(done.barcodes) - set(with_image):
        scanning.queue_scan(database, barcode, TECHNICIAN)


def _glasses(story: Story, with_image: list[str]) -> list[Glass]:
    """Those with an image by their own barcodes, `DEMO-0001-A2-1` of block A2; then the others."""
    glasses = [Glass("A", at.split("-")[2], "HE", at) for at in with_image]
    blocks = {at.block for at in glasses}
    free = (f"A{number}" for number in range(1, 99) if f"A{number}" not in blocks)
    waiting = max(story.waits, 0 if glasses else 1)
    return glasses + [Glass("A", next(free), "HE") for _ in range(waiting)]


def _assign(connection: Connection, story: Story) -> None:
    _say(connection, story, CaseAssigned(story.assignee, AssignedBy.PERSON), SECRETARY)
    if story.asks:
        other = FIRST if story.assignee == SECOND else SECOND
        asked = ConsultationRequested(
            f"demo-{story.accession}", Distance.INTERNAL, other, story.asks
        )
        for fact in (CaseOpened(story.assignee), asked):
            _say(connection, story, fact, story.assignee)


def _sign(connection: Connection, story: Story, barcodes: Collection[str]) -> None:
    for barcode in barcodes:
        _say(connection, story, SlideGlassOnly(barcode, "Læst i lysmikroskop"), story.assignee)
    signed = ReportSigned(ReportKind.FINAL, *story.answer)
    for fact in (CaseOpened(story.assignee), signed):
        _say(connection, story, fact, story.assignee)


def _say(connection: Connection, story: Story, fact: CaseFact, actor: str) -> None:
    cases.record_in(connection, story.accession, fact, Said(actor, _SOURCE))
