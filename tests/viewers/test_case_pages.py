"""The pages of lists and of entering; the colleagues they offer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage import colleagues
from storage.database import now
from tests.viewers.department import UNIT, Department

LISTS = {
    "pia": ["mine", "asked", "unassigned", "unit"],
    "karl": ["asked"],
    "sara": ["unit", "unassigned"],
    "tina": ["unit", "unassigned"],
}


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Department:
    return Department.found(tmp_path_factory.mktemp("department"))


@pytest.mark.parametrize("name", LISTS)
def test_everybody_has_the_lists_that_are_theirs(name: str, department: Department) -> None:
    page = department.client(name).get("/cases")
    assert page.status_code == 200
    places = [page.text.find(f'data-list="{at}"') for at in LISTS[name]]
    assert places == sorted(places)
    assert places[0] > 0
    assert page.text.count("data-list=") == len(places)
    assert ('data-may-claim="true"' in page.text) == (name == "pia")
    assert ('href="/cases/new"' in page.text) == (name != "karl")


@pytest.mark.parametrize("name", ["ops", "administrator", "researcher", "guest", "lis"])
def test_others_have_no_list(name: str, department: Department) -> None:
    for address in ("/cases", "/cases/new"):
        assert department.client(name).get(address).status_code == 403
    assert department.client(None).get("/cases").headers["location"] == "/signin?next=/cases"


def test_a_list_is_a_shell(department: Department) -> None:
    department.case(assignee="pia")
    page = department.client("pia").get("/cases").text
    assert "Anna Andersen" not in page
    assert "010190" not in page


def test_a_case_is_entered_by_those_who_may(department: Department) -> None:
    page = department.client("sara").get("/cases/new")
    assert page.status_code == 200
    assert 'data-codes="routine package urgent"' in page.text
    assert department.client("karl").get("/cases/new").status_code == 403


def test_colleagues_are_offered_own_unit_first_the_absent_last(department: Department) -> None:
    accession = department.case(assignee="poul")
    moment = now()
    day = timedelta(days=1)
    colleagues.be_away(department.database, "pia", moment - day, moment + day)
    colleagues.describe(department.database, "poul", subspecialties=["hud"])
    pia = department.client("pia")
    told = pia.get("/api/v1/colleagues", params={"for": accession}).json()
    names = [at["name"] for at in told]
    assert names[:2] == ["poul", "pia"]
    assert set(names) == {"poul", "pia", "stranger", "karl"}
    poul = told[0]
    assert (poul["unit"], poul["subspecialties"], poul["absent"]) == (UNIT, ["hud"], False)
    assert poul["open_cases"] >= 1
    assert told[1]["absent"] is True
    assert "password" not in str(told)
    assert [line[0] for line in department.lines("pia", accession)] == ["colleagues"]
    stranger = department.client("stranger")
    assert stranger.get("/api/v1/colleagues", params={"for": accession}).status_code == 403
    assert stranger.get("/api/v1/colleagues").json()[0]["name"] == "stranger"
    assert department.client("ops").get("/api/v1/colleagues").status_code == 403
