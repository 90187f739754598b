"""Modality Worklist: the scans that wait, for scanners that ask by C-FIND.

One scheduled procedure step a glass; any station may take it, so it is for whoever asks, or for the
station that is asked about. Statuses as in `dicom_query`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import cast

from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.dimse_primitives import C_FIND

from flows.dicom_context import Handler, Node, Offer
from flows.dicom_reach import Lines, Shown
from flows.dicom_requests import Response, answered, pending, read_request
from processing.dicom.identifier import asked_for, put_charset
from processing.dicom.matching import matches
from processing.dicom.worklist import worklist_answer
from storage import scan_steps
from storage.database import now
from storage.records.imaging import PeerMay
from storage.records.scans import ScheduledScan

MODALITY_WORKLIST = "1.2.840.10008.5.1.4.31"
_PAGE = 100
_STEPS, _STATION, _CHARSET = 0x00400100, "ScheduledStationAETitle", 0x00080005
_ALWAYS = ("AccessionNumber", "StudyInstanceUID")


def contexts() -> list[Offer]:
    """For callers who may ask for work."""
    return [Offer(MODALITY_WORKLIST, needs=PeerMay.WORKLIST)]


def handlers(node: Node) -> list[Handler]:
    """For pynetdicom."""
    return [(evt.EVT_C_FIND, Worklist(node).find)]


class Worklist:
    """Answers the scanners of a node."""

    def __init__(self, node: Node) -> None:
        self._node, self._lines = node, Lines(node.services.database)

    def find(self, event: evt.Event) -> Iterator[Response]:
        """EVT_C_FIND."""
        yield from answered(pending(event, self._answers(event)), "the worklist cannot be told")

    def _answers(self, event: evt.Event) -> Iterator[Dataset]:
        """Page by page; the lines are written before anything of a page goes out."""
        request = cast(C_FIND, event.request)
        asked = read_request(request.Identifier, event.context.transfer_syntax)
        caller = self._node.caller(event.assoc)
        station, database = _station(asked, caller.peer.ae_title), self._node.services.database
        for offset in count(0, _PAGE):
            page = scan_steps.scheduled(database, caller.principal, _PAGE, offset)
            found = list(_fitting(page, station, asked))
            shown = [Shown(None, scan.accession, scan.whose.patient_id) for scan, _ in found]
            self._lines.write(caller.principal, "worklist", shown)
            yield from (answer for _, answer in found)
            if len(page) < _PAGE:
                return


def _fitting(
    page: list[ScheduledScan], station: str, asked: Dataset
) -> Iterator[tuple[ScheduledScan, Dataset]]:
    keys = Dataset()
    keys.update({key.tag: key for key in asked if key.tag != _CHARSET})
    for scan in page:
        whole = worklist_answer(scan, station, now())
        if matches(keys, whole):
            yield scan, _told(whole, asked)


def _told(whole: Dataset, asked: Dataset) -> Dataset:
    """What was asked for, and what a step is nothing without."""
    made = asked_for(whole, asked)
    for name in _ALWAYS:
        made[name] = whole[name]
    if _STEPS not in made:
        made[_STEPS] = whole[_STEPS]
    put_charset(made)
    return made


def _station(asked: Dataset, caller: str) -> str:
    """Whose worklist it is: another station's where one is named."""
    items = asked[_STEPS].value if _STEPS in asked else None
    title = str(items[0].get(_STATION) or "").strip() if items else ""
    return caller if not title or "*" in title or "?" in title else title
