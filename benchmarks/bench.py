"""`make bench`: reading in and serving, side by side with named peers on the same slides.

A peer that is not there is named with the reason, one that fails does not stop the run. Budgets
are judged at the end; exit 1 when one is missed. `python -m benchmarks.report` makes the tables.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.budgets import judge
from benchmarks.conversion import conversion_jobs
from benchmarks.figures import PAINTED, REAL
from benchmarks.measure import attempt, machine, record, rounds, stolen_seconds
from benchmarks.peers import Environment, environments
from benchmarks.serving import measure_serving
from benchmarks.slides import Slide, giardia, painted, prepared
from benchmarks.startup import measure_startup
from benchmarks.versions import versions


def main() -> int:
    """Measure, judge, print, record."""
    args = _arguments()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    peers = environments(print)
    document: dict[str, Any] = {
        "machine": machine(),
        "note": args.note,
        "versions": versions(),
        "peers": {name: _peer(environment) for name, environment in peers.items()},
        "slides": {},
    }
    with tempfile.TemporaryDirectory(prefix="svartid-bench-", dir=args.scratch) as scratch:
        folder = Path(scratch)
        slide = prepared(args.slide.absolute(), folder) if args.slide else giardia(folder, print)
        document["startup"] = attempt("start-up", lambda: measure_startup(args.rounds))
        document["slides"][REAL] = attempt(
            slide.name, lambda: _read_in(slide, folder, peers, args.rounds)
        )
        document["serving"] = attempt(
            "serving", lambda: measure_serving(slide.path, folder, args.serving_rounds, print)
        )
        if args.painted:
            document["slides"][PAINTED] = attempt(
                "painted slide", lambda: _painted(args.painted, peers, args)
            )
    document["machine"]["load_at_the_end"] = round(os.getloadavg()[0], 2)
    document["budgets"] = judge(document)
    if args.record:
        print(record("bench", document))
    else:
        print(json.dumps(document, indent=1))
    return _verdicts(document["budgets"])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slide", type=Path, help="default: giardia-HE-20x.tif")
    parser.add_argument("--painted", type=float, default=2, metavar="GPX", help="0 leaves it out")
    parser.add_argument("--rounds", type=int, default=5, help="of reading in")
    parser.add_argument("--serving-rounds", type=int, default=5, help="of 5 s a server")
    parser.add_argument("--scratch", type=Path, help="a folder with room for 5 GB")
    parser.add_argument("--record", action="store_true", help="write benchmarks/results")
    parser.add_argument("--note", default="", help="said beside the figures")
    return parser.parse_args()


def _read_in(
    slide: Slide, folder: Path, peers: Mapping[str, Environment], count: int
) -> dict[str, Any]:
    stolen = stolen_seconds()
    jobs, missing = conversion_jobs(slide, folder, peers)
    figures = {
        "name": slide.name,
        "pixels": [slide.width, slide.height],
        "mb": round(slide.path.stat().st_size / 1e6, 1),
        "conversion": rounds(jobs, count, print) | missing,
        "warm": _warm(slide, folder, count),
    }
    return figures | {"steal_s": round(stolen_seconds() - stolen, 1)}


def _painted(
    gigapixels: float, peers: Mapping[str, Environment], args: argparse.Namespace
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="svartid-bench-", dir=args.scratch) as scratch:
        slide = painted(gigapixels, Path(scratch), print)
        return _read_in(slide, Path(scratch), peers, args.rounds)


def _warm(slide: Slide, folder: Path, count: int) -> list[dict[str, float]]:
    command = [sys.executable, "-m", "benchmarks.warm", slide.path, folder, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: list[dict[str, float]] = json.loads(done.stdout)
    print(f"warm process: {figures}")
    return figures


def _peer(environment: Environment) -> dict[str, Any]:
    return {"versions": environment.versions, "missing": environment.missing}


def _verdicts(budgets: list[dict[str, Any]]) -> int:
    for one in budgets:
        word = {True: "met   ", False: "MISSED", None: "no judgement"}[one["met"]]
        sign = "at least" if one["at_least"] else "at most"
        print(f"{word}  {one['name']}: {one['is']} ({sign} {one['budget']:g} {one['unit']})")
    return 1 if any(one["met"] is False for one in budgets) else 0


if __name__ == "__main__":
    raise SystemExit(main())
