"""Reports a lane's work to Prefect when it is there, and goes on when it is not."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
from prefect.exceptions import PrefectException
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from flows.intake import FLOWS, WORK, Work, report_slide
from flows.services import Services
from storage import intake
from storage.errors import SvartidError
from storage.records.intake import Intake

_LOG = logging.getLogger("svartid.dispatcher")
_FRESH = 3.0
_AWAY = (PrefectException, httpx.HTTPError, RuntimeError, OSError, TimeoutError)


class PrefectReporter:
    """Calls the flow of a row's stage; the work is done once, whatever becomes of the report."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._seen = (0.0, False)
        self._lock = threading.Lock()

    def is_up(self) -> bool:
        """Prefect answers; asked at most every few seconds."""
        with self._lock:
            at, up = self._seen
            if time.monotonic() - at > _FRESH or at == 0:
                up = _answers()
                self._seen = (time.monotonic(), up)
            return up

    def __call__(self, row: Intake, work: Callable[[], None]) -> None:
        """Do `work`, with a flow run around it when Prefect is there.

        The work begins at once, in a thread of its own; creating a run takes a quarter of a
        second, and no slide waits for that.
        """
        with ThreadPoolExecutor(1) as pool:
            begun = pool.submit(work)
            if self.is_up():
                with self._handing(begun.result), self._never_fatal(row):
                    FLOWS[row.state](row.slide_id, row.intake_id)
            begun.result()

    def catch_up(self) -> None:
        """Report what ended while Prefect was away."""
        if not self.is_up():
            return
        for row in intake.unreported(self._services.database):
            with self._handing(lambda: None), self._never_fatal(row):
                report_slide(row.slide_id, row.intake_id)

    @contextmanager
    def _handing(self, run: Callable[[], None]) -> Iterator[None]:
        token = WORK.set(Work(self._services, run))
        try:
            # The heartbeat costs a second a run, to watch what our own lease watches already.
            with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
                yield
        finally:
            WORK.reset(token)

    @contextmanager
    def _never_fatal(self, row: Intake) -> Iterator[None]:
        try:
            yield
        except SvartidError:
            raise
        except _AWAY as error:
            self._seen = (time.monotonic(), False)
            _LOG.warning("slide %s is not reported: %s", row.slide_id, type(error).__name__)


def _answers() -> bool:
    url = os.environ.get("PREFECT_API_URL")
    if not url:
        return False
    try:
        return httpx.get(f"{url}/health", timeout=1.0).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
