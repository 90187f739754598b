"""What a node may see of the catalogue, and the lines in the access log of what it is shown."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

from storage import imaging
from storage.access_log import log_accesses
from storage.database import Database
from storage.records.access import Basis
from storage.records.imaging import SeriesEntry, Wanted
from storage.records.people import Principal

_FOLD = 900.0
"""Seconds within which what a node is shown again belongs to the line that is there."""
_MOST = 50_000


class Cancelled(Exception):
    """The asker wants no more."""


@dataclass(frozen=True, slots=True)
class Reach(imaging.Reach):
    """The catalogue within a node's reach, as long as it wants to know."""

    is_cancelled: Callable[[], bool] = lambda: False

    def study_uids(self, wanted: Wanted, limit: int, offset: int) -> list[str]:
        """Errors: Cancelled, Transient."""
        if self.is_cancelled():
            raise Cancelled
        return imaging.study_uids(self.database, self.principal, wanted, limit, offset)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a node is shown; whoever sees nothing of a patient or a slide leaves no line."""

    slide_id: str | None = None
    accession: str | None = None
    patient_id: str | None = None
    basis: str = Basis.OPERATION.value

    @classmethod
    def named(cls, entry: SeriesEntry) -> Shown:
        """Whose a series is, not its images."""
        return cls(None, entry.case or None, entry.whose.patient_id)

    @classmethod
    def images(cls, entry: SeriesEntry) -> Shown:
        """The images of a series."""
        patient_id = entry.whose.patient_id
        basis = Basis.OPERATION if patient_id else Basis.ROLE
        return cls(entry.slide_id, entry.case or None, patient_id, basis.value)


class Lines:
    """Writes the lines, before anything goes out; one a node and a quarter of an hour."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lately: OrderedDict[tuple[str, str, Shown], float] = OrderedDict()
        self._lock = threading.Lock()

    def write(self, principal: Principal, action: str, shown: Iterable[Shown]) -> None:
        """Errors: Transient, and then nothing may be shown."""
        known = [at for at in dict.fromkeys(shown) if at.slide_id or at.patient_id]
        fresh = [at for at in known if not self._is_there(principal, action, at)]
        if not fresh:
            return
        lines = [{"action": action, **asdict(at)} for at in fresh]
        log_accesses(self._database, principal, lines)
        self._remember(principal, action, fresh)

    def _is_there(self, principal: Principal, action: str, shown: Shown) -> bool:
        at = self._lately.get((principal.name, action, shown))
        return at is not None and time.monotonic() - at < _FOLD

    def _remember(self, principal: Principal, action: str, shown: Sequence[Shown]) -> None:
        with self._lock:
            for at in shown:
                self._lately[principal.name, action, at] = time.monotonic()
                self._lately.move_to_end((principal.name, action, at))
            while len(self._lately) > _MOST:
                self._lately.popitem(last=False)
