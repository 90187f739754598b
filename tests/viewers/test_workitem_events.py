"""Who subscribes is told over a WebSocket: by whom it was changed makes no difference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from storage import dicom_peers, work_items
from storage.records.imaging import Peer
from storage.records.work import WorkState
from tests.steps import new_step, performed
from tests.viewers.department import UNIT, Department
from tests.viewers.workitems import ROOT, body, cancel, change, create, refusal, scan, step_of, turn

ALL, MATCHING = "1.2.840.10008.5.1.4.34.5", "1.2.840.10008.5.1.4.34.5.1"
LAST = "SENTINEL"


@pytest.fixture
def department(tmp_path_factory: pytest.TempPathFactory) -> Department:
    return Department.found(tmp_path_factory.mktemp("department"))


@pytest.fixture
def device(department: Department) -> TestClient:
    return department.client("lis")


class Channel:
    """Reads events until one that the test causes itself, so that none is waited for in vain."""

    def __init__(self, socket: Any, device: TestClient, aet: str) -> None:  # noqa: ANN401
        self._socket, self._device, self._aet = socket, device, aet

    def events(self) -> list[tuple[str, int, str]]:
        """UID, event type, and the state told, of what came so far."""
        last = create(self._device, new_step(ProcedureStepLabel=LAST))
        assert self._device.post(f"{ROOT}/{last}/subscribers/{self._aet}").status_code == 201
        found = []
        while True:
            told = json.loads(self._socket.receive_text())
            uid = told["00001000"]["Value"][0]
            if uid == last:
                assert cancel(self._device, last).status_code == 202
                while state_of(told) != "CANCELED":
                    told = json.loads(self._socket.receive_text())
                return found
            assert told["00000002"]["Value"] == ["1.2.840.10008.5.1.4.34.6.1"]
            found.append((uid, told["00001002"]["Value"][0], state_of(told)))


def state_of(told: dict[str, Any]) -> str:
    return str(told.get("00741000", {}).get("Value", [""])[0])


@contextmanager
def listening(device: TestClient, aet: str = "WATCH") -> Iterator[Channel]:
    with device.websocket_connect(f"/dicom-web/ws/subscribers/{aet}") as socket:
        yield Channel(socket, device, aet)


def subscribe(client: TestClient, uid: str, query: str = "", aet: str = "WATCH") -> None:
    answer = client.post(f"{ROOT}/{uid}/subscribers/{aet}{query}")
    assert answer.status_code == 201, answer.text
    assert answer.headers["Content-Location"] == f"ws://testserver/dicom-web/ws/subscribers/{aet}"


def test_one_step_is_told_of_from_where_it_stands(device: TestClient) -> None:
    uid, other, key = create(device, new_step()), create(device, new_step()), generate_uid()
    with listening(device) as channel:
        subscribe(device, uid)
        assert turn(device, uid, "IN PROGRESS", key).status_code == 200
        assert turn(device, other, "IN PROGRESS", key).status_code == 200
        assert change(device, uid, progress(40), key).status_code == 200
        assert change(device, uid, performed(), key).status_code == 200
        assert turn(device, uid, "COMPLETED", key).status_code == 200
        assert channel.events() == [
            (uid, 1, "SCHEDULED"), (uid, 1, "IN PROGRESS"), (uid, 3, ""), (uid, 1, "COMPLETED"),
        ]  # fmt: skip


def progress(percent: int) -> Dataset:
    item = Dataset()
    item.ProcedureStepProgress, item.ProcedureStepProgressDescription = str(percent), "tiles"
    made = Dataset()
    made.ProcedureStepProgressInformationSequence = Sequence([item])
    return made


def test_what_people_and_scanners_do_is_told_as_well(
    department: Department, device: TestClient
) -> None:
    with listening(device) as channel:
        subscribe(device, ALL)
        barcode, _ = scan(department)
        uid = step_of(device, barcode)
        item_id = f"{int(uid.removeprefix('2.25.')):032x}"
        device.post(f"/api/v1/work/{item_id}/start", json={})
        device.post(f"/api/v1/work/{item_id}/fail", json={"reason": "stuck"})
        device.post("/api/v1/work/next", json={})
        assert channel.events() == [
            (uid, 1, "SCHEDULED"), (uid, 1, "IN PROGRESS"), (uid, 1, "CANCELED"),
            (f"{uid}.2", 1, "SCHEDULED"), (f"{uid}.2", 1, "IN PROGRESS"),
        ]  # fmt: skip


def test_a_request_to_stop_is_told_to_who_performs(
    department: Department, device: TestClient
) -> None:
    uid = create(device, new_step())
    turn(device, uid, "IN PROGRESS", generate_uid())
    with device.websocket_connect("/dicom-web/ws/subscribers/AI1") as socket:
        subscribe(device, uid, aet="AI1")
        assert state_of(json.loads(socket.receive_text())) == "IN PROGRESS"
        assert cancel(department.client("tina"), uid, "wrong slide").status_code == 202
        told = json.loads(socket.receive_text())
    assert told["00001002"]["Value"] == [2]
    assert told["00741238"]["Value"] == ["wrong slide"]
    assert told["00741236"]["Value"] == ["tina"]


def test_of_those_that_match_the_new_ones_are_told_of_to_their_end(device: TestClient) -> None:
    key = generate_uid()
    old = create(device, new_step(WorklistLabel="Mitosis"))
    with listening(device) as channel:
        subscribe(device, MATCHING, "?filter=WorklistLabel=Mitosis,ProcedureStepState=SCHEDULED")
        other = create(device, new_step(WorklistLabel="Gleason"))
        new = create(device, new_step(WorklistLabel="Mitosis"))
        for uid in (old, other, new):
            assert turn(device, uid, "IN PROGRESS", key).status_code == 200
        assert channel.events() == [
            (new, 1, "SCHEDULED"), (old, 1, "IN PROGRESS"), (new, 1, "IN PROGRESS"),
        ]  # fmt: skip


def test_suspended_is_told_of_what_there_is_alone(device: TestClient) -> None:
    key, old = generate_uid(), create(device, new_step())
    with listening(device) as channel:
        subscribe(device, ALL)
        assert device.post(f"{ROOT}/{ALL}/subscribers/WATCH/suspend").status_code == 200
        new = create(device, new_step())
        for uid in (old, new):
            assert turn(device, uid, "IN PROGRESS", key).status_code == 200
        assert channel.events() == [(old, 1, "IN PROGRESS")]


def test_what_was_said_of_one_goes_before_all(device: TestClient) -> None:
    key = generate_uid()
    with listening(device) as channel:
        subscribe(device, ALL)
        uid, other = create(device, new_step()), create(device, new_step())
        assert device.delete(f"{ROOT}/{uid}/subscribers/WATCH").status_code == 200
        for each in (uid, other):
            assert turn(device, each, "IN PROGRESS", key).status_code == 200
        told = [at for at in channel.events() if at[2] == "IN PROGRESS"]
        assert told == [(other, 1, "IN PROGRESS")]
        assert device.delete(f"{ROOT}/{ALL}/subscribers/WATCH").status_code == 200
        create(device, new_step())
        assert channel.events() == []


def test_a_lock_on_all_tells_how_each_stands(device: TestClient) -> None:
    uids = [create(device, new_step()) for _ in range(3)]
    with listening(device) as channel:
        subscribe(device, ALL, "?deletionlock=true")
        assert channel.events() == [(uid, 1, "SCHEDULED") for uid in uids]


def test_nobody_is_told_of_what_they_may_not_see(department: Department) -> None:
    strange, device = department.client("strange_lis"), department.client("lis")
    with listening(strange) as channel:
        subscribe(strange, ALL)
        scan(department, UNIT)
        assert channel.events() == []
    barcode, _ = scan(department)
    uid = step_of(device, barcode)
    assert strange.post(f"{ROOT}/{uid}/subscribers/WATCH").status_code == 404


def test_a_title_is_one_subscribers_own(department: Department, device: TestClient) -> None:
    subscribe(device, ALL)
    tina = department.client("tina")
    assert refusal(tina.post(f"{ROOT}/{ALL}/subscribers/WATCH")) == (403, "0124")
    assert tina.delete(f"{ROOT}/{ALL}/subscribers/WATCH").status_code == 403
    with (
        pytest.raises(WebSocketDisconnect),
        tina.websocket_connect("/dicom-web/ws/subscribers/WATCH"),
    ):
        pass
    dicom_peers.put(department.database, Peer("scanner-1", "SCANNER1", "10.0.0.1", 104), "test")
    assert tina.post(f"{ROOT}/{ALL}/subscribers/SCANNER1").status_code == 403
    nobody = department.client(None)
    assert nobody.post(f"{ROOT}/{ALL}/subscribers/WATCH").status_code == 401
    with (
        pytest.raises(WebSocketDisconnect),
        nobody.websocket_connect("/dicom-web/ws/subscribers/WATCH"),
    ):
        pass


def test_what_is_no_subscription(device: TestClient) -> None:
    assert device.post(f"{ROOT}/1.2.3/subscribers/WATCH").status_code == 404
    assert device.post(f"{ROOT}/{ALL}/subscribers/seventeen-letters").status_code == 400
    uid = create(device, new_step())
    assert device.post(f"{ROOT}/{uid}/subscribers/WATCH/suspend").status_code == 409
    assert device.post(f"{ROOT}/{ALL}/subscribers/NEW/suspend").status_code == 409
    assert device.post(f"{ROOT}/{MATCHING}/subscribers/WATCH?filter=nothing").status_code == 400


def test_an_opinion_is_told_of_when_it_goes_to_another(department: Department) -> None:
    with department.database.transaction() as connection:
        item = work_items.offer(
            connection, work_items.WorkKind.CONSULTATION, "pia", performer="karl"
        )
    karl = department.client("karl")
    subscribe(karl, ALL)
    with karl.websocket_connect("/dicom-web/ws/subscribers/WATCH") as socket:
        with department.database.transaction() as connection:
            ended = {"state": WorkState.CANCELLED.value, "reason": "withdrawn"}
            work_items.change(connection, item.item_id, ended)
        states = [state_of(json.loads(socket.receive_text())) for _ in range(2)]
    assert states == ["IN PROGRESS", "CANCELED"]


def test_body_is_made_of_events_alone(device: TestClient) -> None:
    """What a subscriber says is not listened to."""
    with device.websocket_connect("/dicom-web/ws/subscribers/WATCH") as socket:
        socket.send_text("x" * 1000)
        subscribe(device, ALL)
        uid = create(device, new_step())
        told = json.loads(socket.receive_text())
    assert (told["00001000"]["Value"], state_of(told)) == ([uid], "SCHEDULED")
    assert device.post(ROOT, **body(new_step())).status_code == 201
