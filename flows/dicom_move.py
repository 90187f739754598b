"""C-MOVE and C-GET: instances within the caller's reach, as they are stored, over an association.

pynetdicom's own service wants every instance whole in memory, so these two requests are served
here. Statuses (PS3.4 C.4.2.1.5): 0000; B000 some failed; A702 all failed, or the destination is
away; A801 no such destination; A900 the identifier; FE00 cancelled; A701 too many, or no database.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_GET, C_MOVE
from pynetdicom.presentation import PresentationContext

from flows.dicom_context import Caller, Handler, Node, Offer
from flows.dicom_export import opener_of
from flows.dicom_reach import Lines, Reach, Shown
from flows.dicom_requests import FAILED, NOT_UNDERSTOOD, level_of, read_request
from flows.dicom_retrieve import ALL_FAILED, MOST, Lot, Order, Progress, Responses, read_order
from flows.dicom_sending import (
    Origin,
    Where,
    associated,
    batches,
    contexts_for,
    send,
    where_is,
)
from flows.dicom_wire import hang_up, hurry
from flows.forwarding_line import Unreached
from processing.dicom.instance import Instance
from storage import dicom_peers
from storage.errors import Malformed, NotFound, StoreDamaged, SvartidError, Transient
from storage.records.imaging import Peer, PeerMay

_LOG = logging.getLogger("svartid.dicom")
_PATIENT_ROOT = ("1.2.840.10008.5.1.4.1.2.1.2", "1.2.840.10008.5.1.4.1.2.1.3")
_STUDY_ROOT = ("1.2.840.10008.5.1.4.1.2.2.2", "1.2.840.10008.5.1.4.1.2.2.3")
_NO_DESTINATION, _TOO_MANY = 0xA801, 0xA701
_ANSWER = 300.0
"""Seconds a caller has to store what it got."""
_MOST_MESSAGES = 65535


def contexts() -> list[Offer]:
    """For callers who may retrieve."""
    return [Offer(uid, needs=PeerMay.RETRIEVE) for uid in (*_STUDY_ROOT, *_PATIENT_ROOT)]


def handlers(node: Node) -> list[Handler]:
    """For pynetdicom."""
    return [(evt.EVT_ACCEPTED, Retrieval(node).attend)]


class Retrieval:
    """Serves the retrievals of a node."""

    def __init__(self, node: Node) -> None:
        self._node, self._opener = node, opener_of(node.services)
        self._lines = Lines(node.services.database)

    def attend(self, event: evt.Event) -> None:
        """EVT_ACCEPTED: of this association C-MOVE and C-GET are served here."""
        association: Any = event.assoc
        hurry(association)
        otherwise = association._serve_request

        def serve(message: Any, context_id: int) -> None:  # noqa: ANN401 - any request
            context = association._accepted_cx.get(context_id)
            ours = isinstance(message, C_MOVE | C_GET) and message.is_valid_request
            if ours and context is not None and _is_agreed(message, context):
                self._serve(association, message, context)
            else:
                otherwise(message, context_id)

        association._serve_request = serve

    def _serve(
        self, association: Association, request: C_MOVE | C_GET, context: PresentationContext
    ) -> None:
        association.dimse.cancel_req.clear()
        association._is_paused = True  # what comes meanwhile is ours, see `Association`
        responses = Responses(association, request, context)
        try:
            self._answer(association, request, context, responses)
        except Malformed as error:
            responses.refuse(NOT_UNDERSTOOD, str(error))
        except Unreached as error:
            responses.refuse(ALL_FAILED, f"destination: {error.reason.replace('_', ' ')}")
        except Transient:
            responses.refuse(_TOO_MANY, "try again later")
        except SvartidError:
            responses.refuse(FAILED, "this cannot be retrieved")
        except Exception as error:
            _LOG.warning("a retrieval ended oddly: %s", type(error).__name__)
            responses.refuse(FAILED, "this cannot be retrieved")
        finally:
            association._is_paused = False
            association.dimse.cancel_req.clear()

    def _answer(
        self, association: Association, request: C_MOVE | C_GET, context: PresentationContext,
        responses: Responses,
    ) -> None:  # fmt: skip
        caller = self._node.caller(association)
        asked = read_request(request.Identifier, str(context.transfer_syntax[0]))
        level = level_of(asked, of_patients=context.abstract_syntax in _PATIENT_ROOT)
        reach = Reach(self._node.services.database, caller.principal)
        try:
            order = read_order(asked, level, reach, self._opener)
        except NotFound:
            responses.final(Progress(0))
            return
        if isinstance(request, C_GET):
            self._get(association, self._lot(caller, order, caller.peer), responses)
            return
        try:
            destination = self._destination(request)
        except NotFound:
            responses.refuse(_NO_DESTINATION, "no node of that AE title is called from here")
            return
        lot = self._lot(caller, order, destination)
        origin = Origin(caller.peer.ae_title, int(request.MessageID or 0))
        self._move(self._where(destination), lot, responses, origin)

    def _lot(self, caller: Caller, order: Order, receiver: Peer) -> Lot:
        """What is sent, with its lines written, and what is not."""
        database, lot = self._node.services.database, Lot()
        entries = Reach(database, caller.principal).series(order.wanted)
        receiving = dicom_peers.principal_of(receiver, caller.association)
        theirs = {at.series_uid for at in Reach(database, receiving).series(order.wanted)}
        for entry in entries:
            try:
                some = list(order.instances(self._opener, entry))
            except (NotFound, StoreDamaged):  # one lost slide must not stop the others
                lot.lost += 1
                continue
            (lot.sent if entry.series_uid in theirs else lot.barred).extend(some)
        shown = [Shown.images(at) for at in entries if at.series_uid in theirs]
        self._lines.write(caller.principal, "retrieve", shown)
        if receiver.name != caller.peer.name:
            self._lines.write(receiving, "receive", shown)
        if len(lot.sent) + len(lot.barred) > MOST:
            raise Transient("too many instances")
        return lot

    def _destination(self, request: C_MOVE) -> Peer:
        """Errors: NotFound."""
        title = str(request.MoveDestination or "")
        return dicom_peers.by_ae_title(self._node.services.database, title)

    def _where(self, peer: Peer) -> Where:
        """Errors: Unreached."""
        tls = self._node.calling if peer.tls else None
        if peer.tls and tls is None:
            raise Unreached("no_certificate")
        return where_is(peer, self._node.title, tls)

    def _get(self, association: Association, lot: Lot, responses: Responses) -> None:
        """C-STORE on the association of the request itself."""
        patience, association.dimse_timeout = association.dimse_timeout, _ANSWER
        progress = lot.begun()
        try:
            for number, instance in enumerate(lot.sent):
                if responses.is_cancelled:
                    responses.cancelled(progress)
                    return
                answer = send(association, instance, number % _MOST_MESSAGES + 1)
                progress.note(instance, answer)
                if progress.remaining:
                    responses.pending(progress)
        except Unreached as error:
            _LOG.info("a C-GET ended early: %s", error.reason)
            hang_up(association)
            return
        finally:
            association.dimse_timeout = patience
        self._end(responses, progress)

    def _move(self, where: Where, lot: Lot, responses: Responses, origin: Origin) -> None:
        """C-STORE on associations with the destination."""
        progress = lot.begun()
        with responses.ticking(progress):
            for batch in batches(lot.sent):
                self._deliver(where, batch, (progress, responses), origin)
                if responses.is_cancelled or responses.is_gone:
                    break
        if progress.remaining and not responses.is_gone:
            responses.cancelled(progress)
        elif not responses.is_gone:
            self._end(responses, progress)

    def _deliver(
        self, where: Where, batch: Sequence[Instance], telling: tuple[Progress, Responses],
        origin: Origin,
    ) -> None:  # fmt: skip
        progress, responses = telling
        over = 0
        try:
            with associated(where, contexts_for(batch)) as association:
                for number, instance in enumerate(batch):
                    if responses.is_cancelled or responses.is_gone:
                        return
                    message_id = number % _MOST_MESSAGES + 1
                    progress.note(instance, send(association, instance, message_id, origin))
                    over += 1
                    if progress.remaining:
                        responses.pending(progress)
        except Unreached as error:
            progress.give_up(batch[over:], error.reason.replace("_", " "))

    def _end(self, responses: Responses, progress: Progress) -> None:
        responses.final(progress)
        done = progress.completed + progress.warnings
        _LOG.info("retrieved: %d instances, %d failed", done, progress.failed)


def _is_agreed(message: C_MOVE | C_GET, context: PresentationContext) -> bool:
    return (
        bool(context.as_scp)
        and context.abstract_syntax in (*_PATIENT_ROOT, *_STUDY_ROOT)
        and message.AffectedSOPClassUID == context.abstract_syntax
    )
