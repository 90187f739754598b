"""The quality process: every slide that can be read is checked, soon after and behind the rest.

`python -m flows.quality_process`, started and restarted by `svartid up`. A check that takes the
process along is tried three times; then the slide's report says so. Nothing waits for it. When
there is nothing to check, models of others (docs/models.md) that have risen are run.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from datetime import timedelta
from functools import partial
from types import FrameType

from flows import casework_flows
from flows.casework_report import FlowReport, Report, kind_of
from flows.model_runs import Guests
from flows.parent import die_with_parent
from flows.quality import run_checks
from flows.reporting import PrefectReporter
from flows.services import Services, open_services
from storage import events, news, quality, quality_case
from storage.database import now
from storage.errors import SvartidError, Transient
from storage.logs import log_to_stderr
from storage.settings import read_settings

_LOG = logging.getLogger("svartid.quality")
_PULSE = 0.3
_ALL = 60.0
"""Seconds between looks at everything."""
_MATCHED_WITHIN = timedelta(seconds=15)
"""So long an image may take to find its glass: what was ordered of it is held against it."""
_NICE = 10
"""Reading slides in comes first."""


class Assessor:
    """Follows the log and checks what has become readable."""

    def __init__(self, services: Services, report: Report) -> None:
        self._services, self._report = services, report
        self._seen, self._looked_at_all = -1, float("-inf")
        self._held = False

    def __call__(self) -> int:
        """One look; how many slides were checked."""
        database = self._services.database
        if self._seen < 0:
            self._seen = events.last_id(database)
        told = news.since(database, self._seen, ("SlideReady",))
        everything = time.monotonic() - self._looked_at_all > _ALL
        if not told.found and not everything and not self._held:
            self._seen = told.seen
            return 0
        waiting = quality.unchecked(database)
        held = quality_case.undecided(database, waiting, now() - _MATCHED_WITHIN)
        self._held = bool(held) or len(waiting) == quality.MOST_WAITING
        waiting = [at for at in waiting if at not in held]
        for slide_id in waiting:
            self._check(slide_id)
        self._seen, self._looked_at_all = told.seen, time.monotonic()
        return len(waiting)

    def _check(self, slide_id: str) -> None:
        try:
            work = partial(self._work, slide_id)
            outcome = self._report(casework_flows.assess_quality, slide_id, work)
        except Transient:
            raise
        except Exception as error:  # one slide must not stop the others; it is tried three times
            told = error.code if isinstance(error, SvartidError) else kind_of(error)
            _LOG.warning("slide %s is not checked: %s", slide_id, told)
        else:
            _LOG.info("slide %s: %s", slide_id, outcome)

    def _work(self, slide_id: str) -> str:
        return run_checks(self._services, slide_id).report.verdict.state.value


def main() -> int:
    """Work until SIGTERM."""
    die_with_parent()
    log_to_stderr()
    os.nice(_NICE)
    services = open_services(read_settings())
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    report = FlowReport(PrefectReporter(services).is_up)
    look, guests, failures = Assessor(services, report), Guests(services), 0
    _LOG.info("ready")
    while not stop.is_set():
        try:
            done, failures = look() or guests(), 0
        except Transient as error:
            done, failures = 0, failures + 1
            _LOG.warning("checks wait (%d): %s", failures, error)
        if not done:
            stop.wait(_PULSE * 2 ** min(failures, 7))
    report.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
