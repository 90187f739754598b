"""Unified Procedure Steps over DIMSE: push, pull, watch and query (PS3.4 Annex CC).

The service is that of UPS-RS (`processing.dicom.ups_service`), so both answer alike; here it is
spoken. Callers need the right to ask for work; what they see and do is decided as for scanners.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import cast

from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.dimse_primitives import C_FIND, N_ACTION, N_CREATE, N_GET, N_SET

from flows.dicom_context import Caller, Handler, Node, Offer
from flows.dicom_export import opener_of
from flows.dicom_requests import SUCCESS, Response, answered, pending, read_request, told
from flows.dicom_wire import hurry
from processing.dicom import ups_rules as rules
from processing.dicom.identifier import asked_for, put_charset
from processing.dicom.ups_service import Answer, UpsService
from processing.dicom.ups_watch import UpsWatch
from storage import dicom_peers
from storage.errors import Malformed, NotFound, SvartidError, Transient
from storage.records.imaging import PeerMay
from storage.records.ups import Subscriber, Way
from storage.ups import Ups

PUSH, WATCH, PULL, QUERY = (f"1.2.840.10008.5.1.4.34.6.{number}" for number in (1, 2, 3, 5))
_TURN, _CANCEL, _SUBSCRIBE, _UNSUBSCRIBE, _SUSPEND = 1, 2, 3, 4, 5
_NOT_KEYS = ("ReceivingAE", "DeletionLock")


def contexts() -> list[Offer]:
    """For callers who may ask for work."""
    return [Offer(uid, needs=PeerMay.WORKLIST) for uid in (PUSH, WATCH, PULL, QUERY)]


def handlers(node: Node) -> list[Handler]:
    """For pynetdicom."""
    steps = Steps.of(node)
    return [
        (evt.EVT_C_FIND, steps.find),
        (evt.EVT_N_CREATE, steps.create),
        (evt.EVT_N_GET, steps.get),
        (evt.EVT_N_SET, steps.change),
        (evt.EVT_N_ACTION, steps.act),
    ]


@dataclass(frozen=True, slots=True)
class Steps:
    """Answers the callers of a node."""

    node: Node
    service: UpsService
    watch: UpsWatch

    @classmethod
    def of(cls, node: Node) -> Steps:
        """Over the node's database and store."""
        record = Ups(node.services.database)
        service = UpsService(record, opener_of(node.services))
        return cls(node, service, UpsWatch(record, service))

    def find(self, event: evt.Event) -> Iterator[Response]:
        """EVT_C_FIND: steps that match, with what was asked for of each."""
        hurry(event.assoc)
        yield from answered(pending(event, self._found(event)), "the worklist cannot be told")

    def _found(self, event: evt.Event) -> Iterator[Dataset]:
        caller = self._caller(event)
        keys = _read(event, cast(C_FIND, event.request).Identifier)
        for found in self.service.search(caller.principal, keys):
            answer = asked_for(found, keys)
            answer.SOPClassUID, answer.SOPInstanceUID = found.SOPClassUID, found.SOPInstanceUID
            put_charset(answer)
            yield answer

    def create(self, event: evt.Event) -> Response:
        """EVT_N_CREATE."""
        request = cast(N_CREATE, event.request)

        def work(caller: Caller) -> Answer:
            uid = str(request.AffectedSOPInstanceUID or "")
            dataset = _read(event, request.AttributeList)
            return self.service.create(caller.principal, uid, dataset)

        response = self._answered(event, work)
        if isinstance(response[1], Dataset):
            made = Dataset()
            if request.AffectedSOPInstanceUID is None:
                made.AffectedSOPInstanceUID = response[1].SOPInstanceUID
            return response[0], made
        return response

    def get(self, event: evt.Event) -> Response:
        """EVT_N_GET: the attributes that are named, or all."""
        request = cast(N_GET, event.request)

        def work(caller: Caller) -> Answer:
            uid = str(request.RequestedSOPInstanceUID or "")
            answer = self.service.get(caller.principal, uid)
            wanted = request.AttributeIdentifierList
            if answer.dataset is None or not wanted:
                return answer
            tags = wanted if isinstance(wanted, list) else [wanted]
            named = Dataset()
            named.update({tag: answer.dataset[tag] for tag in tags if tag in answer.dataset})
            return answer._replace(dataset=named)

        status, dataset = self._answered(event, work)
        if dataset is not None:
            put_charset(dataset)
        return status, dataset

    def change(self, event: evt.Event) -> Response:
        """EVT_N_SET."""
        request = cast(N_SET, event.request)

        def work(caller: Caller) -> Answer:
            uid = str(request.RequestedSOPInstanceUID or "")
            dataset = _read(event, request.ModificationList)
            return self.service.change(caller.principal, uid, dataset)

        return self._answered(event, work)

    def act(self, event: evt.Event) -> Response:
        """EVT_N_ACTION."""
        request = cast(N_ACTION, event.request)

        def work(caller: Caller) -> Answer:
            uid = str(request.RequestedSOPInstanceUID or "")
            told = request.ActionInformation
            information = _read(event, told) if told is not None else Dataset()
            kind, who = event.action_type or 0, caller.principal
            if kind == _TURN:
                return self.service.turn(who, uid, information)
            if kind == _CANCEL:
                return self.service.cancel(who, uid, information, caller.peer.ae_title)
            return self._subscription(kind, uid, information)

        return self._answered(event, work)

    def _subscription(self, kind: int, uid: str, information: Dataset) -> Answer:
        """For the receiver that is named, who is told what that node may see."""
        aet = str(information.get("ReceivingAE") or "").strip()
        try:
            peer = dicom_peers.by_ae_title(self.node.services.database, aet)
        except NotFound:
            return Answer(rules.UNKNOWN_AET, uid=uid)
        if not peer.host or not peer.port:
            return Answer(rules.UNKNOWN_AET, uid=uid, why="nobody knows where it listens")
        owner = dicom_peers.principal_of(peer, "ups")
        if kind == _UNSUBSCRIBE:
            return self.watch.unsubscribe(owner, aet, uid)
        if kind == _SUSPEND:
            return self.watch.suspend(owner, aet, uid)
        if kind != _SUBSCRIBE:
            return Answer(rules.NO_SUCH_ACTION, uid=uid)
        lock = str(information.get("DeletionLock") or "").upper() == "TRUE"
        subscriber = Subscriber(aet, peer.name, Way.DIMSE, lock=lock)
        keys = Dataset()
        keys.update({at.tag: at for at in information if at.keyword not in _NOT_KEYS})
        return self.watch.subscribe(owner, subscriber, uid, keys)

    def _caller(self, event: evt.Event) -> Caller:
        return self.node.caller(event.assoc)

    def _answered(self, event: evt.Event, work: Callable[[Caller], Answer]) -> Response:
        hurry(event.assoc)
        try:
            caller = self._caller(event)
            if not caller.may(PeerMay.WORKLIST):
                return rules.NOT_ALLOWED, None
            answer = work(caller)
        except Malformed as error:
            return told(rules.BAD_VALUE, str(error)), None
        except Transient:
            return told(rules.NO_RESOURCES, "try again later"), None
        except SvartidError:
            return rules.FAILED, None
        if answer.status == SUCCESS:
            return SUCCESS, answer.dataset
        words = answer.why or rules.WORDS.get(answer.status, "")
        return told(answer.status, words), answer.dataset if answer.is_done else None


def _read(event: evt.Event, data: BytesIO | None) -> Dataset:
    return read_request(data, event.context.transfer_syntax)
