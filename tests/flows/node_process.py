"""The DICOM node as the process it is, and senders that are not ours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Self

from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import AE, _config
from pynetdicom.association import Association
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE

from flows.services import Services
from storage.dicom_files import object_path
from storage.dicom_objects import get
from tests.flows.dicom_nodes import HOST
from tests.journeys.running import free_port, wait_for
from tests.processing.dicom.objects import CT, EXPLICIT

_config.LOG_HANDLER_LEVEL = "none"


class NodeProcess:
    """`python -m flows.dicom_node` on a data folder."""

    def __init__(self, services: Services, *arguments: str, **environment: str) -> None:
        self.services, self.port = services, free_port()
        self.log = services.layout.logs / "node.log"
        self._arguments, self._environment = arguments, environment
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def start(self, within: float = 60) -> None:
        """Start, and wait until it listens."""
        command = [sys.executable, "-m", "flows.dicom_node", HOST, str(self.port)]
        environment = os.environ | {"SVARTID_DATA": str(self.services.layout.root)}
        self.log.write_text("")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self._arguments], env=environment | self._environment, stdout=log,
                stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        process = self._process
        wait_for(
            lambda: "ready" in self.said or process.poll() is not None, within, "the node is ready"
        )
        assert "ready" in self.said, "the node has ended"

    def kill(self) -> None:
        """As a power cut would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._process = None

    @property
    def said(self) -> str:
        """Its log."""
        return self.log.read_text()

    @property
    def memory(self) -> int:
        """Its resident memory in KiB, files that are mapped left out."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        (line,) = (at for at in status.splitlines() if at.startswith("RssAnon"))
        return int(line.split()[1])

    @property
    def threads(self) -> int:
        """How many threads it has."""
        assert self._process is not None
        return len(list(Path(f"/proc/{self._process.pid}/task").iterdir()))


@contextmanager
def calling(
    port: int, title: str, contexts: Mapping[str, list[str] | None] | None = None
) -> Iterator[Association]:
    """pynetdicom as a caller; by default it proposes CT. None: in its usual transfer syntaxes."""
    entity = AE(title)
    for uid, syntaxes in (contexts or {CT: [EXPLICIT]}).items():
        entity.add_requested_context(uid, syntaxes)
    association = entity.associate(HOST, port, ae_title="SVARTID")
    mend(association)
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def mend(association: Association) -> None:
    """pynetdicom's loop may catch an answer in the moment it is told to pause; it drops it."""
    otherwise: Any = association._serve_request

    def serve(message: Any, context_id: int) -> None:  # noqa: ANN401
        if message.is_valid_request:
            otherwise(message, context_id)
        elif not association._reactor_checkpoint.is_set():
            association.dimse.msg_queue.put((context_id, message))

    association._serve_request = serve  # type: ignore[method-assign]


def store(
    association: Association,
    dataset: bytes,
    sop_uid: str,
    sop_class: str = CT,
    syntax: str = EXPLICIT,
    seconds: float = 0.0,
) -> Dataset:
    """C-STORE these very bytes, in ten pieces over so many seconds; the answer."""
    (context,) = (
        at
        for at in association.accepted_contexts
        if at.abstract_syntax == sop_class and at.transfer_syntax[0] == syntax
    )
    request = C_STORE()
    request.MessageID, request.Priority = 1, 2
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = UID(sop_class), UID(sop_uid)
    request.DataSet = BytesIO(dataset)
    association._reactor_checkpoint.clear()
    wait_for(lambda: association._is_paused, 5, "pynetdicom pauses")
    assert context.context_id is not None
    message, most = C_STORE_RQ(), association.dimse.maximum_pdu_size
    message.primitive_to_message(request)
    size = max(len(dataset) // 10, 100) if seconds else most
    for piece in message.encode_msg(context.context_id, min(size, most)):
        association.dul.send_pdu(piece)
        time.sleep(seconds / 10)
    _, answer = association.dimse.get_msg(block=True)
    association._reactor_checkpoint.set()
    found = Dataset()
    if answer is not None and getattr(answer, "Status", None) is not None:
        found.Status = answer.Status
        found.ErrorComment = getattr(answer, "ErrorComment", None)
    return found


def kept_dataset(services: Services, sop_uid: str) -> bytes:
    """The dataset of a kept object, as it lies on the disk."""
    data = object_path(services.layout, get(services.database, sop_uid).sha256).read_bytes()
    return data[144 + int.from_bytes(data[140:144], "little") :]
