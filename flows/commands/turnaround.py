"""Tell whether answers come in time and where they wait; publish a month, and prove it later.

Answered cases belong to the Danish local month their final answer came in. The percentage within
target is of answered cases alone; the estimate beside it counts the open ones too. A published
month is frozen with the policy's version and the last event that was known: --verify computes it
again from exactly those events. docs/turnaround.md defines every figure.

examples:
  svartid turnaround
  svartid turnaround --month 2026-10 --by class
  svartid turnaround --month 2026-10 --unit patologi --csv > october.csv
  svartid turnaround --json | jq .whole.percent
  svartid turnaround publish 2026-10
  svartid turnaround publish 2026-10 --again "two cases were entered late"
  svartid turnaround --verify 2026-10

exit code: 0 done, 1 refused, or what is computed again differs from what was published
"""

from __future__ import annotations

import argparse
from getpass import getuser
from typing import Any

from flows.commands.common import complain, print_json, services_of
from flows.commands.times import length, table
from processing.turnaround.experience import lately, learn
from processing.turnaround.figures_csv import csv_text
from processing.turnaround.figures_json import month_json
from processing.turnaround.overview import overview_json, question
from storage import policies, published_months, worklist
from storage.database import Database, now
from storage.errors import Malformed
from storage.events import last_id
from storage.records.published import DataCut, Scope

SUMMARY = "are answers in time, and where do they wait; publish a month"
GROUPS = {
    "priority": "priority", "class": "priority+specimen_class", "site": "site", "unit": "unit",
}  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("action", nargs="?", choices=("publish",))
    parser.add_argument("published", nargs="?", metavar="MONTH", help="the month to publish")
    parser.add_argument("--month", help="like 2026-10 (default: this month)")
    parser.add_argument("--unit", default="", help="one unit only")
    parser.add_argument("--site", default="", help="one site only")
    parser.add_argument("--by", choices=(*GROUPS, "month"), help="a line for each")
    parser.add_argument("--again", default="", metavar="REASON", help="publish once more, and why")
    parser.add_argument("--verify", metavar="MONTH", help="compute a published month again")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object, every figure")
    form.add_argument("--csv", action="store_true", help="every group as a line for a spreadsheet")


def run(args: argparse.Namespace) -> int:
    """Tell, publish or verify."""
    database = services_of(args).database
    if args.action:
        return _publish(args, database)
    if args.verify:
        return _verify(args, database)
    document = _document(args, database)
    if args.json:
        print_json(document)
    elif args.csv:
        print(csv_text(document), end="")
    else:
        print("\n".join(_lines(document, args.by)))
    return 0


def _scope(month: str, unit: str) -> Scope:
    try:
        return Scope(month, unit)
    except ValueError as error:
        raise Malformed(str(error)) from error


def _document(args: argparse.Namespace, database: Database) -> dict[str, Any]:
    cut = DataCut(last_id(database), now())
    try:
        asked = question(args.month, args.unit, args.site, cut.at)
    except ValueError as error:
        raise Malformed(str(error)) from error
    policy, found = policies.current(database, cut.at), worklist.milestones(database, asked.since)
    return overview_json(policy, learn(policy, lately(found, cut.at)), found, asked, cut)


def _publish(args: argparse.Namespace, database: Database) -> int:
    if not args.published or args.site:
        complain("svartid turnaround publish: give the MONTH, of a --unit or of all, not of a site")
        return 2
    scope = _scope(args.published, args.unit)
    done = published_months.publish(
        database, scope, month_json, getuser(), "command", args.again
    )  # fmt: skip
    if args.json:
        print_json({"edition": done.edition, **done.figures})
        return 0
    whole = done.figures["whole"]
    print(
        f"{scope.month} published, edition {done.edition}: {_share(whole)} of {whole['n']} in time"
    )
    print(f"policy version {done.policy_version}, events up to {done.cut.event_id}")
    return 0


def _verify(args: argparse.Namespace, database: Database) -> int:
    """Every edition; what differs is named."""
    scope = _scope(args.verify, args.unit)
    published_months.latest(database, scope)
    same = True
    for edition in published_months.editions(database, scope):
        again = published_months.computed_again(database, edition, month_json)
        wrong = sorted(at for at in again if again[at] != edition.figures.get(at))
        same = same and not wrong
        about = {"month": scope.month, "edition": edition.edition, "differs": wrong}
        if args.json:
            print_json(about)
        else:
            told = f"differs in {', '.join(wrong)}" if wrong else "the same, to the last figure"
            print(f"{scope.month}, edition {edition.edition}: {told}")
    return 0 if same else 1


def _lines(document: dict[str, Any], by: str | None) -> list[str]:
    whole, estimate, today = document["whole"], document["estimate"], document["today"]
    where = document["unit"] or document["site"] or "all units"
    lines = [f"{document['month']}  {where}  policy version {document['policy_version']}"]
    promised = f" (goal {whole['promised']:.0f} %)" if whole["promised"] else ""
    lines.append(f"in time    {_share(whole)}{promised} of {whole['n']} answered cases")
    if estimate["percent"] is not None:
        interval = ""
        if estimate["low"] is not None:
            interval = f" ({estimate['low']:.1f} to {estimate['high']:.1f})"
        told = f"{estimate['percent']:.1f} %{interval} of {estimate['n']} received"
        lines.append(f"estimate   {told}, {estimate['open']} still open")
    standing = today["standing"]
    late = f"{standing['late']} late, {standing['warn']} close to it"
    ahead = today["ahead"]
    more = f", about {ahead['expected']:.0f} more to come" if ahead else ""
    lines.append(f"open now   {today['open']}: {late}{more}")
    lines += ["", _groups(document, by)]
    return [*lines, "", _steps(document)]


def _groups(document: dict[str, Any], by: str | None) -> str:
    groups = [{"key": ["all"], **document["whole"]}]
    if by == "month":
        groups = document["trend"]["month"]
    elif by:
        groups = [*groups, *document["groups"][GROUPS[by]]]
    rows: list[tuple[str, ...]] = [
        ("", "n", "in time", "goal", "median", "P90", "P95", "max", "working days P90")
    ]
    for at in groups:
        name = " ".join(at["key"]).replace("_", " ")
        gross, days = at["gross"] or {}, at["working_days"] or {}
        times = tuple(length(gross.get(name)) for name in ("median", "p90", "p95", "max"))
        goal = "-" if at["promised"] is None else f"{at['promised']:.0f} %"
        rows.append((name, str(at["n"]), _share(at), goal, *times, str(days.get("p90", "-"))))
    return table(rows, right=tuple(range(1, 9)))


def _steps(document: dict[str, Any]) -> str:
    whole, late = document["whole"], document["causes"]["steps"]
    waiting = {at["step"]: at for at in document["today"]["waiting"]}
    rows = [("step", "mean", "median", "made late", "open now", "of them late")]
    for step, seconds in whole["step_means"].items():
        now_there = waiting.get(step, {"calm": 0, "warn": 0, "late": 0})
        there = sum(now_there[at] for at in ("calm", "warn", "late"))
        counts = (str(late.get(step, 0)), str(there), str(now_there["late"]))
        median = length(whole["step_medians"][step])
        rows.append((step.replace("_", " "), length(seconds), median, *counts))
    mean = sum(whole["step_means"].values())
    rows.append(("sum", length(mean), "", str(document["causes"]["late"]), "", ""))
    return table(rows, right=(1, 2, 3, 4, 5)) if whole["n"] else "no case was answered"


def _share(at: dict[str, Any]) -> str:
    return "-" if at["percent"] is None else f"{at['percent']:.1f} %"
