"""Whether scanners and models still measure as they did: by scanner and stain, figure by figure.

A figure is judged against the first slides of its scanner and stain: `steady`, `shifted` (the last
week is spread otherwise), `out` (its smoothed value has left the limits) or `learning`. A reference
glass, scanned every day, tells the scanner from the cases; its barcode may end in *.

examples:
  svartid drift
  svartid drift --json
  svartid drift reference add GT450-7 REF-7
  svartid drift reference list
  svartid drift reference remove GT450-7 REF-7
  svartid drift baseline GT450-7 --stain HE --reason "lamp replaced"

exit code: 0 nothing drifts, 1 something does or a reference glass was not scanned, 2 wrong usage
"""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from getpass import getuser

from flows.commands.common import complain, print_json, services_of
from flows.commands.times import local, table
from flows.quality_drift import judged, with_missing
from processing.quality_drift.watch import LEARNING
from processing.turnaround.working_days import COPENHAGEN
from storage import drift_log, quality_drift
from storage.database import Database, now
from storage.errors import Malformed
from storage.exchange.plain import to_plain
from storage.quality_drift import Kept
from storage.records.drift import Reference, Standing

SUMMARY = "whether scanners and models still measure as they did"
_HEAD = ("scanner", "stain", "series", "figure", "state", "baseline", "last week", "since")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "words", nargs="*", metavar="WORD",
        help="reference add|remove SCANNER BARCODE, reference list, or baseline SCANNER",
    )  # fmt: skip
    parser.add_argument("--stain", default="*", help="baseline: of this stain (default: of all)")
    parser.add_argument("--from", dest="since", metavar="TIME", help="baseline: from then, not now")
    parser.add_argument("--reason", default="", help="baseline: why; it is kept")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Tell how everything stands, or change references and baselines."""
    database, who = services_of(args).database, f"command:{getuser()}"
    match args.words:
        case []:
            return _show(database, as_json=args.json)
        case ["reference", "list"]:
            return _references(database, as_json=args.json)
        case ["reference", "add", scanner, barcode]:
            drift_log.add_reference(database, Reference(scanner, barcode, who, now()))
        case ["reference", "remove", scanner, barcode]:
            drift_log.remove_reference(database, scanner, barcode, who)
        case ["baseline", scanner] if args.reason:
            why = (who, args.reason)
            drift_log.begin_anew(database, scanner, args.stain, _moment(args.since), why)
        case ["baseline", _]:
            complain("svartid drift baseline: --reason says why")
            return 2
        case _:
            complain("svartid drift: those words do not go together; see svartid drift --help")
            return 2
    return 0


def _show(database: Database, *, as_json: bool) -> int:
    moment = now()
    channels = quality_drift.channels(database, moment - LEARNING)
    found = with_missing(database, [judged(database, at, moment) for at in channels], moment)
    standings = [standing for kept in found for standing in kept.standings]
    if as_json:
        for kept in found:
            for standing in kept.standings:
                print_json(to_plain(standing))
            if kept.missing:
                print_json({"scanner": kept.channel.scanner, "reference_missed": kept.missing})
    else:
        _print(found, standings)
    is_well = not any(at.breached for at in standings) and not any(at.missing for at in found)
    return 0 if is_well else 1


def _print(found: list[Kept], standings: list[Standing]) -> None:
    rows = [_HEAD, *(_row(at) for at in standings)]
    print(table(rows, (5, 6)) if standings else "no scanner has had slides in the last 28 days")
    for kept in found:
        if kept.missing:
            print(f"{kept.channel.scanner}: its reference glass was not scanned on {kept.missing}")


def _row(at: Standing) -> tuple[str, ...]:
    channel = at.channel
    figures = (_figure(at.baseline), _figure(at.latest))
    since = local(at.since) if at.since else ""
    names = (channel.scanner, channel.stain or "-", channel.series.value, at.figure)
    return (*names, at.state.value, *figures, since)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _references(database: Database, *, as_json: bool) -> int:
    found = quality_drift.references(database)
    if as_json:
        for at in found:
            print_json(to_plain(at))
    else:
        rows = [("scanner", "barcode", "since", "by")]
        print(table([*rows, *((at.scanner, at.barcode, local(at.at), at.by) for at in found)]))
    return 0


def _moment(text: str | None) -> datetime:
    """A moment in Danish time where it names no zone. Errors: Malformed."""
    if text is None:
        return now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Malformed("--from is a time such as 2026-11-24 or 2026-11-24T08:00") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=COPENHAGEN)
    if moment > now() + timedelta(minutes=1):
        raise Malformed("--from lies in the future")
    return moment
