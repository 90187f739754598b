"""Subscribing to procedure steps, and what subscribers are told: for DIMSE and UPS-RS alike.

Source: PS3.4 CC.2.3, CC.2.4. Deletion locks are always granted: no step is ever deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from pydicom.dataset import Dataset

from processing.dicom import ups_rules as rules
from processing.dicom.json_model import to_model
from processing.dicom.matching import matches
from processing.dicom.ups_record import Record
from processing.dicom.ups_service import Answer, UpsService, refusal
from storage.errors import Illegal
from storage.records.people import Principal
from storage.records.ups import FILTERED, GLOBAL, StepEvent, StepState, Subscriber, Way


class Report(NamedTuple):
    """One event as it is told (PS3.4 CC.2.4.1)."""

    news_id: int
    uid: str
    event: StepEvent
    information: Dataset


@dataclass(frozen=True, slots=True)
class UpsWatch:
    """Subscriptions and events; one a process."""

    record: Record
    service: UpsService

    def subscribe(
        self, owner: Principal, subscriber: Subscriber, uid: str, keys: Dataset | None = None
    ) -> Answer:
        """N-ACTION 3, on one step, on all, or on those that match. Errors: Malformed."""
        try:
            if uid == GLOBAL:
                self.record.subscribe_to_all(subscriber)
            elif uid == FILTERED:
                self._to_matching(owner, subscriber, keys or Dataset())
            elif not self.service.get(owner, uid).is_done:
                return Answer(rules.UNKNOWN, uid=uid)
            else:
                self.record.subscribe_to_one(subscriber, uid, lock=subscriber.lock)
        except Illegal as error:
            return refusal(error, uid)
        return Answer(rules.SUCCESS, uid=uid)

    def unsubscribe(self, owner: Principal, aet: str, uid: str) -> Answer:
        """N-ACTION 4; of all it ends what was said of single steps, too."""
        every = uid in (GLOBAL, FILTERED)
        try:
            if not every and not self.service.get(owner, uid).is_done:
                return Answer(rules.UNKNOWN, uid=uid)
            self.record.unsubscribe(owner, aet, GLOBAL if every else uid)
        except Illegal as error:
            return refusal(error, uid)
        return Answer(rules.SUCCESS, uid=uid)

    def suspend(self, owner: Principal, aet: str, uid: str) -> Answer:
        """N-ACTION 5: nothing of steps to come."""
        if uid not in (GLOBAL, FILTERED):
            return Answer(rules.NOT_FITTING, uid=uid)
        try:
            self.record.suspend(owner, aet)
        except Illegal as error:
            return refusal(error, uid)
        return Answer(rules.SUCCESS, uid=uid)

    def reports(self, aet: str, way: Way, after: int) -> tuple[list[Report], int]:
        """What an AE title is to be told in that way after some news, and how far that is."""
        subscriber = self.record.subscriber(aet)
        if subscriber is None or subscriber.way is not way:
            return [], after
        self._hold_against_new(subscriber)
        told, upto = self.record.news_for(subscriber, after)
        found = [
            Report(at.news_id, at.uid, at.event, Dataset.from_json(dict(at.data))) for at in told
        ]
        return found, upto

    def _to_matching(self, owner: Principal, subscriber: Subscriber, keys: Dataset) -> None:
        found = [str(at.SOPInstanceUID) for at in self.service.search(owner, keys)]
        wanted = replace(subscriber, wanted=to_model(keys))
        self.record.subscribe_to_matching(wanted, found)

    def _hold_against_new(self, subscriber: Subscriber) -> None:
        """Steps that have come match as they were then: scheduled, whatever became of them."""
        if subscriber.wanted is None:
            return
        uids, upto = self.record.born_since(subscriber)
        if uids:
            who, keys = self.record.told_as(subscriber), Dataset.from_json(dict(subscriber.wanted))
            matching = list(self._matching(who, uids, keys))
            self.record.add_matching(subscriber, matching, upto)

    def _matching(self, who: Principal, uids: list[str], keys: Dataset) -> Iterator[str]:
        for uid in uids:
            dataset = self.service.get(who, uid).dataset
            if dataset is not None:
                dataset.ProcedureStepState = StepState.SCHEDULED.value
                if matches(keys, dataset):
                    yield uid
