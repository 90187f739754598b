"""Objects to a node over associations: C-STORE, and storage commitment when it takes part in that.

Source: PS3.4 Annex B (storage), Annex J (storage commitment).
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Sequence

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID
from pynetdicom import evt
from pynetdicom.presentation import build_context

from flows.dicom_sending import Where, associated, batches, contexts_for, send, where_is
from flows.dicom_tls import Credentials as Keys
from flows.dicom_tls import client_context
from flows.forwarding_line import Credentials, Sent, Unreached
from processing.dicom.instance import Instance
from storage.errors import SettingsError
from storage.records.imaging import Peer

_COMMITMENT, _ITS_INSTANCE = UID("1.2.840.10008.1.20.1"), UID("1.2.840.10008.1.20.1.1")
_REQUEST = 1
_ALL_KEPT = 1
_WORD_WITHIN = 10.0
"""Seconds in which a node may say on the same association that it keeps everything."""
_MOST_MESSAGES = 65535


class DimseLine:
    """A node by its AE title, host and port."""

    def __init__(self, peer: Peer, credentials: Credentials) -> None:
        """Errors: Unreached (`no_address`, `no_certificate`)."""
        tls = _context(credentials) if peer.tls else None
        self._where = where_is(peer, credentials.ae_title, tls)

    def send(self, instances: Sequence[Instance]) -> Iterator[Sent]:
        """See `Line`: one association for as many as it has contexts for."""
        for batch in batches(instances):
            with associated(self._where, contexts_for(batch)) as association:
                for number, instance in enumerate(batch):
                    answer = send(association, instance, number % _MOST_MESSAGES + 1)
                    yield Sent(instance.sop_uid, instance.size() or 0, answer.why)

    def commit(self, instances: Sequence[Instance], transaction_uid: str) -> bool | None:
        """See `Line`; None also where the node takes no part in storage commitment."""
        heard = _Heard(transaction_uid)
        try:
            return _ask(self._where, instances, heard)
        except Unreached:
            return None

    def close(self) -> None:
        """Associations end when what they were for is done."""


class _Heard:
    """The node's word, should it come while we are still there."""

    def __init__(self, transaction_uid: str) -> None:
        self.transaction_uid = transaction_uid
        self.kept: bool | None = None
        self.came = threading.Event()

    def report(self, event: evt.Event) -> tuple[int, None]:
        """Handle N-EVENT-REPORT."""
        told = event.event_information
        if told.get("TransactionUID") == self.transaction_uid:
            self.kept = event.event_type == _ALL_KEPT
            self.came.set()
        return 0x0000, None


def _ask(where: Where, instances: Sequence[Instance], heard: _Heard) -> bool | None:
    with associated(where, [build_context(_COMMITMENT)]) as association:
        association.bind(evt.EVT_N_EVENT_REPORT, heard.report)
        asked = _request(instances, heard.transaction_uid)
        status, _ = association.send_n_action(asked, _REQUEST, _COMMITMENT, _ITS_INSTANCE)
        if status.get("Status") != 0x0000:
            return None
        heard.came.wait(_WORD_WITHIN)
    return heard.kept


def _request(instances: Sequence[Instance], transaction_uid: str) -> Dataset:
    asked = Dataset()
    asked.TransactionUID = transaction_uid
    items = []
    for instance in instances:
        item = Dataset()
        item.ReferencedSOPClassUID = instance.sop_class
        item.ReferencedSOPInstanceUID = instance.sop_uid
        items.append(item)
    asked.ReferencedSOPSequence = Items(items)
    return asked


def _context(credentials: Credentials) -> ssl.SSLContext:
    keys = None
    if credentials.certificate and credentials.key:
        keys = Keys(credentials.certificate, credentials.key)
    try:
        return client_context(credentials.authority, keys)
    except SettingsError as error:
        raise Unreached("no_certificate", str(error)) from None
