"""Procedure steps over DIMSE, judged by pynetdicom's SCU: push, pull, watch and query."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import evt
from pynetdicom.association import Association

from flows.services import Services
from storage import cases, scanning
from storage.database import Database
from storage.records.imaging import PeerMay
from tests.flows.dicom_nodes import NORTH, SOEREN, SOUTH, a_node, case, let_in, services_in
from tests.flows.dicom_steps import (
    ALL,
    PULL,
    PUSH,
    QUERY,
    WATCH,
    calling,
    change,
    create,
    status,
    subscribe,
    subscription,
    turn,
)
from tests.journeys.running import free_port
from tests.steps import discontinued, new_step, performed


@dataclass
class Department:
    services: Services
    port: int

    @property
    def database(self) -> Database:
        return self.services.database


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Department]:
    services = services_in(tmp_path_factory.mktemp("steps"))
    barcodes = [f"P26-1-A{number}" for number in range(1, 7)]
    case(services, "P26-1", SOEREN, *barcodes, unit=NORTH)
    let_in(services, "NORTH", NORTH)
    let_in(services, "SOUTH", SOUTH)
    let_in(services, "ANY")
    let_in(services, "PACS", may=frozenset({PeerMay.QUERY}))
    with a_node(services) as port:
        yield Department(services, port)
    services.database.dispose()


def get(association: Association, uid: str) -> Dataset:
    answer, dataset = association.send_n_get([], PUSH, uid)
    assert answer.Status == 0, answer
    assert dataset is not None
    assert "TransactionUID" not in dataset
    return dataset


def find(association: Association, kind: str = PULL, **keys: object) -> list[Dataset]:
    asked = Dataset()
    asked.SOPInstanceUID = asked.ProcedureStepState = asked.ProcedureStepLabel = ""
    for name, value in keys.items():
        setattr(asked, name, value)
    found, last = [], -1
    for answer, dataset in association.send_c_find(asked, kind):
        last = answer.Status
        if dataset is not None:
            found.append(dataset)
    assert last == 0, f"{last:04X}"
    return found


def scan(department: Department, barcode: str) -> str:
    """A glass waits to be scanned; its step."""
    item = scanning.queue_scan(department.database, barcode, "tech")
    return f"2.25.{int(item.item_id, 16)}"


def test_an_analysis_is_pushed_pulled_and_completed(department: Department) -> None:
    uid, key = generate_uid(), generate_uid()
    assert create(department.port, new_step(), uid) == 0
    assert create(department.port, new_step(), uid) == 0x0111
    with calling(department.port) as puller:
        (found,) = find(puller, SOPInstanceUID=uid)
        assert (found.ProcedureStepState, found.ProcedureStepLabel) == (
            "SCHEDULED", "Mitosis count",
        )  # fmt: skip
        assert found.SOPClassUID == PUSH
        assert turn(puller, uid, "COMPLETED", key) == 0xC310
        assert turn(puller, uid, "IN PROGRESS", key) == 0
        assert turn(puller, uid, "IN PROGRESS", key) == 0xC302
        assert turn(puller, uid, "IN PROGRESS", generate_uid()) == 0xC301
        assert turn(puller, uid, "SCHEDULED", key) == 0xC303
        assert change(puller, uid, performed(), generate_uid()) == 0xC301
        assert turn(puller, uid, "COMPLETED", key) == 0xC304
        assert change(puller, uid, performed(), key) == 0
        assert turn(puller, uid, "COMPLETED", key) == 0
        assert turn(puller, uid, "COMPLETED", key) == 0xB306
        assert turn(puller, uid, "CANCELED", key) == 0xC300
        assert change(puller, uid, performed(), key) == 0xC300
        done = get(puller, uid)
        assert done.ProcedureStepState == "COMPLETED"
        assert done.UnifiedProcedureStepPerformedProcedureSequence[0].PerformedWorkitemCodeSequence


def test_a_uid_is_made_where_none_is_given(department: Department) -> None:
    with calling(department.port, "NORTH", PUSH) as pusher:
        said: list[Dataset] = []
        pusher.bind(evt.EVT_DIMSE_RECV, lambda event: said.append(event.message.command_set))
        assert status(pusher.send_n_create(new_step(), PUSH, None)) == 0
        uid = str(said[0].AffectedSOPInstanceUID)
        assert get(pusher, uid).ProcedureStepState == "SCHEDULED"


def test_only_named_attributes_are_told(department: Department) -> None:
    uid = generate_uid()
    create(department.port, new_step(), uid)
    with calling(department.port, "NORTH", WATCH) as watcher:
        _, some = watcher.send_n_get([(0x0074, 0x1000), (0x0008, 0x1195)], PUSH, uid)
        assert some is not None
        assert [at.keyword for at in some if at.tag.group != 8] == ["ProcedureStepState"]
        _, one = watcher.send_n_get([(0x0074, 0x1000)], PUSH, uid)  # on the wire no list at all
        assert one is not None
        assert one.ProcedureStepState == "SCHEDULED"
        unknown, _ = watcher.send_n_get([], PUSH, "1.2.3")
        assert unknown.Status == 0xC307


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        (new_step(ProcedureStepState="COMPLETED"), 0xC309),
        (new_step(PatientName="Hansen^Anna"), 0xB300),
    ],
)
def test_what_is_created_otherwise_or_not(
    department: Department, dataset: Dataset, expected: int
) -> None:
    assert create(department.port, dataset, generate_uid()) == expected


def test_a_scanner_does_its_scan(department: Department) -> None:
    uid, key, barcode = scan(department, "P26-1-A1"), generate_uid(), "P26-1-A1"
    with calling(department.port) as scanner:
        (found,) = find(scanner, ProcedureStepLabel=f"Scan {barcode}", PatientName="")
        assert (found.SOPInstanceUID, str(found.PatientName)) == (uid, "")
        assert turn(scanner, uid, "IN PROGRESS", key) == 0
        glass = cases.get(department.database, "P26-1").slides[barcode]
        assert glass.state.value == "scanning"
        assert change(scanner, uid, discontinued("stuck"), key) == 0
        assert turn(scanner, uid, "CANCELED", key) == 0
        (again,) = find(
            scanner, ProcedureStepLabel=f"Scan {barcode}", ProcedureStepState="SCHEDULED"
        )
        assert again.SOPInstanceUID == f"{uid}.2"
        assert turn(scanner, f"{uid}.2", "IN PROGRESS", key) == 0
        assert change(scanner, f"{uid}.2", performed(), key) == 0
        assert turn(scanner, f"{uid}.2", "COMPLETED", key) == 0
    glass = cases.get(department.database, "P26-1").slides[barcode]
    assert glass.state.value == "scanned"


def test_work_is_for_nodes_near_it_that_may_ask(department: Department) -> None:
    uid = scan(department, "P26-1-A2")
    for title, seen in (("NORTH", True), ("ANY", True), ("SOUTH", False)):
        with calling(department.port, title) as caller:
            assert bool(find(caller, SOPInstanceUID=uid)) == seen, title
            answer, _ = caller.send_n_get([], PUSH, uid)
            assert answer.Status == (0 if seen else 0xC307), title
    with calling(department.port, "PACS", PUSH, PULL, QUERY, "1.2.840.10008.1.1") as pacs:
        assert [at.abstract_syntax for at in pacs.accepted_contexts] == ["1.2.840.10008.1.1"]


def test_who_may_calls_off_what_waits(department: Department) -> None:
    own, uid, asked = generate_uid(), scan(department, "P26-1-A3"), Dataset()
    create(department.port, new_step(), own)
    asked.ReasonForCancellation = "not needed"
    with calling(department.port, "NORTH", WATCH) as watcher:
        assert status(watcher.send_n_action(asked, 2, PUSH, uid)) == 0x0124
        assert status(watcher.send_n_action(asked, 2, PUSH, own)) == 0
        assert status(watcher.send_n_action(asked, 2, PUSH, own)) == 0xB304
        assert get(watcher, own).ProcedureStepState == "CANCELED"
        assert status(watcher.send_n_action(asked, 2, PUSH, "1.2.3")) == 0xC307
        assert status(watcher.send_n_action(asked, 9, PUSH, own)) in (0x0123, 0xC308)


def test_subscriptions_are_of_nodes_that_can_be_called(department: Department) -> None:
    uid = generate_uid()
    create(department.port, new_step(), uid)
    assert subscribe(department.port, uid, subscription("NOBODY")) == 0xC308
    assert subscribe(department.port, uid, subscription("NORTH")) == 0xC308, "it has no port"
    let_in(department.services, "EAR", NORTH, free_port())
    assert subscribe(department.port, uid, subscription("EAR")) == 0
    assert subscribe(department.port, "1.2.3", subscription("EAR")) == 0xC307
    assert subscribe(department.port, ALL, subscription("EAR")) == 0
    assert subscribe(department.port, uid, subscription("EAR"), kind=5) == 0xC314
    assert subscribe(department.port, ALL, subscription("EAR"), kind=5) == 0
    assert subscribe(department.port, ALL, subscription("EAR"), kind=4) == 0


def test_one_of_two_claims_counts(department: Department) -> None:
    uid = generate_uid()
    create(department.port, new_step(), uid)
    answers: list[int] = []

    def claim() -> None:
        with calling(department.port) as puller:
            answers.append(turn(puller, uid, "IN PROGRESS", generate_uid()))

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers)[0] == 0
    assert len([at for at in answers if at == 0]) == 1
    assert set(answers) == {0, 0xC301}
