"""The page of a case: who gets it, that nothing about the patient is in it, and drafts on it."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from flows.routing import as_json
from processing.routing import Reason, Routing, Rule
from storage.records import reading_events as reading
from storage.records.case_words import AssignedBy, Severity
from tests.viewers.asgi import call
from tests.viewers.department import Department
from viewers.app import create_app
from viewers.modules import modules
from viewers.pages import STATIC, asset

WHO = {
    "pia": 200, "poul": 200, "stranger": 200, "tina": 200, "sara": 200, "karl": 200,
    "ops": 403, "administrator": 403, "researcher": 403, "guest": 403, "lis": 403,
}  # fmt: skip
"""The shell says nothing; what is in it is decided by the case's own address."""


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Department:
    return Department.found(tmp_path_factory.mktemp("department"))


@pytest.fixture
def accession(department: Department) -> str:
    made = department.case(assignee="pia", clinical_information="Obs. melanom")
    department.open(made)
    return made


@pytest.mark.parametrize("name", WHO)
def test_the_shell_goes_to_those_who_treat(
    name: str, department: Department, accession: str
) -> None:
    answer = department.client(name).get(f"/cases/{accession}")
    assert answer.status_code == WHO[name]


def test_strangers_sign_in_and_come_back(department: Department, accession: str) -> None:
    answer = department.client(None).get(f"/cases/{accession}")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/signin?next=/cases/{accession}"


def test_the_page_carries_the_accession_and_not_the_patient(
    department: Department, accession: str
) -> None:
    page = department.client("pia").get(f"/cases/{accession}").text
    assert f"<title>{accession} – svartid</title>" in page
    for secret in ("Anna Andersen", "010190", "melanom"):
        assert secret not in page
    assert f'href="/api/v1/cases/{accession}"' in page


def test_a_case_nobody_knows_has_a_page_that_tells_nothing(department: Department) -> None:
    pia = department.client("pia")
    assert pia.get("/cases/P00-000000").status_code == 200
    assert pia.get("/api/v1/cases/P00-000000").status_code == 404


def test_an_accession_is_text_in_the_page(department: Department) -> None:
    page = department.client("pia").get('/cases/"><script>alert(1)</script>').text
    assert "<script>alert" not in page


def test_an_accession_with_a_stroke_has_a_page(department: Department) -> None:
    page = department.client("pia").get("/cases/H26%2F17").text
    assert 'data-accession="H26/17"' in page


def test_every_module_is_named_and_every_part_is_there(
    department: Department, accession: str
) -> None:
    page = department.client("pia").get(f"/cases/{accession}").text
    for name in modules("case_page.js"):
        assert page.count(f'rel="modulepreload" href="{asset("js/" + name)}"') == 1
    wanted = set()
    for name in modules("case_page.js"):
        text = (STATIC / "js" / name).read_text("utf-8")
        wanted |= set(re.findall(r'\bshowPart\("(\w+)"', text))
    assert wanted >= {"way", "clinical", "opinions", "orders", "flags", "clocks", "earlier", "why"}
    for part in wanted:
        assert f'id="{part}-body"' in page


def test_slides_of_no_case_load_none_of_it(department: Department) -> None:
    of_viewer = set(modules("viewer.js"))
    assert not {name for name in of_viewer if name.startswith(("case_", "slide_case", "rescan"))}
    assert "form_dialog.js" not in of_viewer


def put(
    client: TestClient, accession: str, text: str, **more: object
) -> tuple[int, dict[str, str]]:
    body = {"kind": "final", "text": text, "codes": []} | more
    answer = client.put(f"/api/v1/cases/{accession}/draft", json=body)
    return answer.status_code, answer.json()


def test_a_draft_is_not_written_over_a_newer_one(department: Department, accession: str) -> None:
    pia = department.client("pia")
    status, first = put(pia, accession, "Hud", seen=None)
    assert status == 200
    status, second = put(pia, accession, "Hud med nævus", seen=first["draft_at"])
    assert status == 200
    status, refused = put(pia, accession, "Noget andet", seen=first["draft_at"])
    assert (status, refused) == (409, {"error": "illegal", "reason": "draft_newer"})
    assert put(pia, accession, "Noget andet", seen=None)[0] == 409
    found = pia.get(f"/api/v1/cases/{accession}").json()
    assert found["draft"]["text"] == "Hud med nævus"
    assert found["draft"]["at"] == second["draft_at"]


def test_a_draft_seen_that_is_gone_is_said(department: Department, accession: str) -> None:
    pia = department.client("pia")
    moment = datetime.now(UTC).isoformat()
    assert put(pia, accession, "Hud", seen=moment)[0] == 409
    assert put(pia, accession, "Hud")[0] == 200, "programs that do not ask are not asked"


def test_the_rules_reasons_are_told_by_name_and_weight(department: Department) -> None:
    accession = department.case()
    passed = Routing("pia", (Reason(Rule.SUBSPECIALTY, 8.0),), (("poul", Reason(Rule.LOAD, 2.5)),))
    assigned = reading.CaseAssigned("pia", AssignedBy.RULES, as_json(passed))
    department.say(accession, assigned)
    found = department.client("pia").get(f"/api/v1/cases/{accession}").json()
    assert found["why"] == [
        {"code": "subspecialty", "by": 8.0},
        {"code": "other", "name": "poul", "rule": "load", "by": 2.5},
    ]
    assert found["people"]["poul"] == "Poul Patolog"


def test_every_rule_has_words_on_the_page() -> None:
    text = (STATIC / "js" / "case_why.js").read_text("utf-8")
    for rule in Rule:
        assert re.search(rf"^  {rule.value}: t\(", text, re.MULTILINE), rule


def test_only_the_open_case_is_told_of(department: Department, accession: str) -> None:
    other = department.case(assignee="pia")

    def both() -> None:
        note = reading.FlagRaised("f1", Severity.NOTE, "fold")
        department.say(other, note)
        time.sleep(1.2)
        department.say(accession, note)

    answer, told = followed(department, "pia", accession, both)
    assert answer == 200
    assert told[-1] == "case"
    assert told.count("case") == 1
    assert told.count("cases") == 2


def test_a_case_out_of_reach_is_not_followed(department: Department, accession: str) -> None:
    for name in ("stranger", "ops"):
        assert followed(department, name, accession)[0] == 403
    assert followed(department, "pia", "P00-000000")[0] == 404


def followed(
    department: Department, name: str, accession: str, happens: Callable[[], None] | None = None
) -> tuple[int, list[str]]:
    """What a page of the case is told, until it is told of the case."""
    headers = [(b"authorization", f"Bearer {department.tokens[name]}".encode())]
    timer = threading.Timer(0.7, happens or (lambda: None))
    timer.start()
    path = f"/api/v1/changes?case={accession}"
    app = create_app(department.settings)
    answer = call(app, path, headers, enough=lambda body: b'"case"' in body or b"error" in body)
    timer.join()
    lines = answer.body.decode().splitlines()
    return answer.status, [
        json.loads(line[6:])["what"] for line in lines if line.startswith("data: ")
    ]
