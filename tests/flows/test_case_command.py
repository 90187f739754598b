"""`svartid case`, `turnaround` and `policy`: the figures of the screens, on the command line."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import sqlalchemy as sa

from flows.cli import main
from flows.services import prepare_services
from processing.turnaround.working_days import COPENHAGEN
from storage import events, worklist
from storage.database import Database
from storage.records.milestones import Milestones
from storage.settings import read_settings
from storage.tables import access_log, event
from tests.processing.turnaround.months import Laboratory
from tests.storage.told import tell_laboratory

NOW = datetime(2026, 4, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with six weeks of a small laboratory."""
    folder = tmp_path_factory.mktemp("lived") / "data"
    database = prepare_services(read_settings(folder, {})).database
    laboratory = Laboratory(np.random.default_rng(8), each_weekday=4)
    tell_laboratory(database, laboratory.cases(date(2026, 2, 26), 43), NOW)
    database.dispose()
    return folder


@pytest.fixture
def database(data: Path) -> Database:
    return Database(read_settings(data, {}).database_url)


@pytest.fixture(autouse=True)
def lived() -> Any:  # noqa: ANN401
    """It is NOW for the commands too."""
    names = ("flows.commands.case.now", "flows.commands.turnaround.now", "storage.policies.now")
    with patch(names[0], lambda: NOW), patch(names[1], lambda: NOW), patch(names[2], lambda: NOW):
        yield


@pytest.fixture
def told(data: Path, capsys: pytest.CaptureFixture[str]) -> Any:  # noqa: ANN401
    def run(*words: str, code: int = 0) -> str:
        assert main([*words, "--data", str(data)]) == code
        output = capsys.readouterr()
        return output.out if code == 0 else output.out + output.err

    return run


def an_open_case(database: Database) -> Milestones:
    return next(at for at in worklist.milestones(database) if at.is_open and at.opened_at)


def test_a_case_is_told_from_its_events(told: Any, database: Database) -> None:  # noqa: ANN401
    known = an_open_case(database)
    document = json.loads(told("case", known.accession, "--json"))
    assert known.received_at
    seconds = (NOW - known.received_at).total_seconds()
    assert sum(at["seconds"] for at in document["steps"]) == pytest.approx(seconds, abs=1e-5)
    clocks = {at["key"]: at for at in document["clocks"]}
    assert clocks["K1"]["seconds"] == pytest.approx(seconds, abs=1e-5)
    assert clocks["K1"]["running"]
    assert document["standing"]["state"] in {"calm", "warn", "late"}
    assert 0 < document["forecast"]["probability_late"] <= 1
    kinds = [at["kind"] for at in document["events"]]
    assert kinds[0] == "CaseOrdered"
    assert kinds.index("ScanStarted") < kinds.index("CaseOpened")
    query = sa.select(access_log).where(access_log.c.accession == known.accession)
    with database.reading() as connection:
        (line,) = connection.execute(query).all()
    assert (line.action, line.basis, line.purpose) == ("case", "operation", "operation")
    assert line.patient_id


def test_a_case_is_told_to_people_without_patient_or_what_was_written(
    told: Any,  # noqa: ANN401
    database: Database,
) -> None:
    answered = next(at for at in worklist.milestones(database) if at.distributed_at)
    for words in ((), ("--json",)):
        text = told("case", answered.accession, *words)
        for hidden in ("Nancy", "0101501234", "Fund", "gp-1"):
            assert hidden not in text
    text = told("case", answered.accession)
    assert f"{answered.distributed_at.astimezone(COPENHAGEN):%Y-%m-%d %H:%M}" in text
    for word in ("K1", "wait to read", "ReportDistributed", "in time"):
        assert word in text
    assert "no case has that accession" in told("case", "nothing", code=1)


def test_turnaround_of_a_month_is_what_the_events_say(told: Any, database: Database) -> None:  # noqa: ANN401
    document = json.loads(told("turnaround", "--month", "2026-03", "--json"))
    with database.reading() as connection:
        sent = connection.execute(
            sa.select(event.c.occurred_at).where(event.c.kind == "ReportDistributed")
        ).scalars()
        march = [at for at in sent if f"{at.astimezone(COPENHAGEN):%Y-%m}" == "2026-03"]
    assert document["whole"]["n"] == len(march) > 50
    assert document["today"]["open"] == sum(at.is_open for at in worklist.milestones(database))
    text = told("turnaround", "--month", "2026-03", "--by", "class")
    assert f"of {len(march)} answered cases" in text
    assert "routine biopsy" in text
    assert "2026-02" in told("turnaround", "--by", "month")
    elsewhere = json.loads(told("turnaround", "--unit", "elsewhere", "--json"))
    assert (elsewhere["whole"]["n"], elsewhere["today"]["open"]) == (0, 0)
    rows = list(csv.DictReader(io.StringIO(told("turnaround", "--month", "2026-03", "--csv"))))
    assert int(rows[0]["n"]) == len(march)
    assert "a month is written like" in told("turnaround", "--month", "march", code=1)


def test_a_published_month_is_proved_and_a_changed_one_found_out(
    told: Any,  # noqa: ANN401
    database: Database,
) -> None:
    assert "has not been published" in told("turnaround", "--verify", "2026-03", code=1)
    assert "edition 1" in told("turnaround", "publish", "2026-03")
    assert "published before" in told("turnaround", "publish", "2026-03", code=1)
    assert "edition 2" in told("turnaround", "publish", "2026-03", "--again", "rettelse")
    assert told("turnaround", "--verify", "2026-03").count("the same, to the last figure") == 2
    told("turnaround", "publish", code=2)
    (first, _) = events.history(database, "turnaround:all:2026-03")
    figures = first.data["figures"] | {"open": []}
    with database.transaction() as connection:
        wrong = sa.update(event).where(event.c.event_id == first.event_id)
        connection.execute(wrong.values(data={**first.data, "figures": figures}))
    assert "edition 1: differs in open" in told("turnaround", "--verify", "2026-03", code=1)


def test_a_policy_is_changed_by_a_new_version(told: Any, tmp_path: Path) -> None:  # noqa: ANN401
    document = json.loads(told("policy", "show", "--json"))
    assert document["version"] == 1
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(document | {"warn_share": 0.5}))
    assert "version 2" in told("policy", "set", str(file))
    assert "policy changed" in told("policy", "set", str(file), code=1)
    assert "50%" in told("policy", "show")
    assert json.loads(told("policy", "show", "--version", "1", "--json")) == document
    history = told("policy", "history", "--json").splitlines()
    assert [json.loads(line)["version"] for line in history] == [2, 1]
    file.write_text("{")
    assert "not JSON" in told("policy", "set", str(file), code=1)
    told("policy", "set", code=2)
