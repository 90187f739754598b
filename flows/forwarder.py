"""The forwarder: what goes to other nodes by itself, chosen by rules, sent when they are there.

`python -m flows.forwarder`, started and restarted by `svartid up`. Without rules and with nothing
in the queue it asks the database a few questions a second, and loads nothing that speaks DICOM.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
import traceback
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from flows.parent import die_with_parent
from storage import dicom_peers, forward_rules, forwarding
from storage.database import Database
from storage.errors import NotFound, Transient
from storage.forward_choice import chosen
from storage.logs import log_to_stderr
from storage.on_demand import load
from storage.records.forwarding import Forward, ForwardRule
from storage.settings import Settings, read_settings

_LOG = logging.getLogger("svartid.forwarder")
_PULSE = 1.0
_SENDING = "flows.forwarding:Sending"
_MOST_PEERS = 4
"""Nodes that are sent to at once."""


def choose(database: Database) -> int:
    """Look at what has happened, and put into the queue what the rules mean; how many series."""
    rules = [rule for rule in forward_rules.listing(database) if rule.active]
    return sum(_follow(database, rule) for rule in rules)


def _follow(database: Database, rule: ForwardRule) -> int:
    found, seen = forward_rules.news_for(database, rule)
    if seen == rule.seen:
        return 0
    try:
        peer = dicom_peers.get(database, rule.peer)
    except NotFound:
        return 0
    entries = {
        entry.series_uid: entry for news in found for entry in chosen(database, rule, peer, news)
    }
    entered = 0
    with database.transaction() as connection:
        for entry in entries.values():
            content = forwarding.content_of(connection, entry)
            if content is not None:
                entered += forwarding.enter(connection, rule.peer, entry, content)
        forward_rules.advance(connection, rule, seen)
    return entered


@dataclass(slots=True)
class Forwarder:
    """The queue and the threads that empty it, one for each node that is sent to."""

    settings: Settings
    database: Database
    stop: threading.Event
    sending: Any = None
    """A `flows.forwarding.Sending`, from the first time that something is sent."""
    busy: dict[str, threading.Thread] = field(default_factory=dict)

    def look(self) -> None:
        """Choose, and begin to send where a node has something due."""
        entered = choose(self.database)
        if entered:
            _LOG.info("%d series are to be forwarded", entered)
        self.busy = {name: at for name, at in self.busy.items() if at.is_alive()}
        for peer in forwarding.peers_due(self.database):
            if peer not in self.busy and len(self.busy) < _MOST_PEERS:
                self._begin(peer)

    def _begin(self, peer: str) -> None:
        if self.sending is None:
            self.sending = load(_SENDING).of(self.settings)
        thread = threading.Thread(target=self._serve, args=(peer,), daemon=True)
        self.busy[peer] = thread
        thread.start()

    def _serve(self, peer: str) -> None:
        """Send to one node while something is due for it."""
        try:
            while not self.stop.is_set() and (waiting := forwarding.due(self.database, peer)):
                self._send(waiting[0])
        except Exception as error:
            _complain(error)

    def _send(self, forward: Forward) -> None:
        began = time.monotonic()
        try:
            outcome = self.sending.send(forward)
        except Transient:
            raise
        except Exception as error:  # one series must not stop the others
            _complain(error)
            forwarding.put_off(self.database, forward, "internal")
            return
        seconds = time.monotonic() - began
        _LOG.info("series %s: %s, %.1f s", forward.forward_id, outcome, seconds)


def _complain(error: Exception) -> None:
    """What went wrong and where; an error's own text may name people, unless it is ours."""
    if isinstance(error, Transient):
        _LOG.warning("forwarding waits: %s", error)
        return
    at = traceback.extract_tb(error.__traceback__)[-1]
    _LOG.warning("forwarding waits: %s in %s, line %s", type(error).__name__, at.name, at.lineno)


def main() -> int:
    """Work until SIGTERM."""
    die_with_parent()
    log_to_stderr()
    settings = read_settings()
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    forwarder = Forwarder(settings, Database(settings.database_url), stop)
    _LOG.info("ready")
    while not stop.wait(_PULSE):
        try:
            forwarder.look()
        except Exception as error:
            _complain(error)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
