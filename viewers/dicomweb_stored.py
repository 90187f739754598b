"""What became of the instances somebody stored, one by one, and how the client is told.

Source: PS3.18 10.5.3 (store instances response), I.2.2 (failure reasons).
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from processing.dicom.echo import Ours
from processing.dicom.envelope import Unwrapping
from processing.dicom.facts import facts_of
from processing.dicom.guard import Reason, Unfit, inspect
from processing.dicom.json_model import JsonModel
from processing.dicom.media_types import DICOM, parse_content_type
from processing.dicom.multipart import END, Event, Head
from processing.dicom.receiving import Index, Outcome, Result, receive
from storage.dicom_files import Incoming
from storage.dicom_objects import Objects
from storage.errors import Malformed, SvartidError, Transient
from storage.layout import Layout
from storage.records.imaging import Entered, SeriesFacts, StoredObject

_LOG = logging.getLogger("svartid.web")
_MOST_AT_ONCE = 4
_AT_ONCE = ThreadPoolExecutor(_MOST_AT_ONCE, "stow")
_NO_ROOM, _NO_MATCH, _NOT_UNDERSTOOD = 0xA700, 0xA900, 0xC000
_DUPLICATE, _NO_SUCH_SYNTAX, _FAILED = 0x0111, 0xC122, 0x0110
_REASONS = {
    Reason.ANOTHER_OBJECT: _DUPLICATE,
    Reason.ANOTHER_SERIES: _NO_MATCH,
    Reason.OTHER_OBJECT: _NO_MATCH,
    Reason.SYNTAX: _NO_SUCH_SYNTAX,
}


@dataclass(frozen=True, slots=True)
class Taken:
    """One part: what it was as far as known, and why it was not taken; 0: it was."""

    outcome: Outcome | None
    failure: int = 0


@dataclass(frozen=True, slots=True)
class _InTurn:
    """The index, entered by each part only after those that came before it.

    Which of two that contradict each other is taken is the order they were sent in.
    """

    index: Objects
    before: Sequence[Future[Taken]]
    """Those that may not have come to their end: some end without being entered."""

    def enter(self, found: StoredObject, number: int, series: SeriesFacts) -> Entered:
        """As `Objects.enter`."""
        wait(self.before)
        return self.index.enter(found, number, series)

    def set_aside(self, found: StoredObject, reason: str) -> None:
        """As `Objects.set_aside`."""
        self.index.set_aside(found, reason)

    def get(self, sop_uid: str) -> StoredObject:
        """As `Objects.get`."""
        return self.index.get(sop_uid)


class Store:
    """Takes parts as they come, on a worker's thread; one request's.

    While the next part comes, those before it are looked through and put away, a few at a time:
    what they wait for is the disk.
    """

    def __init__(self, layout: Layout, index: Objects, ours: Ours, about: tuple[str, str]) -> None:
        """`about`: who stores, and into which study (empty: any)."""
        self._layout, self._index, self._ours = layout, index, ours
        self._sender, self._study_uid = about
        self._taken: list[Future[Taken]] = []
        self._busy: deque[Future[Taken]] = deque()
        self._incoming: Incoming | None = None
        self._unwrapping: Unwrapping | None = None
        self._failure = 0

    @property
    def taken(self) -> list[Taken]:
        """What became of every part that has come, in their order; after `close`."""
        return [one.result() for one in self._taken]

    @property
    def has_any(self) -> bool:
        """Whether any part has come to its end."""
        return bool(self._taken)

    def take(self, events: Sequence[Event]) -> None:
        """The next heads, bytes and ends."""
        for event in events:
            try:
                if event is END:
                    self._end()
                elif isinstance(event, dict):
                    self._begin(event)
                elif self._unwrapping is not None and isinstance(event, bytes):
                    self._unwrapping.write(event)
            except SvartidError as error:
                self._fail(error)

    def broke_off(self) -> None:
        """The body ended in the middle, after instances that are kept."""
        self._say(Taken(None, _NOT_UNDERSTOOD))

    def close(self) -> None:
        """All that came whole is put away; nothing is left of a part that did not."""
        if self._incoming is not None:
            self._incoming.discard()
        self._incoming = self._unwrapping = None
        wait(self._taken)

    def _begin(self, head: Head) -> None:
        self._failure = 0
        if not _is_dicom(head):
            self._failure = _NOT_UNDERSTOOD
            return
        self._incoming = Incoming(self._layout)
        self._unwrapping = Unwrapping(self._incoming)

    def _end(self) -> None:
        incoming, unwrapping = self._incoming, self._unwrapping
        self._incoming = self._unwrapping = None
        if incoming is None or unwrapping is None:
            self._say(Taken(None, self._failure or _FAILED))
            return
        index = _InTurn(self._index, tuple(self._busy))
        one = _AT_ONCE.submit(self._put_away, incoming, unwrapping, index)
        self._taken.append(one)
        self._busy.append(one)
        if len(self._busy) > _MOST_AT_ONCE:
            self._busy.popleft().result()

    def _say(self, taken: Taken) -> None:
        done = Future[Taken]()
        done.set_result(taken)
        self._taken.append(done)

    def _put_away(self, incoming: Incoming, unwrapping: Unwrapping, index: Index) -> Taken:
        try:
            unwrapping.finish()
            return self._of_another_study(incoming) or _taken(
                receive(incoming, index, self._sender, self._ours)
            )
        except SvartidError as error:
            return Taken(None, _failure_of(error))
        finally:
            incoming.discard()

    def _of_another_study(self, incoming: Incoming) -> Taken | None:
        """Refused before anything of it is kept; what cannot be read is for `receive` to judge."""
        if not self._study_uid:
            return None
        incoming.settle()
        with suppress(Unfit):
            facts = facts_of(inspect(incoming.path))
            series = facts.series
            if series.study_uid != self._study_uid:
                about = facts.sop_class, facts.sop_uid, series.study_uid, series.series_uid
                return Taken(Outcome(Result.QUARANTINED, *about), _NO_MATCH)
        return None

    def _fail(self, error: SvartidError) -> None:
        """The rest of the part is passed over; the next one is tried."""
        if self._incoming is not None:
            self._incoming.discard()
        self._incoming = self._unwrapping = None
        self._failure = _failure_of(error)


def _failure_of(error: SvartidError) -> int:
    _LOG.error("an object that was sent is not taken: %s", error.code)
    return _NO_ROOM if isinstance(error, Transient) else _FAILED


def status_of(taken: Sequence[Taken]) -> int:
    """200 all, 202 some, 409 none; 503 when another time it may be otherwise."""
    failures = [at.failure for at in taken if at.failure]
    if len(failures) < len(taken):
        return 202 if failures else 200
    return 503 if set(failures) == {_NO_ROOM} else 409


def answer_of(taken: Sequence[Taken], root: str) -> JsonModel:
    """The response as the DICOM JSON model."""
    kept = [at.outcome for at in taken if at.outcome is not None and not at.failure]
    failed = [at for at in taken if at.failure]
    named = [_failed(at.outcome, at.failure) for at in failed if at.outcome and at.outcome.sop_uid]
    unnamed = [
        {"00081197": _value("US", at.failure)}
        for at in failed
        if at.outcome is None or not at.outcome.sop_uid
    ]
    studies = {at.study_uid for at in kept}
    model: JsonModel = {}
    if len(studies) == 1:
        model["00081190"] = _value("UR", f"{root}/studies/{studies.pop()}")
    for tag, items in (("00081198", named), ("00081199", [_kept(at, root) for at in kept])):
        if items:
            model[tag] = {"vr": "SQ", "Value": items}
    if unnamed:
        model["0008119A"] = {"vr": "SQ", "Value": unnamed}
    return model


def _taken(outcome: Outcome) -> Taken:
    if outcome.result is not Result.QUARANTINED:
        return Taken(outcome)
    reason = outcome.reason
    return Taken(outcome, _REASONS.get(reason, _NOT_UNDERSTOOD) if reason else _NOT_UNDERSTOOD)


def _kept(outcome: Outcome, root: str) -> JsonModel:
    series = f"{root}/studies/{outcome.study_uid}/series/{outcome.series_uid}"
    where = f"{series}/instances/{outcome.sop_uid}"
    return _named(outcome) | {"00081190": _value("UR", where)}


def _failed(outcome: Outcome, failure: int) -> JsonModel:
    return _named(outcome) | {"00081197": _value("US", failure)}


def _named(outcome: Outcome) -> JsonModel:
    return {
        "00081150": _value("UI", outcome.sop_class),
        "00081155": _value("UI", outcome.sop_uid),
    }


def _value(vr: str, value: object) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]} if value else {"vr": vr}


def _is_dicom(head: Head) -> bool:
    """A part that does not say what it is, is what the whole is said to be."""
    try:
        return parse_content_type(head.get("content-type", DICOM))[0] == DICOM
    except Malformed:
        return False
