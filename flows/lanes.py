"""A lane claims waiting rows and sees each through its stage; what happened is on the row."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass

from flows.ingest import give_up
from flows.isolation import Interrupted, ReadingProcess
from flows.services import Services
from storage import leases
from storage.errors import NoSpace, ReaderCrashed, SvartidError, Transient
from storage.records.intake import Intake, IntakeState

_LOG = logging.getLogger("svartid.dispatcher")
_MOST_CLAIMS = 12
"""Claims without an end, whatever the reason: then a person has to look."""
MOST_TRIES = 6
"""Tries that ended because something else was not ready; with the pauses about a minute."""
_POLL = 0.1
_LONGEST_PAUSE = 30.0

Report = Callable[[Intake, Callable[[], None]], None]
"""Runs the work of a row inside whatever reports it (a Prefect flow, or nothing)."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One worker's loop: which rows it takes, in whose name, and how they are reported."""

    services: Services
    owner: str
    wanted: Collection[IntakeState]
    report: Report
    first_pause: float = 2.0
    """Seconds before a second try; twice as long before each further one."""

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; nothing that goes wrong ends the lane."""
        process, failures = ReadingProcess(), 0
        try:
            while not stop.is_set():
                try:
                    idle = not self._step(process)
                    failures = 0
                except Exception as error:
                    # The lane outlives whatever this was; the row comes back when its lease ends.
                    failures += 1
                    idle = True
                    _complain(error, failures)
                if idle:
                    stop.wait(min(_POLL * 2 ** min(failures, 16), _LONGEST_PAUSE))
        finally:
            process.stop()

    def _step(self, process: ReadingProcess) -> bool:
        """One row; False when there was none."""
        process.warm_up()
        if not leases.waiting(self.services.database, self.wanted):
            return False
        owner = f"{self.owner}#{uuid.uuid4().hex[:8]}"  # two lanes are two owners
        lease = self.services.settings.keep_alive
        row = leases.claim(self.services.database, owner, lease, self.wanted)
        if row is not None:
            self.report(row, lambda: self.work(row, process, owner))
        return row is not None

    def work(self, row: Intake, process: ReadingProcess, owner: str) -> None:
        """The row's stage in the reading process, and its end when it cannot be done."""
        settings, database = self.services.settings, self.services.database
        try:
            if row.attempts > _MOST_CLAIMS:
                raise ReaderCrashed("it was begun many times and never finished")
            process.run(
                row,
                settings.phase_one_limit,
                settings.keep_alive / 3,
                lambda: leases.renew(database, row.intake_id, owner, settings.keep_alive),
            )
        except NoSpace as error:
            self._end(row, error)
        except Interrupted:
            leases.give_back(database, row.intake_id, owner, counted=False)
        except Transient as error:
            if row.attempts >= MOST_TRIES:
                self._end(row, error)
                return
            _LOG.warning("slide %s is tried again: %s", row.slide_id, error)
            leases.give_back(database, row.intake_id, owner, wait=self._pause(row.attempts))
        except SvartidError as error:
            self._end(row, error)
        else:
            _LOG.info("slide %s: %s done", row.slide_id, row.state.value)

    def _pause(self, attempts: int) -> float:
        """Seconds until the next try, longer each time."""
        return min(self.first_pause * 2.0 ** (attempts - 1), _LONGEST_PAUSE)

    def _end(self, row: Intake, error: SvartidError) -> None:
        state = give_up(self.services, row.intake_id, error)
        _LOG.warning("slide %s is %s: %s", row.slide_id, state.value, error.code)
        if row.state is IntakeState.COMPLETING:
            _LOG.warning("slide %s stays readable without its derived levels", row.slide_id)


def _complain(error: Exception, failures: int) -> None:
    """Every failure at first, then ever fewer lines: a disk that is full shall not fill the log."""
    if failures & (failures - 1) == 0:
        told = error if isinstance(error, Transient) else type(error).__name__
        _LOG.warning("a lane waits (%d): %s", failures, told, exc_info=failures == 1)
