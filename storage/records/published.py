"""What a published month of figures is about, and what it rests on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

EVERY_UNIT = "all"
_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")
_UNIT = re.compile(r"[^:\x00-\x1f]{0,40}")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which month, of which unit. Errors: ValueError."""

    month: str
    """2026-03, local."""
    unit: str = ""
    """Empty: all of them."""

    def __post_init__(self) -> None:
        if not _MONTH.fullmatch(self.month):
            raise ValueError("a month is written like 2026-03")
        if not _UNIT.fullmatch(self.unit) or self.unit == EVERY_UNIT:
            raise ValueError("no unit has such a name")

    @property
    def year_and_month(self) -> tuple[int, int]:
        """As numbers."""
        return int(self.month[:4]), int(self.month[5:])

    @property
    def subject(self) -> str:
        """Its subject in the log."""
        return f"turnaround:{self.unit or EVERY_UNIT}:{self.month}"


@dataclass(frozen=True, slots=True)
class DataCut:
    """The last event that was known, and the moment open cases are measured to."""

    event_id: int
    at: datetime
