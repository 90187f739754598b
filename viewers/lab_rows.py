"""An expected glass as a line of the laboratory's list: where it is, and how long it waits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import Any

from processing.turnaround.calendar import due_at, share_used, time_left
from processing.turnaround.steps import StepName, lengths, steps
from processing.turnaround.working_days import local_date, midnight
from storage.exchange.case_json import moment_json
from storage.records.case_words import SlideState
from storage.records.milestones import Milestones
from storage.records.policy import Policy
from storage.records.work import WorkItem, WorkState
from storage.worklist import LabSlide
from viewers.case_rows import patient_json

S = SlideState
GROUPS: dict[str, tuple[SlideState, ...]] = {
    "expected": (S.EXPECTED, S.PRINTED, S.STAINED),
    "queue": (S.QUEUED,),
    "scanning": (S.SCANNING, S.SCANNED, S.CHECKING),
    "failed": (S.FAILED,),
    "attention": (S.FLAGGED, S.RESCAN),
    "available": (S.AVAILABLE, S.ARCHIVED),
    "glass_only": (S.GLASS_ONLY,),
}
"""What a laboratory asks for, and the states that answer it; glasses left out are in none."""
_GROUP_OF = {state: name for name, states in GROUPS.items() for state in states}
_DONE = ("available", "glass_only")
_SCAN_STEPS = (StepName.SCAN_QUEUE, StepName.SCANNING, StepName.CHECKS)


def lab_json(
    policy: Policy, slides: Sequence[LabSlide], items: Sequence[WorkItem], moment: datetime
) -> list[dict[str, Any]]:
    """The lines, most urgent first: by the scan's deadline, then priority, then waiting time."""
    by_barcode = {item.barcode: item for item in items}
    known = [at for at in slides if at.state in _GROUP_OF]
    return sorted(
        (_line(policy, at, by_barcode.get(at.barcode), moment) for at in known), key=_urgency
    )


def counts(lines: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many glasses are in each group, and how many of those expected are missing."""
    found = dict.fromkeys((*GROUPS, "missing", "late"), 0)
    for line in lines:
        found[line["group"]] += 1
        found["missing"] += line["missing"]
        found["late"] += line["standing"]["state"] == "late"
    return found


def queue_json(items: Sequence[WorkItem], moment: datetime) -> dict[str, Any]:
    """How many scans wait and how long they have; which scanners are at work."""
    waiting = [at for at in items if at.state is WorkState.OFFERED]
    waits = [(moment - at.created_at).total_seconds() for at in waiting]
    scanners: dict[str, dict[str, Any]] = {}
    for at in items:
        if at.state is WorkState.CLAIMED:
            name = str(at.data.get("station") or at.performer)
            one = scanners.setdefault(name, {"name": name, "glasses": 0, "since": None})
            one["glasses"] += 1
            since = moment_json(at.claimed_at)
            one["since"] = min(filter(None, (one["since"], since)), default=None)
    oldest = min((at.created_at for at in waiting), default=None)
    return {
        "waiting": len(waiting),
        "oldest_at": moment_json(oldest),
        "median_wait_seconds": median(waits) if waits else None,
        "scanners": sorted(scanners.values(), key=lambda one: str(one["name"])),
    }


def share_json(answered: Iterable[Milestones], moment: datetime) -> dict[str, Any]:
    """How much of the response time of answered cases went to scanning: queue, scan and checks."""
    scan, whole, cases = 0.0, 0.0, 0
    for case in answered:
        if case.distributed_at is None or case.received_at is None:
            continue
        taken = lengths(steps(case, moment))
        scan += sum(taken[name].total_seconds() for name in _SCAN_STEPS)
        whole += (case.distributed_at - case.received_at).total_seconds()
        cases += 1
    return {
        "share_of_turnaround": scan / whole if whole > 0 else None,
        "scan_seconds": scan / cases if cases else None,
        "whole_seconds": whole / cases if cases else None,
        "answered_cases": cases,
    }


def item_json(item: WorkItem | None) -> dict[str, Any] | None:
    """The open scan of a glass: where it lies, who has it, which try it is."""
    if item is None:
        return None
    return {
        "item_id": item.item_id,
        "state": item.state.value,
        "rack": item.rack,
        "slot": item.slot,
        "performer": item.performer,
        "station": str(item.data.get("station") or ""),
        "tries": len(item.data.get("failures") or []),
        "queued_at": moment_json(item.created_at),
    }


def _line(
    policy: Policy, slide: LabSlide, item: WorkItem | None, moment: datetime
) -> dict[str, Any]:
    detail, group, case = slide.detail, _GROUP_OF[slide.state], slide.case
    stained, readable = _time(detail, "stained_at"), _time(detail, "readable_at")
    since, done = stained or slide.expected_at, group in _DONE
    standing = _standing(policy, case.milestones, None if done else stained, moment)
    yesterday = slide.expected_at < midnight(local_date(moment))
    return {
        "barcode": slide.barcode,
        "accession": slide.accession,
        "patient": patient_json(case.patient, local_date(moment)),
        "priority": case.milestones.priority.value,
        "state": slide.state.value,
        "group": group,
        "missing": group == "expected" and (yesterday or standing["state"] == "late"),
        "expected_at": moment_json(slide.expected_at),
        "stained_at": moment_json(stained),
        "waiting_since": None if done else moment_json(since),
        "took_seconds": (readable - since).total_seconds() if done and readable else None,
        "due_at": standing["due_at"],
        "standing": standing,
        "slide_id": slide.slide_id,
        "item": item_json(item),
        **{name: detail.get(name) for name in _DETAIL},
    }


_DETAIL = (
    "part", "block", "stain", "order_id", "reason", "rescan", "region", "scanner", "scans",
    "failures",
)  # fmt: skip


def _standing(
    policy: Policy, case: Milestones, stained: datetime | None, moment: datetime
) -> dict[str, Any]:
    """Against the promise from stained to readable; nothing runs before it is stained."""
    if stained is None:
        return {"state": "none", "share": 0.0, "due_at": None, "slack_seconds": None}
    target = policy.digitisation[case.priority]
    due = due_at(policy, case.site, stained, target)
    left = time_left(policy, case.site, target, due, moment)
    share = share_used(policy, case.site, target, stained, moment)
    state = "late" if left.over else "warn" if share >= policy.warn_share else "calm"
    return {
        "state": state,
        "share": round(share, 3),
        "slack_seconds": (due - moment).total_seconds(),
        "left_days": left.days,
        "left_hours": left.hours,
        "left_minutes": left.minutes,
        "over": left.over,
        "working": left.working,
        "due_at": moment_json(due),
    }


def _urgency(line: Mapping[str, Any]) -> tuple[str, int, str, str]:
    ranks = {"urgent": 0, "package": 1, "routine": 2}
    return (line["due_at"] or "9", ranks[line["priority"]], line["expected_at"], line["barcode"])


def _time(detail: Mapping[str, Any], name: str) -> datetime | None:
    told = detail.get(name)
    return datetime.fromisoformat(told) if told else None
