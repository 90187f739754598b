"""pynetdicom's association within bounds: no PDU, message or wait without a limit.

Left alone it reads as many bytes as a PDU's length field says for as long as they take, gathers
messages without end, serves what was not negotiated, and looks a thousand times a second whether
there is something to do.
"""

from __future__ import annotations

import logging
import os
import queue
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, cast

from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import C_STORE_RQ, DIMSEMessage
from pynetdicom.dimse_primitives import N_EVENT_REPORT
from pynetdicom.dul import DULServiceProvider
from pynetdicom.pdu_primitives import P_DATA
from pynetdicom.transport import AssociationSocket

_LOG = logging.getLogger("svartid.dicom")
MAX_PDU = 2**18
_MOST_PDU = MAX_PDU + 2**12
_PDU_TIME = 60.0
"""Seconds a PDU that has begun may take."""
_FIRST_PDU_TIME = 10.0
_MOST_COMMAND = 2**16
_MOST_DATASET = 4 * 2**20
"""Bytes of a dataset that is no object: a query, a list of objects to commit."""
_MESSAGE_TIME = 3600.0
_MOST_WAITING = 16
"""Requests that may come before the first is answered."""
_STEPS = "1.2.840.10008.5.1.4.34.6."
"""UPS classes: every step is of the first, whatever class it is asked for by."""
_DOZE = 0.25
"""Seconds until timers are looked at when nothing happens."""


class Arriving(Protocol):
    """What the bytes of an object are written to; never raises. The shape is pynetdicom's."""

    name: str

    def write(self, data: bytes) -> None:
        """The next bytes of the dataset."""

    def close(self) -> None:
        """It is over; what has not been taken is discarded."""


Storing = Callable[[Association, DIMSEMessage], Arriving | None]


class WakingProvider(DULServiceProvider):
    """The upper layer, asleep until there are bytes or something to send."""

    def __init__(self, assoc: Association) -> None:
        super().__init__(assoc)
        self._run_loop_delay = 0
        self._lock = threading.Lock()
        self.alarm = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.to_user_queue = _Announcing(lambda: assoc.dimse.msg_queue.put((None, None)))
        self.to_provider_queue = _Announcing(self._wake)

    def run_reactor(self) -> None:
        """As the parent's."""
        try:
            super().run_reactor()
        finally:
            with self._lock:
                os.close(self.alarm)
                self.alarm = -1
            # Nothing will come: who waits for it waits no longer.
            self.to_user_queue.put(cast(Any, None))

    def kill_dul(self) -> None:
        """As the parent's."""
        super().kill_dul()
        self._wake()

    def stop_dul(self) -> bool:
        """As the parent's."""
        self._wake()
        return super().stop_dul()

    def _send(self, pdu: Any) -> None:  # noqa: ANN401 - any PDU
        """As the parent's; who is sent something is not idle, however long it only listens."""
        super()._send(pdu)
        self._idle_timer.restart()

    def _wake(self) -> None:
        with self._lock:  # once closed the number may be another's: a connection's, a file's
            if self.alarm >= 0:
                os.eventfd_write(self.alarm, 1)


class _Announcing(queue.Queue[Any]):
    """A queue whose other end is told; it may be waiting elsewhere."""

    def __init__(self, tell: Callable[[], None]) -> None:
        super().__init__()
        self._tell = tell

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ANN401
        """As the parent's."""
        super().put(item, block, timeout)
        self._tell()


class BoundedSocket(AssociationSocket):
    """Reads no more than a PDU may have, and not for longer than it may take."""

    @property
    def ready(self) -> bool:
        """As the parent's, but waits for a while for bytes, or for something to send."""
        if self.socket is None or not self._is_connected:
            return False
        if isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
            return True
        alarm = cast(WakingProvider, self.assoc.dul).alarm
        wait = 0.0 if self.event_queue.qsize() else _DOZE
        try:
            waiting: list[Any] = [self.socket, alarm]
            found, _, _ = select.select(waiting, [], [], wait)
            if alarm in found:
                os.eventfd_read(alarm)
        except (OSError, ValueError):
            self.event_queue.put("Evt17")
            return False
        return self.socket in found

    def recv(self, nr_bytes: int) -> bytearray:
        """As the parent's. Errors: OSError when that is too much or takes too long."""
        if nr_bytes > _MOST_PDU:
            raise OSError("a PDU longer than agreed")
        if self.socket is None:
            raise OSError("the connection is closed")
        within = _PDU_TIME if self.assoc.is_established else _FIRST_PDU_TIME
        data, at, until = bytearray(nr_bytes), 0, time.monotonic() + within
        with memoryview(data) as view:
            while at < nr_bytes:
                left = until - time.monotonic()
                if left <= 0:
                    raise TimeoutError("a PDU that does not end")
                self.socket.settimeout(left)
                got = self.socket.recv_into(view[at:])
                if not got:
                    break
                at += got
        self.socket.settimeout(_PDU_TIME)
        _hurry(self.socket)
        del data[at:]
        return data


