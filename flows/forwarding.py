"""One series to one node: allowed, logged, sent object by object, and noted as far as it came."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from flows.dicom_export import opener_of
from flows.forwarding_line import Line, Unreached
from flows.forwarding_ways import dial
from flows.services import Services, open_services
from processing.dicom.instance import Instance
from processing.dicom.opening import Opener
from storage import dicom_peers, forwarding
from storage.access_log import log_access
from storage.errors import Illegal, NotFound, SlideError, StoreDamaged
from storage.forward_choice import Leaving, leaving
from storage.records.forwarding import Forward
from storage.records.imaging import Peer
from storage.settings import Settings

_LOG = logging.getLogger("svartid.forwarder")
_NOTED_EVERY = 2.0
"""Seconds between two notes of how far a series is."""

Dial = Callable[[Peer, Settings], Line]


@dataclass(slots=True)
class Sending:
    """Sends what is in the queue; one a process, for several threads."""

    services: Services
    opener: Opener
    dial: Dial = dial

    @classmethod
    def of(cls, settings: Settings) -> Sending:
        """With a database and a store of its own."""
        services = open_services(settings)
        return cls(services, opener_of(services))

    def send(self, forward: Forward) -> str:
        """How it ended, in a word. Errors: Transient, of the database."""
        database = self.services.database
        try:
            peer = dicom_peers.get(database, forward.peer)
            found = leaving(database, peer, forward.series_uid)
        except NotFound:
            return self._refuse(forward, "peer_unknown")
        except Illegal as error:
            return self._refuse(forward, error.reason)
        log_access(
            database, found.who, "forward", found.entry.slide_id, found.accession,
            found.patient_id, found.basis.value,
        )  # fmt: skip
        try:
            return self._deliver(forward, peer, found)
        except Unreached as error:
            reason = error.reason
        except (StoreDamaged, SlideError, NotFound):
            reason = "store_damaged"
        forwarding.put_off(database, forward, reason)
        return reason

    def _deliver(self, forward: Forward, peer: Peer, found: Leaving) -> str:
        instances = self.opener.instances(found.entry)
        line = self.dial(peer, self.services.settings)
        try:
            progress = _Progress(self, forward, instances)
            try:
                progress.follow(line)
            finally:
                progress.note()
            if progress.failed:
                uid, why = progress.failed
                forwarding.put_off(self.services.database, forward, why, uid)
                return why
            forwarding.arrived(self.services.database, forward, progress.done)
            return self._ask_to_keep(forward, line, instances)
        finally:
            line.close()

    def _ask_to_keep(self, forward: Forward, line: Line, instances: Sequence[Instance]) -> str:
        uid = forwarding.commitment_uid(forward.forward_id)
        try:
            kept = line.commit(instances, uid)
        except Unreached:  # it is there; that the node will keep it was not heard
            return "sent"
        if kept is None:
            return "sent"
        failed = "" if kept else instances[0].sop_uid
        forwarding.mark_kept(self.services.database, forward.peer, uid, failed)
        return "kept" if kept else "not_kept"

    def _refuse(self, forward: Forward, reason: str) -> str:
        forwarding.refuse(self.services.database, forward, reason)
        return reason


@dataclass(slots=True)
class _Progress:
    """What a node has said so far of the objects of a series."""

    sending: Sending
    forward: Forward
    instances: Sequence[Instance]
    done: list[str] = field(default_factory=list)
    failed: tuple[str, str] | None = None
    """The first object that was not taken, and why."""

    def follow(self, line: Line) -> None:
        """Send what is not there yet. Errors: Unreached."""
        there = set(self.forward.done)
        self.done = [at.sop_uid for at in self.instances if at.sop_uid in there]
        missing = [at for at in self.instances if at.sop_uid not in there]
        noted = time.monotonic()
        for sent in line.send(missing):
            if sent.why:
                self.failed = self.failed or (sent.sop_uid, sent.why)
            else:
                self.done.append(sent.sop_uid)
            if time.monotonic() - noted > _NOTED_EVERY:
                self.note()
                noted = time.monotonic()

    def note(self) -> None:
        """Write down how far it is."""
        database = self.sending.services.database
        forwarding.note_progress(database, self.forward, len(self.instances), self.done)
