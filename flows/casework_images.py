"""Images on their way to glasses, and roots on their way to cases: found by following the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from flows import casework_flows as flows
from flows.casework_report import Report, kind_of
from flows.matching import ReadLabel, match_slide
from flows.services import Services
from storage import events, matching, news
from storage.database import now
from storage.errors import Transient

_LOG = logging.getLogger("svartid.casework")
_ALL = 300.0
"""Seconds between looks at everything."""
_ROOTS_OF = timedelta(days=14)
_KINDS = ("SlideReady", "PyramidCompleted", "SlideExpected")


@dataclass(slots=True)
class Images:
    """Readable images on their way to glasses, and roots on their way to cases."""

    services: Services
    report: Report
    read_label: ReadLabel
    _seen: int = -1
    _looked_at_all: float = float("-inf")
    _images: dict[str, None] = field(default_factory=dict)
    _roots: dict[str, None] = field(default_factory=dict)

    def __call__(self) -> int:
        """One look; how many pieces of work were done."""
        self._listen()
        return sum(1 for _ in self._matched()) + sum(1 for _ in self._committed())

    def _listen(self) -> None:
        database = self.services.database
        everything = time.monotonic() - self._looked_at_all > _ALL
        if self._seen < 0:
            self._seen = events.last_id(database)
        told = news.since(database, self._seen, _KINDS)
        images, roots = told.ids("SlideReady"), told.ids("PyramidCompleted")
        if everything or told.ids("SlideExpected"):
            images += matching.expected_meanwhile(database)
        if everything:
            images += matching.unmatched(database)
            roots += matching.uncommitted(database, now() - _ROOTS_OF)
            self._looked_at_all = time.monotonic()
        if images and matching.leave_all_alone(database, images):
            images = []
        self._images |= dict.fromkeys(images)
        self._roots |= dict.fromkeys(roots)
        self._seen = told.seen

    def _matched(self) -> Iterator[str]:
        for slide_id in list(self._images):
            if self._attempt(self._images, slide_id, flows.match_image, self._match):
                yield slide_id

    def _committed(self) -> Iterator[str]:
        for slide_id in list(self._roots):
            if matching.is_attached(self.services.database, slide_id):
                if self._attempt(self._roots, slide_id, flows.commit_image, self._commit):
                    yield slide_id
            else:  # its root comes along when it is attached
                del self._roots[slide_id]

    def _attempt(
        self,
        waiting: dict[str, None],
        slide_id: str,
        flow: Callable[[str], Any],
        work: Callable[[str], str],
    ) -> bool:
        """One piece; what the world was not ready for stays waiting, what breaks is left."""
        try:
            outcome = self.report(flow, slide_id, partial(work, slide_id))
        except Transient:
            raise
        except Exception as error:  # one image must not stop the others; it is looked at again
            _LOG.warning("slide %s: %s", slide_id, kind_of(error))
            outcome = ""
        waiting.pop(slide_id, None)
        if outcome:
            _LOG.info("slide %s: %s", slide_id, outcome)
        return bool(outcome)

    def _match(self, slide_id: str) -> str:
        return match_slide(self.services, slide_id, self.read_label).value

    def _commit(self, slide_id: str) -> str:
        done = matching.commit_root(self.services.database, slide_id)
        return "committed" if done else "known"
