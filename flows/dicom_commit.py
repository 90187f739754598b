"""Storage Commitment, push model: which objects are kept for good, answered whatever happens.

What is asked is entered in the queue before it is acknowledged. The answer goes over the same
association if that is still there a moment later, else over a new one to where the node listens,
tried until it has arrived. An object is kept when its file is there with the bytes that came.
Source: PS3.4 J.3.
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pynetdicom import build_role, evt
from pynetdicom.ae import ApplicationEntity
from pynetdicom.association import Association
from pynetdicom.presentation import build_context

from flows.dicom_context import Handler, Node, Offer
from processing.dicom.envelope import IMPLEMENTATION
from storage import commitments, dicom_objects, dicom_peers, forwarding, outbound
from storage.commitments import Commitment
from storage.dicom_files import is_intact
from storage.errors import NotFound, SvartidError
from storage.records.imaging import Peer, PeerMay

_LOG = logging.getLogger("svartid.dicom")
PUSH = "1.2.840.10008.1.20.1"
_WELL_KNOWN = "1.2.840.10008.1.20.1.1"
_REQUEST = 1
_ALL_KEPT, _SOME_NOT = 1, 2
_SUCCESS, _NO_SUCH_ARGUMENT, _NO_SUCH_ACTION, _NOT_ALLOWED = 0x0000, 0x0114, 0x0123, 0x0124
_TRY_LATER = 0x0213
_UNKNOWN, _OTHER_CLASS, _DAMAGED = 0x0112, 0x0119, 0x0110
_MOST = 100_000
_SAME_ASSOCIATION = timedelta(seconds=30)
_HELD = timedelta(minutes=10)
_MOMENT = 0.2
"""Seconds in which the answer to the question itself is certainly on its way."""
_AT_ONCE = 4
"""Questions judged at a time over their own associations; each reads all of what it asks for."""
_PULSE = 1.0
_CONNECT = 10.0


class Committing:
    """Takes questions in and answers them."""

    def __init__(self, node: Node) -> None:
        self._node, self._answering = node, set[Association]()

    def asked(self, event: evt.Event) -> tuple[int, Dataset | None]:
        """EVT_N_ACTION."""
        caller = self._node.caller(event.assoc)
        if not caller.may(PeerMay.STORE):
            return _NOT_ALLOWED, None
        if event.action_type != _REQUEST:
            return _NO_SUCH_ACTION, None
        transaction_uid, objects = _question(event.action_information)
        if not transaction_uid or not objects or len(objects) > _MOST:
            return _NO_SUCH_ARGUMENT, None
        database = self._node.services.database
        try:
            entered = commitments.enter(
                database, caller.peer.name, transaction_uid, objects, _SAME_ASSOCIATION
            )
        except SvartidError:
            return _TRY_LATER, None
        if self._begin(event.assoc):
            arguments = (event.assoc, entered)
            threading.Thread(target=self._answer_and_leave, args=arguments, daemon=True).start()
        else:  # one after the other, over associations of our own
            with suppress(SvartidError):  # it is due by itself soon
                commitments.hurry(database, entered)
        return _SUCCESS, None

    def told(self, event: evt.Event) -> tuple[int, Dataset | None]:
        """EVT_N_EVENT_REPORT: a node's word on what we have asked it to keep."""
        about = event.event_information
        failed = [at.get("ReferencedSOPInstanceUID") for at in about.get("FailedSOPSequence") or []]
        try:
            forwarding.mark_kept(
                self._node.services.database,
                self._node.caller(event.assoc).peer.name,
                str(about.get("TransactionUID") or ""),
                str(failed[0] or "unknown") if failed else "",
            )
        except SvartidError:
            return _TRY_LATER, None
        return _SUCCESS, None

    def _begin(self, association: Association) -> bool:
        """One answer at a time over an association: two would be sent into each other."""
        if association in self._answering or len(self._answering) >= _AT_ONCE:
            return False
        self._answering.add(association)
        return True

    def _answer_and_leave(self, association: Association, asked: Commitment) -> None:
        try:
            self._answer_there(association, asked)
        finally:
            self._answering.discard(association)

    def _answer_there(self, association: Association, asked: Commitment) -> None:
        """Over the association the question came by; where that fails the queue has it."""
        database = self._node.services.database
        began = time.monotonic()
        try:
            answer = judge(self._node, asked)
            time.sleep(max(0.0, _MOMENT - (time.monotonic() - began)))
            if association.is_established and _report(association, answer):
                commitments.answered(database, asked)
                _note(asked, answer)
                return
        except (RuntimeError, ValueError):
            pass  # the association ended meanwhile
        except SvartidError as error:
            _LOG.warning("a commitment waits: %s", error.code)
        try:
            commitments.hurry(database, asked)
        except SvartidError:  # it is due by itself soon
            return


