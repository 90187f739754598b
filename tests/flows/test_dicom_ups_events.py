"""Subscribers to procedure steps are called, whoever changes these and whatever is killed."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, evt

from flows.services import Services
from storage import scanning, ups_subscribers, work_items
from storage.records.work import WorkKind, WorkState
from tests.flows.dicom_nodes import HOST, NORTH, SOEREN, case, let_in, services_in
from tests.flows.dicom_steps import (
    ALL,
    EVENT,
    MATCHING,
    PUSH,
    WATCH,
    calling,
    create,
    status,
    subscribe,
    subscription,
    turn,
)
from tests.flows.node_process import NodeProcess
from tests.journeys.running import free_port, wait_for
from tests.steps import new_step


@dataclass
class Listener:
    """pynetdicom as an SCU of UPS Event: it is called, and keeps what it is told."""

    title: str
    port: int = field(default_factory=free_port)
    told: queue.Queue[tuple[str, int, Dataset]] = field(default_factory=queue.Queue)

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        entity = AE(self.title)
        entity.add_supported_context(EVENT)
        handlers = [(evt.EVT_N_EVENT_REPORT, self._heard)]
        server = entity.start_server((HOST, self.port), block=False, evt_handlers=handlers)
        assert server is not None
        try:
            yield self
        finally:
            server.shutdown()

    def _heard(self, event: evt.Event) -> tuple[int, None]:
        uid = str(event.request.AffectedSOPInstanceUID)
        self.told.put((uid, event.event_type, event.event_information))
        return 0x0000, None

    def next(self) -> tuple[str, int, str]:
        uid, kind, information = self.told.get(timeout=20)
        return uid, kind, str(information.get("ProcedureStepState", ""))


def test_subscribers_are_called_whoever_changes_it(tmp_path: Path) -> None:
    services = services_in(tmp_path)
    case(services, "P26-1", SOEREN, "P26-1-A1", unit=NORTH)
    let_in(services, "NORTH", NORTH)
    ear = Listener("EAR")
    let_in(services, "EAR", NORTH, ear.port)
    with ear.listening(), NodeProcess(services, "--answers") as node:
        assert subscribe(node.port, ALL, subscription("EAR")) == 0
        item = scanning.queue_scan(services.database, "P26-1-A1", "tech")
        uid, key = f"2.25.{int(item.item_id, 16)}", generate_uid()
        assert ear.next() == (uid, 1, "SCHEDULED")
        scanning.start(services.database, item.item_id, "s1", "station")
        assert ear.next() == (uid, 1, "IN PROGRESS")
        scanning.finish(services.database, item.item_id, "s1")
        assert ear.next() == (uid, 1, "COMPLETED")
        analysis = generate_uid()
        assert create(node.port, new_step(), analysis) == 0
        with calling(node.port) as puller:
            assert turn(puller, analysis, "IN PROGRESS", key) == 0
        assert [ear.next()[2] for _ in range(2)] == ["SCHEDULED", "IN PROGRESS"]
        asked = Dataset()
        asked.ReasonForCancellation = "wrong slide"
        with calling(node.port, "NORTH", WATCH) as watcher:
            assert status(watcher.send_n_action(asked, 2, PUSH, analysis)) == 0
        told, kind, information = ear.told.get(timeout=20)
        assert (told, kind, information.RequestingAE) == (analysis, 2, "NORTH")
        assert information.ReasonForCancellation == "wrong slide"
        wait_for(lambda: has_told(services, "EAR"), 10, "the node knows what it has told")
        node.kill()
        with services.database.transaction() as connection:
            item_id = work_items.offer(connection, WorkKind.ANALYSIS, "tech", unit=NORTH).item_id
        node.start()
        assert ear.next()[1] == 4, "the node is there again"
        assert ear.next() == (f"2.25.{int(item_id, 16)}", 1, "SCHEDULED")
        with services.database.transaction() as connection:
            work_items.end(connection, item_id, WorkState.DONE)
        assert [ear.next()[2] for _ in range(2)] == ["IN PROGRESS", "COMPLETED"]
    services.database.dispose()


def has_told(services: Services, aet: str) -> bool:
    known = ups_subscribers.get(services.database, aet)
    return known is not None and known.told == ups_subscribers.last_news(services.database)


def test_those_that_match_are_told_of(tmp_path: Path) -> None:
    services = services_in(tmp_path)
    let_in(services, "NORTH", NORTH)
    ear = Listener("EAR")
    let_in(services, "EAR", NORTH, ear.port)
    with ear.listening(), NodeProcess(services, "--answers") as node:
        keys = subscription("EAR", WorklistLabel="Mitosis")
        assert subscribe(node.port, MATCHING, keys) == 0
        wanted, other, key = generate_uid(), generate_uid(), generate_uid()
        create(node.port, new_step(WorklistLabel="Gleason"), other)
        create(node.port, new_step(WorklistLabel="Mitosis"), wanted)
        with calling(node.port) as puller:
            for uid in (other, wanted):
                assert turn(puller, uid, "IN PROGRESS", key) == 0
        assert [ear.next() for _ in range(2)] == [
            (wanted, 1, "SCHEDULED"), (wanted, 1, "IN PROGRESS"),
        ]  # fmt: skip
    services.database.dispose()
