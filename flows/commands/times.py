"""Moments and lengths as the commands print them: Danish local time, days and hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from processing.turnaround.working_days import COPENHAGEN

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def local(moment: str | datetime | None) -> str:
    """`2026-11-22 14:05`; a dash for none."""
    if moment is None:
        return "-"
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{at.astimezone(COPENHAGEN):%Y-%m-%d %H:%M}"


def length(seconds: float | None) -> str:
    """`3 d 4 h`, `4 h 5 min`, `12 min`, `9 s`; of calendar time."""
    if seconds is None:
        return "-"
    whole = round(seconds)
    if whole >= _DAY:
        return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"
    if whole >= _HOUR:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _MINUTE} min" if whole >= _MINUTE else f"{whole} s"


def count(number: int, one: str, many: str = "") -> str:
    """`1 slide`, `2 slides`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def table(rows: Sequence[tuple[str, ...]], right: tuple[int, ...] = ()) -> str:
    """Columns aligned, those of `right` to the right; the first row is the head."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = (
        "  ".join(
            text.rjust(width) if at in right else text.ljust(width)
            for at, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
    return "\n".join(lines)
