"""Draft, preliminary answer and signature: by step-up, by the responsible one, with what stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.testclient import TestClient

from storage import cases, events
from storage.records import reading_events as reading
from storage.records.case_words import ReportKind, Severity
from storage.records.milestones import Distance
from tests.viewers.department import Department
from viewers import passwords

TEXT, CODES = "Malignt melanom, Breslow 0,8 mm.", ["T02500", "M87203"]


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Department:
    return Department.found(tmp_path_factory.mktemp("department"))


@pytest.fixture(autouse=True)
def limiter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_LIMITER", MovingWindowRateLimiter(MemoryStorage()))


@pytest.fixture(scope="module")
def pia(department: Department) -> TestClient:
    with department.signed_in("pia") as client:
        return client


@pytest.fixture
def accession(department: Department) -> str:
    made = department.case(assignee="pia")
    department.open(made)
    return made


def sign(client: TestClient, accession: str, password: str, **more: Any) -> tuple[int, Any]:  # noqa: ANN401
    body = {"kind": "final", "text": TEXT, "codes": CODES, "password": password} | more
    answer = client.post(f"/api/v1/cases/{accession}/sign", json=body)
    return answer.status_code, answer.json()


def refused(reason: str) -> tuple[int, dict[str, str]]:
    return 409, {"error": "illegal", "reason": reason}


def test_a_draft_is_kept_and_the_history_does_not_repeat_it(
    accession: str, pia: TestClient
) -> None:
    address = f"/api/v1/cases/{accession}"
    for text in ("Mal", "Malignt"):
        done = pia.put(f"{address}/draft", json={"kind": "final", "text": text, "codes": []})
        assert done.status_code == 200
    case = pia.get(address).json()
    assert (case["draft"]["text"], case["draft"]["by"], case["state"]) == (
        "Malignt",
        "pia",
        "draft",
    )
    drafted = [
        at["data"]
        for at in pia.get(f"{address}/events").json()["events"]
        if at["kind"] == "ReportDrafted"
    ]
    assert drafted == [{"kind": "final"}] * 2
    assert pia.put(f"{address}/draft", json={"text": "x" * 100_001}).status_code == 422


def test_nobody_else_writes_or_signs(accession: str, department: Department) -> None:
    with department.signed_in("poul") as poul:
        draft = poul.put(f"/api/v1/cases/{accession}/draft", json={"text": "x"})
        assert draft.status_code == 403
        assert sign(poul, accession, department.passwords["poul"])[0] == 403
    tina = department.client("tina")
    assert tina.put(f"/api/v1/cases/{accession}/draft", json={"text": "x"}).status_code == 403


def test_a_preliminary_answer_says_why_and_when(
    accession: str, pia: TestClient, department: Department
) -> None:
    address = f"/api/v1/cases/{accession}/preliminary"
    later = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    body = {"text": "Foreløbigt: malignt", "reason": "afventer IHK", "expected_at": later}
    assert pia.post(address, json=body | {"reason": " "}).json()["reason"] == "reason_missing"
    assert pia.post(address, json=body).json()["state"] == "preliminary"
    assert cases.get(department.database, accession).preliminaries[0].reason == "afventer IHK"


def test_signing_takes_the_password_once_more(
    accession: str, pia: TestClient, department: Department
) -> None:
    before = len(cases.history(department.database, accession))
    for wrong in ("wrong", "", "x" * 300):
        assert sign(pia, accession, wrong) == (403, {"error": "step_up"})
    assert len(cases.history(department.database, accession)) == before
    failed = events.history(department.database, "person:pia")
    assert [at.kind for at in failed].count("SignInFailed") == 3
    status, told = sign(pia, accession, department.passwords["pia"])
    assert (status, told["state"]) == (200, "signed")
    (report,) = cases.get(department.database, accession).reports
    assert (report.signed_by, report.text, report.codes) == ("pia", TEXT, tuple(CODES))
    password = department.passwords["pia"]
    assert sign(pia, accession, password)[1]["outcome"] == "known"
    assert sign(pia, accession, password, text="Noget andet") == refused("final_exists")


def test_a_token_cannot_sign(accession: str, pia: TestClient, department: Department) -> None:
    password = department.passwords["pia"]
    program = department.client("pia")
    assert sign(program, accession, password) == (403, {"error": "step_up"})
    cookie = {"Cookie": f"svartid_session={department.tokens['pia']}"}
    disguised = department.client(None)
    disguised.headers.update(cookie)
    assert sign(disguised, accession, password) == (403, {"error": "step_up"})
    assert cases.get(department.database, accession).reports == ()


def test_guessing_at_the_signature_comes_to_an_end(
    accession: str, pia: TestClient, department: Department
) -> None:
    answers = [sign(pia, accession, "guess")[0] for _ in range(11)]
    assert answers == [403] * 10 + [429]
    assert sign(pia, accession, department.passwords["pia"])[0] == 429


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"text": " "}, "text_missing"),
        ({"codes": ["T02500"]}, "code_missing_M"),
        ({"codes": ["hello"]}, "code_malformed"),
        ({"kind": "supplementary"}, "final_not_distributed"),
        ({"kind": "preliminary"}, "preliminary_is_not_signed"),
    ],
)
def test_what_cannot_be_signed_says_why(
    change: dict[str, Any], reason: str, accession: str, pia: TestClient, department: Department
) -> None:
    assert sign(pia, accession, department.passwords["pia"], **change) == refused(reason)


def test_what_stands_in_the_way_is_named_and_overridden_with_a_reason(
    accession: str, pia: TestClient, department: Department
) -> None:
    department.say(
        accession,
        reading.FlagRaised("f", Severity.MUST_SEE, "væv mangler"),
        reading.ConsultationRequested("c", Distance.INTERNAL, "poul", "Enig?"),
    )
    password = department.passwords["pia"]
    assert sign(pia, accession, password) == refused("something_stands_open")
    one = {"overridden": ["flag:f"], "override_reason": "set"}
    assert sign(pia, accession, password, **one) == refused("something_stands_open")
    both = ["flag:f", "consultation:c"]
    assert sign(pia, accession, password, overridden=both) == refused("reason_missing")
    done = sign(pia, accession, password, overridden=both, override_reason="hasteindgreb")
    assert done[0] == 200
    (report,) = cases.get(department.database, accession).reports
    assert report.overridden == tuple(both)


def test_supplements_and_corrections_follow_what_was_sent(
    accession: str, pia: TestClient, department: Department
) -> None:
    password = department.passwords["pia"]
    sign(pia, accession, password)
    department.say(accession, reading.ReportDistributed(1, ReportKind.FINAL))
    assert sign(pia, accession, password, kind="supplementary", text="Ki-67 20 %")[0] == 200
    department.say(accession, reading.ReportDistributed(2, ReportKind.SUPPLEMENTARY))
    assert sign(pia, accession, password, kind="corrected", text="Breslow 0,9 mm")[0] == 200
    case = pia.get(f"/api/v1/cases/{accession}").json()
    assert [at["kind"] for at in case["reports"]] == ["final", "supplementary", "corrected"]
    assert case["state"] == "correcting"


def test_a_password_is_in_no_answer_and_no_log(
    accession: str, pia: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = pia.post(
        f"/api/v1/cases/{accession}/sign", json={"password": "hunter2", "text": {"x": "hunter2"}}
    )
    assert answer.status_code == 422
    assert "hunter2" not in answer.text + caplog.text
