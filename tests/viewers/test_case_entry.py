"""Entering a case by hand: numbers are made, identifiers understood, all of it or nothing."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from storage import cases, events, patients
from storage.errors import NotFound
from tests.viewers.department import UNIT, Department

CPR = "0707614285"
"""Passes modulus 11."""


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Department:
    return Department.found(tmp_path_factory.mktemp("department"))


@pytest.fixture
def sara(department: Department) -> TestClient:
    return department.client("sara")


def written(**more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "identifier": CPR,
        "name": "Bent Berg",
        "requester": "Lægerne Torvet",
        "priority": "package",
        "specimen_class": "biopsy",
        "subspecialty": "skin",
        "clinical_information": "Obs. melanom",
        "parts": [{"part": "A", "topography": "T02500"}],
        "slides": [{"part": "A", "block": "A1", "stain": "HE"}],
    } | more


def test_a_case_is_entered_in_one_go(department: Department, sara: TestClient) -> None:
    answer = sara.post("/api/v1/cases", json=written())
    assert answer.status_code == 201
    told = answer.json()
    year = f"{datetime.now(UTC):%y}"
    assert told["accession"].startswith(f"NAESTVED{year}-")
    assert told["barcodes"] == [f"{told['accession']}-A1-1"]
    assert told["warnings"] == []
    case = cases.get(department.database, told["accession"])
    assert (case.unit, case.priority.value, case.subspecialty) == (UNIT, "package", "skin")
    assert case.received_at is not None
    assert case.accessioned_at is not None
    assert case.specimens["A"].blocks == ("A1",)
    assert case.slides[told["barcodes"][0]].stain == "HE"
    line = sara.get(f"/api/v1/cases/{told['accession']}").json()
    assert line["patient"]["identifier"] == "070761-4285"
    assert line["patient"]["sex"] == "male"
    assert line["patient"]["birth_date"] == "1961-07-07"
    assert ("enter case", line["patient"]["patient_id"], "unit") in department.lines(
        "sara", told["accession"]
    )


def test_numbers_follow_each_other_also_for_many_at_once(
    department: Department, sara: TestClient
) -> None:
    first = sara.post("/api/v1/cases", json=written()).json()["accession"]
    made: list[str] = []

    def enter() -> None:
        made.append(sara.post("/api/v1/cases", json=written()).json()["accession"])

    threads = [threading.Thread(target=enter) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    number = int(first[-6:])
    assert sorted(int(at[-6:]) for at in made) == list(range(number + 1, number + 7))


def test_barcodes_are_made_by_block_around_those_given(
    department: Department, sara: TestClient
) -> None:
    slides = [
        {"part": "A", "block": "A1"},
        {"part": "A", "block": "A1", "barcode": "X26-A1-2"},
        {"part": "A", "block": "A1"},
        {"part": "B", "block": "2"},
        {"part": "B"},
    ]
    body = written(accession="X26", parts=[{"part": "A"}, {"part": "B"}], slides=slides)
    told = sara.post("/api/v1/cases", json=body).json()
    assert told == {
        "accession": "X26",
        "barcodes": ["X26-A1-1", "X26-A1-2", "X26-A1-3", "X26-B2-1", "X26-B-1"],
        "warnings": [],
    }


def test_nothing_is_left_of_a_case_that_was_refused(
    department: Department, sara: TestClient
) -> None:
    sara.post("/api/v1/cases", json=written(accession="FREE-1", slides=[_glass("GLAS-1")]))
    refused = [
        (written(accession="FREE-1"), "accession_taken"),
        (written(accession="FREE-2", slides=[_glass("GLAS-1")]), "barcode_of_another_case"),
        (written(accession="FREE-2", slides=[_glass("G-2"), _glass("G-2")]), "barcode_twice"),
        (written(accession="FREE-2", parts=[{"part": "A"}, {"part": "A"}]), "part_twice"),
        (written(accession="FREE-2", slides=[{"part": "C"}]), "part_unknown"),
        (written(accession="FREE-2", parts=[{"part": "A", "received_at": _in(3)}]), _FUTURE),
    ]
    for body, reason in refused:
        answer = sara.post("/api/v1/cases", json=body)
        assert (answer.status_code, answer.json()) == (409, {"error": "illegal", "reason": reason})
    with pytest.raises(NotFound):
        cases.get(department.database, "FREE-2")


_FUTURE = "from_the_future"


def _glass(barcode: str) -> dict[str, str]:
    return {"part": "A", "block": "A1", "barcode": barcode}


def _in(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


def test_what_was_taken_and_received_earlier_keeps_its_time(
    department: Department, sara: TestClient
) -> None:
    parts = [{"part": "A", "taken_at": _in(-30), "received_at": _in(-2)}]
    accession = sara.post("/api/v1/cases", json=written(parts=parts)).json()["accession"]
    specimen = cases.get(department.database, accession).specimens["A"]
    assert specimen.received_at is not None
    assert specimen.taken_at is not None
    assert specimen.received_at - specimen.taken_at > timedelta(hours=27)


@pytest.mark.parametrize(
    ("identifier", "warnings"),
    [
        ("070761-4285", []),
        ("0707614286", ["cpr_modulus_11"]),
        ("010190 1234", ["cpr_modulus_11_first_of_january"]),
        ("010190ABC1", []),
    ],
)
def test_identifiers_are_told_of_and_not_refused(
    identifier: str, warnings: list[str], sara: TestClient
) -> None:
    answer = sara.post("/api/v1/cases", json=written(identifier=identifier))
    assert (answer.status_code, answer.json()["warnings"]) == (201, warnings)
    typed = sara.post("/api/v1/cases/identifier", json={"identifier": identifier})
    assert typed.json()["warnings"] == warnings
    assert "name" not in typed.json()


@pytest.mark.parametrize(
    ("identifier", "reason"),
    [
        ("070761", "identifier_shape"),
        ("3102904285", "identifier_date"),
        ("310290-4285", "identifier_date"),
        ("ÆØÅ", "identifier_shape"),
        ("", "identifier_shape"),
    ],
)
def test_what_is_no_identifier_is_refused_with_the_reason(
    identifier: str, reason: str, sara: TestClient
) -> None:
    for address in ("/api/v1/cases", "/api/v1/cases/identifier"):
        answer = sara.post(address, json=written(identifier=identifier))
        assert answer.status_code == 422
        assert answer.json() == {"error": "invalid_request", "reason": reason}


@pytest.mark.parametrize(
    "nonsense",
    [
        {"name": ""},
        {"name": "x" * 300},
        {"name": "a\0b"},
        {"name": "a\nb"},
        {"priority": "soon"},
        {"specimen_class": "hair"},
        {"parts": []},
        {"parts": [{"part": "A", "received_at": "2026-01-01T10:00:00"}]},
        {"slides": [{"part": "A", "barcode": "x" * 65}]},
        {"slides": [{"part": "A"}] * 301},
        {"requester": None},
        {"language": "dansk"},
        {"birth_date": "yesterday"},
    ],
)
def test_nonsense_is_malformed(nonsense: dict[str, Any], sara: TestClient) -> None:
    assert sara.post("/api/v1/cases", json=written(**nonsense)).status_code == 422


def test_the_same_entry_sent_twice_is_one_case(sara: TestClient) -> None:
    first = sara.post("/api/v1/cases", json=written(key="form-1")).json()
    assert sara.post("/api/v1/cases", json=written(key="form-1")).json() == first
    assert sara.post("/api/v1/cases", json=written(key="form-2")).json() != first


def test_nobody_enters_for_another_unit(department: Department, sara: TestClient) -> None:
    assert sara.post("/api/v1/cases", json=written(unit="roskilde")).status_code == 403
    assert department.client("karl").post("/api/v1/cases", json=written()).status_code == 403
    assert department.client(None).post("/api/v1/cases", json=written()).status_code == 401


def test_a_slip_in_the_number_does_not_give_another_patient_a_new_name(
    department: Department, sara: TestClient
) -> None:
    """Whoever is right about the number says so, and is named with both names in the log."""
    number = "0101604127"
    first = sara.post("/api/v1/cases", json=written(identifier=number, name="Ida Lund")).json()
    whose = cases.get(department.database, first["accession"]).patient_id
    answer = sara.post("/api/v1/cases", json=written(identifier=number, name="Otto Krag"))
    assert (answer.status_code, answer.json()["reason"]) == (409, "another_name")
    assert patients.get(department.database, whose).name == "Ida Lund"
    assert events.history(department.database, f"patient:{whose}") == []
    same = sara.post("/api/v1/cases", json=written(identifier=number, name=" ida  LUND"))
    assert same.status_code == 201
    sure = written(identifier=number, name="Ida Holm", renamed=True)
    assert sara.post("/api/v1/cases", json=sure).status_code == 201
    assert patients.get(department.database, whose).name == "Ida Holm"
    (renamed,) = events.history(department.database, f"patient:{whose}")
    assert (renamed.kind, renamed.actor) == ("PatientRenamed", "sara")
    assert renamed.data["after"] == "Ida Holm"
