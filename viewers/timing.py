"""What the web process knows about time: the policy that holds, and what answered cases teach.

Learning takes seconds when there are many cases, so it is done beside the requests: a list never
waits for it longer than a moment, and says no forecast until there is one.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime
from typing import Any

from processing.turnaround.experience import HISTORY, Experience, learn
from processing.turnaround.telling import forecast_json
from storage import policies, worklist
from storage.database import Database, now
from storage.errors import SvartidError
from storage.records.policy import Policy
from storage.worklist import CaseRow

_LOG = logging.getLogger("svartid.web")
_FRESH = 30.0
"""Seconds that what was learnt is good for; at least twenty times as long as learning took."""
_NEW_WITHIN = 5.0
"""Seconds after which a new policy is seen."""
_FORESEEN = 60.0
"""Seconds a forecast is good for, unless something happens to the case."""
_MOST_FORESEEN = 20_000
_PATIENCE = 1.0
"""Seconds the first one who asks waits."""


class Timing:
    """One a process; threads may share it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._learnt: Experience | None = None
        self._due = 0.0
        self._busy: threading.Thread | None = None
        self._foreseen: dict[str, tuple[datetime, float, dict[str, Any] | None]] = {}
        self._promised: tuple[float, Policy | None] = (0.0, None)

    def policy(self) -> Policy:
        """What the laboratory promises now."""
        at, known = self._promised
        if known is None or time.monotonic() - at >= _NEW_WITHIN:
            known = policies.current(self._database)
            self._promised = (time.monotonic(), known)
        return known

    def experience(self) -> Experience | None:
        """What the answered cases of the last months teach; None until that is known."""
        with self._lock:
            if time.monotonic() >= self._due and self._busy is None:
                self._busy = threading.Thread(target=self._learn, name="learning", daemon=True)
                self._busy.start()
            waited_for = self._busy if self._learnt is None else None
        if waited_for is not None:
            waited_for.join(_PATIENCE)
        return self._learnt

    def forecast(self, row: CaseRow) -> dict[str, Any] | None:
        """How an open case may end, as `telling` says it; a minute old at most."""
        moment, experience = time.monotonic(), self.experience()
        known = self._foreseen.get(row.accession)
        if known and known[0] == row.updated_at and moment - known[1] < _FORESEEN:
            return known[2]
        found = forecast_json(self.policy(), experience, row.milestones, now())
        if experience is not None:
            if len(self._foreseen) >= _MOST_FORESEEN:
                self._foreseen.clear()
            self._foreseen[row.accession] = (row.updated_at, moment, found)
        return found

    def _learn(self) -> None:
        began = time.monotonic()
        try:
            known = worklist.milestones(self._database, now() - HISTORY)
            self._learnt = learn(self.policy(), known)
        except SvartidError as error:
            _LOG.warning("nothing could be learnt for forecasts: %s", error.code)
        finally:
            ended = time.monotonic()
            with self._lock:
                self._due = ended + max(_FRESH, 20 * (ended - began))
                self._busy = None
