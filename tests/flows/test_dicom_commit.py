"""Storage commitment: what is kept, and what is not, over the same association or another one."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pynetdicom import AE, evt
from pynetdicom.association import Association

from flows.services import Services
from storage import commitments, dicom_objects, outbound
from storage.dicom_files import object_path
from storage.records.imaging import PeerMay
from tests.flows.dicom_nodes import HOST, let_in
from tests.flows.node_process import NodeProcess, calling, store
from tests.journeys.running import free_port, wait_for
from tests.orthanc import Orthanc, an_orthanc
from tests.processing.dicom.objects import CT, EXPLICIT, identity

PUSH, WELL_KNOWN = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"
CONTEXTS = {CT: [EXPLICIT], PUSH: [EXPLICIT]}
MR = "1.2.840.10008.5.1.4.1.1.4"
Told = list[tuple[int, Dataset]]


def uid(number: int) -> str:
    return f"1.2.826.0.1.9.{number}"


def ask(association: Association, transaction: str, *objects: tuple[str, str]) -> int:
    """N-ACTION; the status."""
    question = Dataset()
    question.TransactionUID = transaction
    items = []
    for sop_class, sop_uid in objects:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, sop_uid
        items.append(item)
    question.ReferencedSOPSequence = Sequence(items)
    status, _ = association.send_n_action(question, 1, PUSH, WELL_KNOWN)
    return int(status.Status)


def said(answer: Dataset) -> tuple[set[str], dict[str, int]]:
    """Which objects are kept, and why others are not."""
    kept = {at.ReferencedSOPInstanceUID for at in answer.get("ReferencedSOPSequence", [])}
    failed = answer.get("FailedSOPSequence", [])
    return kept, {at.ReferencedSOPInstanceUID: at.FailureReason for at in failed}


@contextmanager
def listening(port: int, told: Told) -> Iterator[None]:
    """The node that asked, where it listens."""
    entity = AE("SENDER")
    entity.add_supported_context(PUSH, scu_role=True, scp_role=True)

    def hear(event: evt.Event) -> tuple[int, None]:
        told.append((event.event_type or 0, event.event_information))
        return 0x0000, None

    handlers: list[evt.EventHandlerType] = [(evt.EVT_N_EVENT_REPORT, hear)]
    server = entity.start_server((HOST, port), block=False, evt_handlers=handlers)
    assert server is not None
    try:
        yield
    finally:
        server.shutdown()


@pytest.fixture
def port(services: Services) -> int:
    """Where the node that asks listens, when it does."""
    found = free_port()
    let_in(services, "SENDER", port=found, may=frozenset({PeerMay.STORE}))
    return found


def test_many_questions_are_all_answered(services: Services, port: int) -> None:
    """Of nodes that ask and hang up; only a few are judged at a time."""
    told: Told = []
    asked = {f"1.2.3.{number}" for number in range(12)}
    with listening(port, told), NodeProcess(services, "--answers") as node:
        with calling(node.port, "SENDER", CONTEXTS) as association:
            store(association, b"".join(identity(1)), uid(1))
        for transaction in sorted(asked):
            with calling(node.port, "SENDER", CONTEXTS) as association:
                assert ask(association, transaction, (CT, uid(1))) == 0x0000
        wait_for(lambda: len(told) >= len(asked), 60, "every question is answered")
    assert {str(at.TransactionUID) for _, at in told} == asked
    assert {kind for kind, _ in told} == {1}


def test_answered_over_the_same_association(services: Services, port: int) -> None:
    told: Told = []
    heard = threading.Event()

    def hear(event: evt.Event) -> tuple[int, None]:
        told.append((event.event_type or 0, event.event_information))
        heard.set()
        return 0x0000, None

    with NodeProcess(services) as node, calling(node.port, "SENDER", CONTEXTS) as association:
        association.bind(evt.EVT_N_EVENT_REPORT, hear)
        for number in (1, 2):
            store(association, b"".join(identity(number)), uid(number))
        assert ask(association, "1.2.3.1", (CT, uid(1)), (CT, uid(2))) == 0x0000
        assert heard.wait(10)
        heard.clear()
        spoilt = dicom_objects.get(services.database, uid(2))
        path = object_path(services.layout, spoilt.sha256)
        path.write_bytes(path.read_bytes().replace(b"Hansen", b"Jensen"))
        assert ask(association, "1.2.3.2", (CT, uid(1)), (CT, uid(2)), (MR, uid(1)),
                   (CT, uid(3))) == 0x0000  # fmt: skip
        assert heard.wait(10)
        wait_for(lambda: not outbound.listing(services.database, state="waiting"), 10, "noted")
    (first, one), (second, two) = told
    assert (first, said(one)) == (1, ({uid(1), uid(2)}, {}))
    assert two.TransactionUID == "1.2.3.2"
    kept, failed = said(two)
    assert (second, kept) == (2, {uid(1)})
    reasons = [at.FailureReason for at in two.FailedSOPSequence]
    assert failed == {uid(2): 0x0110, uid(3): 0x0112, uid(1): 0x0119}
    assert len(reasons) == 3


def test_what_is_asked_for_again_and_again_is_looked_at_once(services: Services) -> None:
    """All of a file is read for that; a question can name one some thousand times."""
    let_in(services, "SENDER", may=frozenset({PeerMay.STORE}))
    heard: queue.Queue[Dataset | None] = queue.Queue()

    def hear(event: evt.Event) -> tuple[int, None]:
        heard.put(event.event_information)
        return 0x0000, None

    with NodeProcess(services) as node, calling(node.port, "SENDER", CONTEXTS) as association:
        association.bind(evt.EVT_N_EVENT_REPORT, hear)
        store(association, b"".join(identity(1)), uid(1))
        assert ask(association, "1.2.3.1", *[(CT, uid(1))] * 5000) == 0x0000
        answer = heard.get(timeout=10)
    assert answer is not None
    assert [at.ReferencedSOPInstanceUID for at in answer.ReferencedSOPSequence] == [uid(1)]


def test_answered_later_where_the_node_listens_and_after_a_restart(
    services: Services, port: int
) -> None:
    node, told = NodeProcess(services, "--answers"), Told()
    node.start()
    with calling(node.port, "SENDER", CONTEXTS) as association:
        store(association, b"".join(identity(1)), uid(1))
        assert ask(association, "1.2.3.3", (CT, uid(1))) == 0x0000
    waiting = wait_for(
        lambda: [
            at for at in outbound.listing(services.database, kind="commitment") if at.attempts
        ],
        30,
        "it was tried in vain",
    )
    assert waiting[0].reason == "peer_away"
    node.kill()
    (message,) = outbound.listing(services.database, kind="commitment")
    with services.database.transaction() as connection:
        outbound.hurry(connection, message.message_id)
    with listening(port, told), NodeProcess(services, "--answers"):
        wait_for(lambda: told, 30, "the answer comes")
        time.sleep(2.5)
    assert len(told) == 1
    assert said(told[0][1]) == ({uid(1)}, {})
    (message,) = outbound.listing(services.database, kind="commitment")
    assert message.state == "sent"


def test_orthanc_asks_and_hears(services: Services, slides_dir: Path, tmp_path: Path) -> None:
    """A foreign archive: it stores, asks, and hears over an association that we make."""
    with NodeProcess(services, "--answers") as node:
        modalities = {"svartid": ["SVARTID", HOST, node.port]}
        with an_orthanc(tmp_path / "orthanc", modalities=modalities) as archive:
            let_in(services, "ARCHIVE", port=archive.dicom_port, may=frozenset({PeerMay.STORE}))
            file = slides_dir / "radiology" / "pydicom-CT_small.dcm"
            made = httpx.post(f"{archive.url}/instances", content=file.read_bytes()).json()
            time.sleep(2.2)
            away = f"{archive.url}/modalities/svartid"
            httpx.post(f"{away}/store", content=made["ID"], timeout=60).raise_for_status()
            ct = str(dcmread(file).SOPInstanceUID)
            question = {"DicomInstances": [[CT, ct], [CT, uid(404)]]}
            asked = httpx.post(f"{away}/storage-commitment", json=question, timeout=60).json()
            report = wait_for(lambda: _report(archive, asked["ID"]), 30, "Orthanc has heard")
    assert report["Status"] == "Failure"
    assert [at["SOPInstanceUID"] for at in report["Success"]] == [ct]
    (failed,) = report["Failures"]
    assert (failed["SOPInstanceUID"], failed["FailureReason"]) == (uid(404), 0x0112)


def _report(archive: Orthanc, name: str) -> dict[str, Any] | None:
    report: dict[str, Any] = archive.get(f"/storage-commitment/{name}")
    return None if report["Status"] == "Pending" else report


def test_only_one_answers(services: Services, port: int) -> None:
    asked = commitments.enter(
        services.database, "sender", "1.2.3.4", [(CT, uid(1))], timedelta(seconds=0)
    )
    (due,) = commitments.due(services.database)
    assert (due.transaction_uid, due.objects) == ("1.2.3.4", ((CT, uid(1)),))
    assert commitments.claim(services.database, asked, timedelta(minutes=1))
    assert not commitments.claim(services.database, asked, timedelta(minutes=1))
    commitments.hurry(services.database, asked)
    assert commitments.claim(services.database, asked, timedelta(minutes=1))


def test_who_may_not_store_asks_in_vain(services: Services, port: int) -> None:
    let_in(services, "READER", may=frozenset({PeerMay.QUERY}))
    with NodeProcess(services) as node, calling(node.port, "READER", CONTEXTS) as association:
        assert ask(association, "1.2.3.5", (CT, uid(1))) == 0x0124
    with NodeProcess(services) as node, calling(node.port, "SENDER", CONTEXTS) as association:
        assert ask(association, "1.2.3.6") == 0x0114
