"""The listening side of the DICOM node: who is heard at all, and how many at a time.

pynetdicom shakes hands for TLS in the loop that accepts, where one caller who dawdles keeps all
others out; here that happens in the connection's own thread, after a look at its address.
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
from typing import Any

from pynetdicom import evt
from pynetdicom._globals import MODE_ACCEPTOR
from pynetdicom.ae import ApplicationEntity
from pynetdicom.association import Association
from pynetdicom.transport import RequestHandler, ThreadedAssociationServer

from flows.dicom_bounds import (
    BoundedAssociation,
    BoundedDimse,
    BoundedSocket,
    Storing,
    WakingProvider,
)
from flows.dicom_callers import Callers
from flows.web_server import shared_socket
from storage.errors import SvartidError

_LOG = logging.getLogger("svartid.dicom")
_HANDSHAKE = 10.0
_COMPLAIN_EVERY = 60.0
_ALL, _OF_ONE_ADDRESS = 64, 32
"""Connections of this process at a time."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a server goes by."""

    callers: Callers
    storing: Storing
    on_end: Callable[[Association], None]
    tls: ssl.SSLContext | None = None


class _Handler(RequestHandler):
    """A connection: its address first, then TLS, then an association."""

    server: Server
    request: socket.socket

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
            why = getattr(error, "reason", None) or type(error).__name__
            self.server.complain(f"no TLS with {self.client_address[0]}: {why}")
            return False
        return True

    def _create_association(self) -> BoundedAssociation:
        """As the parent's, with our own classes and no contexts yet: those depend on who calls."""
        made, rules = BoundedAssociation(self.ae, MODE_ACCEPTOR), self.server.rules
        made._server, made.name = self.server, f"AcceptorThread@{time.time():.6f}"
        made.dul, made.dimse = WakingProvider(made), BoundedDimse(made, rules.storing)
        made.on_end = self.server.ended
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


class Server(ThreadedAssociationServer):
    """One of perhaps several processes on the same address; the kernel deals out connections."""

    request_queue_size = 128
    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        ae: ApplicationEntity,
        address: tuple[str, int],
        handlers: list[evt.EventHandlerType],
        rules: Rules,
    ) -> None:
        self.rules = rules
        self._open, self._lock = Counter[str](), threading.Lock()
        self._complained = float("-inf")
        super().__init__(ae, address, ae.ae_title, [], None, handlers, _Handler)

    def server_bind(self) -> None:
        """Several processes may listen on the address."""
        if self.socket is not None:
            self.socket.close()
        self.socket = shared_socket(*self.server_address[:2])
        self.server_address = self.socket.getsockname()

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ANN401 - the parent's
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
        if association.requestor.address_info is not None:
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
