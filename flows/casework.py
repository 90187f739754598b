"""The casework process: what follows in a case when nobody is at hand.

`python -m flows.casework`, started and restarted by `svartid up`. It follows the event log, a few
times a second; what it missed while it was away it finds by looking at everything now and then.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from flows.annotations_received import ReceivedAnnotations
from flows.casework_duties import Clock, DeadScans, Outbox, Router
from flows.casework_images import Images
from flows.casework_report import FlowReport, Report, kind_of
from flows.dicom_series import ReceivedSeries
from flows.label_process import LabelReader
from flows.matching import ReadLabel
from flows.parent import die_with_parent
from flows.quality_drift import DriftWatch, registered
from flows.quality_events import Findings
from flows.reporting import PrefectReporter
from flows.services import Services, open_services
from flows.triage import Triage
from storage.logs import log_to_stderr
from storage.settings import read_settings

_LOG = logging.getLogger("svartid.casework")
_PULSE = 0.2
"""Seconds between looks at the log."""
_LONGEST_WAIT = 60.0


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
            _LOG.warning("%s waits (%d): %s", self.name, self._failures, kind_of(error))


def duties(services: Services, report: Report, read_label: ReadLabel) -> list[Duty]:
    """Everything this process looks after."""
    return [
        Duty("matching", _PULSE, Images(services, report, read_label)),
        Duty("findings", 0.5, Findings(services)),
        Duty("series", 1.0, ReceivedSeries(services)),
        Duty("annotations", 2.0, ReceivedAnnotations(services)),
        Duty("delivery", 1.0, Outbox(services, report)),
        Duty("routing", 1.0, Router(services, report)),
        Duty("dead scans", 10.0, DeadScans(services, report)),
        Duty("time", 20.0, Clock(services, report)),
        Duty("triage", 1.0, Triage(services)),
        Duty("drift", 60.0, DriftWatch(services, registered(services.database))),
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
