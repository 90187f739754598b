"""A message with a large data set over an association, PDU by PDU, bounded in memory and time.

pynetdicom puts all PDUs of a message into a queue without end, so that an object of gigabytes is in
memory after all; here some wait at a time, and a node that does not take them is hung up on.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pynetdicom import _config
from pynetdicom.association import Association
from pynetdicom.dimse_messages import DIMSEMessage
from pynetdicom.pdu_primitives import P_DATA

from flows.forwarding_line import Unreached
from processing.dicom.quiet import silence

_MOST_PDU = 2**17
_WAITING = 2**21
"""Bytes of PDUs that may wait to be sent."""
_STALL = 60.0
"""Seconds in which a node has to take something."""
_TURN = 0.0005

silence()
# Of what is sent nothing is logged; what for would it be put into lines.
_config.LOG_HANDLER_LEVEL = "none"
_config.LOG_REQUEST_IDENTIFIERS = _config.LOG_RESPONSE_IDENTIFIERS = False


@contextmanager
def paused(association: Association) -> Iterator[None]:
    """pynetdicom's own loop must not take the answer, as in its `send_c_store`."""
    association._reactor_checkpoint.clear()
    try:
        while not association._is_paused:
            if not association.is_established:
                raise Unreached("peer_away")
            time.sleep(_TURN)
        yield
    finally:
        association._reactor_checkpoint.set()


def put(
    association: Association, context_id: int, message: DIMSEMessage, pieces: Iterator[bytes]
) -> None:
    """A message whose command says that a data set follows, and the data set.

    Errors: Unreached, and whatever the pieces raise.
    """
    most = association.dimse.maximum_pdu_size
    for command in message.encode_msg(context_id, most):
        association.dul.send_pdu(command)
    waiting = 0
    for fragment, is_last in _fragments(pieces, _fragment_size(most)):
        if waiting + len(fragment) > _WAITING:
            drain(association)
            waiting = 0
        data = P_DATA()
        head = b"\x02" if is_last else b"\x00"
        data.presentation_data_value_list.append((context_id, head + fragment))
        association.dul.send_pdu(data)
        waiting += len(fragment)


def drain(association: Association) -> None:
    """Wait until nothing waits to be sent. Errors: Unreached."""
    queue, moved, before = association.dul.to_provider_queue, time.monotonic(), -1
    while left := queue.qsize():
        if association.acse.is_aborted() or not association.dul.is_alive():
            raise Unreached("peer_away")
        if left != before:
            before, moved = left, time.monotonic()
        elif time.monotonic() - moved > _STALL:
            raise Unreached("peer_silent")
        time.sleep(_TURN)


def hurry(association: Association) -> None:
    """Small PDUs go at once: else each waits for the receipt of the one before, 40 ms and more."""
    _set_option(association, socket.TCP_NODELAY)


def acknowledge_at_once(association: Association) -> None:
    """dcmtk sends its answer in two pieces, the second when the first is acknowledged: 40 ms."""
    time.sleep(_TURN)  # the last PDU is out, else its going out would take this back
    if hasattr(socket, "TCP_QUICKACK"):
        _set_option(association, socket.TCP_QUICKACK)


def hang_up(association: Association) -> None:
    """Without a word: for a node that takes no more of them. Wakes whoever waits for it."""
    wire = association.dul.socket
    if wire is not None and wire.socket is not None:
        with suppress(OSError):
            wire.socket.shutdown(socket.SHUT_RDWR)
    association.abort(block=association.is_requestor)


def _set_option(association: Association, option: int) -> None:
    wire = association.dul.socket
    if wire is not None and wire.socket is not None:
        with suppress(OSError):
            wire.socket.setsockopt(socket.IPPROTO_TCP, option, 1)


def _fragment_size(most: int) -> int:
    """Even, within what the node takes; it may say that there is no limit."""
    size = min(most, _MOST_PDU) if most else _MOST_PDU
    return max((size - 6) & ~1, 2)


def _fragments(pieces: Iterator[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Bytes in fragments of a size, and whether it is the last one, which may be shorter."""
    rest = b""
    for piece in pieces:
        data = memoryview(rest + piece if rest else piece)
        at = 0
        while len(data) - at > size:
            yield bytes(data[at : at + size]), False
            at += size
        rest = bytes(data[at:])
    yield rest, True
