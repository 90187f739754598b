"""Show or change what the laboratory promises: goals, closing days, when a case is warned of.

A changed policy is a new version, never an edit: it holds for what is computed from then on (or
from its `effective_from`), and published months keep the version they were made with.

examples:
  svartid policy show
  svartid policy show --json > policy.json      (edit it, then)
  svartid policy set policy.json
  svartid policy show --version 1 --json
  svartid policy history

exit code: 0 done, 1 refused: the document is wrong, or another version came between
"""

from __future__ import annotations

import argparse
import json
from getpass import getuser
from pathlib import Path

from flows.commands.common import complain, print_json, services_of
from flows.commands.times import count, local, table
from storage import policies
from storage.database import Database
from storage.errors import Malformed
from storage.exchange.policy_json import policy_to_json
from storage.records.policy import Policy, Target

SUMMARY = "show or change what the laboratory promises"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("action", choices=("show", "set", "history"))
    parser.add_argument("file", nargs="?", type=Path, help="set: the changed document (JSON)")
    parser.add_argument("--version", type=int, metavar="N", help="show: another version")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    """Show, set or list."""
    database = services_of(args).database
    if args.action == "history":
        return _history(database, as_json=args.json)
    if args.action == "set":
        return _set(args, database)
    shown = policies.version(database, args.version) if args.version else policies.current(database)
    if args.json:
        print(json.dumps(policy_to_json(shown), ensure_ascii=False, indent=1))
    else:
        print("\n".join(_lines(shown)))
    return 0


def _set(args: argparse.Namespace, database: Database) -> int:
    if args.file is None:
        complain("svartid policy set: give the FILE")
        return 2
    try:
        document = json.loads(args.file.read_text("utf-8"))
    except ValueError as error:
        raise Malformed(f"{args.file}: not JSON: {error}") from error
    entered = policies.enter(database, document, f"command:{getuser()}", "command")
    if args.json:
        print_json({"version": entered.version, "effective_from": str(entered.effective_from)})
    else:
        print(f"version {entered.version}, from {local(entered.effective_from)}")
    return 0


def _history(database: Database, *, as_json: bool) -> int:
    found = policies.history(database)
    rows = [("version", "from", "entered", "by")]
    for at in found:
        number, since = at.policy.version, at.policy.effective_from
        if as_json:
            about = {"version": number, "effective_from": since.isoformat()}
            print_json(about | {"entered_at": at.entered_at.isoformat(), "by": at.entered_by})
        rows.append((str(number), local(since), local(at.entered_at), at.entered_by))
    if not as_json:
        print(table(rows))
    return 0


def _lines(policy: Policy) -> list[str]:
    rows: list[tuple[str, ...]] = [("priority", "class", "goal", "for", "founded on")]
    for target in policy.targets:
        rows.append(_row(target.priority.value if target.priority else "any", target))
    rows.append(_row("all others", policy.fallback))
    for priority, target in policy.digitisation.items():
        rows.append(_row(f"scanning, {priority.value}", target))
    for distance, target in policy.consultation.items():
        rows.append(_row(f"opinion, {distance.value}", target))
    closed = [
        f"closed     {site}: {at.day} {at.name}"
        for site, days in sorted(policy.closing_days.items())
        for at in days
    ]
    return [
        f"version {policy.version}, from {local(policy.effective_from)}",
        table(rows),
        f"warned at  {policy.warn_share:.0%} of the allowed time",
        f"cut-off    {'none' if policy.cutoff_hour is None else f'{policy.cutoff_hour}:00'}",
        *closed,
    ]


def _row(who: str, target: Target) -> tuple[str, ...]:
    classes = ", ".join(at.value for at in target.classes).replace("_", " ") or "any"
    goal = count(target.amount, target.unit.value.replace("_", " ").removesuffix("s"))
    mark = f"{target.basis} ({target.mark.value})"
    return (who, classes, goal, f"{target.percent} %", mark)
