"""Steps and those who are told of them, bound to a database: for `processing.dicom`, which knows
none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from storage import ups_steps, ups_subscribers, ups_work
from storage.database import Database
from storage.records.people import Principal
from storage.records.ups import (
    NewAnalysis,
    ShownStep,
    StepEvent,
    StepResult,
    StepsWanted,
    Subscriber,
    Told,
)


class Ups:
    """See `ups_steps`, `ups_work` and `ups_subscribers`, whose functions these are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def worker(self, who: Principal) -> Principal:
        """A node that may ask for work does it as a device; everybody else as they are."""
        return ups_steps.worker(self._database, who)

    def find(self, who: Principal, uid: str) -> ShownStep:
        """One step. Errors: NotFound."""
        return ups_steps.find(self._database, self.worker(who), uid)

    def search(
        self, who: Principal, wanted: StepsWanted, limit: int, offset: int
    ) -> list[ShownStep]:
        """Steps within reach, most urgent first."""
        return ups_steps.search(self._database, self.worker(who), wanted, limit, offset)

    def create(self, who: Principal, uid: str, new: NewAnalysis) -> ShownStep:
        """A new analysis. Errors: Illegal."""
        return ups_work.create(self._database, who, uid, new)

    def claim(self, who: Principal, uid: str, transaction_uid: str) -> None:
        """Begin to perform. Errors: NotFound, Illegal."""
        ups_work.claim(self._database, who, uid, transaction_uid)

    def note(
        self,
        who: Principal,
        uid: str,
        said: Mapping[str, Any],
        told: list[tuple[StepEvent, Mapping[str, Any]]],
    ) -> None:
        """Keep what is said. Errors: NotFound, Illegal."""
        ups_work.note(self._database, who, uid, said, told)

    def finish(self, who: Principal, uid: str, result: StepResult) -> None:
        """It is performed. Errors: NotFound, Illegal."""
        ups_work.finish(self._database, who, uid, result)

    def give_up(self, who: Principal, uid: str, reason: str) -> None:
        """The performer stops. Errors: NotFound, Illegal."""
        ups_work.give_up(self._database, who, uid, reason)

    def call_off(self, who: Principal, uid: str, reason: str) -> None:
        """Nobody needs it. Errors: NotFound, Illegal."""
        ups_work.call_off(self._database, who, uid, reason)

    def ask_to_stop(self, who: Principal, uid: str, told: Mapping[str, Any]) -> None:
        """Tell the performer. Errors: NotFound, Illegal."""
        ups_work.ask_to_stop(self._database, who, uid, told)

    def is_anybody_told(self, uid: str) -> bool:
        """Whether a request about the step would reach anybody."""
        return ups_subscribers.is_anybody_told(self._database, uid)

    def subscribe_to_one(self, subscriber: Subscriber, uid: str, *, lock: bool) -> None:
        """Errors: Illegal, Malformed."""
        ups_subscribers.subscribe_to_one(self._database, subscriber, uid, lock=lock)

    def subscribe_to_all(self, subscriber: Subscriber) -> None:
        """Errors: Illegal, Malformed."""
        ups_subscribers.subscribe_to_all(self._database, subscriber)

    def subscribe_to_matching(self, subscriber: Subscriber, uids: Iterable[str]) -> None:
        """Errors: Illegal, Malformed."""
        ups_subscribers.subscribe_to_matching(self._database, subscriber, uids)

    def unsubscribe(self, who: Principal, aet: str, uid: str) -> None:
        """Errors: Illegal."""
        ups_subscribers.unsubscribe(self._database, who, aet, uid)

    def suspend(self, who: Principal, aet: str) -> None:
        """Errors: Illegal."""
        ups_subscribers.suspend(self._database, who, aet)

    def subscriber(self, aet: str) -> Subscriber | None:
        """Who is told under an AE title."""
        return ups_subscribers.get(self._database, aet)

    def told_as(self, subscriber: Subscriber) -> Principal:
        """In whose name a subscriber is told."""
        return ups_subscribers.told_as(self._database, subscriber)

    def news_for(self, subscriber: Subscriber, after: int) -> tuple[list[Told], int]:
        """What is to be told after that, and how far that is."""
        return ups_subscribers.news_for(self._database, subscriber, after)

    def born_since(self, subscriber: Subscriber) -> tuple[list[str], int]:
        """Steps that a filter has not been held against yet."""
        return ups_subscribers.born_since(self._database, subscriber)

    def add_matching(self, subscriber: Subscriber, uids: list[str], upto: int) -> None:
        """Of those these match."""
        ups_subscribers.add_matching(self._database, subscriber, uids, upto)
