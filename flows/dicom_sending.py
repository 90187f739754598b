"""Objects to another node over an association: streamed, nothing held whole, nothing coded again.

with associated(where, contexts_for(instances)) as association:
    for instance in instances:
        answer = send(association, instance)
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import NamedTuple

from pydicom.uid import UID
from pynetdicom.ae import ApplicationEntity
from pynetdicom.association import Association
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.presentation import PresentationContext, build_context

from flows.dicom_wire import acknowledge_at_once, drain, hang_up, hurry, paused, put
from flows.forwarding_line import SPEAKS_FOR_US, Unreached
from processing.dicom.dataset_bytes import REWRITABLE, begun, rewritten_bytes, stored_bytes
from processing.dicom.envelope import IMPLEMENTATION
from processing.dicom.instance import Instance
from storage.errors import SvartidError
from storage.records.imaging import Peer

MOST_CONTEXTS = 128
_CONNECT, _ANSWER = 10.0, 600.0
"""Seconds; storing what was sent may take its time."""
_PERMANENT = 1
_NO_STATUS = 0x0110


@dataclass(frozen=True, slots=True)
class Where:
    """A node that is called, and by what name we call."""

    ae_title: str
    host: str
    port: int
    own_title: str = SPEAKS_FOR_US
    tls: ssl.SSLContext | None = None


class Origin(NamedTuple):
    """Who asked for it by C-MOVE, and in which message."""

    ae_title: str
    message_id: int


class Answer(NamedTuple):
    """What became of an object: the node's status, or None and why it was not sent."""

    status: int | None
    why_not: str = ""

    @property
    def is_stored(self) -> bool:
        """Also with a warning, as when the node left something out (PS3.4 B.2.3)."""
        return self.status == 0 or self.is_warning

    @property
    def is_warning(self) -> bool:
        """Stored, but."""
        return self.status is not None and (self.status & 0xF000 == 0xB000 or self.status == 1)

    @property
    def why(self) -> str:
        """Why it is not there: a word, or the status in hexadecimal digits; empty when it is."""
        if self.is_stored:
            return ""
        return self.why_not or f"{self.status:04X}"


def where_is(peer: Peer, own_title: str, tls: ssl.SSLContext | None = None) -> Where:
    """Where a node listens: the first of its hosts. Errors: Unreached (`no_address`)."""
    host = peer.host.split(",")[0].strip()
    if not host or "/" in host or not peer.port:
        raise Unreached("no_address")
    return Where(peer.ae_title, host, peer.port, own_title, tls)


def contexts_for(instances: Iterable[Instance]) -> list[PresentationContext]:
    """One context for each class in each syntax; may be more than MOST_CONTEXTS, see `batches`."""
    return [build_context(*pair) for pair in _pairs(instances)]


def batches(instances: Iterable[Instance]) -> Iterator[list[Instance]]:
    """As they are, in runs that fit one association each."""
    batch, pairs = list[Instance](), set[tuple[str, str]]()
    for instance in instances:
        more = pairs | set(_pairs([instance]))
        if len(more) > MOST_CONTEXTS:
            yield batch
            batch, more = [], set(_pairs([instance]))
        batch.append(instance)
        pairs = more
    if batch:
        yield batch


@contextmanager
def associated(where: Where, contexts: Sequence[PresentationContext]) -> Iterator[Association]:
    """An association with a node, released at the end.

    Errors: Unreached (`peer_away`, `peer_busy`, `peer_refuses`; `no_context`: it takes nothing of
    what is proposed).
    """
    association = _associate(where, contexts)
    try:
        yield association
        association.release()
    finally:
        if association.is_established:
            hang_up(association)


def send(
    association: Association, instance: Instance, message_id: int = 1, origin: Origin | None = None
) -> Answer:
    """C-STORE one object. Errors: Unreached, and then the association is over."""
    context = _context_of(association, instance)
    if context is None or context.context_id is None:
        return Answer(None, "no_context")
    syntax = context.transfer_syntax[0]
    try:
        if syntax == instance.transfer_syntax:
            pieces = begun(stored_bytes(instance))
        else:
            pieces = begun(rewritten_bytes(instance, str(syntax)))
    except (SvartidError, OSError):
        return Answer(None, "store_damaged")
    message = _message(instance, message_id, origin)
    with paused(association):
        try:
            put(association, context.context_id, message, pieces)
            drain(association)
        except (SvartidError, OSError) as error:
            hang_up(association)  # half an object must not be taken for a whole one
            raise error if isinstance(error, Unreached) else Unreached("store_damaged") from error
        return Answer(_status(association, message_id))


def _associate(where: Where, contexts: Sequence[PresentationContext]) -> Association:
    entity = ApplicationEntity(where.own_title)
    entity.implementation_class_uid = UID(IMPLEMENTATION)
    entity.implementation_version_name = SPEAKS_FOR_US
    entity.connection_timeout = entity.acse_timeout = _CONNECT
    entity.dimse_timeout, entity.network_timeout = _ANSWER, None
    tls = (where.tls, where.host) if where.tls else None
    try:
        association = entity.associate(
            where.host, where.port, list(contexts), where.ae_title, tls_args=tls
        )
    except OSError:
        raise Unreached("peer_away", "no such host") from None
    if association.is_established:
        hurry(association)
        return association
    if association.is_rejected:
        answer = association.acceptor.primitive
        permanent = answer is not None and answer.result == _PERMANENT
        raise Unreached("peer_refuses" if permanent else "peer_busy")
    raise Unreached("no_context" if association.rejected_contexts else "peer_away")


def _pairs(instances: Iterable[Instance]) -> list[tuple[str, str]]:
    """What has to be agreed on to send them; uncompressed ones may go in two ways."""
    found = dict[tuple[str, str], None]()
    for instance in instances:
        own = instance.transfer_syntax
        for syntax in (own, *(REWRITABLE if own in REWRITABLE else ())):
            found[instance.sop_class, syntax] = None
    return list(found)


def _context_of(association: Association, instance: Instance) -> PresentationContext | None:
    """In the instance's own syntax, else in one it can be rewritten to."""
    usable = {
        str(at.transfer_syntax[0]): at
        for at in association.accepted_contexts
        if at.abstract_syntax == instance.sop_class and at.as_scu
    }
    own = instance.transfer_syntax
    ways = (own, *REWRITABLE) if own in REWRITABLE else (own,)
    return next((usable[way] for way in ways if way in usable), None)


def _message(instance: Instance, message_id: int, origin: Origin | None) -> C_STORE_RQ:
    request = C_STORE()
    request.MessageID, request.Priority = message_id, 2
    request.AffectedSOPClassUID = UID(instance.sop_class)
    request.AffectedSOPInstanceUID = UID(instance.sop_uid)
    if origin is not None:
        request.MoveOriginatorApplicationEntityTitle = origin.ae_title
        request.MoveOriginatorMessageID = origin.message_id
    request.DataSet = BytesIO(b"there")  # for the command to say that a data set follows
    message = C_STORE_RQ()
    message.primitive_to_message(request)
    message.data_set = None
    return message


def _status(association: Association, message_id: int) -> int:
    """The node's answer. Errors: Unreached when none comes, or one to something else."""
    acknowledge_at_once(association)
    _, answer = association.dimse.get_msg(block=True)
    if answer is None:
        hang_up(association)
        raise Unreached("peer_silent")
    if not isinstance(answer, C_STORE) or answer.MessageIDBeingRespondedTo != message_id:
        hang_up(association)
        raise Unreached("peer_unclear")
    return _NO_STATUS if answer.Status is None else int(answer.Status)