def answer_forever(node: Node, tls: ssl.SSLContext | None) -> None:
    """Answer what is due, over associations of our own."""
    database = node.services.database
    while True:
        time.sleep(_PULSE)
        try:
            for asked in commitments.due(database):
                if commitments.claim(database, asked, _HELD):
                    _answer(node, asked, tls)
        except SvartidError as error:
            _LOG.warning("commitments wait: %s", error.code)


def judge(node: Node, asked: Commitment) -> Dataset:
    """What there is to say: of each object, whether it is kept, or why not. Errors: Transient."""
    kept, failed = list[Dataset](), list[Dataset]()
    # Looked at once, however often it is asked for: all of a file is read.
    reasons = {pair: _why_not(node, *pair) for pair in dict.fromkeys(asked.objects)}
    for (sop_class, sop_uid), why in reasons.items():
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, sop_uid
        if why:
            item.FailureReason = why
        (failed if why else kept).append(item)
    answer = Dataset()
    answer.TransactionUID = asked.transaction_uid
    if kept:
        answer.ReferencedSOPSequence = Items(kept)
    if failed:
        answer.FailedSOPSequence = Items(failed)
    return answer


def contexts() -> list[Offer]:
    """What callers may propose: to ask, and to answer what we have asked."""
    return [Offer(PUSH, scu_role=True, scp_role=True)]


def handlers(node: Node) -> list[Handler]:
    """For pynetdicom."""
    committing = Committing(node)
    return [
        (evt.EVT_N_ACTION, committing.asked),
        (evt.EVT_N_EVENT_REPORT, committing.told),
    ]


def _why_not(node: Node, sop_class: str, sop_uid: str) -> int:
    """0 where it is kept; what is made here from a pyramid is, as long as the pyramid is there."""
    try:
        found = dicom_objects.get(node.services.database, sop_uid)
    except NotFound:
        made = node.ours.instance(sop_uid)
        if made is None:
            return _UNKNOWN
        return 0 if made.sop_class == sop_class else _OTHER_CLASS
    if found.sop_class != sop_class:
        return _OTHER_CLASS
    return 0 if is_intact(node.services.layout, found.sha256) else _DAMAGED


def _question(about: Dataset) -> tuple[str, Sequence[tuple[str, str]]]:
    """Transaction UID and objects; empty where they are not said as they have to be."""
    try:
        items = about.get("ReferencedSOPSequence") or []
        objects = [
            (str(at.ReferencedSOPClassUID), str(at.ReferencedSOPInstanceUID)) for at in items
        ]
        transaction_uid = str(about.get("TransactionUID") or "")
    except Exception:
        # Whatever the parser raises: the question cannot be read.
        return "", []
    fits = all(len(uid) <= 64 for pair in objects for uid in pair) and len(transaction_uid) <= 64
    return (transaction_uid, objects) if fits else ("", [])


def _answer(node: Node, asked: Commitment, tls: ssl.SSLContext | None) -> None:
    """Over an association to where the node listens; put off where that fails."""
    database = node.services.database
    try:
        peer = dicom_peers.get(database, asked.peer)
    except NotFound:
        outbound.put_off(database, asked.message, "node_unknown")
        return
    answer = judge(node, asked)
    reason = _call(peer, (node.title, tls), answer)
    if reason:
        outbound.put_off(database, asked.message, reason)
        return
    commitments.answered(database, asked)
    _note(asked, answer)


def _call(peer: Peer, own: tuple[str, ssl.SSLContext | None], answer: Dataset) -> str:
    """Call a node and tell it; why that failed, in a word."""
    host, (title, tls) = peer.host.split(",")[0].strip(), own
    if not host or "/" in host or not peer.port:
        return "no_address"
    entity = ApplicationEntity(title)
    entity.implementation_class_uid = IMPLEMENTATION
    entity.connection_timeout = entity.acse_timeout = _CONNECT
    role = build_role(PUSH, scu_role=False, scp_role=True)
    secured = (tls, host) if peer.tls and tls is not None else None
    try:
        association = entity.associate(
            host, peer.port, [build_context(PUSH)], peer.ae_title, ext_neg=[role],
            tls_args=secured,
        )  # fmt: skip
    except OSError:
        return "peer_away"
    if not association.is_established:
        return "peer_refuses" if association.is_rejected else "peer_away"
    try:
        told = _report(association, answer)
    except (RuntimeError, ValueError):
        told = False
    association.release()
    return "" if told else "peer_refuses"


def _report(association: Association, answer: Dataset) -> bool:
    """N-EVENT-REPORT; whether the node has taken it."""
    kind = _SOME_NOT if "FailedSOPSequence" in answer else _ALL_KEPT
    status, _ = association.send_n_event_report(answer, kind, PUSH, _WELL_KNOWN)
    return bool(status.get("Status") == _SUCCESS)


def _note(asked: Commitment, answer: Dataset) -> None:
    failed = len(answer.get("FailedSOPSequence", []))
    kept = len(asked.objects) - failed
    _LOG.info("commitment to %s: %d kept, %d not", asked.peer, kept, failed)
