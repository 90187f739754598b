"""pynetdicom's server within bounds: no PDU, message, handshake or connection without a limit.

Left alone it reads as many bytes as a PDU's length field says for as long as they take, gathers
messages without end, and shakes hands for TLS in the loop that accepts; all that before it is
known who calls.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pynetdicom import evt
from pynetdicom._globals import MODE_ACCEPTOR
from pynetdicom.ae import ApplicationEntity
from pynetdicom.association import Association, DimseServiceType
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import C_STORE_RQ, DIMSEMessage
from pynetdicom.pdu_primitives import P_DATA
from pynetdicom.transport import AssociationSocket, RequestHandler, ThreadedAssociationServer

from flows.dicom_callers import Callers
from flows.web_server import shared_socket
from storage.errors import SvartidError

_LOG = logging.getLogger("svartid.dicom")
MAX_PDU = 2**18
_MOST_PDU = MAX_PDU + 2**12
_PDU_TIME = 60.0
"""Seconds a PDU that has begun may take."""
_HANDSHAKE = 10.0
_MOST_COMMAND = 2**16
_MOST_DATASET = 16 * 2**20
"""Bytes of a dataset that is no object: a query, a list of objects to commit."""
_MESSAGE_TIME = 3600.0
_MOST_WAITING = 16
"""Requests that may come before the first is answered."""
_COMPLAIN_EVERY = 60.0
_ALL, _OF_ONE_ADDRESS = 64, 32
"""Connections at a time."""


class Arriving(Protocol):
    """What the bytes of an object are written to; never raises. The shape is pynetdicom's."""

    name: str

    def write(self, data: bytes) -> None:
        """The next bytes of the dataset."""

    def close(self) -> None:
        """It is over; what has not been taken is discarded."""


Storing = Callable[[Association, DIMSEMessage], Arriving | None]


class BoundedSocket(AssociationSocket):
    """Reads no more than a PDU may have, and not for longer than it may take."""

    def recv(self, nr_bytes: int) -> bytearray:
        """As the parent's. Errors: OSError when that is too much or takes too long."""
        if nr_bytes > _MOST_PDU:
            raise OSError("a PDU longer than agreed")
        if self.socket is None:
            raise OSError("the connection is closed")
        data, at, until = bytearray(nr_bytes), 0, time.monotonic() + _PDU_TIME
        view = memoryview(data)
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
        view.release()
        del data[at:]
        return data


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

    def give_up(self) -> None:
        """The association is over: what is half received, or unanswered, is nobody's."""
        self._ended = True
        half = self.message._data_set_file if self.message is not None else None
        waiting = list[object]()
        while not self.msg_queue.empty():
            waiting.append(getattr(self.msg_queue.get()[1], "_dataset_file", None))
        for file in (half, *waiting):
            if file is not None:
                file.close()  # type: ignore[attr-defined]

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
            self.message._data_set_file = self._storing(self.assoc, self.message)
        return True


class BoundedAssociation(Association):
    """Serves what was negotiated and nothing else; leaves nothing behind, however it ends."""

    def _serve_request(self, msg: DimseServiceType, context_id: int) -> None:
        """pynetdicom goes by the class a message names, whatever context it came in."""
        named = getattr(msg, "AffectedSOPClassUID", None) or getattr(
            msg, "RequestedSOPClassUID", None
        )
        context = self._accepted_cx.get(context_id)
        if context is None or not context.as_scp or named != context.abstract_syntax:
            _LOG.warning("an association is aborted: a request outside what was negotiated")
            self.abort()
            return
        super()._serve_request(msg, context_id)

    def run_reactor(self) -> None:
        """As the parent's."""
        try:
            super().run_reactor()
        finally:
            self.dimse.give_up()
            self._server.ended(self)