def _hurry(wire: socket.socket) -> None:
    """Senders that write a command and its data apart wait for our receipt in between: 40 ms."""
    with suppress(OSError):
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_QUICKACK"):
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


class BoundedDimse(DIMSEServiceProvider):
    """Takes messages in pieces, within bounds; objects go to what `storing` makes for them."""

    def __init__(self, assoc: Association, storing: Storing) -> None:
        super().__init__(assoc)
        self._storing, self._ended = storing, False
        self._began, self._plain = 0.0, 0

    def receive_primitive(self, primitive: P_DATA) -> None:
        """Piece by piece, so that there is a file before an object's first byte is read."""
        for context_id, data in primitive.presentation_data_value_list:
            if self._ended:
                return
            if not data or not self._take(context_id, data):
                self._ended = True
                _LOG.warning("an association is aborted: a message beyond all bounds")
                self.assoc.abort(block=False)

    def get_msg(self, block: bool = False) -> Any:  # noqa: ANN401 - a context's id and a message
        """As the parent's; where it would only look, it waits a little."""
        if block:
            return super().get_msg(block)
        try:
            return self.msg_queue.get(timeout=_DOZE)
        except queue.Empty:
            return None, None

    def give_up(self) -> None:
        """The association is over: what is half received, or unanswered, is nobody's."""
        self._ended = True
        files = [self.message._data_set_file] if self.message is not None else []
        while not self.msg_queue.empty():
            files.append(getattr(self.msg_queue.get()[1], "_dataset_file", None))
        for file in files:
            if file is not None:
                file.close()

    def _take(self, context_id: int, data: bytes) -> bool:
        """One piece; False when the caller keeps to no bound."""
        if self.message is None:
            self._began, self._plain = time.monotonic(), 0
        is_command = bool(data[0] & 1)
        is_object = self.message is not None and self.message._data_set_file is not None
        if is_command or not is_object:
            self._plain += len(data)
        most = _MOST_COMMAND if is_command else _MOST_DATASET
        late = time.monotonic() - self._began > _MESSAGE_TIME
        if self._plain > most or late or self.msg_queue.qsize() > _MOST_WAITING:
            return False
        one = P_DATA()
        one.presentation_data_value_list.append((context_id, data))
        super().receive_primitive(one)
        if is_command and isinstance(self.message, C_STORE_RQ):
            self.message._data_set_file = cast(Any, self._storing(self.assoc, self.message))
        return True


def _fits(abstract_syntax: str, asked: set[str | None]) -> bool:
    """Whether a request of these classes belongs to a context of that one (PS3.4 CC.3.1)."""
    steps = abstract_syntax.startswith(_STEPS) and f"{_STEPS}1" in asked
    return abstract_syntax in asked or steps


class BoundedAssociation(Association):
    """Serves what was negotiated and nothing else; leaves nothing behind, however it ends."""

    on_end: Callable[[Association], None]

    def run_reactor(self) -> None:
        """As the parent's."""
        try:
            super().run_reactor()
        finally:
            cast(BoundedDimse, self.dimse).give_up()
            self.on_end(self)

    def _serve_request(self, msg: Any, context_id: int) -> None:  # noqa: ANN401 - any request
        """pynetdicom goes by the class a message names, whatever context it came in.

        And its loop may catch the answer to a request of ours, just before it pauses: put back.
        """
        if not msg.is_valid_request:
            if not self._reactor_checkpoint.is_set():
                self.dimse.msg_queue.put((context_id, msg))
            return
        asked = (getattr(msg, f"{word}SOPClassUID", None) for word in ("Affected", "Requested"))
        context = self._accepted_cx.get(context_id)
        role = "as_scu" if isinstance(msg, N_EVENT_REPORT) else "as_scp"
        agreed = context is not None and getattr(context, role)
        if context is None or not agreed or not _fits(str(context.abstract_syntax), set(asked)):
            _LOG.warning("an association is aborted: a request outside what was negotiated")
            self.abort()
            return
        super()._serve_request(msg, context_id)
