"""The casework process: what follows in a case when nobody is at hand.

`python -m flows.casework`, started and restarted by `svartid up`. It follows the event log, a few
times a second; what it missed while it was away it finds by looking at everything now and then.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from types import FrameType
from typing import Any

from flows import casework_flows as flows
from flows.casework_report import FlowReport
from flows.label_process import LabelReader
from flows.matching import ReadLabel, match_slide
from flows.parent import die_with_parent
from flows.reporting import PrefectReporter
from flows.services import Services, open_services
from storage import events, matching, news, scanning
from storage.database import now
from storage.errors import Transient
from storage.logs import log_to_stderr
from storage.settings import read_settings

_LOG = logging.getLogger("svartid.casework")
_PULSE = 0.2
"""Seconds between looks at the log."""
_ALL = 300.0
"""Seconds between looks at everything."""
_LONGEST_WAIT = 60.0
_ROOTS_OF = timedelta(days=14)
_KINDS = ("SlideReady", "PyramidCompleted", "SlideExpected")

Report = Callable[[Callable[[str], Any], str, Callable[[], str]], str]
"""Does a piece of work, with a flow run that tells of it, or without."""


def unreported(_flow: Callable[[str], Any], _work_id: str, work: Callable[[], str]) -> str:
    """Does the work and tells nobody."""
    return work()


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
            _LOG.warning("slide %s: %s", slide_id, _kind_of(error))
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


@dataclass(slots=True)
class DeadScans:
    """Scans that a scanner took and nothing more was heard of."""

    services: Services
    report: Report

    def __call__(self) -> int:
        """One look; how many were taken back."""
        found = scanning.dead(self.services.database)
        for item_id in found:
            self.report(flows.take_back, item_id, partial(self._release, item_id))
            _LOG.info("scan %s: taken back", item_id)
        return len(found)

    def _release(self, item_id: str) -> str:
        return "offered" if scanning.release(self.services.database, item_id) else "alive"


@dataclass(slots=True)
class Duty:
    """Something looked after every so often; what goes wrong with it stops nothing else."""

    name: str
    every: float
    look: Callable[[], int]
    _next: float = 0.0
    _failures: int = 0

    def turn(self) -> int:
        """Look if it is time; how many pieces of work were done."""
        if time.monotonic() < self._next:
            return 0
        try:
            done, self._failures = self.look(), 0
        except Exception as error:
            self._failures += 1
            done = 0
            self._complain(error)
        wait = self.every * 2 ** min(self._failures, 12)
        self._next = time.monotonic() + (min(wait, _LONGEST_WAIT) if self._failures else wait)
        return done

    def _complain(self, error: Exception) -> None:
        """Ever fewer lines."""
        if self._failures & (self._failures - 1) == 0:
            _LOG.warning("%s waits (%d): %s", self.name, self._failures, _kind_of(error))


def _kind_of(error: Exception) -> str:
    """What went wrong and where; an error's text only where it is ours: others may name people."""
    if isinstance(error, Transient):
        return str(error)
    at = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {at.name}, line {at.lineno}"


def duties(services: Services, report: Report, read_label: ReadLabel) -> list[Duty]:
    """Everything this process looks after."""
    return [
        Duty("matching", _PULSE, Images(services, report, read_label)),
        Duty("dead scans", 10.0, DeadScans(services, report)),
    ]


def main() -> int:
    """Work until SIGTERM."""
    die_with_parent()
    log_to_stderr()
    services = open_services(read_settings())
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    report, labels = FlowReport(PrefectReporter(services).is_up), LabelReader()
    labels.warm_up()
    looked_after = duties(services, report, labels)
    _LOG.info("ready")
    while not stop.is_set():
        if not sum(duty.turn() for duty in looked_after):
            stop.wait(_PULSE)
    report.close()
    labels.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
