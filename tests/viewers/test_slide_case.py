"""The case beside the slide: whose it is, its glasses, and which scan of the glass to read."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from storage.records import reading_events as reading
from storage.records import slide_events as events
from storage.records.case_words import RescanReason
from storage.records.milestones import Distance
from tests.viewers.conftest import Ask, Shop
from tests.viewers.department import Department

_IDS = (f"{number:020x}" for number in itertools.count(0xABC000))


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Department:
    return Department.found(tmp_path_factory.mktemp("department"))


@pytest.fixture
def accession(department: Department) -> str:
    return department.case(assignee="pia", clinical_information="Obs. melanom")


def glass_of(department: Department, accession: str) -> dict[str, Any]:
    found = department.client("pia").get(f"/api/v1/cases/{accession}").json()
    glass: dict[str, Any] = found["slides"][0]
    return glass


def beside(department: Department, slide_id: str, name: str = "pia") -> dict[str, Any]:
    answer = department.client(name).get(f"/api/v1/slides/{slide_id}/case")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def scanned_again(department: Department, accession: str, barcode: str) -> str:
    slide_id = next(_IDS)
    wanted = events.RescanRequested(barcode, RescanReason.OUT_OF_FOCUS, "", (0.1, 0.2, 0.3, 0.4))
    came = (events.ImageStored(barcode, slide_id), events.ImageAvailable(barcode, slide_id))
    department.say(accession, wanted, *came)
    return slide_id


def test_it_says_whose_slide_it_is_and_what_is_read_beside_it(
    department: Department, accession: str
) -> None:
    glass = glass_of(department, accession)
    told = beside(department, glass["slide_id"])
    assert told["accession"] == accession
    assert told["patient"]["name"] == "Anna Andersen"
    assert told["patient"]["identifier"] == "010190-1234"
    assert told["standing"]["state"] == "calm"
    assert (told["barcode"], told["scan"]) == (glass["barcode"], 1)
    assert told["current_slide_id"] == glass["slide_id"]
    assert len(told["slides"]) == 2
    assert told["clinical_information"] == "Obs. melanom"
    assert told["responsible"] is True
    assert told["opened_at"] is None
    assert "clocks" not in told
    assert ("case of slide", "assigned") in [
        (action, basis) for action, _, basis in department.lines("pia", accession)
    ]


def test_a_newer_scan_is_the_one_to_read_and_the_older_stays(
    department: Department, accession: str
) -> None:
    older = glass_of(department, accession)
    newer = scanned_again(department, accession, older["barcode"])
    told = beside(department, older["slide_id"])
    assert (told["scan"], told["current_slide_id"]) == (1, newer)
    states = {scan["slide_id"]: scan["state"] for scan in told["slides"][0]["scans"]}
    assert states == {older["slide_id"]: "replaced", newer: "available"}
    assert beside(department, newer)["scan"] == 2
    assert beside(department, newer)["current_slide_id"] == newer


def test_a_withdrawn_image_says_so_and_which_counts(department: Department, accession: str) -> None:
    older = glass_of(department, accession)
    newer = scanned_again(department, accession, older["barcode"])
    department.say(accession, events.ImageWithdrawn(older["barcode"], newer, "forkert glas"))
    told = beside(department, newer)
    assert told["current_slide_id"] != newer
    (scan,) = [at for at in told["slides"][0]["scans"] if at["slide_id"] == newer]
    assert (scan["state"], scan["reason"]) == ("withdrawn", "forkert glas")


@pytest.mark.parametrize(("name", "rescan"), [("pia", True), ("poul", False), ("tina", True)])
def test_who_may_ask_for_a_rescan(
    name: str, rescan: bool, department: Department, accession: str
) -> None:
    glass = glass_of(department, accession)
    assert beside(department, glass["slide_id"], name)["may"] == {"rescan": rescan}
    body = {"reason": "out_of_focus", "region": [0.1, 0.1, 0.5, 0.25]}
    answer = department.client(name).post(f"/api/v1/glasses/{glass['barcode']}/rescan", json=body)
    assert (answer.status_code == 200) is rescan


@pytest.mark.parametrize(
    "name", ["stranger", "strange_lab", "karl", "sara", "ops", "administrator", "guest", "lis"]
)
def test_others_see_nothing_of_it(name: str, department: Department, accession: str) -> None:
    glass = glass_of(department, accession)
    answer = department.client(name).get(f"/api/v1/slides/{glass['slide_id']}/case")
    assert answer.status_code == 403
    assert accession not in answer.text


def test_whoever_is_asked_reads_the_question(department: Department, accession: str) -> None:
    department.open(accession)
    asked = reading.ConsultationRequested("k1", Distance.REGIONAL, "karl", "Er det malignt?")
    department.say(accession, asked)
    told = beside(department, glass_of(department, accession)["slide_id"], "karl")
    assert told["consultations"][0]["question"] == "Er det malignt?"
    assert told["people"]["karl"] == "Karl Konsulent"
    assert told["responsible"] is False
    assert told["may"] == {"rescan": False}


def test_a_slide_of_no_case_says_so(shop: Shop, ask: Ask) -> None:
    client = ask("pathologist")
    assert client.get(f"/api/v1/slides/{shop.svs}/case").json() == {"accession": None}
    assert client.get(f"/api/v1/slides/{shop.svs}").json()["accession"] is None
    assert ask(None).get(f"/api/v1/slides/{shop.svs}/case").status_code == 401
