"""The sub-operations of C-MOVE and C-GET: which instances, how far it is, what is told of it.

Source: PS3.4 C.4.2, C.4.3 (statuses and counts), PS3.7 9.3.3, 9.3.4.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, NamedTuple

from pydicom.dataset import Dataset
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_GET, C_MOVE
from pynetdicom.presentation import PresentationContext

from flows.dicom_reach import Reach
from flows.dicom_requests import CANCELLED, PENDING, SUCCESS
from flows.dicom_sending import Answer
from processing.dicom.dataset_bytes import encoded
from processing.dicom.finding import Finder, Level
from processing.dicom.guard import IMPLICIT_LITTLE
from processing.dicom.instance import Instance
from processing.dicom.matching import wanted_of
from processing.dicom.opening import Opener
from storage.errors import Malformed, NotFound
from storage.records.imaging import SeriesEntry, Wanted

SOME_FAILED, ALL_FAILED = 0xB000, 0xA702
MOST = 65535
"""Sub-operations that a response can count."""
_MOST_FAILED = 900
"""UIDs of those that failed; a short element holds no more."""
_STILL_HERE = 3.0
"""Seconds after which the asker is told how far it is, though nothing has been finished."""
_UNIQUE = {
    Level.PATIENT: "PatientID",
    Level.STUDY: "StudyInstanceUID",
    Level.SERIES: "SeriesInstanceUID",
    Level.IMAGE: "SOPInstanceUID",
}


class Order(NamedTuple):
    """What is to be retrieved: all of these series, or the named instances of them."""

    wanted: Wanted
    named: frozenset[str]

    def instances(self, opener: Opener, entry: SeriesEntry) -> Iterator[Instance]:
        """Of a series, what is to be sent."""
        for instance in opener.instances(entry):
            if not self.named or instance.sop_uid in self.named:
                yield instance


def read_order(asked: Dataset, level: Level, reach: Reach, opener: Opener) -> Order:
    """By unique keys alone, of which the lowest may be a list. Errors: Malformed, Transient."""
    keys = Dataset()
    for at in Level:
        value = asked.get(_UNIQUE[at])
        if at <= level and value:
            keys[_UNIQUE[at]] = asked[_UNIQUE[at]]
    values = _values(keys.get(_UNIQUE[level]))
    if not values or any(letter in value for value in values for letter in "*?"):
        raise Malformed("the identifier has no unique key of its level")
    wanted = wanted_of(keys)
    # A list of patients, or of nothing, narrows nothing: all there is would go out.
    narrows = wanted.identifier, wanted.study_uids, wanted.series_uids, values
    if not all(narrows[at] for at in Level if at is level or keys.get(_UNIQUE[at])):
        raise Malformed("a unique key of the identifier says nothing that can be looked for")
    if level is not Level.IMAGE:
        return Order(wanted, frozenset())
    finder = Finder(reach, opener)
    series = {found for found in map(finder.series_of, values) if found}
    if wanted.series_uids:
        series &= set(wanted.series_uids)
    if not series:
        raise NotFound("there is no such instance")
    narrowed = Wanted(wanted.study_uids, tuple(sorted(series)), identifier=wanted.identifier)
    return Order(narrowed, frozenset(values))


def _values(value: object) -> list[str]:
    if not value:
        return []
    return [value] if isinstance(value, str) else [str(at) for at in value]  # type: ignore[attr-defined]


@dataclass(slots=True)
class Progress:
    """How far the sub-operations are."""

    remaining: int
    completed: int = 0
    warnings: int = 0
    failed: int = 0
    failed_uids: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    def note(self, instance: Instance, answer: Answer) -> None:
        """One is over."""
        self.remaining -= 1
        if not answer.is_stored:
            self._fail([instance], _words(instance, answer))
        elif answer.is_warning:
            self.warnings += 1
        else:
            self.completed += 1

    def give_up(self, instances: Sequence[Instance], why: str) -> None:
        """None of them will be sent."""
        self.remaining -= len(instances)
        self._fail(instances, why)

    def _fail(self, instances: Sequence[Instance], why: str) -> None:
        self.failed += len(instances)
        self.reasons[why] += len(instances)
        room = _MOST_FAILED - len(self.failed_uids)
        self.failed_uids += [at.sop_uid for at in instances[:room]]

    @property
    def status(self) -> int:
        """The final status, when nothing remains."""
        if not self.failed and not self.warnings:
            return SUCCESS
        return SOME_FAILED if self.completed or self.warnings else ALL_FAILED

    @property
    def comment(self) -> str:
        """What most of the failures have in common."""
        if not self.failed:
            return ""
        ((why, number),) = self.reasons.most_common(1)
        return f"{number} of {self.failed} failed: {why}"


@dataclass(slots=True)
class Lot:
    """What an order comes to."""

    sent: list[Instance] = field(default_factory=list)
    barred: list[Instance] = field(default_factory=list)
    """What the receiver may not have."""
    lost: int = 0
    """Series that cannot be opened."""

    def begun(self) -> Progress:
        """The progress at the beginning: what is not sent has failed already."""
        made = Progress(len(self.sent) + len(self.barred))
        made.give_up(self.barred, "not allowed")
        made.failed += self.lost
        made.reasons["store damaged"] += self.lost
        return made


def _words(instance: Instance, answer: Answer) -> str:
    if answer.why_not == "no_context":
        return f"{instance.transfer_syntax} not accepted"
    return answer.why.replace("_", " ")


class Responses:
    """What the asker is told; also from beside, while one sub-operation takes long."""

    def __init__(
        self, association: Association, request: C_MOVE | C_GET, context: PresentationContext
    ) -> None:
        self._association, self._request, self._context = association, request, context
        self._lock = threading.Lock()

    @property
    def is_cancelled(self) -> bool:
        """The asker wants no more."""
        return self._request.MessageID in self._association.dimse.cancel_req

    @property
    def is_gone(self) -> bool:
        """The asker is not there any more."""
        return self._association.acse.is_aborted() or not self._association.dul.is_alive()

    def pending(self, progress: Progress) -> None:
        """So far it is."""
        self._tell(PENDING, progress, remaining=True)

    def cancelled(self, progress: Progress) -> None:
        """It was left there."""
        self._tell(CANCELLED, progress, remaining=True)

    def final(self, progress: Progress) -> None:
        """Nothing remains."""
        self._tell(progress.status, progress, comment=progress.comment)

    def refuse(self, status: int, comment: str) -> None:
        """Nothing is sent."""
        self._tell(status, None, comment=comment)

    @contextmanager
    def ticking(self, progress: Progress) -> Iterator[None]:
        """Tell now and then; askers give up on a node that is silent while gigabytes move."""
        over = threading.Event()

        def tick() -> None:
            while not over.wait(_STILL_HERE):
                self.pending(progress)

        teller = threading.Thread(target=tick, daemon=True)
        teller.start()
        try:
            yield
        finally:
            over.set()
            teller.join()

    def _tell(
        self, status: int, progress: Progress | None, *, remaining: bool = False, comment: str = ""
    ) -> None:
        made: Any = type(self._request)()
        made.MessageIDBeingRespondedTo = self._request.MessageID
        made.AffectedSOPClassUID = self._request.AffectedSOPClassUID
        made.Status = status
        if comment:
            made.ErrorComment = comment[:64]
        if progress is not None:
            made.NumberOfCompletedSuboperations = progress.completed
            made.NumberOfFailedSuboperations = progress.failed
            made.NumberOfWarningSuboperations = progress.warnings
            if remaining:
                made.NumberOfRemainingSuboperations = progress.remaining
            if status not in (PENDING, SUCCESS):
                made.Identifier = self._identifier(progress)
        with self._lock:  # the pieces of two messages must not mingle
            self._association.dimse.send_msg(made, self._context.context_id or 0)

    def _identifier(self, progress: Progress) -> BytesIO:
        failed = Dataset()
        failed.FailedSOPInstanceUIDList = progress.failed_uids
        syntax = str(self._context.transfer_syntax[0])
        return BytesIO(encoded(failed, implicit=syntax == IMPLICIT_LITTLE))
