"""Reports pieces of casework to Prefect, behind the work: no image waits for its report."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
from prefect.exceptions import PrefectException
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from flows.casework_flows import OUTCOME
from storage.errors import Transient

_LOG = logging.getLogger("svartid.casework")
_MOST = 200
"""Reports that may wait; what is done beyond that goes unreported, and is done all the same."""
_AWAY = (PrefectException, httpx.HTTPError, RuntimeError, OSError, TimeoutError)


Report = Callable[[Callable[[str], Any], str, Callable[[], str]], str]
"""Does a piece of work, with a flow run that tells of it, or without."""


def unreported(_flow: Callable[[str], Any], _work_id: str, work: Callable[[], str]) -> str:
    """Does the work and tells nobody."""
    return work()


def kind_of(error: Exception) -> str:
    """What went wrong and where; an error's text only where it is ours: others may name people."""
    if isinstance(error, Transient):
        return str(error)
    at = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {at.name}, line {at.lineno}"


class Undone(Exception):
    """The work failed; only the error's kind is told, since its text may name people."""


class FlowReport:
    """Does work at once and has its flow tell of it, in order, in a thread of its own."""

    def __init__(self, is_up: Callable[[], bool]) -> None:
        self._is_up = is_up
        self._thread = ThreadPoolExecutor(1, "report")
        self._room = threading.Semaphore(_MOST)

    def __call__(self, flow: Callable[[str], Any], work_id: str, work: Callable[[], str]) -> str:
        """Do `work`; how it ended. Errors: those of the work."""
        done: Future[str] = Future()
        if self._room.acquire(blocking=False):
            self._thread.submit(self._tell, flow, work_id, done)
        try:
            outcome = work()
        except BaseException as error:
            done.set_exception(Undone(type(error).__name__))
            raise
        done.set_result(outcome)
        return outcome

    def close(self) -> None:
        """Let the report under way end, and forget the others."""
        self._thread.shutdown(cancel_futures=True)

    def _tell(self, flow: Callable[[str], Any], work_id: str, done: Future[str]) -> None:
        self._room.release()
        if not self._is_up():
            return
        token = OUTCOME.set(done.result)
        try:
            # The heartbeat costs a second a run; these are over in less.
            with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
                flow(work_id)
        except Undone:
            pass  # told by the run's own state
        except _AWAY as error:
            _LOG.warning("work %s is not reported: %s", work_id, type(error).__name__)
        finally:
            OUTCOME.reset(token)
