"""The record of work as the UPS service asks for it; `storage.ups.Ups` is it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

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


class Record(Protocol):
    """Errors of all that names a step: NotFound (none within reach), Illegal."""

    def find(self, who: Principal, uid: str) -> ShownStep:
        """One step."""

    def search(
        self, who: Principal, wanted: StepsWanted, limit: int, offset: int
    ) -> list[ShownStep]:
        """Steps within reach, most urgent first."""

    def create(self, who: Principal, uid: str, new: NewAnalysis) -> ShownStep:
        """A new analysis."""

    def claim(self, who: Principal, uid: str, transaction_uid: str) -> None:
        """Begin to perform."""

    def note(
        self,
        who: Principal,
        uid: str,
        said: Mapping[str, Any],
        told: list[tuple[StepEvent, Mapping[str, Any]]],
    ) -> None:
        """Keep what is said."""

    def finish(self, who: Principal, uid: str, result: StepResult) -> None:
        """It is performed."""

    def give_up(self, who: Principal, uid: str, reason: str) -> None:
        """The performer stops."""

    def call_off(self, who: Principal, uid: str, reason: str) -> None:
        """Nobody needs it."""

    def ask_to_stop(self, who: Principal, uid: str, told: Mapping[str, Any]) -> None:
        """Tell the performer."""

    def is_anybody_told(self, uid: str) -> bool:
        """Whether a request about the step would reach anybody."""

    def subscribe_to_one(self, subscriber: Subscriber, uid: str, *, lock: bool) -> None:
        """Errors also: Malformed."""

    def subscribe_to_all(self, subscriber: Subscriber) -> None:
        """Errors also: Malformed."""

    def subscribe_to_matching(self, subscriber: Subscriber, uids: Iterable[str]) -> None:
        """Errors also: Malformed."""

    def unsubscribe(self, who: Principal, aet: str, uid: str) -> None:
        """No more of one, or of any."""

    def suspend(self, who: Principal, aet: str) -> None:
        """Nothing of what will come."""

    def subscriber(self, aet: str) -> Subscriber | None:
        """Who is told under an AE title."""

    def told_as(self, subscriber: Subscriber) -> Principal:
        """In whose name a subscriber is told."""

    def news_for(self, subscriber: Subscriber, after: int) -> tuple[list[Told], int]:
        """What is to be told after that, and how far that is."""

    def born_since(self, subscriber: Subscriber) -> tuple[list[str], int]:
        """Steps that a filter has not been held against yet."""

    def add_matching(self, subscriber: Subscriber, uids: list[str], upto: int) -> None:
        """Of those these match."""
