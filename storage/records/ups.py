"""Work as DICOM tells it: Unified Procedure Steps, what becomes of them, and who is told.

Source: PS3.4 Annex CC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from storage.records.case_words import Agreement
from storage.records.imaging import SeriesEntry, Whose
from storage.records.work import WorkItem

GLOBAL, FILTERED = "1.2.840.10008.5.1.4.34.5", "1.2.840.10008.5.1.4.34.5.1"
"""What stands for all steps, and for those that match, where somebody subscribes."""


class StepState(StrEnum):
    """As in Procedure Step State (0074,1000); a step that has ended stays as it ended."""

    SCHEDULED = "SCHEDULED"
    IN_PROGRESS = "IN PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"


FINAL = (StepState.COMPLETED, StepState.CANCELED)


class StepEvent(IntEnum):
    """Event types of UPS (PS3.4 CC.2.4.1)."""

    STATE = 1
    CANCEL_REQUESTED = 2
    PROGRESS = 3
    SCP_STATUS = 4
    ASSIGNED = 5


class Way(StrEnum):
    """How a subscriber is told."""

    WEB = "web"
    DIMSE = "dimse"


@dataclass(frozen=True, slots=True)
class Step:
    """One try of a work item: an item that is offered again is a step of its own."""

    uid: str
    item_id: str
    number: int
    state: StepState
    created_at: datetime
    changed_at: datetime
    transaction_uid: str = ""
    """The key of whoever performs it; never told."""
    said: Mapping[str, Any] = field(default_factory=dict)
    """What others have said of it, as the DICOM JSON model."""
    reason: str = ""
    """Why it was canceled."""
    replaces: str = ""
    """The step before, of the same work."""
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step as far as whoever asks may see it."""

    step: Step
    item: WorkItem
    stain: str = ""
    whose: Whose | None = None
    """Only for those who answer a question about the patient's case."""
    study_uid: str = ""
    inputs: tuple[SeriesEntry, ...] = ()
    """Series to work on; of them no more than UIDs is told without `whose`."""


@dataclass(frozen=True, slots=True)
class NewAnalysis:
    """Work that a program is asked to do on images."""

    said: Mapping[str, Any]
    label: str
    urgency: int = 0
    study_uids: tuple[str, ...] = ()
    series_uids: tuple[str, ...] = ()
    """Of images here that it is about; none where it is about something else."""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StepResult:
    """What came of a step, as far as the record of work has a place for it."""

    conclusion: str = ""
    agreement: Agreement | None = None


@dataclass(frozen=True, slots=True)
class StepsWanted:
    """What the database can narrow a search by; None or empty is anything."""

    uids: tuple[str, ...] = ()
    states: tuple[StepState, ...] = ()
    accession: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One thing to tell: which step, what kind of event, and what it says."""

    news_id: int
    uid: str
    event: StepEvent
    data: Mapping[str, Any]
    """As the DICOM JSON model."""
    born: bool = False
    """The step's first: it has just come into being."""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Somebody who is told of steps, by an AE title."""

    aet: str
    owner: str
    """The person or node in whose name it was subscribed: what they may not see is not told."""
    way: Way
    everything: bool = False
    wanted: Mapping[str, Any] | None = None
    """Matching keys, as the DICOM JSON model, of a filtered subscription to what will come."""
    lock: bool = False
    suspended_at: datetime | None = None
    synced: int = 0
    """Up to which news the filter has been held against new steps."""
    told: int = 0
    """Up to which news it has been told (DIMSE)."""
