"""Sees an intake through: watches the worker that has it, or does the work itself."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from types import TracebackType
from typing import Self

from flows.housekeeping import remove_litter
from flows.ingest import STAGES, give_up
from flows.liveness import Liveness, is_locked
from flows.services import Services
from storage import intake, leases
from storage.database import retrying
from storage.errors import NoSpace, ReaderCrashed, SvartidError, TooLarge, Transient
from storage.records.intake import CLAIMABLE, ENDED, Intake, IntakeState

_LOG = logging.getLogger("svartid.follow")
_POLL = 0.05
_TRIES = 5
_PAUSE = 0.5
_MOST_CLAIMS = 12

Tell = Callable[[str, int, int], None]
"""Called with the phase, tiles done and tiles to do."""


class Follower:
    """Takes part as a worker of its own when no `svartid up` is there to do the work."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._liveness = Liveness(services.layout.run)

    def __enter__(self) -> Self:
        self._liveness.__enter__()
        remove_litter(self.services)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._liveness.__exit__(kind, error, trace)

    def follow(self, intake_id: str, wanted: Collection[IntakeState], tell: Tell) -> Intake:
        """Until the row is in a `wanted` state or has ended; the row then."""
        while True:
            row = retrying(lambda: intake.get(self.services.database, intake_id))
            tell(row.state.value, row.done, row.total)
            if row.state in wanted or row.state in ENDED:
                return row
            if self._somebody_works():
                time.sleep(_POLL)
            else:
                self._work(intake_id, tell)

    def _somebody_works(self) -> bool:
        return is_locked(self.services.layout.run / "up.lock")

    def _work(self, intake_id: str, tell: Tell) -> None:
        """One stage in this process, when nobody else holds the row."""
        database, lease = self.services.database, self.services.settings.keep_alive
        leases.release_abandoned(database, self._liveness.is_alive)
        row = leases.claim(database, self._liveness.owner, lease, tuple(CLAIMABLE), intake_id)
        if row is None:
            time.sleep(_POLL)
            return
        stop = threading.Event()
        renewing = threading.Thread(target=self._renew, args=(row, stop), daemon=True)
        renewing.start()
        try:
            self._stage(row, tell)
        except NoSpace as error:
            give_up(self.services, intake_id, error)
        except Transient as error:
            if row.attempts >= _TRIES:
                give_up(self.services, intake_id, error)
            else:
                wait = _PAUSE * row.attempts
                leases.give_back(database, intake_id, self._liveness.owner, wait=wait)
        except SvartidError as error:
            give_up(self.services, intake_id, error)
        finally:
            stop.set()
            renewing.join()

    def _stage(self, row: Intake, tell: Tell) -> None:
        """The row's stage; what nobody foresaw becomes an error with a name."""
        if row.attempts > _MOST_CLAIMS:
            raise ReaderCrashed("it was begun many times and never finished")
        try:
            STAGES[row.state](
                self.services,
                row.intake_id,
                lambda done, total: tell(row.state.value, done, total),
            )
        except SvartidError:
            raise
        except MemoryError as error:
            raise TooLarge("it takes more memory than there is") from error
        except Exception as error:
            _LOG.exception("%s of intake %s", row.state, row.intake_id)
            raise SvartidError(f"internal error ({type(error).__name__})") from error

    def _renew(self, row: Intake, stop: threading.Event) -> None:
        lease = self.services.settings.keep_alive
        while not stop.wait(lease / 3):
            with suppress(Transient):
                leases.renew(self.services.database, row.intake_id, self._liveness.owner, lease)
