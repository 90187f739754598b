"""What can happen to a case: one frozen record a kind of event, named in the past tense.

The class name is the event's kind in the log. Times of happening, actor and source are the
envelope's (`Happened`); what is here is only what the kind needs. Corrections are events too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args

from storage.records.milestones import PauseReason, Priority, SpecimenClass
from storage.records.reading_events import (
    CaseAssigned,
    CaseOpened,
    CaseReleased,
    ConsultationAccepted,
    ConsultationAnswered,
    ConsultationDeclined,
    ConsultationRequested,
    ConsultationTransferred,
    ConsultationWithdrawn,
    FlagClosed,
    FlagRaised,
    PreliminarySent,
    ReportAcknowledged,
    ReportDistributed,
    ReportDrafted,
    ReportSigned,
    WorkOrderAccepted,
    WorkOrderCancelled,
    WorkOrderFulfilled,
    WorkOrderPlaced,
)
from storage.records.slide_events import (
    ImageArchived,
    ImageAvailable,
    ImageCommitted,
    ImageRecalled,
    ImageStored,
    ImageWithdrawn,
    QualityFlagged,
    QualityPassed,
    QualityReleased,
    RescanRequested,
    ScanCompleted,
    ScanFailed,
    ScanQueued,
    ScanStarted,
    ScanWithdrawn,
    SlideCancelled,
    SlideExpected,
    SlideGlassOnly,
    SlidePrinted,
    SlideSectioned,
    SlideStained,
)


@dataclass(frozen=True, slots=True)
class CaseOrdered:
    """A requisition: whose, from whom, of what, how urgent."""

    patient_id: str
    requester: str
    site: str
    unit: str
    priority: Priority
    specimen_class: SpecimenClass
    subspecialty: str = ""
    clinical_information: str = ""
    language: str = "da"


@dataclass(frozen=True, slots=True)
class SpecimenTaken:
    """Taken from the patient; part A, B, …"""

    part: str


@dataclass(frozen=True, slots=True)
class SpecimenDispatched:
    """Sent to the laboratory."""

    part: str


@dataclass(frozen=True, slots=True)
class SpecimenReceived:
    """At the laboratory: the first one starts the clock."""

    part: str
    topography: str = ""
    container: str = ""


@dataclass(frozen=True, slots=True)
class CaseAccessioned:
    """Entered, checked against the requisition, numbered."""


@dataclass(frozen=True, slots=True)
class GrossingDone:
    """A part has been described and cut up."""

    part: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class BlockEmbedded:
    """A paraffin block is there."""

    part: str
    block: str


@dataclass(frozen=True, slots=True)
class CaseReady:
    """Every expected glass can be read; said by the system when it becomes true."""


@dataclass(frozen=True, slots=True)
class PriorityChanged:
    """More or less urgent than ordered."""

    priority: Priority
    reason: str


@dataclass(frozen=True, slots=True)
class ClockPaused:
    """The net clock stops for a reason of the closed list."""

    pause_id: str
    reason: PauseReason
    evidence: str


@dataclass(frozen=True, slots=True)
class ClockResumed:
    """What was waited for has come."""

    pause_id: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class TargetWarned:
    """The warning share of the allowed time has passed."""

    due: datetime


@dataclass(frozen=True, slots=True)
class TargetBreached:
    """The goal has passed without a final report: a preliminary answer is demanded."""

    due: datetime


@dataclass(frozen=True, slots=True)
class CaseCancelled:
    """No answer is wanted any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class CaseRejected:
    """Material and requisition do not belong together; returned."""

    reason: str


@dataclass(frozen=True, slots=True)
class EventCorrected:
    """An earlier event was wrong: it never happened, or at another time. It stays in the log."""

    event_id: int
    reason: str
    occurred_at: datetime | None = None
    """None: it did not happen."""


CaseFact = (
    CaseOrdered | SpecimenTaken | SpecimenDispatched | SpecimenReceived | CaseAccessioned
    | GrossingDone | BlockEmbedded | SlideExpected | SlideCancelled | SlidePrinted
    | SlideSectioned | SlideStained | ScanQueued | ScanWithdrawn | ScanStarted | ScanCompleted
    | ScanFailed | ImageStored | ImageCommitted | QualityPassed | QualityFlagged | QualityReleased
    | ImageAvailable | ImageArchived | ImageRecalled | ImageWithdrawn | RescanRequested
    | SlideGlassOnly | CaseReady | CaseAssigned | CaseReleased | CaseOpened | PriorityChanged
    | WorkOrderPlaced | WorkOrderAccepted | WorkOrderFulfilled | WorkOrderCancelled
    | ConsultationRequested | ConsultationAccepted | ConsultationDeclined
    | ConsultationTransferred | ConsultationAnswered | ConsultationWithdrawn | FlagRaised
    | FlagClosed | ReportDrafted | PreliminarySent | ReportSigned | ReportDistributed
    | ReportAcknowledged | ClockPaused | ClockResumed | TargetWarned | TargetBreached
    | CaseCancelled | CaseRejected | EventCorrected
)  # fmt: skip

FACTS: Final[dict[str, type[CaseFact]]] = {kind.__name__: kind for kind in get_args(CaseFact)}
"""Every kind by its name."""


CONCLUDED: Final = "rules"
"""The source of what svartid itself concludes from the facts."""


@dataclass(frozen=True, slots=True)
class Happened:
    """A fact with its envelope; times are aware."""

    fact: CaseFact
    actor: str
    source: str
    occurred_at: datetime
    received_at: datetime
    event_id: int = 0
    """Its place in the log; 0 before it is there."""

    @property
    def is_conclusion(self) -> bool:
        """Only tells what follows from the facts anyway, and is folded out of them each time."""
        concluded = isinstance(self.fact, CaseReady | WorkOrderFulfilled | ClockResumed)
        return concluded and self.source == CONCLUDED
