"""Which figures of the reports are followed over time, and what they are called there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Followed:
    """A figure of a check."""

    check: str
    field: str
    """What the check calls it."""
    unit: str
    least: float
    """The smallest standard deviation worth speaking of on one and the same glass."""


FOLLOWED: Final[dict[str, Followed]] = {
    "focus_p50": Followed("focus.radius", "p50", "um", 0.03),
    "focus_p95": Followed("focus.radius", "p95", "um", 0.06),
    "od_h": Followed("stain.background", "od_h", "OD", 0.01),
    "od_e": Followed("stain.background", "od_e", "OD", 0.01),
    "od_dab": Followed("stain.background", "od_dab", "OD", 0.01),
    "background": Followed("stain.background", "white", "DN", 0.5),
    "jpeg_quality": Followed("jpeg.quality", "quality", "Q", 0.5),
}
"""By the name that standings, alerts and screens use, in the order they are shown."""
ALARM_RATE, OVERRIDE_RATE, OF_CHECK = "alarm_rate", "override_rate", "alarm:"


def figures_of(report: Mapping[str, Any]) -> dict[str, float]:
    """The followed figures of a report as it is kept (plain JSON); those that were measured."""
    by_check = {at["check"]: at for at in report.get("findings", ())}
    out = {}
    for name, followed in FOLLOWED.items():
        found = by_check.get(followed.check, {}).get("figures", {}).get(followed.field)
        if isinstance(found, int | float):
            out[name] = float(found)
    return out
