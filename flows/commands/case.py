"""Tell how a case stands: its events, state, clocks K1 to K11, steps, and how it may end.

The same figures as on the screens, from the same events; names no patient. Every time is in Danish
local time (UTC with --json); clocks are of calendar time, working days beside it. The steps sum to
the whole of svartid.

examples:
  svartid case P26-1042
  svartid case P26-1042 --json | jq '.clocks[] | select(.key == "K1") | .seconds'

exit code: 0 told, 1 no case has that accession number
"""

from __future__ import annotations

import argparse
from typing import Any

from flows.commands.common import note_look, print_json, services_of
from flows.commands.times import count, length, local, table
from processing.turnaround.experience import HISTORY, learn
from processing.turnaround.telling import clocks_json, forecast_json, standing_json, steps_json
from storage import cases, policies, worklist
from storage.database import Database, now
from storage.exchange.case_json import happened_json
from storage.records.case import Case
from storage.records.case_state import milestones_of, state_of

SUMMARY = "tell how a case stands: events, clocks, steps, forecast"
_NAMES = {
    "K1": "svartid", "K2": "patient", "K3": "transport", "K4": "laboratory", "K5": "digitisation",
    "K6": "wait to read", "K7": "read", "K8": "to requester", "K9": "consultation",
    "K10": "to preliminary", "K11": "supplement",
}  # fmt: skip
_TELLS = (
    "barcode",
    "part",
    "block",
    "stain",
    "slide_id",
    "order_id",
    "consultation_id",
    "pause_id",
)
"""What is shown of an event beside its envelope: nothing that somebody wrote."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("accession")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print it."""
    database = services_of(args).database
    case = cases.get(database, args.accession)
    note_look(database, "case", accession=case.accession, patient_id=case.patient_id)
    history = cases.history(database, case.accession)
    document = _document(database, case)
    document["events"] = [_event(happened_json(at)) for at in history]
    if args.json:
        print_json(document)
    else:
        print("\n".join(_lines(document)))
    return 0


def _document(database: Database, case: Case) -> dict[str, Any]:
    moment, times = now(), milestones_of(case)
    policy = policies.current(database, moment)
    experience = learn(policy, worklist.milestones(database, moment - HISTORY))
    return {
        "accession": case.accession,
        "state": state_of(case).value,
        "priority": times.priority.value,
        "specimen_class": times.specimen_class.value,
        "site": times.site,
        "unit": times.unit,
        "slides": len(case.waited_for),
        "policy_version": policy.version,
        "standing": standing_json(policy, times, moment),
        "forecast": forecast_json(policy, experience, times, moment),
        "clocks": clocks_json(policy, times, moment),
        "steps": steps_json(times, moment),
    }


def _event(event: dict[str, Any]) -> dict[str, Any]:
    data = event.pop("data")
    return event | {name: data[name] for name in _TELLS if data.get(name)}


def _lines(case: dict[str, Any]) -> list[str]:
    kind = f"{case['priority']} {case['specimen_class'].replace('_', ' ')}"
    where = f"{case['unit']}, {case['site']}"
    slides = count(case["slides"], "slide")
    lines = [f"{case['accession']}  {case['state']}  {kind}  {where}  {slides}"]
    lines += _standing(case["standing"]) + _forecast(case["forecast"])
    if case["clocks"]:
        lines += ["", _clocks(case["clocks"])]
    if case["steps"]:
        lines += ["", _steps(case["steps"])]
    return [*lines, "", _events(case["events"])]


def _standing(at: dict[str, Any]) -> list[str]:
    if at["due_at"] is None:
        return ["goal       nothing is promised"]
    if at["state"] == "done":
        return [f"goal       {local(at['due_at'])}  {'in time' if at['in_time'] else 'late'}"]
    days = count(at["left_days"], "working day" if at["working"] else "day")
    left = f"{f'{days} ' if at['left_days'] else ''}{at['left_hours']} h {at['left_minutes']} min"
    word = "over" if at["over"] else "left"
    lines = [f"goal       {local(at['due_at'])}  {at['state']}  {left} {word}"]
    if at["preliminary_demanded"]:
        lines.append("           a preliminary answer is due to the requester")
    return lines


def _forecast(at: dict[str, Any] | None) -> list[str]:
    if at is None:
        return []
    because = f", {at['cause'].replace('_', ' ')}" if at["cause"] else ""
    late = f"{100 * at['probability_late']:.0f} % late{because}"
    similar = count(at["based_on"], "similar case")
    sure = "" if at["confident"] else ", not sure"
    expected = local(at["expected_at"])
    return [f"forecast   {late}; expected {expected} ({similar}{sure})"]


def _clocks(clocks: list[dict[str, Any]]) -> str:
    rows = [("clock", "", "about", "from", "to", "gross", "paused", "working days", "goal")]
    for at in clocks:
        stop = local(at["stop"]) if at["stop"] else ("running" if at["running"] else "closed")
        kept = {True: "in time", False: "late", None: ""}[at["in_time"]]
        paused = length(at["paused_seconds"]) if at["paused_seconds"] else ""
        name, days = _NAMES[at["key"]], str(at["working_days"])
        started, gross = local(at["start"]), length(at["seconds"])
        rows.append((at["key"], name, at["about"], started, stop, gross, paused, days, kept))
    return table(rows, right=(5, 6, 7))


def _steps(steps: list[dict[str, Any]]) -> str:
    rows = [("step", "from", "time")]
    for at in steps:
        running = "  running" if at["running"] else ""
        name = at["step"].replace("_", " ")
        rows.append((name, local(at["start"]), length(at["seconds"]) + running))
    rows.append(("sum", "", length(sum(at["seconds"] for at in steps))))
    return table(rows)


def _events(events: list[dict[str, Any]]) -> str:
    rows = [("event", "happened", "entered", "kind", "by", "about")]
    for at in events:
        about = " ".join(str(at[name]) for name in _TELLS if name in at)
        entered = local(at["received_at"]) if at["backdated"] else ""
        number, happened = str(at["event_id"]), local(at["occurred_at"])
        rows.append((number, happened, entered, at["kind"], at["actor"], about))
    return table(rows, right=(0,))
