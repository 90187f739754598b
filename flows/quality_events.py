"""What checks found, told to cases: whichever was there first, the image's glass or the report."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from flows.casework_report import kind_of
from flows.services import Services
from storage import events, news, quality_case
from storage.errors import Transient

_LOG = logging.getLogger("svartid.casework")
_ALL = 300.0
"""Seconds between looks at everything."""
_KINDS = ("QualityAssessed", "ImageAvailable")


@dataclass(slots=True)
class Findings:
    """Reports on images of cases, on their way to the cases."""

    services: Services
    _seen: int = -1
    _looked_at_all: float = float("-inf")

    def __call__(self) -> int:
        """One look; how many cases were told."""
        database = self.services.database
        if self._seen < 0:
            self._seen = events.last_id(database)
        told = news.since(database, self._seen, _KINDS)
        everything = time.monotonic() - self._looked_at_all > _ALL
        done = 0
        if told.found or everything:
            done = sum(self._tell(slide_id) for slide_id in quality_case.untold(database))
            self._looked_at_all = time.monotonic()
        self._seen = told.seen
        return done

    def _tell(self, slide_id: str) -> bool:
        """Of one image; what its case refuses is on the repair list, and stops no other."""
        try:
            outcome = quality_case.tell(self.services.database, slide_id)
        except Transient:
            raise
        except Exception as error:  # one image must not stop the others; it is looked at again
            _LOG.warning("slide %s: its case is not told: %s", slide_id, kind_of(error))
            return False
        _LOG.info("slide %s: checks %s", slide_id, outcome.value if outcome else "not told")
        return outcome is not None
