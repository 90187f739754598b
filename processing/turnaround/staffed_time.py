"""Time in which people work, as plain numbers, for many moments at once.

Local wall time is hours since 1970 by the clock on the wall in Copenhagen, so that a day has 24 of
them; staffed time runs from `opens` to `closes` on working days and stands still otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processing.turnaround.working_days import COPENHAGEN, WorkingDays

Hours = NDArray[np.floating[Any]]
_EPOCH = date(1970, 1, 1).toordinal()
_WALL = datetime(1970, 1, 1)  # noqa: DTZ001 - the clock on the wall has no zone


def wall_hours(moment: datetime) -> float:
    """The moment as local wall time."""
    local = moment.astimezone(COPENHAGEN).replace(tzinfo=None)
    return (local - _WALL) / timedelta(hours=1)


def from_wall_hours(hours: float) -> datetime:
    """The moment in UTC; in the hour that comes twice the first, one that is left out after it."""
    local = _WALL + timedelta(seconds=round(hours * 3600))
    return local.replace(tzinfo=COPENHAGEN).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Staffed:
    """Staffed time of a site over some years."""

    days: NDArray[np.int64]
    """Working days since 1970, in order."""
    opens: float
    closes: float

    @property
    def day_length(self) -> float:
        """Hours."""
        return self.closes - self.opens

    def at(self, wall: Hours) -> Hours:
        """Staffed hours before a moment in local wall time."""
        day = np.floor(wall / 24).astype(np.int64)
        before = np.searchsorted(self.days, day)
        last = np.minimum(before, len(self.days) - 1)
        today = np.clip(wall - day * 24.0 - self.opens, 0, self.day_length)
        staffed: Hours = before * self.day_length + np.where(self.days[last] == day, today, 0.0)
        return staffed

    def after(self, wall: Hours, hours: Hours) -> Hours:
        """Local wall time by which so many staffed hours more have passed; never before `wall`."""
        until = self.at(wall) + hours
        number = np.ceil(until / self.day_length).astype(np.int64) - 1
        number = np.clip(number, 0, len(self.days) - 1)
        there: Hours = self.days[number] * 24.0 + self.opens + (until - number * self.day_length)
        reached: Hours = np.where(hours > 0, np.maximum(there, wall), wall)
        return reached


def staffed(calendar: WorkingDays, years: range, hours: tuple[float, float]) -> Staffed:
    """Of a site's working days in some years, between two hours of the local day."""
    first, last = date(years.start, 1, 1).toordinal(), date(years.stop, 1, 1).toordinal()
    worked = (at for at in range(first, last) if calendar.includes(date.fromordinal(at)))
    return Staffed(np.array([at - _EPOCH for at in worked], dtype=np.int64), *hours)
