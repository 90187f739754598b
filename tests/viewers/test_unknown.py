"""Unknown slides: why each is there, and a person decides by two identifiers; nobody else does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from flows.matching import match_slide
from flows.services import prepare_services
from processing.paint import Painting, write_svs
from storage import cases, events
from storage.records.case_words import SlideState
from tests.viewers.conftest import Shop
from tests.viewers.department import STAFF, Department


@dataclass
class Lab:
    """A department with a scanner that hands in what it likes."""

    department: Department
    shop: Shop
    folder: Path
    count: int = 0

    def scan(self, metadata: str, label: tuple[str, ...] = ()) -> str:
        """An image whose metadata and label say what they say; its slide id."""
        self.count += 1
        path = self.folder / f"image-{self.count}.svs"
        write_svs(Painting(900, 700, seed=500 + self.count, barcode=metadata), path)
        slide_id = self.shop.ingest(path)
        match_slide(self.shop.services, slide_id, lambda _: label)
        return slide_id

    def glass(self) -> tuple[str, str]:
        accession = self.department.case(slides=1, readable=0)
        return accession, f"{accession}-A1-1"


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    folder = tmp_path_factory.mktemp("unknown")
    department = Department.found(folder / "data")
    services = prepare_services(department.settings)
    department.case()
    return Lab(department, Shop(services, "", "", {}, None), folder)  # type: ignore[arg-type]


@pytest.fixture
def tina(laboratory: Lab) -> TestClient:
    return laboratory.department.client("tina")


def item(client: TestClient, slide_id: str) -> dict[str, Any]:
    (found,) = [
        at for at in client.get("/api/v1/unknown").json()["unknown"] if at["slide_id"] == slide_id
    ]
    return dict(found)


def is_open(client: TestClient, slide_id: str) -> bool:
    return slide_id in {at["slide_id"] for at in client.get("/api/v1/unknown").json()["unknown"]}


def match(client: TestClient, item_id: str, barcode: str, kind: str, value: str) -> tuple[int, Any]:
    said = {"barcode": barcode, "second": {"kind": kind, "value": value}}
    answer = client.post(f"/api/v1/unknown/{item_id}/match", json=said)
    return answer.status_code, answer.json()


def test_it_says_what_was_read_and_what_looks_like_it(laboratory: Lab, tina: TestClient) -> None:
    accession, barcode = laboratory.glass()
    misread = barcode[:-1] + "7"
    slide_id = laboratory.scan(misread)
    found = item(tina, slide_id)
    assert (found["why"], found["metadata"], found["alarm"]) == ("unknown", misread, False)
    assert barcode in {at["barcode"] for at in found["alike"]}
    glass = cases.get(laboratory.department.database, accession).slides[barcode]
    assert glass.shown is None  # a candidate is never taken by itself


def test_a_contradiction_is_an_alarm_until_it_is_handled(laboratory: Lab, tina: TestClient) -> None:
    _accession, barcode = laboratory.glass()
    slide_id = laboratory.scan(barcode, label=("SOMETHING-ELSE",))
    found = item(tina, slide_id)
    assert (found["why"], found["alarm"], found["label"]) == ("mismatch", True, ["SOMETHING-ELSE"])
    day = tina.get("/api/v1/lab").json()
    assert day["mismatches"] == 1
    assert day["unknown"][0]["slide_id"] == slide_id
    assert match(tina, found["item_id"], barcode, "block", "A1")[0] == 200
    assert tina.get("/api/v1/lab").json()["mismatches"] == 0


@pytest.mark.parametrize(
    ("kind", "value"), [("cpr", "010190-1234"), ("block", "a1"), ("accession", "")]
)
def test_matched_by_barcode_and_one_more(
    laboratory: Lab, tina: TestClient, kind: str, value: str
) -> None:
    accession, barcode = laboratory.glass()
    slide_id = laboratory.scan(f"X{barcode}X")
    item_id = item(tina, slide_id)["item_id"]
    done = match(tina, item_id, barcode, kind, value or accession)
    assert done == (200, {"accession": accession, "barcode": barcode, "slide_id": slide_id})
    database = laboratory.department.database
    glass = cases.get(database, accession).slides[barcode]
    assert (glass.state, glass.shown and glass.shown.slide_id) == (SlideState.AVAILABLE, slide_id)
    assert not is_open(tina, slide_id)
    assert "match unknown slide" in [at[0] for at in laboratory.department.lines("tina", accession)]
    (event,) = [
        at for at in events.history(database, f"slide:{slide_id}") if at.kind == "SlideMatched"
    ]
    assert (event.actor, event.data["barcode"]) == ("tina", barcode)
    assert match(tina, item_id, barcode, "block", "A1") == (
        409, {"error": "illegal", "reason": "work_ended"},
    )  # fmt: skip


def test_what_does_not_fit_is_refused_in_a_word(laboratory: Lab, tina: TestClient) -> None:
    _accession, barcode = laboratory.glass()
    slide_id = laboratory.scan("NOBODY-KNOWS")
    item_id = item(tina, slide_id)["item_id"]
    for kind, value in (("cpr", "0101901235"), ("birth_date", "1991-01-01"), ("block", "B1")):
        refused = match(tina, item_id, barcode, kind, value)
        assert refused == (409, {"error": "illegal", "reason": "second_does_not_fit"})
    assert match(tina, item_id, "none", "block", "A1")[0] == 404
    assert match(tina, item_id, barcode, "name", "Anna")[0] == 422
    assert match(tina, "0" * 32, barcode, "block", "A1")[0] == 404
    assert is_open(tina, slide_id)


def test_returned_with_a_reason(laboratory: Lab, tina: TestClient) -> None:
    slide_id = laboratory.scan("FOREIGN-1")
    address = f"/api/v1/unknown/{item(tina, slide_id)['item_id']}/return"
    assert tina.post(address, json={"reason": " "}).json()["reason"] == "reason_missing"
    assert tina.post(address, json={"reason": "from another hospital"}).status_code == 200
    assert not is_open(tina, slide_id)
    database = laboratory.department.database
    (event,) = [
        at for at in events.history(database, f"slide:{slide_id}") if at.kind == "SlideReturned"
    ]
    assert (event.actor, event.data["reason"]) == ("tina", "from another hospital")
    assert tina.post(address, json={"reason": "again"}).status_code == 409


def test_its_pictures_are_for_the_laboratory(laboratory: Lab, tina: TestClient) -> None:
    slide_id = laboratory.scan("PICTURE-1")
    found = item(tina, slide_id)
    assert found["pictures"] == ["label", "overview"]
    for name in found["pictures"]:
        answer = tina.get(f"/api/v1/unknown/{found['item_id']}/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("image/")
        assert answer.headers["cache-control"].startswith("private")
    assert tina.get(f"/api/v1/unknown/{found['item_id']}/zarr.json").status_code == 404
    for name in sorted(set(STAFF) - {"tina", "strange_lab"}):
        client = laboratory.department.client(name)
        assert client.get(f"/api/v1/unknown/{found['item_id']}/label").status_code == 403
        assert match(client, found["item_id"], "x", "block", "A1")[0] == 403
        address = f"/api/v1/unknown/{found['item_id']}/return"
        assert client.post(address, json={"reason": "x"}).status_code == 403


def test_a_glass_of_another_unit_is_not_matched(laboratory: Lab) -> None:
    accession, barcode = laboratory.glass()
    slide_id = laboratory.scan("ELSEWHERE-1")
    stranger = laboratory.department.client("strange_lab")
    item_id = item(stranger, slide_id)["item_id"]  # no unit is known of it: both may look
    assert match(stranger, item_id, barcode, "block", "A1")[0] == 403
    assert laboratory.department.lines("strange_lab", accession) == []
