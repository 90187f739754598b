"""The closed lists a case is told in: states, kinds, severities."""

from __future__ import annotations

from enum import StrEnum


class CaseState(StrEnum):
    """Where a case stands; always derived from its events."""

    ORDERED = "ordered"
    RECEIVED = "received"
    IN_LAB = "in_lab"
    SCANNING = "scanning"
    READY = "ready"
    READING = "reading"
    AWAITING = "awaiting"
    DRAFT = "draft"
    PRELIMINARY = "preliminary"
    SIGNED = "signed"
    DISTRIBUTED = "distributed"
    SUPPLEMENTING = "supplementing"
    CORRECTING = "correcting"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


IN_THE_LAB = (CaseState.RECEIVED, CaseState.IN_LAB, CaseState.SCANNING)
BEING_READ = (
    CaseState.READING,
    CaseState.AWAITING,
    CaseState.DRAFT,
    CaseState.PRELIMINARY,
)
ANSWERED = (CaseState.DISTRIBUTED, CaseState.SUPPLEMENTING, CaseState.CORRECTING)
CLOSED = (CaseState.CANCELLED, CaseState.REJECTED)
ENDED = (CaseState.DISTRIBUTED, *CLOSED)
"""Nothing is waited for, unless somebody begins a supplement or a correction."""


class SlideState(StrEnum):
    """Where one expected glass stands."""

    EXPECTED = "expected"
    PRINTED = "printed"
    STAINED = "stained"
    QUEUED = "queued"
    SCANNING = "scanning"
    SCANNED = "scanned"
    FAILED = "failed"
    CHECKING = "checking"
    """Stored; its quality is being checked."""
    FLAGGED = "flagged"
    AVAILABLE = "available"
    RESCAN = "rescan"
    GLASS_ONLY = "glass_only"
    ARCHIVED = "archived"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


READABLE = (SlideState.AVAILABLE, SlideState.GLASS_ONLY, SlideState.ARCHIVED)
LEFT_OUT = (SlideState.CANCELLED, SlideState.WITHDRAWN)
"""Glasses a case does not wait for."""


class ScanState(StrEnum):
    """One act of digitising; never deleted because a newer exists."""

    QUEUED = "queued"
    SCANNING = "scanning"
    SCANNED = "scanned"
    FAILED = "failed"
    STORED = "stored"
    AVAILABLE = "available"
    FLAGGED = "flagged"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"
    ARCHIVED = "archived"


class Checked(StrEnum):
    """What the newest checks of an image, or a person after them, came to."""

    NOT_YET = ""
    PASSED = "passed"
    FLAGGED = "flagged"
    RELEASED = "released"


class ReportKind(StrEnum):
    """Foreløbigt, endeligt, supplerende, rettet."""

    PRELIMINARY = "preliminary"
    FINAL = "final"
    SUPPLEMENTARY = "supplementary"
    CORRECTED = "corrected"


class WorkOrderKind(StrEnum):
    """Additional work asked of the laboratory."""

    RECUT = "recut"
    STAIN = "stain"
    IMMUNO = "immuno"
    NEW_BLOCK = "new_block"


class Severity(StrEnum):
    """How hard a flag stands in the way of a signature."""

    NOTE = "note"
    MUST_SEE = "must_see"


class AssignedBy(StrEnum):
    """How a case came to its pathologist."""

    RULES = "rules"
    PERSON = "person"
    CLAIM = "claim"
    HANDOVER = "handover"


class Agreement(StrEnum):
    """Opinion against the asker's own view."""

    AGREE = "agree"
    PARTLY = "partly"
    DISAGREE = "disagree"


class RescanReason(StrEnum):
    """Why a glass is scanned again."""

    OUT_OF_FOCUS = "out_of_focus"
    MISSING_TISSUE = "missing_tissue"
    STITCHING = "stitching"
    DIRT = "dirt"
    WRONG_GLASS = "wrong_glass"
    OTHER = "other"
