"""People treated: entered once, whoever enters them at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from storage import patients
from storage.database import Database
from storage.errors import NotFound
from storage.patients import Patient
from storage.tables import metadata


@pytest.fixture
def database(empty_database: Database) -> Database:
    with empty_database.transaction() as connection:
        metadata.create_all(connection)
    return empty_database


def enter(database: Database, name: str, born: date | None = None, sex: str = "") -> str:
    with database.transaction() as connection:
        return patients.enter(connection, "cpr", "0101501234", name, born, sex)


def test_an_identifier_is_one_patient(database: Database) -> None:
    born = date(1950, 1, 1)
    first = enter(database, "Nancy Berggren", born, "female")
    assert patients.get(database, first) == Patient(
        first, "0101501234", "cpr", "Nancy Berggren", born, "female"
    )
    assert patients.find(database, "0101501234") == patients.get(database, first)
    assert patients.find(database, "0101501235") is None
    with pytest.raises(NotFound):
        patients.get(database, "nobody")


def test_what_is_not_said_stays(database: Database) -> None:
    """A message may carry a new name and nothing else."""
    born = date(1950, 1, 1)
    first = enter(database, "Nancy Berggren", born, "female")
    assert enter(database, "Nancy Holm") == first
    assert enter(database, "") == first
    found = patients.get(database, first)
    assert (found.name, found.birth_date, found.sex) == ("Nancy Holm", born, "female")
    enter(database, "", date(1951, 1, 1))
    assert patients.get(database, first).birth_date == date(1951, 1, 1)


def test_kinds_of_identifier_are_kept_apart(database: Database) -> None:
    with database.transaction() as connection:
        made = {
            patients.enter(connection, kind, "0101501234", kind)
            for kind in ("cpr", "x_ecpr", "d_ecpr")
        }
    assert len(made) == 3


def test_entered_by_many_at_once(database: Database) -> None:
    together = threading.Barrier(6)

    def one(number: int) -> str:
        together.wait()
        return enter(database, f"Navn {number}")

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(one, range(6)))) == 1
