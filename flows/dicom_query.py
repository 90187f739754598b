"""C-FIND: studies, series and images within the caller's reach (study root and patient root).

Relational queries are answered too: any key narrows at any level, and no key is demanded.
Statuses (PS3.4 C.4.1.1.4): FF00 an answer; 0000 no more; FE00 cancelled; A900 the identifier
cannot be read or has no level; A700 too many answers, or the database is away.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import cast

from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.dimse_primitives import C_FIND

from flows.dicom_context import Handler, Node, Offer
from flows.dicom_export import opener_of
from flows.dicom_reach import Cancelled, Lines, Reach, Shown
from flows.dicom_requests import (
    NO_RESOURCES,
    PENDING,
    Response,
    answered,
    level_of,
    read_request,
    told,
)
from processing.dicom.finding import Finder, Found, Level
from processing.dicom.identifier import asked_for, put_charset
from storage.records.imaging import PeerMay

PATIENT_ROOT, STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.1.1", "1.2.840.10008.5.1.4.1.2.2.1"
_MOST = 50_000
_BATCH, _PATIENCE = 100, 0.5
"""Answers whose lines are written together, and seconds the first of them waits for the others."""
_SAID = frozenset({0x00080005, 0x00080052, 0x00080053, 0x00080054, 0x00080056, 0x00080201})
"""Attributes of the question itself and of its answers; nothing is narrowed by them."""
_UNIQUE = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


def contexts() -> list[Offer]:
    """For callers who may query."""
    return [Offer(uid, needs=PeerMay.QUERY) for uid in (STUDY_ROOT, PATIENT_ROOT)]


def handlers(node: Node) -> list[Handler]:
    """For pynetdicom."""
    return [(evt.EVT_C_FIND, Query(node).find)]


class Query:
    """Answers the queries of a node."""

    def __init__(self, node: Node) -> None:
        self._node, self._opener = node, opener_of(node.services)
        self._lines = Lines(node.services.database)

    def find(self, event: evt.Event) -> Iterator[Response]:
        """EVT_C_FIND."""
        yield from answered(self._responses(event), "the query cannot be answered")

    def _responses(self, event: evt.Event) -> Iterator[Response]:
        request = cast(C_FIND, event.request)
        asked = read_request(request.Identifier, event.context.transfer_syntax)
        is_patient_root = event.context.abstract_syntax == PATIENT_ROOT
        level = level_of(asked, of_patients=is_patient_root)
        caller = self._node.caller(event.assoc)
        reach = Reach(
            self._node.services.database, caller.principal, lambda: bool(event.is_cancelled)
        )
        finder, keys = Finder(reach, self._opener), _narrowing(asked)
        number = 0
        for batch in _batches(finder.find(level, keys)):
            answers = [self._made(level, finder.answer(level, at, asked), asked) for at in batch]
            self._lines.write(caller.principal, "search", [Shown.named(at.entry) for at in batch])
            for answer in answers:
                if event.is_cancelled:
                    raise Cancelled
                number += 1
                if number > _MOST:
                    text = f"more than {_MOST} answers: narrow the query"
                    yield told(NO_RESOURCES, text), None
                    return
                yield PENDING, answer

    def _made(self, level: Level, answer: Dataset, asked: Dataset) -> Dataset:
        """What was asked for, and what every answer has to say."""
        made = asked_for(answer, asked)
        for name in _UNIQUE[level if level is Level.PATIENT else 1 : level + 1]:
            made[name] = answer[name]
        made.QueryRetrieveLevel = level.name
        made.RetrieveAETitle = self._node.title
        put_charset(made)
        return made


def _narrowing(asked: Dataset) -> Dataset:
    keys = Dataset()
    keys.update({key.tag: key for key in asked if key.tag not in _SAID})
    return keys


def _batches(found: Iterator[Found]) -> Iterator[list[Found]]:
    """Together what is found together; nobody waits long for the first answer."""
    batch, began = list[Found](), time.monotonic()
    for at in found:
        if not batch:
            began = time.monotonic()
        batch.append(at)
        if len(batch) >= _BATCH or time.monotonic() - began > _PATIENCE:
            yield batch
            batch = []
    if batch:
        yield batch
