"""Transactions: all or nothing, and a database that is away is Transient."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from storage.database import Database, retrying
from storage.errors import Transient
from storage.tables import person

MOMENT = datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=2)))


def add(database: Database, name: str, at: datetime = MOMENT) -> None:
    with database.transaction() as connection:
        connection.execute(sa.insert(person).values(name=name, role="reader", created_at=at))


def count(database: Database) -> int:
    with database.reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(person)) or 0


def test_all_or_nothing(database: Database) -> None:
    def half() -> None:
        with database.transaction() as connection:
            connection.execute(sa.insert(person).values(name="a", role="reader", created_at=MOMENT))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert count(database) == 0


def test_times_come_back_in_utc(database: Database) -> None:
    add(database, "a")
    with database.reading() as connection:
        at = connection.scalar(sa.select(person.c.created_at))
    assert at == MOMENT
    assert at is not None
    assert at.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(sa.exc.StatementError, match="zone"):
        add(database, "a", MOMENT.replace(tzinfo=None))


def test_many_writers_wait_for_each_other(database: Database) -> None:
    begin = threading.Barrier(20)

    def write(number: int) -> None:
        begin.wait()
        for again in range(5):
            add(database, f"{number}-{again}")

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(write, range(20)))
    assert count(database) == 100


@pytest.mark.parametrize(
    "url", ["sqlite:////no/such/folder/x.sqlite", "postgresql+psycopg://nobody@/x?host=/no/such"]
)
def test_a_database_that_is_away_is_transient(url: str) -> None:
    database = Database(url)
    with pytest.raises(Transient), database.transaction():
        pass
    with pytest.raises(Transient), database.reading():
        pass


def test_trying_again_ends() -> None:
    tries = 0

    def work() -> None:
        nonlocal tries
        tries += 1
        raise Transient("busy")

    with pytest.raises(Transient):
        retrying(work, tries=3)
    assert tries == 3
