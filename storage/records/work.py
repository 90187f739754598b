"""Work that somebody or something has to do: one item, whatever the work is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class WorkKind(StrEnum):
    """What is to be done."""

    SCAN = "scan"
    ANALYSIS = "analysis"
    """A program looks at images: what it finds comes back as objects of its own."""
    LAB_ORDER = "lab_order"
    CONSULTATION = "consultation"
    UNKNOWN_SLIDE = "unknown_slide"
    PRELIMINARY = "preliminary"
    """The goal has passed: a preliminary answer with reason and expected date."""
    LONG_PAUSE = "long_pause"


class WorkState(StrEnum):
    """Where it stands; DICOM's UPS has the same: scheduled, in progress, completed, canceled."""

    OFFERED = "offered"
    CLAIMED = "claimed"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


LEFT_ALONE = "left_alone"
"""Why an item about an unknown slide was cancelled: nobody expects a glass of it."""
OPEN = (WorkState.OFFERED, WorkState.CLAIMED)


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One piece of work; `about` is the order's, consultation's or pause's id."""

    item_id: str
    kind: WorkKind
    state: WorkState
    created_at: datetime
    created_by: str
    site: str = ""
    unit: str = ""
    accession: str | None = None
    barcode: str | None = None
    slide_id: str | None = None
    about: str = ""
    rank: int = 0
    """Higher is more urgent."""
    performer: str = ""
    rack: str = ""
    slot: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    attempts: int = 0
    due_at: datetime | None = None
    claimed_at: datetime | None = None
    ended_at: datetime | None = None
