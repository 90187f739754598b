"""When things happened to a case: what its history comes to, and all that clocks need.

Made by folding the events (`case_fold`); times are aware and UTC, None is not yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Priority(StrEnum):
    """The region's own three: rutine, pakke, haste."""

    ROUTINE = "routine"
    PACKAGE = "package"
    URGENT = "urgent"

    @property
    def rank(self) -> int:
        """0 is the least urgent."""
        return list(Priority).index(self)


class SpecimenClass(StrEnum):
    """What a target depends on beside the priority."""

    BIOPSY = "biopsy"
    RESECTION = "resection"
    CYTOLOGY = "cytology"
    CYTOLOGY_HEAD_NECK = "cytology_head_neck"
    CYTOLOGY_CERVIX = "cytology_cervix"
    FROZEN = "frozen"
    BONE_BIOPSY = "bone_biopsy"
    BONE_RESECTION = "bone_resection"


class PauseReason(StrEnum):
    """The closed list: nothing else stops the net clock."""

    INFO_FROM_REQUESTER = "info_from_requester"
    MATERIAL_FROM_REQUESTER = "material_from_requester"
    EXTERNAL_ANALYSIS = "external_analysis"
    EXTERNAL_CONSULT = "external_consult"
    PATIENT_CONSENT = "patient_consent"


class Distance(StrEnum):
    """How far away the asked pathologist sits; the same consultation, other privacy."""

    INTERNAL = "internal"
    REGIONAL = "regional"
    NATIONAL = "national"
    ABROAD = "abroad"


class AwaitedThing(StrEnum):
    """What a case that is being read waits for; several at once are possible."""

    WORK_ORDER = "work_order"
    CONSULTATION = "consultation"
    INFORMATION = "information"
    EXTERNAL = "external"
    RESCAN = "rescan"


@dataclass(frozen=True, slots=True)
class Pause:
    """An interval the net clock leaves out; ends with a linked event."""

    pause_id: str
    reason: PauseReason
    actor: str
    evidence: str
    """What it is linked to: a question sent, an external requisition."""
    began_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Awaited:
    """One thing a case being read waited for."""

    what: AwaitedThing
    about: str
    """The order's, consultation's or pause's id, or the slide's barcode."""
    began_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SlideTimes:
    """One expected glass on its way to the screen; scan times are those of the scan in use."""

    barcode: str
    expected_at: datetime
    stained_at: datetime | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    scanned_at: datetime | None = None
    available_at: datetime | None = None
    """First image that could be read, or when the glass was declared the way to read it."""
    glass_only: bool = False
    failures: int = 0
    rescans: int = 0


@dataclass(frozen=True, slots=True)
class ConsultationTimes:
    """Clock K9 of one consultation."""

    consultation_id: str
    distance: Distance
    requested_at: datetime
    accepted_at: datetime | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    """Declined or withdrawn: no answer will come."""


@dataclass(frozen=True, slots=True)
class SupplementTimes:
    """Clock K11: extra work ordered after the final report, to the supplement sent."""

    ordered_at: datetime
    distributed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Milestones:
    """The moments of one case."""

    accession: str
    site: str
    unit: str
    priority: Priority
    specimen_class: SpecimenClass
    subspecialty: str = ""
    ordered_at: datetime | None = None
    taken_at: datetime | None = None
    """First specimen."""
    received_at: datetime | None = None
    """First specimen: where svartid (K1) starts."""
    accessioned_at: datetime | None = None
    stained_at: datetime | None = None
    """Last expected slide that was on its way before the case was first opened."""
    available_at: datetime | None = None
    """Last of those slides that could be read."""
    ready_at: datetime | None = None
    """The latest readiness before the case was first opened; None again when it is lost before."""
    opened_at: datetime | None = None
    preliminary_at: datetime | None = None
    signed_at: datetime | None = None
    """First final report."""
    distributed_at: datetime | None = None
    """First final report at the requester: where svartid (K1) stops."""
    acknowledged_at: datetime | None = None
    closed_at: datetime | None = None
    """Cancelled or rejected: no answer will come; left out of every statistic."""
    slides: tuple[SlideTimes, ...] = ()
    consultations: tuple[ConsultationTimes, ...] = ()
    supplements: tuple[SupplementTimes, ...] = ()
    pauses: tuple[Pause, ...] = ()
    awaited: tuple[Awaited, ...] = ()
    warned_at: datetime | None = None
    breached_at: datetime | None = None
    backdated: bool = False
    """Some event was entered long after it happened: marked in every statistic."""

    @property
    def is_open(self) -> bool:
        """Received, and neither answered nor closed."""
        return self.received_at is not None and not (self.distributed_at or self.closed_at)
