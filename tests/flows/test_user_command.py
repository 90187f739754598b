"""`svartid user`: who works here, what they may see and read, and when they are away."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from flows.cli import main
from flows.services import prepare_services
from storage import colleagues, people
from storage.database import Database
from storage.records.people import Role
from storage.settings import read_settings
from storage.tables import event

ABOUT = ("--unit", "patologi", "--site", "naestved", "--full-name", "Lise Holm")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return prepare_services(read_settings(tmp_path / "data", {})).database


@pytest.fixture
def user(tmp_path: Path, database: Database, capsys: pytest.CaptureFixture[str]) -> Any:  # noqa: ANN401
    def run(*words: str, code: int = 0) -> str:
        assert main(["user", *words, "--data", str(tmp_path / "data")]) == code
        output = capsys.readouterr()
        return output.out if code == 0 else output.err

    return run


def test_a_person_is_added_with_all_that_is_said(user: Any, database: Database) -> None:  # noqa: ANN401
    reads = ("--subspecialty", "skin", "--subspecialty", "gi", "--language", "da")
    name, password, *rest = user("add", "lise", "--role", "pathologist", *ABOUT, *reads).split()
    assert (name, " ".join(rest)) == ("lise", "(shown only now)")
    assert people.check_password(database, "lise", password) is Role.PATHOLOGIST
    (lise,) = colleagues.colleagues(database, "patologi")
    assert (lise.full_name, lise.site) == ("Lise Holm", "naestved")
    assert (lise.subspecialties, lise.languages) == (("skin", "gi"), ("da",))


def test_adding_again_changes_what_is_said_and_keeps_the_rest(
    user: Any,  # noqa: ANN401
    database: Database,
) -> None:
    user("add", "lise", "--role", "technician", *ABOUT)
    password = user("add", "lise", "--site", "slagelse").split()[1]
    (lise,) = colleagues.colleagues(database)
    assert (lise.role, lise.site, lise.unit) == (Role.TECHNICIAN, "slagelse", "patologi")
    assert people.check_password(database, "lise", password)


def test_a_change_leaves_the_password_but_a_new_role_ends_sessions(
    user: Any,  # noqa: ANN401
    database: Database,
) -> None:
    password = user("add", "lise", *ABOUT).split()[1]
    secret = people.open_session(database, "lise", Role.PATHOLOGIST)
    assert "slagelse" in user("change", "lise", "--site", "slagelse")
    before = people.principal_of(database, secret)
    assert before is not None
    assert before.site == "slagelse"
    user("change", "lise", "--role", "secretary")
    assert people.principal_of(database, secret) is None
    assert people.check_password(database, "lise", password) is Role.SECRETARY


def test_who_is_away_is_told_and_left_in_peace(user: Any, database: Database) -> None:  # noqa: ANN401
    user("add", "lise", *ABOUT)
    days = ("--from", "2026-12-01", "--until", "2026-12-08")
    assert "2026-12-01 00:00 until 2026-12-08 00:00" in user("absent", "lise", *days)

    def away(month: int, day: int, hour: int) -> bool:
        at = datetime(2026, month, day, hour, tzinfo=UTC)
        return colleagues.colleagues(database, at=at)[0].absent

    # Midnight in Denmark is 23 UTC the day before.
    assert not away(11, 30, 22)
    assert away(11, 30, 23)
    assert away(12, 7, 22)
    assert not away(12, 7, 23)


def test_the_list_shows_everybody_and_no_secret(user: Any) -> None:  # noqa: ANN401
    password = user("add", "lise", *ABOUT).split()[1]
    user("add", "bo", "--role", "technician")
    text = user("list")
    assert "Lise Holm" in text
    assert password not in text
    documents = [json.loads(line) for line in user("list", "--json").splitlines()]
    known = {at["name"]: at for at in documents}
    assert known["lise"]["unit"] == "patologi"
    assert known["bo"]["role"] == "technician"


def test_what_was_changed_is_in_the_log(user: Any, database: Database) -> None:  # noqa: ANN401
    user("add", "lise", *ABOUT)
    user("absent", "lise", "--from", "2026-12-01", "--until", "2026-12-08")
    with database.reading() as connection:
        query = sa.select(event.c.kind).where(event.c.subject == "person:lise")
        kinds = set(connection.execute(query).scalars())
    assert {"PersonAdded", "PasswordReset", "PersonDescribed", "AbsenceNoted"} <= kinds


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("add",), 2, "give the NAME"),
        (("absent", "lise"), 2, "give --from and --until"),
        (("change", "nobody", "--unit", "x"), 1, "nobody"),
        (("change", "nobody", "--role", "guest"), 1, "nobody"),
        (("absent", "nobody", "--from", "2026-12-01", "--until", "2026-12-02"), 1, "nobody"),
    ],
)
def test_what_cannot_be_done_is_said(
    user: Any,  # noqa: ANN401
    words: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    assert told in user(*words, code=code)
