"""What was recorded as what it is, and a person has to look at: a line of the repair list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class RepairKind(StrEnum):
    """Why a line is on the list; the most harmful first."""

    TWO_ACCESSIONS = "two_accessions"
    """One barcode is said to belong to two cases."""
    IMAGE_AFTER_CLOSING = "image_after_closing"
    SCAN_FAILED = "scan_failed"
    UNDELIVERED = "undelivered"
    SET_ASIDE = "set_aside"
    """What somebody said contradicts what is known."""
    LONG_PAUSE = "long_pause"
    OWN_PAUSE = "own_pause"
    """The clock was stopped by the one whose queue that excuses."""
    CLOCK_SET_BACK = "clock_set_back"
    BACKDATED = "backdated"


class RepairAct(StrEnum):
    """What can be done about a line."""

    RETRY = "retry"
    """Record it again, or send it now."""
    DISMISS = "dismiss"
    """Looked at; a reason is kept."""
    SCAN = "scan"
    """Put the glass into the scan queue again."""


@dataclass(frozen=True, slots=True)
class Repair:
    """One line: what, of which case, who said it and when, and why it is here."""

    repair_id: str
    """`event-ID`, `odd-CODE-EVENT-ACCESSION`, `scan-BARCODE`, `message-ID`, `pause-ITEM`."""
    kind: RepairKind
    accession: str
    has_case: bool
    """False where the accession is not known: whoever may repair may see it."""
    recorded_at: datetime
    occurred_at: datetime | None = None
    actor: str = ""
    source: str = ""
    what: str = ""
    """The kind of the fact, if it is about one."""
    reason: str = ""
    """Of a refusal, a scanner, or a delivery: in a word."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """Fields that tell which one: barcode, part, destination. No text about the patient."""
    count: int = 1
    """How many events the line stands for."""
    acts: tuple[RepairAct, ...] = ()
