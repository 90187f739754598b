"""The dispatcher process: lanes that work, and the housekeeping between them.

`python -m flows.dispatcher`, started and restarted by `svartid up`.
"""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType

from flows.housekeeping import clean_up
from flows.lanes import Lane
from flows.liveness import Liveness
from flows.parent import die_with_parent
from flows.reporting import PrefectReporter
from flows.services import Services, open_services
from storage import leases
from storage.errors import Transient
from storage.logs import log_to_stderr
from storage.records.intake import IntakeState
from storage.settings import read_settings

_LOG = logging.getLogger("svartid.dispatcher")
_HOUSEKEEPING = 2.0


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
    with Liveness(services.layout.run) as liveness:
        clean_up(services, liveness)
        reporter = PrefectReporter(services)
        threads = [
            threading.Thread(target=lane.run, args=(stop,), name=f"lane-{number}")
            for number, lane in enumerate(_lanes(services, liveness.owner, reporter))
        ]
        for thread in threads:
            thread.start()
        _LOG.info("ready")
        _keep_house(services, liveness, reporter, stop)
        for thread in threads:
            thread.join()
    return 0


def _lanes(services: Services, owner: str, reporter: PrefectReporter) -> list[Lane]:
    """The first lane makes slides readable and nothing else, so that none waits for phase two."""
    first = Lane(services, owner, (IntakeState.RECEIVED,), reporter)
    both = (IntakeState.READY, IntakeState.RECEIVED)
    others = [Lane(services, owner, both, reporter) for _ in range(services.settings.workers - 1)]
    return [first, *(others or [Lane(services, owner, (IntakeState.READY,), reporter)])]


def _keep_house(
    services: Services, liveness: Liveness, reporter: PrefectReporter, stop: threading.Event
) -> None:
    while not stop.wait(_HOUSEKEEPING):
        try:
            leases.release_abandoned(services.database, liveness.is_alive)
            reporter.catch_up()
        except Transient as error:
            _LOG.warning("housekeeping waits: %s", error)


if __name__ == "__main__":
    raise SystemExit(main())
