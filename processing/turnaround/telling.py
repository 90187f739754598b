"""Standing, clocks, steps and forecast of one case as JSON: the same for lists, pages, commands.

Whoever shows time asks here, so that no two places can tell the same case differently.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from processing.turnaround.calendar import in_time, share_used
from processing.turnaround.clock import Clock
from processing.turnaround.clocks import clocks, svartid
from processing.turnaround.experience import Experience
from processing.turnaround.forecast import forecast
from processing.turnaround.standing import CaseStanding, standing_of, urgency
from processing.turnaround.steps import step_now, steps
from storage.records.milestones import Milestones
from storage.records.policy import Policy, Target

NOTHING = {
    "state": "none",
    "share": 0.0,
    "slack_seconds": None,
    "left_days": 0,
    "left_hours": 0,
    "left_minutes": 0,
    "over": False,
    "working": True,
    "preliminary_demanded": False,
    "due_at": None,
    "in_time": None,
    "step": None,
    "target": None,
}
"""Nothing is promised: not received yet, or closed without an answer."""
_LAST = (float("inf"), "")


def standing_json(policy: Policy, case: Milestones, now: datetime) -> dict[str, Any]:
    """`state` is calm, warn or late while open; done once answered; none otherwise."""
    at = standing_of(policy, case, now)
    if at is not None:
        return _open(policy, case, at, now)
    clock = svartid(policy, case, now)
    if clock is None or clock.stop is None or clock.target is None or case.closed_at:
        return dict(NOTHING)
    return NOTHING | {
        "state": "done",
        "share": _rounded(share_used(policy, case.site, clock.target, clock.start, clock.stop)),
        "due_at": _moment(clock.due),
        "in_time": clock.in_time,
        "target": target_json(clock.target),
    }


def by_urgency(policy: Policy, case: Milestones, now: datetime) -> tuple[float, str]:
    """To sort by: who will miss first is first; what has no promise comes last."""
    at = standing_of(policy, case, now)
    return (urgency(at)[0].total_seconds(), case.accession) if at else _LAST


def forecast_json(
    policy: Policy, experience: Experience | None, case: Milestones, now: datetime
) -> dict[str, Any] | None:
    """How an open case may end; None where it is not open, or nothing has been learnt yet."""
    found = forecast(policy, experience, case, now) if experience else None
    if found is None:
        return None
    return {
        "probability_late": _rounded(found.probability_late),
        "cause": found.cause_step.value if found.cause_step else None,
        "expected_at": _moment(found.expected_at),
        "based_on": found.based_on,
        "confident": found.confident,
    }


def clocks_json(policy: Policy, case: Milestones, now: datetime) -> list[dict[str, Any]]:
    """Every clock that has started, svartid first; lengths in seconds of calendar time."""
    return [_clock(at) for at in clocks(policy, case, now)]


def steps_json(case: Milestones, now: datetime) -> list[dict[str, Any]]:
    """The whole of svartid in consecutive steps: their seconds sum to it.

    Of an open case the last is the one it is in; what lies ahead is left out.
    """
    found, current = list(steps(case, now)), step_now(case)
    while current and found and found[-1].name is not current and not found[-1].length:
        found.pop()
    return [
        {
            "step": at.name.value,
            "start": _moment(at.start),
            "stop": _moment(at.stop),
            "seconds": at.length.total_seconds(),
            "running": at.name is current and at is found[-1],
        }
        for at in found
    ]


def target_json(target: Target) -> dict[str, Any]:
    """What is promised, and where that comes from."""
    return {
        "amount": target.amount,
        "unit": target.unit.value,
        "percent": target.percent,
        "basis": target.basis,
        "mark": target.mark.value,
    }


def _open(policy: Policy, case: Milestones, at: CaseStanding, now: datetime) -> dict[str, Any]:
    return {
        "state": at.standing.value,
        "share": _rounded(at.share),
        "slack_seconds": at.slack.total_seconds(),
        "left_days": at.left.days,
        "left_hours": at.left.hours,
        "left_minutes": at.left.minutes,
        "over": at.left.over,
        "working": at.left.working,
        "preliminary_demanded": at.preliminary_demanded,
        "due_at": _moment(at.due),
        "in_time": None if in_time(at.target, at.due, now) else False,
        "step": at.step.value,
        "target": target_json(at.target),
    }


def _clock(at: Clock) -> dict[str, Any]:
    return {
        "key": at.key.value,
        "about": at.about,
        "start": _moment(at.start),
        "stop": _moment(at.stop),
        "running": at.running,
        "seconds": at.gross.total_seconds(),
        "paused_seconds": at.paused.total_seconds(),
        "net_seconds": at.net.total_seconds(),
        "working_days": at.working_days,
        "due": _moment(at.due),
        "in_time": at.in_time,
        "in_time_net": at.in_time_net,
        "target": target_json(at.target) if at.target else None,
        "parts": [
            {
                "name": part.name,
                "start": _moment(part.start),
                "stop": _moment(part.stop),
                "seconds": part.length.total_seconds(),
            }
            for part in at.parts
        ],
    }


def _rounded(value: float) -> float:
    return round(value, 4)


def _moment(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
