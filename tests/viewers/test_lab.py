"""The laboratory's day: what is missing, failed, waiting; within the unit, and logged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from storage import scanning
from storage.records.case_words import RescanReason, SlideState, WorkOrderKind
from storage.records.milestones import Milestones, Priority, SlideTimes, SpecimenClass
from storage.records.reading_events import WorkOrderAccepted, WorkOrderFulfilled, WorkOrderPlaced
from storage.records.slide_events import (
    RescanRequested,
    SlideExpected,
    SlideGlassOnly,
    SlideStained,
)
from tests.viewers.department import ELSEWHERE, STAFF, Department
from viewers.lab_rows import GROUPS, counts, share_json

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Department:
    return Department.found(tmp_path_factory.mktemp("department"))


@pytest.fixture
def tina(department: Department) -> TestClient:
    return department.client("tina")


def day(client: TestClient) -> dict[str, Any]:
    answer = client.get("/api/v1/lab")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def line(client: TestClient, barcode: str) -> dict[str, Any]:
    (found,) = [at for at in day(client)["slides"] if at["barcode"] == barcode]
    return dict(found)


def glass(department: Department, **about: Any) -> tuple[str, str]:  # noqa: ANN401
    """A case with one glass that has been expected; accession and barcode."""
    accession = department.case(slides=1, readable=0, **about)
    return accession, f"{accession}-A1-1"


def test_every_state_is_in_one_group_or_left_out() -> None:
    grouped = [state for states in GROUPS.values() for state in states]
    assert len(grouped) == len(set(grouped))
    assert set(SlideState) - set(grouped) == {SlideState.CANCELLED, SlideState.WITHDRAWN}


def test_a_glass_goes_through_the_groups(department: Department, tina: TestClient) -> None:
    accession, barcode = glass(department)
    known = line(tina, barcode)
    assert (known["group"], known["missing"], known["item"]) == ("expected", False, None)
    assert (known["block"], known["stain"], known["accession"]) == ("A1", "HE", accession)
    assert known["patient"]["identifier"] == "010190-1234"
    assert (known["due_at"], known["standing"]["state"]) == (None, "none")
    department.say(accession, SlideStained(barcode))
    item = scanning.queue_scan(department.database, barcode, "tina", "R1", "4")
    known = line(tina, barcode)
    assert known["group"] == "queue"
    assert (known["item"]["rack"], known["item"]["slot"]) == ("R1", "4")
    scanning.start(department.database, item.item_id, "lis", "GT450-1")
    known = line(tina, barcode)
    assert (known["group"], known["item"]["station"]) == ("scanning", "GT450-1")
    assert {"name": "GT450-1", "glasses": 1}.items() <= day(tina)["queue"]["scanners"][0].items()
    for _ in range(scanning.MOST_ATTEMPTS):
        scanning.fail(department.database, item.item_id, "lis", "no_focus")
        if line(tina, barcode)["group"] == "failed":
            break
        scanning.start(department.database, item.item_id, "lis", "GT450-1")
    known = line(tina, barcode)
    assert (known["group"], known["failures"], known["reason"]) == ("failed", 3, "no_focus")
    department.say(accession, SlideGlassOnly(barcode, "thick section"))
    assert line(tina, barcode)["group"] == "glass_only"
    asked = RescanRequested(barcode, RescanReason.OUT_OF_FOCUS, "", (0.1, 0.2, 0.3, 0.4))
    department.say(accession, asked)
    known = line(tina, barcode)
    assert (known["group"], known["rescan"]) == ("queue", "out_of_focus")
    assert known["region"] == [0.1, 0.2, 0.3, 0.4]


@pytest.mark.parametrize(
    ("priority", "hours"),
    [(Priority.URGENT, 4), (Priority.PACKAGE, 8), (Priority.ROUTINE, 24)],
)
def test_the_scan_has_its_own_deadline(
    department: Department, tina: TestClient, priority: Priority, hours: int
) -> None:
    accession, barcode = glass(department, received=3 * DAY, priority=priority)
    moment = datetime.now(UTC)
    for late, state in ((timedelta(hours=hours / 2), "calm"), (timedelta(hours=1), "late")):
        stained = moment - (late if state == "calm" else timedelta(hours=hours) + late)
        other = f"{barcode}-{state}"
        department.say(accession, SlideExpected(other), at=stained)
        department.say(accession, SlideStained(other), at=stained)
        known = line(tina, other)
        assert datetime.fromisoformat(known["due_at"]) == stained + timedelta(hours=hours)
        assert known["standing"]["state"] == state
        assert known["missing"] or state == "calm"


def test_what_was_expected_yesterday_is_missing(department: Department, tina: TestClient) -> None:
    before = day(tina)["counts"]["missing"]
    _, barcode = glass(department, received=2 * DAY)
    assert line(tina, barcode)["missing"]
    assert day(tina)["counts"]["missing"] == before + 1


def test_most_urgent_first(department: Department, tina: TestClient) -> None:
    barcodes = [day(tina)["slides"][index]["due_at"] for index in range(3)]
    assert barcodes == sorted(barcodes, key=lambda due: due or "9")


def test_the_queue_tells_how_long(department: Department, tina: TestClient) -> None:
    accession, barcode = glass(department)
    department.say(accession, SlideStained(barcode))
    before = day(tina)["queue"]["waiting"]
    answer = tina.post("/api/v1/lab/scan", json={"barcode": barcode, "rack": "7", "slot": "2"})
    assert answer.status_code == 200, answer.text
    queue = day(tina)["queue"]
    assert queue["waiting"] == before + 1
    assert queue["median_wait_seconds"] >= 0
    assert datetime.fromisoformat(queue["oldest_at"]) <= datetime.now(UTC)


def test_open_orders_until_they_are_fulfilled(department: Department, tina: TestClient) -> None:
    accession = department.case(slides=1, readable=1, assignee="pia")
    department.open(accession)
    department.say(
        accession,
        WorkOrderPlaced(f"o-{accession}", WorkOrderKind.IMMUNO, "A1", "CD20", "thin"),
    )
    (order,) = [at for at in day(tina)["orders"] if at["accession"] == accession]
    assert (order["kind"], order["block"], order["stain"]) == ("immuno", "A1", "CD20")
    assert (order["note"], order["accepted_by"]) == ("thin", "")
    department.say(accession, WorkOrderAccepted(f"o-{accession}"))
    assert [at["accepted_by"] for at in day(tina)["orders"] if at["accession"] == accession] == [
        "test"
    ]
    department.say(accession, WorkOrderFulfilled(f"o-{accession}"))
    assert [at for at in day(tina)["orders"] if at["accession"] == accession] == []


def test_only_the_own_unit_and_every_patient_leaves_a_line(department: Department) -> None:
    accession, barcode = glass(department)
    elsewhere, other = glass(department, unit=ELSEWHERE)
    seen = {at["barcode"] for at in day(department.client("tina"))["slides"]}
    assert barcode in seen
    assert other not in seen
    assert {at["barcode"] for at in day(department.client("strange_lab"))["slides"]} == {other}
    assert [at[0] for at in department.lines("tina", accession)] == ["lab"]
    assert department.lines("tina", elsewhere) == []


@pytest.mark.parametrize("name", sorted(STAFF))
def test_the_laboratory_is_for_those_who_run_it(department: Department, name: str) -> None:
    expected = 200 if name in ("tina", "strange_lab") else 403
    client = department.client(name)
    assert client.get("/api/v1/lab").status_code == expected
    assert client.get("/api/v1/unknown").status_code == expected
    assert client.get("/lab").status_code == expected


def test_the_share_of_scanning_in_the_response_time() -> None:
    start = datetime(2026, 11, 2, 8, tzinfo=UTC)
    hours = [start + timedelta(hours=at) for at in range(11)]
    slide = SlideTimes("b", start, hours[2], hours[3], hours[4], hours[5], hours[6])
    case = Milestones(
        "a", "s", "u", Priority.ROUTINE, SpecimenClass.BIOPSY, received_at=start,
        stained_at=hours[2], available_at=hours[6], ready_at=hours[6], opened_at=hours[8],
        signed_at=hours[9], distributed_at=hours[10], slides=(slide,),
    )  # fmt: skip
    found = share_json(
        [case, Milestones("b", "s", "u", Priority.ROUTINE, SpecimenClass.BIOPSY)], start
    )
    assert found == {
        "share_of_turnaround": pytest.approx(0.4),
        "scan_seconds": pytest.approx(4 * 3600),
        "whole_seconds": 10 * 3600,
        "answered_cases": 1,
    }
    assert share_json([], start)["share_of_turnaround"] is None
    assert counts([])["missing"] == 0
