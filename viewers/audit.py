"""The access log's front: every read leaves a line, tiles folded by slide and session."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from datetime import timedelta

from storage.access_log import last_logged, log_access
from storage.database import Database, now
from storage.records.people import Principal

_FOLD = 900.0
"""Seconds within which further tiles of a slide in a session belong to the line that is there."""
_MOST = 50_000


class Audit:
    """Remembers what has been logged lately; a line is written before the first byte leaves."""

    def __init__(self, database: Database, *, one_of_several: bool = False) -> None:
        """`one_of_several`: other processes may have written the line; look before writing."""
        self._database, self._look = database, one_of_several
        self._lately: OrderedDict[tuple[str, str, str | None], float] = OrderedDict()
        self._lock = threading.Lock()

    def is_fresh(self, principal: Principal, action: str, slide_id: str | None) -> bool:
        """True when this access belongs to a line that is there."""
        at = self._lately.get((principal.session, action, slide_id))
        return at is not None and time.monotonic() - at < _FOLD

    def log(self, principal: Principal, action: str, slide_id: str | None) -> None:
        """Write the line unless a fresh one is there. Errors: Transient, then nothing is shown."""
        if self.is_fresh(principal, action, slide_id):
            return
        with self._lock:  # whoever comes meanwhile waits for the line: nothing is shown before it
            if self.is_fresh(principal, action, slide_id):
                return
            age = self._age_of_others(principal, action, slide_id) if self._look else None
            if age is None:
                log_access(self._database, principal, action, slide_id)
            self._lately[principal.session, action, slide_id] = time.monotonic() - (age or 0.0)
            while len(self._lately) > _MOST:
                self._lately.popitem(last=False)

    def _age_of_others(
        self, principal: Principal, action: str, slide_id: str | None
    ) -> float | None:
        moment = now()
        since = moment - timedelta(seconds=_FOLD)
        at = last_logged(self._database, principal, action, slide_id, since)
        return None if at is None else (moment - at).total_seconds()
