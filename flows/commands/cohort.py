"""Research cohorts: slides by a query, without anybody's name, in versions that never change.

Members get random pseudonyms; label and overview images, barcodes, dates and identifiers stay
here. A data card says how many slides of what, by which query, with a digest of every file.

examples:
  svartid cohort create folds-he --stain HE --verdict review
  svartid cohort create spring --since 2026-03-01 --until 2026-05-31 --scanner S1
  svartid cohort list
  svartid cohort export folds-he --form zarr -o /research/folds-he
  svartid cohort export folds-he --version 1 --form dicom -o /research/folds-he-1

exit code: 0 done, 1 refused
"""

from __future__ import annotations

import argparse
from datetime import date
from getpass import getuser
from pathlib import Path

from flows.cohort import FORMS, export
from flows.commands.common import complain, note_look, print_json, services_of
from flows.commands.times import local, table
from flows.services import Services
from storage import cohorts
from storage.records.cohorts import Cohort, CohortQuery
from storage.records.quality import QualityState

SUMMARY = "research sets of slides without names"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("action", choices=("create", "list", "export"))
    parser.add_argument("name", nargs="?", help="the set")
    parser.add_argument("--stain", default="", help="create: as ordered")
    parser.add_argument("--scanner", default="", help="create: as the slides name it")
    parser.add_argument(
        "--verdict", default="", choices=[at.value for at in QualityState], help="create"
    )
    parser.add_argument("--since", type=date.fromisoformat, metavar="DATE", help="create: received")
    parser.add_argument("--until", type=date.fromisoformat, metavar="DATE", help="create: received")
    parser.add_argument("--most", type=int, default=10_000, metavar="N", help="create: the newest")
    parser.add_argument("--version", type=int, metavar="N", help="export: not the newest")
    parser.add_argument("--form", choices=FORMS, default="zarr", help="export (default zarr)")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="export: a new folder")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    """Create, list or export."""
    if args.action != "list" and not args.name:
        complain(f"svartid cohort {args.action}: give the NAME")
        return 2
    services = services_of(args)
    if args.action == "list":
        return _list(services, as_json=args.json)
    if args.action == "export":
        return _export(services, args)
    query = CohortQuery(
        args.stain, args.scanner, args.verdict, args.since, args.until, max(args.most, 1)
    )
    made = cohorts.create(services.database, args.name, query, f"command:{getuser()}")
    _tell(made, as_json=args.json)
    return 0


def _export(services: Services, args: argparse.Namespace) -> int:
    if args.output is None:
        complain("svartid cohort export: give -o DIR")
        return 2
    made = cohorts.get(services.database, args.name, args.version)
    for member in made.members:
        note_look(services.database, "cohort", member.slide_id)
    card = export(services, made, args.output, args.form, f"command:{getuser()}")
    if args.json:
        print_json({at: card[at] for at in ("cohort", "version", "sha256", "form", "count")})
    else:
        print(f"{card['count']} slides in {args.output}, with {len(card['files'])} files")
    return 0


def _list(services: Services, *, as_json: bool) -> int:
    rows = [("name", "version", "slides", "made", "by", "sha256")]
    for made in cohorts.listing(services.database):
        if as_json:
            _tell(made, as_json=True)
        rows.append(
            (made.name, str(made.version), str(len(made.members)), local(made.at), made.by,
             made.sha256[:12])
        )  # fmt: skip
    if not as_json:
        print(table(rows))
    return 0


def _tell(made: Cohort, *, as_json: bool) -> None:
    if as_json:
        told = {"name": made.name, "version": made.version, "count": len(made.members)}
        print_json(told | {"sha256": made.sha256, "by_stain": dict(made.counts("stain"))})
        return
    print(f"{made.name} version {made.version}: {len(made.members)} slides")
    for what in ("stain", "scanner", "verdict"):
        words = ", ".join(f"{word} {count}" for word, count in made.counts(what).items())
        print(f"  {what:<8} {words}")
