"""C-STORE: objects as they come, written below what they will be kept as, and only then answered.

Statuses (PS3.4 B.2.3, PS3.7 C): 0000 kept, or kept before; 0111 the UID stands for another object;
A700 no room, or the database is away; A900 not what was announced; C000 not readable; C100 the
series is another patient's; 0124 the caller may not store. All but A700 and 0124 leave the object
in quarantine.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections import Counter
from dataclasses import dataclass, field
from typing import cast

from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.dimse_messages import DIMSEMessage

from flows.dicom_context import Handler, Node, Offer
from processing.dicom.envelope import head, series_of
from processing.dicom.receiving import Outcome, Reason, Result, receive
from storage import dicom_objects
from storage.dicom_files import Incoming
from storage.errors import NoSpace, SvartidError, Transient
from storage.records.imaging import WSI, PeerMay

_LOG = logging.getLogger("svartid.dicom")
SUCCESS, NOT_ALLOWED, NO_ROOM, FAILED = 0x0000, 0x0124, 0xA700, 0x0110
_UNREADABLE = 0xC000
_HEAD = 2**16
_STATUSES = {
    Reason.ANOTHER_OBJECT: 0x0111,
    Reason.ANOTHER_SERIES: 0xC100,
    Reason.OTHER_OBJECT: 0xA900,
    Reason.IDENTITY: 0xA900,
}


class Arriving:
    """An object on its way to the disk; what goes wrong is told when it is asked for."""

    name = ""
    """Of no file: pynetdicom would remove one of that name."""

    def __init__(self, node: Node, sop_class: str, sop_uid: str, syntax: str) -> None:
        self._incoming: Incoming | None = None
        self._error: SvartidError | None = None
        self._begun: bytearray | None = bytearray() if sop_class == WSI else None
        self._syntax = syntax
        self.series_uid = ""
        """Of a whole-slide image, as soon as it has come."""
        self.file = self
        try:
            self._incoming = Incoming(node.services.layout)
            self._incoming.write(head(sop_class, sop_uid, syntax))
        except SvartidError as error:
            self._fail(error)

    def write(self, data: bytes) -> None:
        """The next bytes of the dataset."""
        if self._incoming is None:
            return
        if self._begun is not None:
            self._look(self._begun, data)
        try:
            self._incoming.write(data)
        except SvartidError as error:
            self._fail(error)

    def _look(self, begun: bytearray, data: bytes) -> None:
        """To which series it belongs is seen long before a large level is there."""
        begun += data[: _HEAD - len(begun)]
        self.series_uid = series_of(bytes(begun), self._syntax)
        if self.series_uid or len(begun) >= _HEAD:
            self._begun = None

    def flush(self) -> None:
        """Once, at the end, is enough."""

    def close(self) -> None:
        """It is over; what has not been taken is discarded."""
        if self._incoming is not None:
            self._incoming.discard()
            self._incoming = None

    @property
    def is_open(self) -> bool:
        """Still on its way."""
        return self._incoming is not None

    def take(self, node: Node, received_from: str) -> Outcome:
        """Take it in. Errors: NoSpace, Transient, SvartidError."""
        if self._incoming is None:
            raise self._error or Transient("the object is not there")
        try:
            return receive(self._incoming, node.index, received_from, node.ours)
        finally:
            self._incoming = None

    def _fail(self, error: SvartidError) -> None:
        self._error = error
        self.close()


@dataclass(slots=True)
class _Tally:
    """What an association has brought."""

    results: Counter[str] = field(default_factory=Counter)
    series: set[str] = field(default_factory=set)
    slides: set[str] = field(default_factory=set)
    """Those of the series that are whole-slide images."""


class Storing:
    """What is stored over the associations of a node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._tallies = weakref.WeakKeyDictionary[Association, _Tally]()
        self._arriving = weakref.WeakSet[Arriving]()
        self._lock = threading.Lock()

    def begin(self, association: Association, message: DIMSEMessage) -> Arriving | None:
        """Called before an object's first byte; None where nothing of the kind was agreed."""
        context = association._accepted_cx.get(message.context_id or 0)
        if context is None:
            return None
        said = message.command_set
        uids = str(said.get("AffectedSOPClassUID", "")), str(said.get("AffectedSOPInstanceUID", ""))
        arriving = Arriving(self._node, *uids, str(context.transfer_syntax[0]))
        with self._lock:
            self._arriving.add(arriving)
        return arriving

    def keep_awake(self) -> None:
        """Slides of which something is on its way are not quiet, however long it takes."""
        with self._lock:
            slides = {at.series_uid for at in self._arriving if at.is_open and at.series_uid}
            slides = slides.union(*(at.slides for at in self._tallies.values()))
        if slides:
            dicom_objects.touch(self._node.services.database, slides)

    def store(self, event: evt.Event) -> Dataset:
        """EVT_C_STORE."""
        caller = self._node.caller(event.assoc)
        arriving = cast(Arriving | None, getattr(event.request, "_dataset_file", None))
        if not caller.may(PeerMay.STORE):
            return _status(NOT_ALLOWED, "this node may not store here")
        if arriving is None:
            return _status(_UNREADABLE, "there is no object")
        try:
            outcome = arriving.take(self._node, caller.peer.name)
        except Transient as error:
            self._note(event.assoc, error.code)
            return _status(NO_ROOM, "no room" if isinstance(error, NoSpace) else "try again later")
        except SvartidError as error:
            self._note(event.assoc, error.code)
            return _status(FAILED, "the object cannot be kept")
        self._note(event.assoc, outcome.result.value, outcome)
        return _answer(outcome)

    def released(self, event: evt.Event) -> None:
        """EVT_RELEASED: what came is whole."""
        series = self._tally(event.assoc).series
        if not series:
            return
        try:
            dicom_objects.release(self._node.services.database, series)
        except SvartidError as error:  # it will be quiet soon enough
            _LOG.warning("series are not released: %s", error.code)

    def ended(self, association: Association) -> None:
        """One line for all that an association brought."""
        with self._lock:
            tally = self._tallies.pop(association, None)
        if tally is not None and tally.results:
            told = ", ".join(f"{count} {word}" for word, count in sorted(tally.results.items()))
            _LOG.info("objects from %s: %s", self._node.caller(association).peer.name, told)

    def _note(self, association: Association, word: str, outcome: Outcome | None = None) -> None:
        tally = self._tally(association)
        tally.results[word] += 1
        if outcome is not None and outcome.result is Result.NEW:
            tally.series.add(outcome.series_uid)
            if outcome.sop_class == WSI:
                tally.slides.add(outcome.series_uid)

    def _tally(self, association: Association) -> _Tally:
        with self._lock:
            return self._tallies.setdefault(association, _Tally())


def contexts() -> list[Offer]:
    """None: which storage classes are taken follows from what is proposed."""
    return []


def handlers(storing: Storing) -> list[Handler]:
    """For pynetdicom."""
    return [(evt.EVT_C_STORE, storing.store), (evt.EVT_RELEASED, storing.released)]


def _answer(outcome: Outcome) -> Dataset:
    if outcome.reason is None:
        return _status(SUCCESS)
    status = _STATUSES.get(outcome.reason, _UNREADABLE)
    return _status(status, f"in quarantine: {outcome.reason.value.replace('_', ' ')}")


def _status(code: int, comment: str = "") -> Dataset:
    made = Dataset()
    made.Status = code
    if comment:
        made.ErrorComment = comment
    return made
