"""Figures as JSON values: the same for page, API, commands and published months.

Times are ISO 8601 in UTC, lengths seconds of calendar time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from processing.turnaround.causes import causes
from processing.turnaround.experience import Experience
from processing.turnaround.publish import GROUPS, month_figures, month_selection
from processing.turnaround.statistics import (
    AgeBucket,
    Figures,
    Group,
    Grouping,
    Selection,
    Spread,
    answered,
    trend,
)
from processing.turnaround.today import Ahead, Today, today
from processing.turnaround.working_days import local_date
from storage.on_demand import load
from storage.records.milestones import Milestones
from storage.records.policy import Policy
from storage.records.published import DataCut, Scope

WEEKS, MONTHS = 13, 12
"""How far back the trends go."""
_SURVIVAL = "processing.turnaround.survival:survival"


def trend_begins(month: str) -> date:
    """The first day that answers are needed from, to tell a month and its trends."""
    year, number = (int(part) for part in month.split("-"))
    before = 12 * year + number - 1 - (MONTHS - 1)
    return date(before // 12, before % 12 + 1, 1)


def month_json(
    policy: Policy, cases: Sequence[Milestones], scope: Scope, cut: DataCut
) -> dict[str, Any]:
    """All that is told of a month, and published of it; from cases as known at the cut.

    Equal for equal input, at any time and in any order of the cases.
    """
    selection = month_selection(*scope.year_and_month)
    those = [at for at in cases if not scope.unit or at.unit == scope.unit]
    found = month_figures(policy, those, scope.year_and_month, cut)
    late = causes(policy, answered(those, selection))
    names = ["+".join(at.value for at in by) for by in GROUPS]
    groups = zip(names, found.groups, strict=True)
    return {
        "month": found.month,
        "unit": scope.unit,
        "policy_version": found.policy_version,
        "cut": {"event_id": cut.event_id, "at": cut.at.astimezone(UTC).isoformat()},
        "whole": figures_json(found.whole),
        "estimate": _estimate(policy, those, selection, cut.at),
        "groups": {name: [_group(at) for at in group] for name, group in groups},
        "causes": {
            "late": late.late,
            "steps": _counts(late.steps),
            "reasons": _counts(late.reasons),
        },
        "open": [_age(at) for at in found.open],
    }


def today_json(
    policy: Policy,
    experience: Experience | None,
    cases: Iterable[Milestones],
    selection: Selection,
    now: datetime,
) -> dict[str, Any]:
    """The open cases of this moment."""
    at: Today = today(policy, experience, cases, selection, now)
    return {
        "open": at.open,
        "standing": _counts(at.standing),
        "waiting": [
            {"step": step.value, **_counts(standing)} for step, standing in at.waiting.items()
        ],
        "preliminary_demanded": at.preliminary_demanded,
        "ahead": _ahead(at.ahead) if at.ahead else None,
        "ages": [_age(bucket) for bucket in at.ages],
    }


def trends_json(
    policy: Policy, cases: Sequence[Milestones], selection: Selection, last: date
) -> dict[str, Any]:
    """Answered cases by week and by month, up to a local day."""
    months = trend_begins(f"{last:%Y-%m}")
    weeks = last - timedelta(days=last.weekday(), weeks=WEEKS - 1)
    return {
        period.value: [
            _group(at)
            for at in trend(policy, _between(cases, selection, first, last), period, first, last)
        ]
        for period, first in ((Grouping.WEEK, weeks), (Grouping.MONTH, months))
    }


def figures_json(at: Figures) -> dict[str, Any]:
    """Of some answered cases."""
    return {
        "n": at.n,
        "within": at.within,
        "percent": at.percent,
        "promised": at.promised,
        "within_net": at.within_net,
        "gross": _spread(at.gross),
        "net": _spread(at.net),
        "working_days": _spread(at.working_days),
        "paused_share": at.paused_share,
        "backdated": at.backdated,
        "step_medians": _lengths(at.step_medians),
        "step_means": _lengths(at.step_means),
    }


def _between(
    cases: Sequence[Milestones], selection: Selection, first: date, last: date
) -> list[Milestones]:
    return [
        case
        for case in answered(cases, selection)
        if case.distributed_at and first <= local_date(case.distributed_at) <= last
    ]


def _group(at: Group) -> dict[str, Any]:
    return {"key": list(at.key), **figures_json(at.figures)}


def _spread(at: Spread[timedelta] | Spread[int] | None) -> dict[str, float] | None:
    if at is None:
        return None
    values = {"median": at.median, "p90": at.p90, "p95": at.p95, "max": at.most}
    return {
        name: value.total_seconds() if isinstance(value, timedelta) else value
        for name, value in values.items()
    }


def _estimate(
    policy: Policy, cases: Sequence[Milestones], selection: Selection, now: datetime
) -> dict[str, Any]:
    """Kaplan-Meier, of cases received in the month; rounded to what no other computer doubts."""
    at = load(_SURVIVAL)(policy, cases, selection, now)
    return {
        "n": at.n,
        "open": at.open,
        "percent": _percent(at.in_time),
        "low": _percent(at.in_time_low),
        "high": _percent(at.in_time_high),
        "median": _whole(at.median),
        "p90": _whole(at.p90),
        "p95": _whole(at.p95),
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 6)


def _whole(length: timedelta | None) -> int | None:
    return None if length is None else round(length.total_seconds())


def _lengths(lengths: Mapping[Any, timedelta]) -> dict[str, float]:
    return {name.value: length.total_seconds() for name, length in lengths.items()}


def _counts(counts: Mapping[Any, int]) -> dict[str, int]:
    return {name.value: count for name, count in counts.items()}


def _age(at: AgeBucket) -> dict[str, int | None]:
    return {"least": at.least, "most": at.most, "n": at.n, "late": at.late}


def _ahead(at: Ahead) -> dict[str, Any]:
    return {
        "told": at.told,
        "unsure": at.unsure,
        "likely": at.likely,
        "expected": round(at.expected, 2),
        "causes": _counts(at.causes),
    }
