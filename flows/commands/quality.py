"""The report of a slide's quality; the checks are run when they have not been, or with --again.

Each check tells what it measured, in its unit, and what the policy makes of it. A verdict never
hides a slide: it can be read, and a person may release it with a reason.

examples:
  svartid quality 66126c5b29721bf74129
  svartid quality 66126c5b29721bf74129 --again --json
  svartid quality 66126c5b29721bf74129 --check focus.radius --check pen.area

exit code: 0 pass, 1 review or rescan, 2 not evaluated or an error
"""

from __future__ import annotations

import argparse

from flows.commands.common import note_look, print_json, services_of
from flows.quality import run_checks, try_checks
from processing.quality.checks import TABLE
from storage import quality
from storage.catalogue import get_slide
from storage.exchange.plain import to_plain
from storage.quality import Run
from storage.records.quality import Finding, QualityState

SUMMARY = "print the report of a slide's quality, running the checks if need be"
_CODES = {QualityState.PASS: 0, QualityState.REVIEW: 1, QualityState.RESCAN: 1}


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("slide_id", help="the slide")
    parser.add_argument("--again", action="store_true", help="run the checks once more")
    parser.add_argument(
        "--check", action="append", default=[], choices=sorted(TABLE), metavar="NAME",
        help="try only this check, keep nothing (may be given again): " + ", ".join(TABLE),
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="the whole report as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the report."""
    services = services_of(args)
    get_slide(services.database, args.slide_id)
    note_look(services.database, "quality", args.slide_id)
    if args.check:
        found = try_checks(services, args.slide_id, args.check)
    else:
        known = None if args.again else quality.latest(services.database, args.slide_id)
        found = known or run_checks(services, args.slide_id)
    if args.json:
        human = {"human": to_plain(found.human)} if found.human else {}
        print_json(to_plain(found.report) | {"sha256": found.sha256} | human)
    else:
        _print(found)
    return _CODES.get(found.report.verdict.state, 2)


def _print(found: Run) -> None:
    report = found.report
    area = "" if report.tissue_mm2 is None else f", {report.tissue_mm2:.1f} mm² of tissue"
    print(f"{report.slide_id}  {report.verdict.state.value}{area}, {report.seconds:.1f} s")
    for check, why in report.verdict.reasons:
        print(f"  {check}: {why}" if check else f"  {why}")
    for finding in report.findings:
        print(f"{finding.state.value:<14} {finding.check:<18} {_told(finding)}")
    if found.human:
        print(f"{found.human.state} by {found.human.by}: {found.human.note}")


def _told(finding: Finding) -> str:
    figures = ", ".join(f"{name} {value}" for name, value in finding.figures.items())
    return figures or finding.reason
