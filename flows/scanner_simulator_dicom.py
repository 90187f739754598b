"""A simulated scanner that knows svartid by DICOM alone, as most real ones do.

It asks the worklist, tells by MPPS that it has begun, sends its images with what the worklist said
of patient, study and glass, and tells that it is done. pynetdicom's own client speaks for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import JPEGBaseline8Bit, VLWholeSlideMicroscopyImageStorage
from pynetdicom.ae import ApplicationEntity
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext, build_context

from flows.scanner_simulator import Item, Machine, TakenAway
from flows.scanner_simulator_words import (
    STEP_CLASS,
    begun,
    item_of,
    performed,
    put_end,
    put_order,
    question,
    step_of,
)
from processing.dicom.codes import codes
from processing.dicom.quiet import silence
from processing.paint import Painting, write_dicom

_WORKLIST_CLASS = "1.2.840.10008.5.1.4.31"
_PENDING = (0xFF00, 0xFF01)
_ENOUGH = 20
"""Scans looked at before one is taken."""
_TRIES = 3

silence()


class Away(Exception):
    """svartid is not there, or lets this machine not in."""


class Refused(Exception):
    """svartid will not have it so; the status is the message."""


class Place(NamedTuple):
    """Where svartid's node is, and by which titles the two know each other."""

    host: str
    port: int
    called: str = "SVARTID"
    title: str = "SCANNER"


@dataclass(slots=True, kw_only=True)
class DicomScanner(Machine):
    """One machine with an AE title of its own."""

    place: Place
    _stored: list[tuple[str, str]] = field(default_factory=list)
    """SOPInstanceUIDs of the scan under way that have been stored, and their series."""

    def is_away(self, error: Exception) -> bool:
        """See `Machine`."""
        return isinstance(error, Away)

    def ask(self) -> Item | None:
        """See `Machine`: of what waits, the first that nobody else has begun. Errors: Away."""
        for answer in self._worklist():
            item = item_of(answer)
            try:
                self._tell_step(item, begun(answer, self.place.title), first=True)
            except TakenAway:
                continue
            return item
        return None

    def say(self, item: Item, word: str, reason: str = "") -> None:
        """See `Machine`; that it has begun was told when it was taken."""
        news = Dataset()
        if word == "beat":
            news.PerformedProcedureStepStatus = "IN PROGRESS"
        elif word == "fail":
            news.PerformedProcedureStepStatus = "DISCONTINUED"
            put_end(news)
            code = codes("SCAN", "99SVARTID", reason)
            news.PerformedProcedureStepDiscontinuationReasonCodeSequence = code
        else:
            return
        self._tell_step(item, news, first=False)

    def hand_in(self, item: Item, painting: Painting, folder: Path) -> Item:
        """See `Machine`: the images first, then the word that they are all there."""
        write_dicom(painting, folder)
        self._stored.clear()
        self._store(item, sorted(folder.glob("*.dcm")))
        news = Dataset()
        news.PerformedProcedureStepStatus = "COMPLETED"
        put_end(news)
        news.PerformedSeriesSequence = Sequence([performed(self._stored, self.options.station)])
        self._tell_step(item, news, first=False)
        return {"series": self._stored[0][1], "instances": len(self._stored)}

    def _worklist(self) -> list[Dataset]:
        """What waits, most urgent first."""
        found = list[Dataset]()
        contexts = [build_context(_WORKLIST_CLASS)]
        with self._associated(contexts) as association:
            asked = question(self.place.title)
            answers = association.send_c_find(asked, _WORKLIST_CLASS)
            for status, answer in answers:
                if status.get("Status") in _PENDING and answer is not None:
                    found.append(answer)
                    if len(found) == _ENOUGH:
                        association.send_c_cancel(1, query_model=_WORKLIST_CLASS)
        return [at for at in found if step_of(at).ScheduledProcedureStepStatus == "SCHEDULED"]

    def _tell_step(self, item: Item, news: Dataset, *, first: bool) -> None:
        """N-CREATE or N-SET; said again when it got lost. Errors: Away, TakenAway, Refused."""
        for attempt in range(_TRIES):
            try:
                self._tell_once(item["step"], news, first=first)
            except Away:
                if attempt == _TRIES - 1:
                    raise
                time.sleep(self.options.poll)
            else:
                return

    def _tell_once(self, uid: str, news: Dataset, *, first: bool) -> None:
        with self._associated([build_context(STEP_CLASS)]) as association:
            send = association.send_n_create if first else association.send_n_set
            status, _ = send(news, STEP_CLASS, uid)
        code = status.get("Status")
        if code is None:
            raise Away("no answer")
        if code in (0x0000, 0x0111):  # 0111: it had been heard the first time
            return
        if code in (0x0110, 0x0112):
            raise TakenAway
        raise Refused(f"{code:04X}")

    def _store(self, item: Item, paths: list[Path]) -> None:
        """Errors: Away, OSError when one is not taken."""
        contexts = [build_context(VLWholeSlideMicroscopyImageStorage, JPEGBaseline8Bit)]
        with self._associated(contexts) as association:
            for path in paths:
                image = dcmread(path)
                put_order(image, item, self.options.station)
                if association.send_c_store(image).get("Status") != 0x0000:
                    raise OSError("an image was not taken")
                self._stored.append((str(image.SOPInstanceUID), str(image.SeriesInstanceUID)))

    @contextmanager
    def _associated(self, contexts: list[PresentationContext]) -> Iterator[Association]:
        entity = ApplicationEntity(self.place.title)
        entity.connection_timeout = 10
        association = entity.associate(
            self.place.host, self.place.port, contexts, self.place.called
        )
        if not association.is_established:
            if association.rejected_contexts:
                raise Refused("no presentation context")
            raise Away("no association")
        try:
            yield association
        finally:
            association.release()
