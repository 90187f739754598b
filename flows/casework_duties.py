"""What casework looks after beside images: dead scans, time, cases nobody has, reports to deliver.

Each is called to look once, and says how many pieces of work were done.
"""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass, field
from functools import partial

from flows import casework_flows as flows
from flows import delivery, routing, timekeeping
from flows.casework_report import Report
from flows.services import Services
from storage import colleagues, events, news, scanning
from storage.errors import NotFound

_LOG = logging.getLogger("svartid.casework")
_AGAIN = 60.0
"""Seconds until a case for which nothing could be done is looked at again."""


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
class Clock:
    """Cases whose time has come: warned of, breached, paused for too long."""

    services: Services
    report: Report

    def __call__(self) -> int:
        """One look; how many acts were demanded."""
        database = self.services.database
        acts = timekeeping.demanded(database)
        if acts:
            told = self.report(flows.keep_time, _run_id(), partial(timekeeping.do, database, acts))
            _LOG.info("time: %s", told)
        return len(acts)


@dataclass(slots=True)
class Router:
    """Cases that nobody has."""

    services: Services
    report: Report
    _again: dict[str, float] = field(default_factory=dict)
    _seen: int = -1

    def __call__(self) -> int:
        """One look; how many cases were given away, or noted."""
        database = self.services.database
        states = routing.STATES[self.services.settings.route_at]
        waiting = colleagues.unassigned(database, states) if states else []
        self._again = {name: at for name, at in self._again.items() if name in set(waiting)}
        self._settle()
        return sum(self._route(accession) for accession in waiting)

    def _route(self, accession: str) -> int:
        database = self.services.database
        if time.monotonic() < self._again.get(accession, 0.0):
            return 0
        self._again[accession] = time.monotonic() + _AGAIN
        if not routing.planned(database, accession):
            return 0
        told = self.report(
            flows.route_case, _run_id(), partial(routing.assign, database, accession)
        )
        _LOG.info("a case: %s", told)
        return 1

    def _settle(self) -> None:
        """Notes of cases that people have given to somebody are over."""
        database = self.services.database
        if self._seen < 0:
            self._seen = events.last_id(database)
        told = news.since(database, self._seen, ("CaseAssigned",))
        for accession in dict.fromkeys(told.ids("CaseAssigned")):
            try:
                routing.settle(database, accession)
            except NotFound:
                continue
        self._seen = told.seen


@dataclass(slots=True)
class Outbox:
    """Reports on their way to those who asked."""

    services: Services
    report: Report

    def __call__(self) -> int:
        """One look; how many were delivered or put off."""
        database, outbox = self.services.database, self.services.layout.outbox
        found = delivery.due(database)
        for message in found:
            work = partial(delivery.deliver, database, outbox, message)
            told = self.report(flows.deliver_message, message.message_id, work)
            _LOG.info("message %s: %s", message.message_id, told)
        return len(found)


def _run_id() -> str:
    """A name that says nothing: of a case nothing is told outside the database."""
    return uuid.uuid4().hex[:12]
