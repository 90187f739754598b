"""Forwarding over the API: seen and sent again by those who operate, rules by those who manage."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from storage import dicom_peers, forwarding
from storage.records.forwarding import ForwardState
from storage.records.imaging import Peer, SeriesEntry, Whose
from tests.viewers.department import UNIT, Department

ADDRESS = "/api/v1/forwarding"
IDENTIFIER = "0101901234"
ENTRY = SeriesEntry("1.2.3", "1.2.3.4", "CT", Whose(IDENTIFIER, "Anna Andersen"), received=True)


@pytest.fixture
def department(tmp_path_factory: pytest.TempPathFactory) -> Department:
    made = Department.found(tmp_path_factory.mktemp("department"))
    peer = Peer("archive", "ARCHIVE", "10.0.0.1", 104, unit=UNIT)
    dicom_peers.put(made.database, peer, "test")
    with made.database.transaction() as connection:
        assert forwarding.enter(connection, "archive", ENTRY, "content")
    return made


@pytest.fixture
def ops(department: Department) -> TestClient:
    return department.client("ops")


def test_the_queue_tells_how_far_and_nothing_of_a_patient(
    department: Department, ops: TestClient
) -> None:
    told = ops.get(ADDRESS)
    (line,) = told.json()["forwarding"]
    assert (line["peer"], line["series_uid"], line["state"]) == ("archive", "1.2.3.4", "waiting")
    assert told.json()["counts"] == {"waiting": 1}
    assert told.json()["peers"] == ["archive"]
    assert IDENTIFIER not in told.text
    assert "Andersen" not in told.text
    assert ops.get(f"{ADDRESS}?state=sent").json()["forwarding"] == []


def test_what_was_refused_is_sent_again(department: Department, ops: TestClient) -> None:
    (waits,) = forwarding.listing(department.database)
    forwarding.refuse(department.database, waits, "not_allowed")
    (refused,) = ops.get(ADDRESS).json()["forwarding"]
    assert (refused["state"], refused["reason"]) == ("refused", "not_allowed")
    assert ops.post(f"{ADDRESS}/{refused['forward_id']}/resend").status_code == 204
    (again,) = forwarding.listing(department.database)
    assert (again.state, again.reason) == (ForwardState.WAITING, "")
    assert ops.post(f"{ADDRESS}/{'0' * 32}/resend").status_code == 404


def test_rules_are_made_by_those_who_manage(department: Department, ops: TestClient) -> None:
    manager = department.client("administrator")
    rule = {"peer": "archive", "on": "series_received", "modalities": ["CT"]}
    assert ops.post(f"{ADDRESS}/rules", json=rule).status_code == 403
    made = manager.post(f"{ADDRESS}/rules", json=rule)
    assert (made.status_code, made.json()["created_by"]) == (201, "administrator")
    (told,) = ops.get(ADDRESS).json()["rules"]
    assert (told["on"], told["modalities"]) == ("series_received", ["CT"])
    assert ops.delete(f"{ADDRESS}/rules/{told['rule_id']}").status_code == 403
    assert manager.delete(f"{ADDRESS}/rules/{told['rule_id']}").status_code == 204
    assert manager.delete(f"{ADDRESS}/rules/{told['rule_id']}").status_code == 404


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ({"peer": "nobody", "on": "slide_complete"}, 404),
        ({"peer": "archive", "on": "whenever"}, 422),
        ({"peer": "archive"}, 422),
        ({"peer": "archive", "on": "slide_complete", "more": 1}, 422),
        ({"peer": "archive", "on": "slide_complete", "units": ["a\nb"]}, 422),
    ],
)
def test_a_rule_that_means_nothing(
    department: Department, rule: dict[str, object], status: int
) -> None:
    answer = department.client("administrator").post(f"{ADDRESS}/rules", json=rule)
    assert answer.status_code == status
