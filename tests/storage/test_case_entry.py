"""Cases entered by hand and the lists they are on, on both databases."""

from __future__ import annotations

import threading
from datetime import date

from storage import case_entry, cases, worklist
from storage.case_entry import Entered, Entry, Glass, Part
from storage.case_log import Said
from storage.database import Database
from storage.records.case_words import AssignedBy
from storage.records.milestones import Priority, SpecimenClass
from storage.records.people import Principal, Role
from storage.records.reading_events import CaseAssigned
from storage.worklist import Which

PATIENT = ("cpr", "0707614285", "Bent Berg", date(1961, 7, 7), "male")
PIA = Principal("pia", Role.PATHOLOGIST, "x", "naestved", "nae")


def entry(accession: str = "", unit: str = "nae") -> Entry:
    return Entry(
        patient=PATIENT,
        requester="Lægerne Torvet",
        site="naestved",
        unit=unit,
        priority=Priority.ROUTINE,
        specimen_class=SpecimenClass.BIOPSY,
        parts=[Part("A")],
        slides=[Glass("A", "A1", "HE"), Glass("A", "A1", "PAS")],
        accession=accession,
    )


def enter(database: Database, made: Entry, prefix: str = "", key: str | None = None) -> Entered:
    with database.transaction() as connection:
        return case_entry.enter(connection, made, prefix, Said("sara", "test", None, key))


def test_numbers_are_counted_by_prefix(database: Database) -> None:
    first = enter(database, entry()).accession
    assert first[:3] + first[5:] == "NAE-000001"
    enter(database, entry(f"{first[:6]}ABCDEF"))
    enter(database, entry(f"{first[:6]}000041"))
    assert enter(database, entry()).accession == f"{first[:6]}000042"
    assert enter(database, entry(), "ØR_%").accession == f"ØR{first[3:6]}000001"
    assert enter(database, entry(unit="!?")).accession == f"S{first[3:6]}000001"


def test_many_at_once_have_each_their_own(database: Database) -> None:
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.append(enter(database, entry()).accession))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(at[-6:]) for at in made) == list(range(1, 9))


def test_a_key_names_one_case(database: Database) -> None:
    first = enter(database, entry(), key="k")
    assert enter(database, entry(), key="k") == first


def test_counts_lines_and_searching(database: Database) -> None:
    done = enter(database, entry())
    enter(database, entry(unit="ros"))
    fact = CaseAssigned("pia", AssignedBy.CLAIM)
    cases.record(database, done.accession, fact, Said("pia", "test"))
    assert worklist.counts(database, PIA) == {
        "mine": 1, "asked": 0, "unassigned": 0, "unit": 1, "waiting_in_lab": 1,
    }  # fmt: skip
    assert worklist.open_cases(database) == {"pia": 1}
    assert worklist.row(database, done.accession).patient.name == "Bent Berg"
    for text in (done.accession, done.accession[:5].lower(), done.barcodes[1], "070761-4285"):
        found = worklist.search(database, PIA, text)
        assert [row.accession for row in found] == [done.accession], text
    assert worklist.search(database, PIA, "%%%") == []
    assert [row.accession for row in worklist.cases(database, PIA, Which.MINE)] == [done.accession]
