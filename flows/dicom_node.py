"""The DICOM node: a process that other nodes call.

`python -m flows.dicom_node HOST PORT`, started by `svartid up --dicom-port PORT`. What it does
is in the parts of the table; each offers abstract syntaxes and handles their requests.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import signal
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pynetdicom._config
from pynetdicom import evt
from pynetdicom.ae import ApplicationEntity

from flows import (
    dicom_commit,
    dicom_move,
    dicom_mpps,
    dicom_query,
    dicom_store,
    dicom_ups,
    dicom_worklist,
)
from flows.dicom_bounds import MAX_PDU
from flows.dicom_callers import Callers
from flows.dicom_commit import answer_forever
from flows.dicom_context import AE_TITLE, Handler, Node, Offer
from flows.dicom_negotiation import Negotiation
from flows.dicom_store import Storing
from flows.dicom_tls import Credentials, client_context, server_context
from flows.dicom_transport import Rules, Server
from flows.dicom_ups import Steps
from flows.dicom_ups_events import Teller
from flows.parent import die_with_parent
from flows.services import open_services
from processing.dicom.envelope import IMPLEMENTATION
from processing.dicom.quiet import silence
from storage.dicom_files import remove_parts
from storage.errors import SettingsError, SvartidError
from storage.logs import log_to_stderr
from storage.settings import read_settings

Route = dict[str, Callable[..., Any]]
"""Handlers of one event, by the abstract syntax of the request."""
_LOG = logging.getLogger("svartid.dicom")
_VERIFICATION = "1.2.840.10008.1.1"
_PULSE = 1.0
_NETWORK_IDLE = 120.0
_ANSWER = 120.0
_NEGOTIATION = 15.0
"""ARTIM: seconds a connection has to become an association, or to be closed."""

PARTS: tuple[tuple[Callable[[], list[Offer]], Callable[[Node], list[Handler]]], ...] = (
    (dicom_commit.contexts, dicom_commit.handlers),
    (dicom_query.contexts, dicom_query.handlers),
    (dicom_move.contexts, dicom_move.handlers),
    (dicom_worklist.contexts, dicom_worklist.handlers),
    (dicom_mpps.contexts, dicom_mpps.handlers),
    (dicom_ups.contexts, dicom_ups.handlers),
)
"""Each part's `contexts` and `handlers`."""


def main() -> int:
    """Serve until SIGTERM."""
    args = _arguments()
    die_with_parent()
    log_to_stderr()
    silence()
    threading.excepthook = _note_death
    services = open_services(read_settings())
    credentials = _credentials(args)
    node = Node(
        services, calling=_calling(args.ca or services.settings.peer_authority, credentials)
    )
    storing = Storing(node)
    remove_parts(services.layout)
    try:
        server = make_server(node, (args.host, args.port), credentials, storing)
    except (OSError, SettingsError) as error:
        _LOG.error("the DICOM node cannot start: %s", error)
        return 1
    threading.Thread(target=_keep_awake, args=(storing,), daemon=True).start()
    if args.answers:
        threading.Thread(target=answer_forever, args=(node, node.calling), daemon=True).start()
        teller = Teller(Steps.of(node), node.title, node.calling)
        threading.Thread(target=teller.run, daemon=True).start()
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    gc.freeze()
    _LOG.info("ready")
    server.serve_forever(poll_interval=1.0)
    return 0


def make_server(
    node: Node,
    address: tuple[str, int],
    credentials: Credentials | None = None,
    storing: Storing | None = None,
) -> Server:
    """The listening server of a node. Errors: OSError (port taken), SettingsError."""
    # Of what is sent nothing is logged, and what is odd about it is the guard's to judge.
    pynetdicom._config.LOG_HANDLER_LEVEL = "none"
    callers, storing = Callers(node.services.database), storing or Storing(node)
    offers = [Offer(_VERIFICATION)]
    handlers: list[evt.EventHandlerType] = [(evt.EVT_C_ECHO, _echo)]
    handlers += dicom_store.handlers(storing)
    by_event: dict[evt.EventType, Route] = {}
    for part_contexts, part_handlers in PARTS:
        offered = part_contexts()
        offers += offered
        for event, handler in part_handlers(node):
            if isinstance(event, evt.NotificationEvent):
                handlers.append((event, handler))
                continue
            served = dict.fromkeys((at.abstract_syntax for at in offered), handler)
            by_event.setdefault(event, {}).update(served)
    handlers += [(event, _routed(route)) for event, route in by_event.items()]
    handlers += Negotiation(node, callers, offers).handlers()
    tls = server_context(credentials) if credentials else None

    entity = _entity(node.title)
    server = Server(entity, address, handlers, Rules(callers, storing.begin, storing.ended, tls))
    entity._servers.append(server)  # which `shutdown` looks for
    return server


def _entity(title: str) -> ApplicationEntity:
    entity = ApplicationEntity(title)
    entity.implementation_class_uid = IMPLEMENTATION
    entity.implementation_version_name = AE_TITLE
    entity.maximum_pdu_size = MAX_PDU
    entity.maximum_associations = 1000  # bounded by the server and by node
    entity.acse_timeout = _NEGOTIATION
    entity.dimse_timeout = _ANSWER
    entity.network_timeout = _NETWORK_IDLE
    return entity


def _calling(authority: Path | None, credentials: Credentials | None) -> ssl.SSLContext | None:
    try:
        return client_context(authority, credentials)
    except SettingsError as error:
        _LOG.warning("nodes that speak TLS cannot be called: %s", error)
        return None


def _keep_awake(storing: Storing) -> None:
    while True:
        time.sleep(_PULSE)
        try:
            storing.keep_awake()
        except SvartidError as error:
            _LOG.warning("slides may be taken too early: %s", error.code)


def _routed(route: Route) -> Callable[..., Any]:
    """pynetdicom gives an event to one handler: to that of the part whose class it came by."""

    def handle(event: evt.Event) -> Any:  # noqa: ANN401 - whatever the part answers
        return route[event.context.abstract_syntax](event)

    return handle


def _echo(_event: evt.Event) -> int:
    return 0x0000


def _note_death(args: threading.ExceptHookArgs) -> None:
    """A thread that dies does so in one line: traces quote what was sent."""
    _LOG.warning("an association ended oddly: %s", args.exc_type.__name__)


def _end(_number: int, _frame: FrameType | None) -> None:
    """At once: what is acknowledged is on disk, and what is not will be sent again."""
    os._exit(0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--answers", action="store_true", help="calls others who wait for us")
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--key", type=Path)
    parser.add_argument("--ca", type=Path)
    return parser.parse_args()


def _credentials(args: argparse.Namespace) -> Credentials | None:
    if args.certificate is None:
        return None
    return Credentials(args.certificate, args.key, args.ca)


if __name__ == "__main__":
    raise SystemExit(main())