class _Handler(RequestHandler):
    """A connection: the address first, then TLS, then an association."""

    server: Server

    def handle(self) -> None:
        """Closed without a word where nobody is known."""
        address = str(self.client_address[0])
        if not self.server.is_known(address) or not self._shake_hands():
            self.server.shutdown_request(self.request)
            self.server.let_go(address)
            return
        association = self._create_association()
        evt.trigger(association, evt.EVT_CONN_OPEN, {"address": self.client_address})
        association.start()

    def _shake_hands(self) -> bool:
        context = self.server.rules.tls
        if context is None:
            return True
        try:
            self.request.settimeout(_HANDSHAKE)
            self.request = context.wrap_socket(self.request, server_side=True)
        except (OSError, ValueError) as error:
            self.server.complain(f"no TLS with {self.client_address[0]}: {_reason(error)}")
            return False
        return True

    def _create_association(self) -> BoundedAssociation:
        """As the parent's, with our own classes and no contexts yet: those depend on who calls."""
        made = BoundedAssociation(self.ae, MODE_ACCEPTOR)
        made._server, made.name = self.server, f"AcceptorThread@{time.time():.6f}"
        made.dimse = BoundedDimse(made, self.server.rules.storing)
        made.set_socket(BoundedSocket(made, client_socket=self.request))
        made.acceptor.maximum_length = self.ae.maximum_pdu_size
        made.acceptor.ae_title = self.server.ae_title
        made.acceptor.address_info = self.local
        made.acceptor.implementation_class_uid = self.ae.implementation_class_uid
        made.acceptor.implementation_version_name = self.ae.implementation_version_name
        made.requestor.address_info = self.remote
        for event, bound in self.server._handlers.items():
            for function, arguments in [bound] if isinstance(bound, tuple) else bound:
                made.bind(event, function, arguments)
        return made


@dataclass(frozen=True, slots=True)
class Rules:
    """What a server goes by."""

    callers: Callers
    storing: Storing
    on_end: Callable[[Association], None]
    tls: ssl.SSLContext | None = None


class Server(ThreadedAssociationServer):
    """One of perhaps several processes on the same address; the kernel deals out connections."""

    request_queue_size = 128
    daemon_threads = True
    block_on_close = False

    def __init__(
        self, ae: ApplicationEntity, address: tuple[str, int], handlers: list[evt.EventHandlerType],
        rules: Rules,
    ) -> None:  # fmt: skip
        self.rules = rules
        self._open, self._lock = Counter[str](), threading.Lock()
        self._complained = -1e9
        super().__init__(ae, address, ae.ae_title, [], evt_handlers=handlers,
                         request_handler=_Handler)  # fmt: skip

    def server_bind(self) -> None:
        """Several processes may listen on the address."""
        self.socket.close()
        self.socket = shared_socket(*self.server_address[:2])
        self.server_address = self.socket.getsockname()

    def verify_request(self, request: socket.socket, client_address: tuple[str, int]) -> bool:
        """False when there are too many connections, of all or from there; never waits."""
        address = str(client_address[0])
        with self._lock:
            if self._open.total() >= _ALL or self._open[address] >= _OF_ONE_ADDRESS:
                return False
            self._open[address] += 1
        return True

    def let_go(self, address: str) -> None:
        """A connection from there is over."""
        with self._lock:
            self._open[address] -= 1
            self._open += Counter()  # those at nought are forgotten

    def ended(self, association: Association) -> None:
        """An association is over."""
        self.let_go(association.requestor.address_info.address)
        self.rules.on_end(association)

    def handle_error(self, request: object, client_address: object) -> None:
        """Without the trace, which could quote what was sent."""
        self.complain("a connection could not be handled")

    def is_known(self, address: str) -> bool:
        """Whether anybody may call from there; nobody while the database is away."""
        try:
            known = self.rules.callers.any_at(address)
        except SvartidError as error:
            self.complain(f"callers are not let in: {error.code}")
            return False
        if not known:
            self.complain(f"a call from {address}, where no node is known to be: closed")
        return known

    def complain(self, text: str) -> None:
        """A line, but not for each of a thousand."""
        if time.monotonic() - self._complained > _COMPLAIN_EVERY:
            self._complained = time.monotonic()
            _LOG.warning("%s", text)


def _reason(error: Exception) -> str:
    return getattr(error, "reason", None) or type(error).__name__
