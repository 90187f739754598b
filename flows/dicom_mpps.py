"""Modality Performed Procedure Steps: what scanners tell of the scans they were asked for.

IN PROGRESS takes the scan and begins it, again IN PROGRESS says that it goes on; COMPLETED ends it,
DISCONTINUED gives it up. Statuses (PS3.4 F.7): 0000; 0106 another state; 0107 not readable; 0110
another scanner has it, or the step has ended; 0111 told before; 0112 never told; 0124 not allowed;
0213 the database is away.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from typing import cast

from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.dimse_primitives import N_CREATE, N_SET

from flows.dicom_context import Caller, Handler, Node, Offer
from flows.dicom_requests import SUCCESS, read_request, told
from processing.dicom.json_model import to_model
from storage import scan_steps, scanning
from storage.database import now
from storage.errors import Illegal, Malformed, NotFound, SvartidError, Transient
from storage.records.imaging import PeerMay
from storage.records.slide import printable
from storage.scan_steps import IN_PROGRESS, Step

_LOG = logging.getLogger("svartid.dicom")
MODALITY_STEP = "1.2.840.10008.3.1.2.3.3"
_COMPLETED, _DISCONTINUED = "COMPLETED", "DISCONTINUED"
_BAD_VALUE, _BAD_LIST, _FAILED, _KNOWN, _UNKNOWN = 0x0106, 0x0107, 0x0110, 0x0111, 0x0112
_NOT_ALLOWED, _NO_RESOURCES = 0x0124, 0x0213
_UID = re.compile(r"[0-9]+(\.[0-9]+)+")
_REASONS = {
    "110500": "cancelled", "110501": "equipment_failure", "110513": "discontinued",
    "110514": "wrong_entry", "110526": "resource_contention",
}  # fmt: skip
"""Why a step was discontinued (PS3.16 CID 9300), in a word."""
_Response = tuple[int | Dataset, Dataset | None]


def contexts() -> list[Offer]:
    """For callers who may ask for work."""
    return [Offer(MODALITY_STEP, needs=PeerMay.WORKLIST)]


def handlers(node: Node) -> list[Handler]:
    """For pynetdicom."""
    steps = Steps(node)
    return [(evt.EVT_N_CREATE, steps.create), (evt.EVT_N_SET, steps.change)]


class Steps:
    """What the scanners of a node tell."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._database = node.services.database

    def create(self, event: evt.Event) -> _Response:
        """EVT_N_CREATE."""
        request = cast(N_CREATE, event.request)
        return _answered(lambda: self._create(event, request))

    def change(self, event: evt.Event) -> _Response:
        """EVT_N_SET."""
        request = cast(N_SET, event.request)
        return _answered(lambda: self._change(event, request))

    def _create(self, event: evt.Event, request: N_CREATE) -> _Response:
        caller = self._node.caller(event.assoc)
        if event.context.abstract_syntax != MODALITY_STEP or not caller.may(PeerMay.WORKLIST):
            return _NOT_ALLOWED, None
        uid = str(request.AffectedSOPInstanceUID or "")
        if not _UID.fullmatch(uid) or len(uid) > 64:
            return told(_BAD_VALUE, "a step needs a UID"), None
        dataset = read_request(request.AttributeList, event.context.transfer_syntax)
        if _state(dataset) != IN_PROGRESS:
            return told(_BAD_VALUE, "a step begins in progress"), None
        try:
            scan_steps.get(self._database, uid)
        except NotFound:
            pass
        else:
            return _KNOWN, None
        # First the scan, which may be another's; whoever tells it twice has begun it once.
        station = printable(str(dataset.get("PerformedStationAETitle") or caller.peer.ae_title))
        for item_id in self._items(caller, dataset):
            scanning.start(self._database, item_id, caller.peer.name, station[:40])
        step = Step(
            uid, IN_PROGRESS, _accession(dataset), caller.peer.name, to_model(dataset), now()
        )
        scan_steps.enter(self._database, step)
        return SUCCESS, None

    def _change(self, event: evt.Event, request: N_SET) -> _Response:
        caller = self._node.caller(event.assoc)
        if event.context.abstract_syntax != MODALITY_STEP or not caller.may(PeerMay.WORKLIST):
            return _NOT_ALLOWED, None
        uid = str(request.RequestedSOPInstanceUID or "")
        step = scan_steps.get(self._database, uid)
        if step.peer != caller.peer.name:
            raise NotFound("nobody has told of such a step")
        news = read_request(request.ModificationList, event.context.transfer_syntax)
        state = _state(news) or step.state
        if state not in (IN_PROGRESS, _COMPLETED, _DISCONTINUED):
            return told(_BAD_VALUE, "a step is in progress, completed or discontinued"), None
        whole = {**step.dataset, **to_model(news)}
        if step.state != IN_PROGRESS:
            if state == step.state:  # said again, for its answer was lost
                return SUCCESS, None
            raise Illegal("ended")
        # The scan first: whoever tells it twice has ended it once.
        self._say(caller, Dataset.from_json(whole), state)
        scan_steps.change(self._database, uid, state, whole)
        return SUCCESS, None

    def _say(self, caller: Caller, dataset: Dataset, state: str) -> None:
        """The same to the work items; one that was taken away meanwhile is no fault of the step."""
        who = caller.peer.name
        for item_id in self._items(caller, dataset):
            try:
                if state == _COMPLETED:
                    scanning.finish(self._database, item_id, who)
                elif state == _DISCONTINUED:
                    scanning.fail(self._database, item_id, who, _reason(dataset))
                else:
                    scanning.beat(self._database, item_id, who)
            except Illegal as error:
                _LOG.warning("a step of %s changes no scan: %s", who, error.reason)

    def _items(self, caller: Caller, dataset: Dataset) -> Iterator[str]:
        """The work items that a step performs, as far as they are the caller's to scan."""
        for item in dataset.get("ScheduledStepAttributesSequence") or []:
            step_id = str(item.get("ScheduledProcedureStepID") or "").strip()
            yield from scan_steps.items_of(self._database, caller.principal, step_id)


def _answered(work: Callable[[], _Response]) -> _Response:
    try:
        return work()
    except Malformed as error:
        return told(_BAD_LIST, str(error)), None
    except NotFound:
        return _UNKNOWN, None
    except Illegal as error:
        if error.reason == "known":
            return _KNOWN, None
        return told(_FAILED, error.reason.replace("_", " ")), None
    except Transient:
        return told(_NO_RESOURCES, "try again later"), None
    except SvartidError:
        return _FAILED, None


def _state(dataset: Dataset) -> str:
    return str(dataset.get("PerformedProcedureStepStatus") or "").strip()


def _accession(dataset: Dataset) -> str:
    items = dataset.get("ScheduledStepAttributesSequence") or [Dataset()]
    return printable(str(items[0].get("AccessionNumber") or ""))[:64]


def _reason(dataset: Dataset) -> str:
    """Why a scan was given up: a word for what has a code, else what the code means."""
    items = dataset.get("PerformedProcedureStepDiscontinuationReasonCodeSequence") or [Dataset()]
    value = str(items[0].get("CodeValue") or "")
    meaning = printable(str(items[0].get("CodeMeaning") or ""))
    return _REASONS.get(value) or meaning[:60].lower().replace(" ", "_") or "discontinued"
