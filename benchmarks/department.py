"""A department's month of cases: how quick recording, lists and figures are at full size.

Enters cases through the one writer (`storage.cases.record_in`), most answered, some open, then asks
the running application for its lists and figures. `--cases 5000` is a month of a university
department (240 cases a working day); the tests run a small sample.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from starlette.testclient import TestClient

from benchmarks.measure import machine, record
from flows.services import Services, prepare_services
from storage import cases, patients, people
from storage.case_log import Said
from storage.records import case_events as events
from storage.records import reading_events as reading
from storage.records import slide_events as slides
from storage.records.case_words import AssignedBy, ReportKind
from storage.records.milestones import Priority, SpecimenClass
from storage.records.people import Role
from storage.settings import read_settings
from storage.tables import person
from viewers.app import create_app

UNIT, SITE, READERS, DAYS, OPEN_SHARE = "patologi", "naestved", 12, 60, 0.12
_ROUNDS = 7
_PRIORITIES = ((Priority.URGENT, 5), (Priority.PACKAGE, 40), (Priority.ROUTINE, 55))
Told = tuple[events.CaseFact, datetime]
_ADDRESSES = {
    "my list": "/api/v1/cases?list=mine",
    "the department's list": "/api/v1/cases?list=unit",
    "one case": "/api/v1/cases/{accession}",
    "the laboratory": "/api/v1/lab",
    "figures of the month": "/api/v1/turnaround",
}


def main() -> int:
    """Enter, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--database", help="a PostgreSQL URL; default an SQLite file of its own")
    parser.add_argument("--record", action="store_true", help="write benchmarks/results")
    parser.add_argument("--note", default="", help="said beside the figures")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="svartid-department-") as folder:
        document = measure(Path(folder), args.cases, args.database) | {"note": args.note}
    print(json.dumps(document, indent=1))
    if args.record:
        print(record("department", document))
    return 0


def measure(folder: Path, count: int, url: str | None = None) -> dict[str, Any]:
    """Figures: events a second, one at a time and case by case; milliseconds an answer."""
    before = machine()
    env = {"SVARTID_DATABASE_URL": url} if url else {}
    services = prepare_services(read_settings(folder / "data", env))
    staff(services)
    chance = random.Random(20261124)
    began, told = time.perf_counter(), 0
    for number in range(count):
        told += enter(services, chance, number)
    wall = time.perf_counter() - began
    return {
        "machine": before,
        "database": "postgresql" if url else "sqlite",
        "cases": count,
        "events": told,
        "events_a_second_whole_cases": round(told / wall),
        "events_a_second_one_by_one": one_by_one(services, chance, count),
        "answers_ms": answers(services),
    }


def staff(services: Services) -> None:
    """The readers of one unit, and a technician."""
    for name, role in [(f"reader-{at}", Role.PATHOLOGIST) for at in range(READERS)] + [
        ("technician", Role.TECHNICIAN)
    ]:
        people.ensure_person(services.database, name, role)
        with services.database.transaction() as connection:
            where = person.c.name == name
            connection.execute(sa.update(person).where(where).values(unit=UNIT, site=SITE))


def enter(services: Services, chance: random.Random, number: int) -> int:
    """One case with its whole history, in one transaction; how many events."""
    with services.database.transaction() as connection:
        patient = patients.enter(connection, "cpr", f"{number:010d}", f"Patient {number}")
        told = list(history(chance, patient, f"DEP-{number:06d}"))
        for fact, at in told:
            cases.record_in(connection, f"DEP-{number:06d}", fact, Said("lis", "benchmark", at))
    return len(told)


def one_by_one(services: Services, chance: random.Random, number: int) -> int:
    """Events a second when each is a transaction of its own, as they come in life."""
    with services.database.transaction() as connection:
        patient = patients.enter(connection, "cpr", f"{number:010d}", "One by one")
    told = list(history(chance, patient, "ONE-1"))
    began = time.perf_counter()
    for fact, at in told:
        cases.record(services.database, "ONE-1", fact, Said("lis", "benchmark", at))
    return round(len(told) / (time.perf_counter() - began))


def history(chance: random.Random, patient: str, accession: str) -> Iterator[Told]:
    """What happens to a case, in order; some are not answered yet."""
    priority = chance.choices(*zip(*_PRIORITIES, strict=True))[0]
    at = datetime.now(UTC) - timedelta(days=DAYS * chance.random(), hours=1)
    ordered = events.CaseOrdered(
        patient, "clinic", SITE, UNIT, priority, chance.choice(list(SpecimenClass)[:3])
    )
    yield ordered, at
    yield events.SpecimenReceived("A"), at
    barcodes = [f"{accession}-A1-{one}" for one in range(1 + int(chance.expovariate(0.5)))]
    for barcode in barcodes:
        yield slides.SlideExpected(barcode, "A", "A1", "HE"), at
    for barcode in barcodes:
        for fact in (
            slides.SlideStained(barcode),
            slides.ScanStarted(barcode, "S1"),
            slides.ScanCompleted(barcode),
            slides.ImageStored(barcode, barcode[-20:]),
            slides.ImageAvailable(barcode, barcode[-20:]),
        ):
            at += timedelta(minutes=chance.expovariate(1 / 20))
            yield fact, _past(at)
    reader = f"reader-{chance.randrange(READERS)}"
    yield reading.CaseAssigned(reader, AssignedBy.RULES), _past(at)
    if chance.random() < OPEN_SHARE:
        return
    yield reading.CaseOpened(reader), _past(at := at + timedelta(hours=chance.expovariate(1 / 9)))
    at += timedelta(hours=chance.expovariate(1 / 12))
    signed = reading.ReportSigned(ReportKind.FINAL, "Text.", ("T02100", "M80703"))
    yield signed, _past(at)
    yield reading.ReportDistributed(1, ReportKind.FINAL), _past(at)


def answers(services: Services) -> dict[str, dict[str, float]]:
    """Milliseconds of each question: the first time, and the median of several after it.

    Figures are kept for some seconds once they are computed, so their first time is what counts.
    """
    secret = {
        role: people.open_session(services.database, name, role)
        for name, role in (("reader-1", Role.PATHOLOGIST), ("technician", Role.TECHNICIAN))
    }
    client = TestClient(create_app(services.settings), raise_server_exceptions=False)
    found = {}
    for name, address in _ADDRESSES.items():
        role = Role.TECHNICIAN if "laboratory" in name else Role.PATHOLOGIST
        headers = {"Authorization": f"Bearer {secret[role]}"}
        taken = []
        for _ in range(_ROUNDS + 1):
            began = time.perf_counter()
            answer = client.get(address.format(accession="ONE-1"), headers=headers)
            taken.append(1000 * (time.perf_counter() - began))
            assert answer.status_code == 200, f"{address}: {answer.status_code}"
        found[name] = {"first": round(taken[0], 1), "again": round(statistics.median(taken[1:]), 1)}
    return found


def _past(at: datetime) -> datetime:
    """Histories that would reach into the future end now."""
    return min(at, datetime.now(UTC))


if __name__ == "__main__":
    raise SystemExit(main())
