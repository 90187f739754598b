"""Acts on a case: who may, what becomes of it, and what is refused with which word."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from starlette.testclient import TestClient

from storage import cases
from storage.records.case_words import SlideState
from tests.viewers.department import Department


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Department:
    return Department.found(tmp_path_factory.mktemp("department"))


@pytest.fixture
def pia(department: Department) -> TestClient:
    return department.client("pia")


def act(client: TestClient, accession: str, what: str, **body: Any) -> tuple[int, dict[str, Any]]:  # noqa: ANN401
    answer = client.post(f"/api/v1/cases/{accession}/{what}", json=body)
    return answer.status_code, answer.json()


def refused(reason: str) -> tuple[int, dict[str, str]]:
    return 409, {"error": "illegal", "reason": reason}


def test_of_two_who_claim_at_once_one_has_it(department: Department, pia: TestClient) -> None:
    poul = department.client("poul")
    for _ in range(4):
        accession = department.case()
        answers: dict[str, tuple[int, dict[str, Any]]] = {}
        ready = threading.Barrier(2)

        def claim(name: str, client: TestClient, accession: str, ready: Any, answers: Any) -> None:  # noqa: ANN401
            ready.wait()
            answers[name] = act(client, accession, "claim")

        threads = [
            threading.Thread(target=claim, args=(name, client, accession, ready, answers))
            for name, client in (("pia", pia), ("poul", poul))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winner = cases.get(department.database, accession).assignee
        assert answers.pop(winner)[0] == 200
        assert list(answers.values()) == [refused("assigned_to_another")]


def test_claiming_twice_is_claiming_once(department: Department, pia: TestClient) -> None:
    accession = department.case()
    assert act(pia, accession, "claim")[1]["outcome"] == "recorded"
    status, told = act(pia, accession, "claim")
    assert (status, told["outcome"], told["assignee"]) == (200, "known", "pia")
    assert act(department.client("sara"), accession, "claim")[0] == 403
    assert act(department.client("stranger"), accession, "claim")[0] == 403


def test_release_hand_over_and_assign(department: Department, pia: TestClient) -> None:
    accession, sara = department.case(assignee="pia"), department.client("sara")
    assert act(pia, accession, "release", reason=" ") == refused("reason_missing")
    assert act(pia, accession, "release", reason="ferie")[1]["assignee"] == ""
    assert act(sara, accession, "assign", to="poul", reason="hans speciale")[0] == 200
    assert act(pia, accession, "hand-over", to="pia", reason="min")[0] == 403
    poul = department.client("poul")
    assert act(poul, accession, "hand-over", to="tina", reason="x") == refused(
        "pathologist_unknown"
    )
    assert act(poul, accession, "hand-over", to="nobody", reason="x") == refused(
        "pathologist_unknown"
    )
    assert act(poul, accession, "hand-over", to="pia", reason="") == refused("reason_missing")
    assert act(poul, accession, "hand-over", to="pia", reason="kender patienten")[0] == 200
    case = pia.get(f"/api/v1/cases/{accession}").json()
    for odd in ('{"why": 3}', "[1]", '[{"code": "x"}]'):
        assert act(pia, accession, "hand-over", to="poul", reason=odd)[0] == 200
        assert act(poul, accession, "hand-over", to="pia", reason="kender patienten")[0] == 200
        assert pia.get(f"/api/v1/cases/{accession}").status_code == 200
    assert (case["assignee"], case["assigned_by"]) == ("pia", "handover")
    assert case["why"] == [{"code": "said", "text": "kender patienten"}]


def test_only_its_pathologist_opens_a_case(department: Department, pia: TestClient) -> None:
    accession = department.case(assignee="pia")
    assert act(department.client("poul"), accession, "open") == (200, {"opened": False})
    assert cases.get(department.database, accession).opened_at is None
    assert act(pia, accession, "open") == (200, {"opened": True})
    assert act(pia, accession, "open") == (200, {"opened": False})
    kinds = [type(at.fact).__name__ for at in cases.history(department.database, accession)]
    assert kinds.count("CaseOpened") == 1
    assert "open case" in [line[0] for line in department.lines("poul", accession)]


def test_urgency_and_cancelling(department: Department, pia: TestClient) -> None:
    accession, sara = department.case(assignee="pia"), department.client("sara")
    assert act(sara, accession, "priority", priority="urgent", reason="ringet")[0] == 200
    assert act(sara, accession, "priority", priority="now", reason="x")[0] == 422
    assert cases.get(department.database, accession).priority.value == "urgent"
    assert act(sara, accession, "cancel", reason="") == refused("reason_missing")
    assert act(sara, accession, "cancel", reason="bestilt ved en fejl")[1]["state"] == "cancelled"
    assert act(pia, accession, "pauses", reason="patient_consent", evidence="x") == refused(
        "case_closed"
    )


def test_a_flag_is_raised_by_a_reader_and_closed_by_the_responsible_one(
    department: Department, pia: TestClient
) -> None:
    accession, tina = department.case(assignee="pia"), department.client("tina")
    barcode = f"{accession}-A1-1"
    status, told = act(
        tina, accession, "flags", severity="must_see", text="Væv mangler", barcode=barcode
    )
    assert status == 200
    close = f"flags/{told['flag_id']}/close"
    assert act(tina, accession, close, reason="set")[0] == 403
    assert act(department.client("poul"), accession, close, reason="set")[0] == 403
    assert act(pia, accession, close, reason=" ") == refused("reason_missing")
    assert act(pia, accession, close, reason="set, kun fedt")[0] == 200
    assert act(pia, accession, "flags/none/close", reason="x") == refused("flag_unknown")
    assert act(tina, accession, "flags", severity="note", text="") == refused("text_missing")


def test_a_pause_has_a_reason_of_the_closed_list(department: Department, pia: TestClient) -> None:
    accession = department.case(assignee="pia")
    assert act(pia, accession, "pauses", reason="holiday", evidence="x")[0] == 422
    assert act(pia, accession, "pauses", reason="patient_consent", evidence="") == refused(
        "evidence_missing"
    )
    _, told = act(pia, accession, "pauses", reason="info_from_requester", evidence="brev 12")
    assert act(pia, accession, f"pauses/{told['pause_id']}/resume", evidence="svar")[0] == 200
    (pause,) = pia.get(f"/api/v1/cases/{accession}").json()["pauses"]
    assert pause["ended_at"] is not None


def test_an_order_goes_to_the_laboratory_and_back(department: Department, pia: TestClient) -> None:
    accession, tina = department.case(assignee="pia"), department.client("tina")
    assert act(pia, accession, "orders", kind="immuno", block="A1") == refused("stain_missing")
    assert act(tina, accession, "orders", kind="recut")[0] == 403
    status, told = act(pia, accession, "orders", kind="immuno", block="A1", stain="Ki-67")
    assert status == 201
    order = f"orders/{told['order_id']}"
    assert act(pia, accession, f"{order}/accept")[0] == 403
    assert act(tina, accession, f"{order}/accept")[0] == 200
    glass = {"barcode": f"{accession}-A1-9", "part": "A", "block": "A1", "stain": "Ki-67"}
    assert act(tina, accession, "slides", **glass, order_id=told["order_id"])[0] == 201
    assert act(tina, accession, f"{order}/fulfil")[0] == 200
    assert act(pia, accession, f"{order}/cancel", reason="x") == refused("order_ended")
    _, other = act(pia, accession, "orders", kind="recut", block="A1")
    cancel = f"orders/{other['order_id']}/cancel"
    assert act(tina, accession, cancel, reason="") == refused("reason_missing")
    assert act(department.client("poul"), accession, cancel, reason="x")[0] == 403
    assert act(tina, accession, cancel, reason="blokken er brugt op")[0] == 200


def test_an_opinion_is_asked_given_declined_and_passed_on(
    department: Department, pia: TestClient
) -> None:
    accession = department.case(assignee="pia")
    act(pia, accession, "open")
    poul, karl = department.client("poul"), department.client("karl")

    def ask(asked: str, **more: Any) -> str:  # noqa: ANN401
        body = {"asked": asked, "distance": "internal", "question": "Enig?"} | more
        status, told = act(pia, accession, "consultations", **body)
        assert status == 201
        return f"consultations/{told['consultation_id']}"

    first = ask("poul")
    assert act(karl, accession, f"{first}/accept")[0] == 403
    assert act(pia, accession, f"{first}/answer", opinion="mit eget svar")[0] == 403
    assert act(poul, accession, f"{first}/accept")[0] == 200
    assert act(poul, accession, f"{first}/answer", opinion=" ") == refused("opinion_missing")
    answer = {"opinion": "Enig i diagnosen.", "agreement": "agree"}
    assert act(poul, accession, f"{first}/answer", **answer)[0] == 200
    second = ask("poul")
    assert act(poul, accession, f"{second}/decline", reason="inhabil")[0] == 200
    third = ask("poul", distance="regional")
    assert act(poul, accession, f"{third}/transfer", asked="karl", reason="hans felt")[0] == 200
    assert act(karl, accession, f"{third}/answer", opinion="Melanom", agreement="partly")[0] == 200
    fourth = ask("poul", slides=[f"{accession}-A1-1"])
    assert act(pia, accession, f"{fourth}/withdraw", reason="afklaret")[0] == 200
    assert act(poul, accession, "consultations/none/accept") == refused("consultation_unknown")
    told = pia.get(f"/api/v1/cases/{accession}").json()
    assert [at["agreement"] for at in told["consultations"]] == ["agree", None, "partly", None]


def test_an_opinion_from_outside_is_entered_by_who_asked(
    department: Department, pia: TestClient
) -> None:
    accession = department.case(assignee="pia")
    body = {"asked": "Prof. Smith, Leeds", "distance": "abroad", "question": "Sarcoma?"}
    _, told = act(pia, accession, "consultations", **body)
    address = f"consultations/{told['consultation_id']}/answer"
    assert act(department.client("poul"), accession, address, opinion="nej")[0] == 403
    assert act(pia, accession, address, opinion="Leiomyosarcoma.", agreement="agree")[0] == 200
    (found,) = pia.get(f"/api/v1/cases/{accession}").json()["consultations"]
    assert found["consultant"] == "Prof. Smith, Leeds"


def test_glasses_are_scanned_again_read_as_glass_or_called_off(
    department: Department, pia: TestClient
) -> None:
    accession, tina = department.case(assignee="pia", slides=4), department.client("tina")

    def glass(client: TestClient, number: int, what: str, **body: Any) -> int:  # noqa: ANN401
        address = f"/api/v1/glasses/{accession}-A1-{number}/{what}"
        return client.post(address, json=body).status_code

    region = [0.1, 0.2, 0.3, 0.2]
    assert glass(pia, 1, "rescan", reason="out_of_focus", region=region) == 200
    assert glass(pia, 2, "rescan", reason="ugly") == 422
    assert glass(pia, 2, "rescan", reason="dirt", region=[0, 0, 2, 1]) == 422
    assert glass(department.client("poul"), 2, "rescan", reason="dirt") == 403
    assert glass(tina, 2, "rescan", reason="dirt") == 200
    assert glass(tina, 3, "stained") == 200
    assert glass(pia, 3, "stained") == 403
    assert glass(pia, 3, "glass-only", reason="for tykt") == 200
    assert glass(department.client("sara"), 4, "cancel", reason="gik i stykker") == 200
    assert glass(tina, 9, "stained") == 404
    slides = cases.get(department.database, accession).slides.values()
    assert [at.state for at in slides] == [
        SlideState.QUEUED,
        SlideState.QUEUED,
        SlideState.GLASS_ONLY,
        SlideState.CANCELLED,
    ]


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("release", {}),
        ("release", {"reason": "x" * 4001}),
        ("release", {"reason": "a\0b"}),
        ("hand-over", {"to": "x" * 81, "reason": "y"}),
        ("flags", {"severity": "awful", "text": "x"}),
        ("orders", {"kind": "tea"}),
        ("consultations", {"asked": "poul", "question": "?", "due": "2026-01-01T10:00:00"}),
        ("preliminary", {"text": "x", "reason": "y", "expected_at": "soon"}),
    ],
)
def test_nonsense_is_malformed(
    what: str, body: dict[str, Any], department: Department, pia: TestClient
) -> None:
    accession = department.case(assignee="pia")
    assert act(pia, accession, what, **body)[0] == 422
