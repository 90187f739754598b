"""Subscribers are told of procedure steps by N-EVENT-REPORT (PS3.4 CC.2.4).

One loop of the node: for each that has news an association, in the order in which it happened. Who
does not answer is tried again for an hour; then what is old is left out, and the next is tried.
"""

from __future__ import annotations

import logging
import ssl
import time
from dataclasses import dataclass, field

from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import build_role
from pynetdicom.ae import ApplicationEntity
from pynetdicom.association import Association
from pynetdicom.presentation import build_context

from flows.dicom_ups import PUSH, Steps
from processing.dicom.envelope import IMPLEMENTATION
from processing.dicom.ups_watch import Report
from storage import dicom_peers, ups_subscribers
from storage.database import Database
from storage.errors import NotFound, SvartidError
from storage.records.imaging import Peer
from storage.records.ups import StepEvent, Subscriber, Way

_LOG = logging.getLogger("svartid.dicom")
EVENT = "1.2.840.10008.5.1.4.34.6.4"
_SERVICE = UID("1.2.840.10008.5.1.4.34.5")
"""What an event is about that is about no single step."""
_PULSE, _CONNECT, _ANSWER = 0.5, 5.0, 15.0
_FIRST_WAIT, _LONGEST_WAIT, _GIVE_UP = 5.0, 300.0, 3600.0
_FORGET_EVERY = 3600.0


@dataclass(slots=True)
class _Trouble:
    """A subscriber that does not answer."""

    since: float
    wait: float = _FIRST_WAIT
    until: float = 0.0


@dataclass(slots=True)
class Teller:
    """Tells subscribers, one after the other."""

    steps: Steps
    title: str
    tls: ssl.SSLContext | None = None
    _trouble: dict[str, _Trouble] = field(default_factory=dict)
    _forgot: float = 0.0

    def run(self) -> None:
        """For ever: first that we are here again, then what happens."""
        self._look(restarted=True)
        while True:
            time.sleep(_PULSE)
            self._look(restarted=False)

    def look(self, *, restarted: bool = False) -> None:
        """Tell everybody what there is. Errors: Transient."""
        database = self.steps.node.services.database
        for subscriber in ups_subscribers.listing(database, Way.DIMSE):
            trouble = self._trouble.get(subscriber.aet)
            if trouble is None or time.monotonic() >= trouble.until:
                self._tell(database, subscriber, restarted=restarted)
        if time.monotonic() - self._forgot > _FORGET_EVERY:
            self._forgot = time.monotonic()
            ups_subscribers.forget_old(database)

    def _look(self, *, restarted: bool) -> None:
        try:
            self.look(restarted=restarted)
        except SvartidError as error:
            _LOG.warning("subscribers wait: %s", error.code)

    def _tell(self, database: Database, subscriber: Subscriber, *, restarted: bool) -> None:
        reports, upto = self.steps.watch.reports(subscriber.aet, Way.DIMSE, subscriber.told)
        if not reports and not restarted:
            if upto != subscriber.told:
                ups_subscribers.mark_told(database, subscriber.aet, upto)
            return
        try:
            peer = dicom_peers.by_ae_title(database, subscriber.aet)
        except NotFound:  # taken off the list: nobody to tell
            ups_subscribers.mark_told(database, subscriber.aet, upto)
            return
        done = self._call(peer, reports, restarted=restarted)
        if done == len(reports):
            self._trouble.pop(subscriber.aet, None)
            ups_subscribers.mark_told(database, subscriber.aet, upto)
            return
        if done:
            ups_subscribers.mark_told(database, subscriber.aet, reports[done - 1].news_id)
        if self._is_hopeless(subscriber.aet):
            ups_subscribers.mark_told(database, subscriber.aet, upto)

    def _is_hopeless(self, aet: str) -> bool:
        """Wait a little longer each time; True when that has lasted too long."""
        trouble = self._trouble.setdefault(aet, _Trouble(time.monotonic()))
        trouble.until = time.monotonic() + trouble.wait
        trouble.wait = min(trouble.wait * 2, _LONGEST_WAIT)
        return time.monotonic() - trouble.since > _GIVE_UP

    def _call(self, peer: Peer, reports: list[Report], *, restarted: bool) -> int:
        """How many were taken, in their order."""
        association = _associate(peer, self.title, self.tls)
        if association is None:
            return 0 if reports else -1
        done = 0
        try:
            if restarted:
                _report(association, StepEvent.SCP_STATUS, str(_SERVICE), _here_again())
            for report in reports:
                if not _report(association, report.event, report.uid, report.information):
                    break
                done += 1
        except (RuntimeError, ValueError):
            pass  # the association ended, or has no context for it
        if association.is_established:
            association.release()
        return done


def _associate(peer: Peer, title: str, tls: ssl.SSLContext | None) -> Association | None:
    host = peer.host.split(",")[0].strip()
    if not host or "/" in host or not peer.port:
        return None
    entity = ApplicationEntity(title)
    entity.implementation_class_uid = IMPLEMENTATION
    entity.connection_timeout = entity.acse_timeout = _CONNECT
    entity.dimse_timeout = _ANSWER
    role = build_role(EVENT, scu_role=False, scp_role=True)
    secured = (tls, host) if peer.tls and tls is not None else None
    try:
        association = entity.associate(
            host, peer.port, [build_context(EVENT)], peer.ae_title, ext_neg=[role],
            tls_args=secured,
        )  # fmt: skip
    except OSError:
        return None
    return association if association.is_established else None


def _report(association: Association, event: StepEvent, uid: str, information: Dataset) -> bool:
    """Whether the subscriber has taken it."""
    status, _ = association.send_n_event_report(information, int(event), PUSH, uid)
    return bool(status.get("Status") == 0x0000)


def _here_again() -> Dataset:
    """We were away; steps and subscriptions are as they were."""
    made = Dataset()
    made.SCPStatus = "RESTARTED"
    made.SubscriptionListStatus = made.UnifiedProcedureStepListStatus = "WARM START"
    return made
