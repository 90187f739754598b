"""A glass that a scanner is asked to scan, with all that a scanner has to write into its image."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.records.imaging import Glass, Whose

_SHORT = 16


def step_id_of(item_id: str) -> str:
    """The work item's id as a scanner knows it: 16 letters at most (PS3.5 6.2, VR SH)."""
    return item_id[:_SHORT]


@dataclass(frozen=True, slots=True)
class ScheduledScan:
    """One scan that waits, or that the asker has begun."""

    item_id: str
    accession: str
    study_uid: str
    """The case's study, which the image belongs into."""
    glass: Glass
    whose: Whose
    rank: int
    """Of the priority; higher is more urgent."""
    asked_at: datetime
    is_begun: bool = False
    place: str = ""
    """Rack and slot."""
    site: str = ""
    case_at: datetime | None = None
