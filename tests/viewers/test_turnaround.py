"""Turnaround over HTTP: the month as the events have it, for whom it is, and nobody's name."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from flows.services import Services, prepare_services
from processing.turnaround.working_days import COPENHAGEN
from storage import people, published_months, worklist
from storage.records.people import Principal, Right, Role, allowed
from storage.records.published import Scope
from storage.settings import read_settings
from storage.tables import access_log, event, person
from tests.processing.turnaround.months import Laboratory
from tests.storage.told import tell_laboratory
from viewers import turnaround
from viewers.app import create_app

NOW = datetime.now(UTC)
THIS = f"{NOW.astimezone(COPENHAGEN):%Y-%m}"
LAST = f"{NOW.astimezone(COPENHAGEN).replace(day=1) - timedelta(days=1):%Y-%m}"
API = "/api/v1/turnaround"
Asks = Callable[[str], TestClient]


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Services:
    """Two units of a small laboratory up to now, people of every role in one of them."""
    folder = tmp_path_factory.mktemp("department") / "data"
    services = prepare_services(read_settings(folder, {}))
    random = np.random.default_rng(6)
    lived = [
        replace(at, unit=unit, accession=f"{site}/{at.accession}")
        for site, unit in (("roskilde", "pato-r"), ("naestved", "pato-n"))
        for at in Laboratory(random, site, each_weekday=3).cases(
            (NOW - timedelta(days=70)).date(), 71
        )
    ]
    stuck = replace(lived[0], accession="roskilde/stuck", opened_at=None, awaited=())
    stuck = replace(stuck, signed_at=None, distributed_at=None)
    known = [at for at in [*lived, stuck] if at.received_at and at.received_at < NOW]
    tell_laboratory(services.database, known, NOW)
    for role in Role:
        people.ensure_person(services.database, role.value, role)
    with services.database.transaction() as connection:
        connection.execute(sa.update(person).values(unit="pato-r", site="roskilde"))
    return services


@pytest.fixture
def asks(department: Services) -> Asks:
    """A client of a program in that role; figures are computed anew."""
    turnaround._computed.clear()
    app = create_app(department.settings)

    def client(role: str) -> TestClient:
        token = people.create_token(department.database, role, Role(role), 1)
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
        return TestClient(app, headers=headers, raise_server_exceptions=False)

    return client


def answered(department: Services, month: str) -> int:
    """Counted in the log, without anything of ours that computes."""
    sent = sa.select(event.c.occurred_at).where(event.c.kind == "ReportDistributed")
    with department.database.reading() as connection:
        moments = connection.execute(sent).scalars().all()
    return sum(f"{at.astimezone(COPENHAGEN):%Y-%m}" == month for at in moments)


def test_a_month_is_what_the_log_says(asks: Asks, department: Services) -> None:
    told = asks("ops").get(API, params={"month": LAST}).json()
    assert told["whole"]["n"] == answered(department, LAST) > 20
    assert told["month"] == LAST
    assert told["today"]["open"] == sum(told["today"]["standing"].values())
    opened = [at for at in worklist.milestones(department.database) if at.is_open]
    assert told["today"]["open"] == len(opened)
    assert told["today"]["standing"]["late"] >= 1
    assert told["units"] == ["pato-n", "pato-r"]
    assert told["sites"] == ["naestved", "roskilde"]
    assert told["trend"]["month"][-1]["n"] == told["whole"]["n"]
    assert asks("ops").get(API).json()["month"] == THIS


def test_a_unit_and_a_site_are_parts_of_the_whole(asks: Asks) -> None:
    client = asks("administrator")
    whole = client.get(API, params={"month": LAST}).json()
    for name, values in (("unit", whole["units"]), ("site", whole["sites"])):
        parts = [client.get(API, params={"month": LAST, name: at}).json() for at in values]
        assert sum(at["whole"]["n"] for at in parts) == whole["whole"]["n"]
        assert sum(at["today"]["open"] for at in parts) == whole["today"]["open"]
        assert all(at["units"] == whole["units"] for at in parts)


def test_figures_name_nobody(asks: Asks, department: Services) -> None:
    accessions = {at.accession for at in worklist.milestones(department.database)}
    for role in ("ops", "administrator"):
        answer = asks(role).get(API)
        assert answer.json()["late_cases"] is None
        for name in ("Nancy", "0101501234", *accessions):
            assert name not in answer.text


def test_late_cases_are_named_to_their_own_unit_and_leave_a_line(
    asks: Asks, department: Services
) -> None:
    told = asks("pathologist").get(API).json()["late_cases"]
    assert "roskilde/stuck" in [at["accession"] for at in told]
    assert all(at["accession"].startswith("roskilde/") for at in told)
    assert all(at["standing"]["state"] == "late" for at in told)
    assert "patient" not in told[0]
    with department.database.transaction() as connection:
        moved = sa.update(person).where(person.c.name == "technician")
        connection.execute(moved.values(unit="pato-n"))
    elsewhere = asks("technician").get(API).json()["late_cases"]
    assert "roskilde/stuck" not in [at["accession"] for at in elsewhere]
    line = (access_log.c.action == "turnaround late cases",)
    about = sa.select(access_log.c.name).where(*line, access_log.c.accession == "roskilde/stuck")
    with department.database.reading() as connection:
        assert set(connection.execute(about).scalars()) == {"pathologist"}


@pytest.mark.parametrize("role", [at for at in Role if at is not Role.NODE])
def test_who_sees_and_who_changes(role: Role, asks: Asks) -> None:
    client = asks(role.value)
    who = Principal(role.value, role, "x")
    sees = 200 if allowed(who, Right.SEE_TURNAROUND) else 403
    for address in (API, f"{API}.csv", "/api/v1/policy", "/turnaround", "/turnaround/policy"):
        assert client.get(address).status_code == sees, address
    changes = {409} if role is Role.ADMINISTRATOR else {403}
    assert client.post(f"{API}/{THIS}/publish", json={}).status_code in changes
    wrong = 400 if role is Role.ADMINISTRATOR else 403
    assert client.put("/api/v1/policy", json={}).status_code == wrong


def test_the_table_is_the_month(asks: Asks) -> None:
    client = asks("ops")
    told = client.get(API, params={"month": LAST}).json()
    answer = client.get(f"{API}.csv", params={"month": LAST})
    assert answer.headers["content-disposition"] == f'attachment; filename="svartid-{LAST}.csv"'
    table = list(csv.DictReader(io.StringIO(answer.text)))
    assert int(table[0]["n"]) == told["whole"]["n"]
    assert float(table[0]["percent"]) == pytest.approx(told["whole"]["percent"], abs=1e-3)
    danish = client.get(f"{API}.csv", params={"month": LAST}, headers={"Accept-Language": "da"})
    rows = csv.DictReader(io.StringIO(danish.content.decode("utf-8-sig")), delimiter=";")
    assert next(rows)["percent"] == table[0]["percent"].replace(".", ",")


def test_a_month_is_published_once_and_again_with_a_reason(
    asks: Asks, department: Services
) -> None:
    client = asks("administrator")
    assert client.post(f"{API}/{THIS}/publish", json={}).json()["reason"] == "month_not_over"
    done = client.post(f"{API}/{LAST}/publish", json={})
    assert done.status_code == 201
    figures = client.get(API, params={"month": LAST}).json()
    assert done.json()["figures"]["whole"] == figures["whole"]
    again = client.post(f"{API}/{LAST}/publish", json={})
    assert (again.status_code, again.json()["reason"]) == (409, "published_before")
    assert client.post(f"{API}/{LAST}/publish", json={"reason": "rettelse"}).json()["edition"] == 2
    (mark,) = client.get(API, params={"month": LAST}).json()["published"]
    assert (mark["month"], mark["edition"], mark["policy_version"]) == (LAST, 2, 1)
    assert client.get(API, params={"unit": "pato-r"}).json()["published"] == []
    kept = published_months.latest(department.database, Scope(LAST))
    assert kept.by == "administrator"


def test_a_policy_is_read_and_changed_by_a_new_version(asks: Asks) -> None:
    client = asks("administrator")
    read = client.get("/api/v1/policy").json()
    assert (read["current"], read["sites"]) == (1, ["naestved", "roskilde"])
    document = read["policy"] | {"warn_share": 0.5}
    closed = {"roskilde": [{"day": "2026-12-24", "name": "juleaften"}]}
    changed = client.put("/api/v1/policy", json=document | {"closing_days": closed})
    assert changed.json()["version"] == 2
    twice = client.put("/api/v1/policy", json=document)
    assert (twice.status_code, twice.json()["reason"]) == (409, "policy_changed")
    wrong = client.put("/api/v1/policy", json=document | {"version": 2, "warn_share": 7})
    assert wrong.status_code == 400
    assert "warn_share" in wrong.json()["reason"]
    now = client.get("/api/v1/policy").json()
    assert (now["current"], now["policy"]["closing_days"]) == (2, closed)
    assert [at["entered_by"] for at in now["history"]] == ["administrator", "svartid"]
    assert client.get("/api/v1/policy", params={"version": 1}).json()["policy"] == read["policy"]
    assert client.get("/api/v1/policy", params={"version": 9}).status_code == 404
    assert asks("pathologist").get("/api/v1/policy").json()["may"] == {"change": False}


def test_nonsense_is_refused(asks: Asks) -> None:
    client = asks("administrator")
    for wrong in ({"month": "november"}, {"month": "2026-13"}, {"unit": "a\nb"}):
        assert client.get(API, params=wrong).status_code == 422
    assert client.get(API, params={"unit": "a:b"}).status_code == 400
    assert client.post(f"{API}/2026-1/publish", json={}).status_code == 422
    assert client.post(f"{API}/{LAST}/publish", json={"unit": "all"}).status_code == 400
