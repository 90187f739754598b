"""Who a case may go to: of which unit, who is away, how much each has."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage import colleagues, people
from storage.database import Database, now
from storage.errors import Illegal, NotFound
from storage.records.case_events import CaseCancelled
from storage.records.case_words import AssignedBy, CaseState
from storage.records.people import Role
from storage.records.reading_events import CaseAssigned
from storage.records.slide_events import ImageAvailable, ImageStored
from tests.storage.lab import order, say

DAY = timedelta(days=1)


def staff(database: Database, *names: str, unit: str = "pato-n") -> None:
    for name in names:
        people.ensure_person(database, name, Role.PATHOLOGIST)
        colleagues.describe(database, name, unit=unit)


def test_people_as_others_see_them(database: Database) -> None:
    staff(database, "bo", "anna")
    staff(database, "far", unit="pato-r")
    colleagues.describe(
        database, "anna", full_name="Anna Dam", site="n", subspecialties=["gi"], languages=["da"]
    )
    anna, bo = colleagues.colleagues(database, "pato-n")
    assert (anna.shown, anna.site, anna.subspecialties) == ("Anna Dam", "n", ("gi",))
    assert (anna.languages, bo.shown, bo.languages, bo.absent) == (("da",), "bo", (), False)
    assert len(colleagues.colleagues(database)) == 3
    with pytest.raises(NotFound):
        colleagues.describe(database, "nobody", unit="x")


def test_absence_begins_and_ends(database: Database) -> None:
    staff(database, "anna", "bo")
    moment = now()
    colleagues.be_away(database, "anna", moment, moment + DAY, "course")
    colleagues.be_away(database, "anna", moment, moment + 2 * DAY)

    def away(at: timedelta) -> list[str]:
        found = colleagues.colleagues(database, at=moment + at)
        return [person.name for person in found if person.absent]

    assert [away(at) for at in (-DAY / 2, DAY / 2, DAY, 2 * DAY)] == [[], ["anna"], ["anna"], []]
    with pytest.raises(Illegal, match="absence empty"):
        colleagues.be_away(database, "anna", moment, moment)
    with pytest.raises(NotFound):
        colleagues.be_away(database, "nobody", moment, moment + DAY)


def test_load_and_what_waits_for_somebody(database: Database) -> None:
    staff(database, "anna")
    order(database, "P1", "P1-A1", "P1-A2")
    order(database, "P2", "P2-A1")
    order(database, "P3", "P3-A1")
    order(database, "P4")
    for accession in ("P1", "P2"):
        say(database, accession, CaseAssigned("anna", AssignedBy.PERSON))
    say(database, "P4", CaseAssigned("anna", AssignedBy.PERSON), CaseCancelled("moved"))
    say(database, "P3", ImageStored("P3-A1", "a"), ImageAvailable("P3-A1", "a"))
    with database.reading() as connection:
        assert colleagues.loads(connection) == {"anna": pytest.approx(2.3)}
    assert colleagues.weight(1000) == colleagues.weight(40) == 5
    assert colleagues.unassigned(database, [CaseState.READY]) == ["P3"]
    assert colleagues.unassigned(database, [CaseState.IN_LAB]) == []
