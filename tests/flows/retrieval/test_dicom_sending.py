"""Objects of any size go out without piling up here, even to a node that reads no more."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    JPEGBaseline8Bit,
)
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    VLWholeSlideMicroscopyImageStorage,  # type: ignore[attr-defined]
)

from flows.dicom_export import opener_of
from flows.dicom_sending import Where, associated, contexts_for, send
from flows.forwarding_line import Unreached
from tests.flows.dicom_nodes import (
    HOST,
    Storescp,
)
from tests.flows.retrieval.requesters import Department


class Stuck:
    """A node that accepts an association and then reads no more."""

    def __init__(self) -> None:
        self.over = threading.Event()
        entity = AE("PACS")
        entity.add_supported_context(VLWholeSlideMicroscopyImageStorage, [JPEGBaseline8Bit])
        handlers = [(evt.EVT_PDU_RECV, self._read)]
        self.server = entity.start_server((HOST, 0), block=False, evt_handlers=handlers)
        self.port = self.server.server_address[1]

    def _read(self, event: evt.Event) -> None:
        if type(event.pdu).__name__ == "P_DATA_TF":
            self.over.wait(30)

    def end(self) -> None:
        self.over.set()
        self.server.shutdown()


class Endless:
    """An instance of as many bytes as are wanted, none of them kept."""

    sop_uid, sop_class = "1.2.3.4", str(VLWholeSlideMicroscopyImageStorage)
    transfer_syntax, frames = str(JPEGBaseline8Bit), 1

    def __init__(self, head: bytes, size: int) -> None:
        self._head, self._size = head, size
        self.read = 0

    def header(self) -> Dataset:
        raise NotImplementedError

    def frame(self, number: int) -> bytes:
        raise NotImplementedError

    def size(self) -> int:
        return self._size

    def stream(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        yield self._head
        while self.read < self._size:
            self.read += 2**20
            yield bytes(2**20)


@pytest.fixture
def endless(department: Department) -> Endless:
    level = opener_of(department.services).instances(department.soeren)[0]
    return Endless(next(iter(level.stream())), 256 * 2**20)


def test_a_node_that_reads_no_more_is_hung_up_on(
    endless: Endless, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its objects piling up here."""
    monkeypatch.setattr("flows.dicom_wire._STALL", 1.0)
    stuck, began = Stuck(), time.monotonic()
    try:
        where = Where("PACS", HOST, stuck.port)
        with pytest.raises(Unreached) as caught, associated(where, contexts_for([endless])) as line:
            send(line, endless)
        assert caught.value.reason == "peer_silent"
        assert time.monotonic() - began < 15
        assert endless.read < 32 * 2**20
    finally:
        stuck.end()


def test_large_objects_take_no_memory(endless: Endless, tmp_path: Path) -> None:
    most = [resident()]
    with Storescp(tmp_path / "none", ("+xa", "+B")) as there:
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.05):
                most.append(resident())

        watching = threading.Thread(target=watch)
        watching.start()
        where = Where("ANY", HOST, there.port)
        with associated(where, contexts_for([endless])) as association:
            assert send(association, endless).is_stored
        over.set()
        watching.join()
    assert endless.read == 256 * 2**20
    assert max(most) - most[0] < 48 * 2**20


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096
