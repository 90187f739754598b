"""What can happen while a case is read and answered; the kinds are told in `case_events`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.records.case_words import (
    Agreement,
    AssignedBy,
    ReportKind,
    Severity,
    WorkOrderKind,
)
from storage.records.milestones import Distance


@dataclass(frozen=True, slots=True)
class CaseAssigned:
    """Whose case it is now, and why that person."""

    pathologist: str
    by: AssignedBy
    why: str = ""


@dataclass(frozen=True, slots=True)
class CaseReleased:
    """Given back to the department's list."""

    reason: str


@dataclass(frozen=True, slots=True)
class CaseOpened:
    """Its pathologist opened it for the first time."""

    pathologist: str


@dataclass(frozen=True, slots=True)
class WorkOrderPlaced:
    """Recut, stain, immunohistochemistry or a new block is asked for."""

    order_id: str
    kind: WorkOrderKind
    block: str = ""
    stain: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class WorkOrderAccepted:
    """The laboratory has taken it on."""

    order_id: str


@dataclass(frozen=True, slots=True)
class WorkOrderFulfilled:
    """Its glasses can be read, or the laboratory says that it is done."""

    order_id: str


@dataclass(frozen=True, slots=True)
class WorkOrderCancelled:
    """Not wanted, or not possible."""

    order_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ConsultationRequested:
    """A second opinion is asked for."""

    consultation_id: str
    distance: Distance
    asked: str
    """A person, or a group."""
    question: str
    slides: tuple[str, ...] = ()
    """Barcodes; empty is the whole case."""
    await_before_signing: bool = True
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class ConsultationAccepted:
    """The asked one will answer."""

    consultation_id: str
    consultant: str


@dataclass(frozen=True, slots=True)
class ConsultationDeclined:
    """The asked one will not."""

    consultation_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ConsultationTransferred:
    """Somebody else is asked instead."""

    consultation_id: str
    asked: str
    reason: str


@dataclass(frozen=True, slots=True)
class ConsultationAnswered:
    """The opinion."""

    consultation_id: str
    consultant: str
    opinion: str
    agreement: Agreement | None = None


@dataclass(frozen=True, slots=True)
class ConsultationWithdrawn:
    """The asker does not need it any more."""

    consultation_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class FlagRaised:
    """Somebody, or a check, wants something seen before the report is signed."""

    flag_id: str
    severity: Severity
    text: str
    barcode: str = ""


@dataclass(frozen=True, slots=True)
class FlagClosed:
    """A person has seen it."""

    flag_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReportDrafted:
    """Text and codes as they stand; of the kind that is being written."""

    kind: ReportKind
    text: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PreliminarySent:
    """A preliminary answer: why the final one is late, and when to expect it."""

    text: str
    reason: str
    expected_at: datetime


@dataclass(frozen=True, slots=True)
class ReportSigned:
    """Signed by step-up; what stood in the way and was overridden is named with the reason."""

    kind: ReportKind
    text: str
    codes: tuple[str, ...]
    overridden: tuple[str, ...] = ()
    override_reason: str = ""


@dataclass(frozen=True, slots=True)
class ReportDistributed:
    """It has reached the requester's inbox."""

    version: int
    kind: ReportKind
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class ReportAcknowledged:
    """The requester's system said that it has it."""

    version: int
