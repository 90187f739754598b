"""The states a received file goes through, and what may follow what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class IntakeState(StrEnum):
    """Where a received file is on its way to the screen."""

    RECEIVED = "received"
    READING = "reading"
    READY = "ready"
    COMPLETING = "completing"
    COMPLETE = "complete"
    QUARANTINED = "quarantined"
    FAILED = "failed"


class Source(StrEnum):
    """How a file reached us."""

    WATCH = "watch"
    COMMAND = "command"
    UPLOAD = "upload"
    DICOM = "dicom"
    """A series another node sent."""


READABLE = frozenset({IntakeState.READY, IntakeState.COMPLETING, IntakeState.COMPLETE})
ENDED = frozenset({IntakeState.COMPLETE, IntakeState.QUARANTINED, IntakeState.FAILED})
CLAIMABLE = {
    IntakeState.RECEIVED: IntakeState.READING,
    IntakeState.READY: IntakeState.COMPLETING,
}
"""Waiting state to the state of being worked on; the order is the order of urgency."""


@dataclass(frozen=True, slots=True)
class Intake:
    """One received file (or DICOM series) and how far it has come."""

    intake_id: str
    slide_id: str
    fingerprint: str
    name: str
    source: Source
    state: IntakeState
    reason: str | None
    detail: str | None
    attempts: int
    bytes: int
    done: int
    total: int
    lossless: bool
    released: bool
    """A person has seen what is wrong with it and wants it shown."""
    received_at: datetime
    updated_at: datetime
    seconds: float | None
    complete_seconds: float | None
    flow_run: str | None
