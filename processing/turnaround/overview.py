"""What the page, the API and the command tell of turnaround: a month, its trends, and today.

Whoever asks hands in the cases (storage keeps them, this computes), and gets the same document.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from processing.turnaround.experience import Experience
from processing.turnaround.figures_json import month_json, today_json, trend_begins, trends_json
from processing.turnaround.publish import month_selection
from processing.turnaround.statistics import Selection
from processing.turnaround.working_days import local_date, midnight
from storage.records.milestones import Milestones
from storage.records.policy import Policy
from storage.records.published import DataCut, Scope


@dataclass(frozen=True, slots=True)
class Question:
    """Which month, of what."""

    scope: Scope
    site: str = ""
    """Empty: all of them."""

    @property
    def since(self) -> datetime:
        """Cases answered before that moment are not needed; all others are."""
        return midnight(trend_begins(self.scope.month)) - timedelta(days=7)


def question(month: str | None, unit: str, site: str, now: datetime) -> Question:
    """As it is asked; no month is this one. Errors: ValueError."""
    return Question(Scope(month or f"{local_date(now):%Y-%m}", unit), site)


def overview_json(
    policy: Policy,
    experience: Experience | None,
    cases: Sequence[Milestones],
    asked: Question,
    cut: DataCut,
) -> dict[str, Any]:
    """All of it; `cases` of every unit and site, as known at the cut."""
    there = [at for at in cases if asked.site in ("", at.site)]
    selection = Selection(site=asked.site or None, unit=asked.scope.unit or None)
    last = month_selection(*asked.scope.year_and_month).last or local_date(cut.at)
    return {
        **month_json(policy, there, asked.scope, cut),
        "site": asked.site,
        "sites": sorted({at.site for at in cases}),
        "units": sorted({at.unit for at in cases}),
        "today": today_json(policy, experience, cases, selection, cut.at),
        "trend": trends_json(policy, cases, selection, min(last, local_date(cut.at))),
    }
