"""A case and what belongs to it, as its events have made them; nothing here is written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from storage.records.case_words import (
    LEFT_OUT,
    READABLE,
    Agreement,
    AssignedBy,
    Checked,
    ReportKind,
    RescanReason,
    ScanState,
    Severity,
    SlideState,
    WorkOrderKind,
)
from storage.records.milestones import Distance, Pause, Priority, SpecimenClass


@dataclass(frozen=True, slots=True)
class Specimen:
    """A submitted part and its blocks."""

    part: str
    topography: str = ""
    container: str = ""
    description: str = ""
    blocks: tuple[str, ...] = ()
    taken_at: datetime | None = None
    dispatched_at: datetime | None = None
    received_at: datetime | None = None
    described_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """One act of digitising a glass, counted from 1."""

    number: int
    state: ScanState
    item_id: str = ""
    scanner: str = ""
    slide_id: str = ""
    """The image it became; empty before."""
    fingerprint: str = ""
    root: str = ""
    reason: str = ""
    queued_at: datetime | None = None
    started_at: datetime | None = None
    scanned_at: datetime | None = None
    stored_at: datetime | None = None
    available_at: datetime | None = None
    checked: Checked = Checked.NOT_YET
    finding: str = ""
    """What the checks ask to be looked at, as they said it last."""


@dataclass(frozen=True, slots=True)
class CaseSlide:
    """One expected glass and its scans, oldest first."""

    barcode: str
    state: SlideState
    expected_at: datetime
    part: str = ""
    block: str = ""
    stain: str = ""
    order_id: str = ""
    stained_at: datetime | None = None
    readable_at: datetime | None = None
    """When it could first be read, as image or as glass."""
    scans: tuple[Scan, ...] = ()
    reason: str = ""
    """Why it is glass only, cancelled, failed or to be scanned again."""
    rescan: RescanReason | None = None
    region: tuple[float, float, float, float] | None = None
    rescans: tuple[tuple[datetime, datetime | None], ...] = ()
    """From asking for another scan until its image could be read."""

    @property
    def shown(self) -> Scan | None:
        """The scan to read: the newest that has been available and was not withdrawn."""
        shown = (ScanState.AVAILABLE, ScanState.ARCHIVED)
        found = [scan for scan in self.scans if scan.state in shown]
        return found[-1] if found else None

    @property
    def under_way(self) -> Scan | None:
        """The newest scan that was asked for or begun and has no image yet."""
        states = (ScanState.QUEUED, ScanState.SCANNING, ScanState.SCANNED)
        return next((scan for scan in reversed(self.scans) if scan.state in states), None)

    @property
    def is_waited_for(self) -> bool:
        """The case is not ready before this glass is."""
        return self.state not in LEFT_OUT

    @property
    def is_readable(self) -> bool:
        """As image or under the light microscope."""
        return self.state in READABLE


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """Additional work asked of the laboratory."""

    order_id: str
    kind: WorkOrderKind
    placed_by: str
    placed_at: datetime
    block: str = ""
    stain: str = ""
    note: str = ""
    after_final: bool = False
    accepted_at: datetime | None = None
    fulfilled_at: datetime | None = None
    cancelled_at: datetime | None = None
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """Neither done nor called off."""
        return self.fulfilled_at is None and self.cancelled_at is None


@dataclass(frozen=True, slots=True)
class Consultation:
    """A second opinion asked for, and its answer."""

    consultation_id: str
    distance: Distance
    asked: str
    question: str
    requested_by: str
    requested_at: datetime
    slides: tuple[str, ...] = ()
    await_before_signing: bool = True
    due: datetime | None = None
    consultant: str = ""
    accepted_at: datetime | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    opinion: str = ""
    agreement: Agreement | None = None
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """An answer may still come."""
        return self.answered_at is None and self.closed_at is None


@dataclass(frozen=True, slots=True)
class Flag:
    """Something to be seen before the report is signed."""

    flag_id: str
    severity: Severity
    text: str
    raised_by: str
    raised_at: datetime
    barcode: str = ""
    closed_at: datetime | None = None
    closed_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A signed report; `version` counts from 1 within the case."""

    version: int
    kind: ReportKind
    text: str
    codes: tuple[str, ...]
    signed_by: str
    signed_at: datetime
    overridden: tuple[str, ...] = ()
    override_reason: str = ""
    distributed_at: datetime | None = None
    acknowledged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """The text as it stands, not signed."""

    kind: ReportKind
    text: str
    codes: tuple[str, ...]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Preliminary:
    """A preliminary answer that went out."""

    text: str
    reason: str
    expected_at: datetime
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something recorded as what it is that a person should look at: the repair list shows it."""

    code: str
    event_id: int


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known about one accession; made by `case_fold.fold`."""

    accession: str
    patient_id: str = ""
    requester: str = ""
    site: str = ""
    unit: str = ""
    priority: Priority = Priority.ROUTINE
    specimen_class: SpecimenClass = SpecimenClass.BIOPSY
    subspecialty: str = ""
    clinical_information: str = ""
    language: str = "da"
    ordered_at: datetime | None = None
    accessioned_at: datetime | None = None
    opened_at: datetime | None = None
    cancelled_at: datetime | None = None
    rejected_at: datetime | None = None
    closing_reason: str = ""
    ready_times: tuple[datetime, ...] = ()
    assignee: str = ""
    assigned_by: AssignedBy | None = None
    assigned_at: datetime | None = None
    why: str = ""
    """Why that pathologist."""
    specimens: Mapping[str, Specimen] = field(default_factory=dict)
    slides: Mapping[str, CaseSlide] = field(default_factory=dict)
    orders: Mapping[str, WorkOrder] = field(default_factory=dict)
    consultations: Mapping[str, Consultation] = field(default_factory=dict)
    flags: Mapping[str, Flag] = field(default_factory=dict)
    pauses: Mapping[str, Pause] = field(default_factory=dict)
    reports: tuple[Report, ...] = ()
    draft: Draft | None = None
    preliminaries: tuple[Preliminary, ...] = ()
    warned_at: datetime | None = None
    breached_at: datetime | None = None
    oddities: tuple[Oddity, ...] = ()
    version: int = 0
    """How many events have made it."""

    @property
    def received_at(self) -> datetime | None:
        """When the first specimen came."""
        came = [at.received_at for at in self.specimens.values() if at.received_at]
        return min(came, default=None)

    @property
    def closed_at(self) -> datetime | None:
        """Cancelled or rejected."""
        return self.cancelled_at or self.rejected_at

    @property
    def final(self) -> Report | None:
        """The first final report."""
        return next((at for at in self.reports if at.kind is ReportKind.FINAL), None)

    @property
    def waited_for(self) -> list[CaseSlide]:
        """The glasses that readiness depends on."""
        return [slide for slide in self.slides.values() if slide.is_waited_for]

    @property
    def is_all_readable(self) -> bool:
        """Every expected glass can be read, and there is one."""
        slides = self.waited_for
        return bool(slides) and all(slide.is_readable for slide in slides)

    @property
    def open_flags(self) -> list[Flag]:
        """Flags of the severity that stands in the way of a signature."""
        must = Severity.MUST_SEE
        return [at for at in self.flags.values() if at.severity is must and at.closed_at is None]

    @property
    def awaited_opinions(self) -> list[Consultation]:
        """Unanswered consultations that are to be awaited before signing."""
        all_of_them = self.consultations.values()
        return [at for at in all_of_them if at.is_open and at.await_before_signing]
