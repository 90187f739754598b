"""The access log's front: every read leaves a line, tiles folded by slide and session."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from storage.access_log import last_logged, log_access, log_accesses
from storage.database import Database, now
from storage.records.people import Principal


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked at; one line a session, and a quarter of an hour."""

    action: str
    slide_id: str | None = None
    accession: str | None = None
    patient_id: str | None = None
    basis: str = "role"

    @property
    def about(self) -> str | None:
        """What looks are folded by."""
        return self.slide_id or self.accession


_FOLD = 900.0
"""Seconds within which further tiles of a slide in a session belong to the line that is there."""
_MOST = 50_000
_SEVERAL = 3
"""Lines that are worth being written together."""


class Audit:
    """Remembers what has been logged lately; a line is written before the first byte leaves."""

    def __init__(self, database: Database, *, one_of_several: bool = False) -> None:
        """`one_of_several`: other processes may have written the line; look before writing."""
        self._database, self._look = database, one_of_several
        self._lately: OrderedDict[tuple[str, str, str | None], float] = OrderedDict()
        self._lock = threading.Lock()

    def is_fresh(self, principal: Principal, action: str, about: str | None) -> bool:
        """True when this look at a slide (or case) belongs to a line that is there."""
        at = self._lately.get((principal.session, action, about))
        return at is not None and time.monotonic() - at < _FOLD

    def log(self, principal: Principal, looked: Looked) -> None:
        """Write the line unless a fresh one is there. Errors: Transient, then nothing is shown."""
        action, about = looked.action, looked.about
        if self.is_fresh(principal, action, about):
            return
        with self._lock:  # whoever comes meanwhile waits for the line: nothing is shown before it
            if self.is_fresh(principal, action, about):
                return
            age = self._age_of_others(principal, looked) if self._look else None
            if age is None:
                log_access(self._database, principal, **asdict(looked))
            self._lately[principal.session, action, about] = time.monotonic() - (age or 0.0)
            while len(self._lately) > _MOST:
                self._lately.popitem(last=False)

    def log_all(self, principal: Principal, all_looked: Sequence[Looked]) -> None:
        """The lines of a list in one go. Errors: Transient.

        Other processes are not asked whether they have written one: a line more does no harm.
        """
        fresh = [at for at in all_looked if not self.is_fresh(principal, at.action, at.about)]
        if len(fresh) < _SEVERAL:
            for looked in fresh:
                self.log(principal, looked)
            return
        with self._lock:
            log_accesses(self._database, principal, [asdict(at) for at in fresh])
            moment = time.monotonic()
            for at in fresh:
                self._lately[principal.session, at.action, at.about] = moment
            while len(self._lately) > _MOST:
                self._lately.popitem(last=False)

    def _age_of_others(self, principal: Principal, looked: Looked) -> float | None:
        moment = now()
        since = moment - timedelta(seconds=_FOLD)
        at = last_logged(
            self._database, principal, looked.action, looked.slide_id, looked.accession, since
        )
        return None if at is None else (moment - at).total_seconds()
