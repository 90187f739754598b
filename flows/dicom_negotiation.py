"""An association is let in or rejected, and what it may do is settled.

What is offered depends on who calls: a node that may only store is offered no query. Of storage
classes every one that is proposed is taken, known, retired, private or not yet invented, in any
transfer syntax of the standard that has its pixels in the object.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from pydicom.uid import UID
from pynetdicom import evt
from pynetdicom.pdu_primitives import A_ASSOCIATE, SOPClassCommonExtendedNegotiation
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.service_class import ServiceClass, StorageServiceClass
from pynetdicom.sop_class import uid_to_service_class

from flows.dicom_callers import Callers
from flows.dicom_context import Node, Offer
from processing.dicom.guard import is_supported
from storage.errors import SvartidError
from storage.records.imaging import Peer, PeerMay

_LOG = logging.getLogger("svartid.dicom")
_STORAGE_SERVICE = "1.2.840.10008.4.2"
_PER_PEER = 24
"""Associations of one node at a time."""
_PERMANENT, _TRANSIENT = 1, 2
_USER, _PRESENTATION = 1, 3
_CALLING, _CALLED, _NO_REASON = 3, 7, 1
_LIMIT = 2
Rejection = tuple[int, int, int]
_UNKNOWN_CALLER: Rejection = (_PERMANENT, _USER, _CALLING)
_UNKNOWN_CALLED: Rejection = (_PERMANENT, _USER, _CALLED)
_TOO_MANY: Rejection = (_TRANSIENT, _PRESENTATION, _LIMIT)
_NOT_NOW: Rejection = (_TRANSIENT, _USER, _NO_REASON)


class Negotiation:
    """Answers association requests."""

    def __init__(self, node: Node, callers: Callers, offers: Iterable[Offer]) -> None:
        self._node, self._callers, self._offers = node, callers, list(offers)

    def handlers(self) -> list[evt.EventHandlerType]:
        """For pynetdicom."""
        return [(evt.EVT_REQUESTED, self._requested), (evt.EVT_SOP_COMMON, self._common)]

    def _requested(self, event: evt.Event) -> None:
        association = event.assoc
        request = association.requestor.primitive
        remote = association.requestor.address_info
        assert request is not None and remote is not None  # noqa: S101,PT018 - that is the event
        address = remote.address
        peer, rejection = self._judge(request, address)
        if peer is None:
            _LOG.info("an association from %s is rejected: %s", address, _WORDS[rejection])
            association.acse.send_reject(*rejection)
            association.kill()
            return
        self._node.admit(association, peer)
        association.acceptor.supported_contexts = self._contexts(request, peer)

    def _judge(self, request: A_ASSOCIATE, address: str) -> tuple[Peer | None, Rejection]:
        if str(request.called_ae_title).strip() != self._node.title:
            return None, _UNKNOWN_CALLED
        try:
            peer = self._callers.find(str(request.calling_ae_title), address)
        except SvartidError:
            return None, _NOT_NOW
        if peer is not None and self._node.associations_of(peer) >= _PER_PEER:
            return None, _TOO_MANY
        return peer, _UNKNOWN_CALLER

    def _contexts(self, request: A_ASSOCIATE, peer: Peer) -> list[PresentationContext]:
        offered = dict[str, PresentationContext]()
        for offer in self._offers:
            if offer.needs is None or offer.needs in peer.may:
                offered[offer.abstract_syntax] = _context(
                    offer.abstract_syntax, offer.transfer_syntaxes, offer.scu_role, offer.scp_role
                )
        store, fetch = PeerMay.STORE in peer.may, PeerMay.RETRIEVE in peer.may
        if not store and not fetch:
            return list(offered.values())
        for uid, syntaxes in _proposed(request).items():
            if uid not in offered and syntaxes and is_storage(uid):
                offered[uid] = _context(uid, syntaxes, store, fetch)
        return list(offered.values())

    def _common(self, event: evt.Event) -> dict[UID, SOPClassCommonExtendedNegotiation]:
        """Classes pynetdicom does not know are served as storage."""
        found = {}
        for context in event.assoc.acceptor.supported_contexts:
            uid = UID(str(context.abstract_syntax))
            if uid_to_service_class(uid) is ServiceClass:
                item = SOPClassCommonExtendedNegotiation()
                item.sop_class_uid = uid
                item.service_class_uid = UID(_STORAGE_SERVICE)
                found[uid] = item
        return found


_WORDS = {
    _UNKNOWN_CALLER: "no node of that AE title may call from there",
    _UNKNOWN_CALLED: "it asked for another AE title",
    _TOO_MANY: "that node has too many associations",
    _NOT_NOW: "the database is away",
}


def is_storage(uid: str) -> bool:
    """True for storage classes: those in use, retired, private, and those of tomorrow."""
    service = uid_to_service_class(uid)
    if service is not ServiceClass:
        return service is StorageServiceClass
    known = UID(uid)
    if known.is_private or known.name == uid:
        return True
    return known.type == "SOP Class" and "Storage" in known.name and "Media" not in known.name


def _proposed(request: A_ASSOCIATE) -> dict[str, list[str]]:
    """Abstract syntaxes proposed, with those of their transfer syntaxes we take, in their order."""
    found = dict[str, list[str]]()
    for context in request.presentation_context_definition_list:
        syntaxes = found.setdefault(str(context.abstract_syntax), [])
        syntaxes += [str(at) for at in context.transfer_syntax if is_supported(str(at))]
    return {uid: list(dict.fromkeys(syntaxes)) for uid, syntaxes in found.items()}


def _context(
    uid: str, syntaxes: Iterable[str], scu_role: bool | None, scp_role: bool | None
) -> PresentationContext:
    made = build_context(uid, list(syntaxes))
    made.scu_role, made.scp_role = scu_role, scp_role
    return made
