"""A lane claims waiting rows and sees each through its stage; what happened is on the row."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass

from flows.ingest import give_up
from flows.isolation import ReadingProcess
from flows.services import Services
from storage import intake
from storage.errors import NoSpace, ReaderCrashed, SlideError, SvartidError, Transient
from storage.records.intake import Intake, IntakeState

_LOG = logging.getLogger("svartid.dispatcher")
_MOST_CLAIMS = 12
"""Claims without an end, whatever the reason: then a person has to look."""
_POLL = 0.1

Report = Callable[[Intake, Callable[[], None]], None]
"""Runs the work of a row inside whatever reports it (a Prefect flow, or nothing)."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One worker's loop: which rows it takes, in whose name, and how they are reported."""

    services: Services
    owner: str
    wanted: Collection[IntakeState]
    report: Report

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; an error of one slide never ends the lane."""
        process = ReadingProcess()
        process.warm_up()
        try:
            while not stop.is_set():
                if not self._step(process):
                    stop.wait(_POLL)
        finally:
            process.stop()

    def _step(self, process: ReadingProcess) -> bool:
        """One row; False when there was none."""
        try:
            if not intake.waiting(self.services.database, self.wanted):
                return False
            lease = self.services.settings.keep_alive
            row = intake.claim(self.services.database, self.owner, lease, self.wanted)
            if row is not None:
                self.report(row, lambda: self.work(row, process))
        except Transient as error:
            _LOG.warning("waiting: %s", error)
            return False
        return row is not None

    def work(self, row: Intake, process: ReadingProcess) -> None:
        """The row's stage in the reading process, and its end when it cannot be done."""
        settings = self.services.settings
        try:
            if row.attempts > _MOST_CLAIMS:
                raise ReaderCrashed("it was begun many times and never finished")
            process.run(
                row,
                settings.phase_one_limit,
                settings.keep_alive / 3,
                lambda: intake.renew(
                    self.services.database, row.intake_id, self.owner, settings.keep_alive
                ),
            )
        except NoSpace as error:
            self._end(row, error)
        except Transient as error:
            _LOG.warning("slide %s is tried again: %s", row.slide_id, error)
            intake.give_back(self.services.database, row.intake_id)
        except SvartidError as error:
            self._end(row, error)
        else:
            _LOG.info("slide %s: %s done", row.slide_id, row.state.value)

    def _end(self, row: Intake, error: SvartidError) -> None:
        if row.state is IntakeState.COMPLETING and not isinstance(error, SlideError):
            _LOG.error("slide %s stays readable, its levels wait: %s", row.slide_id, error)
        state = give_up(self.services, row.intake_id, error)
        _LOG.warning("slide %s is %s: %s", row.slide_id, state.value, error.code)
