"""Read slides in: files, folders of slides, DICOM series.

DICOM that is no slide (CT, reports, …) is kept as if another node had sent it.

Hands over to a running `svartid up` and follows it; with none running it does the same work
itself. Ends when each pyramid is complete, or with --until ready as soon as it can be read.

examples:
  svartid ingest slide.svs
  svartid ingest /scans --until ready
  svartid ingest series-folder --json | jq .slide_id

exit code: 0 all are readable or kept, 1 at least one is not, 2 wrong usage
"""

from __future__ import annotations

import argparse
import getpass
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows.bundles import bundles_at, may_be_objects
from flows.commands.common import ProgressLine, complain, print_json, services_of
from flows.follow import Follower
from flows.originals import Bundle
from flows.receive import receive
from flows.services import Services
from storage import errors
from storage.errors import NotASlide, SlideError, SvartidError, Unsupported
from storage.on_demand import load
from storage.records.intake import READABLE, Intake, IntakeState, Source

SUMMARY = "read slides in and wait until they can be seen"
_ARE_OBJECTS, _KEEP_OBJECT = "flows.objects:are_objects", "flows.objects:keep"
_FINE = frozenset({"ready", "present", "kept"})
_UNSUPPORTED = frozenset(
    kind.code
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, Unsupported)
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file or a folder")
    parser.add_argument(
        "--until",
        choices=("ready", "complete"),
        default="complete",
        help="ready: it can be read; complete: all levels are stored (default)",
    )
    parser.add_argument(
        "--lossless",
        action="store_true",
        help="store pixels that are not JPEG tiles without loss (much larger)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line and slide")


def run(args: argparse.Namespace) -> int:
    """Ingest everything named."""
    for path in args.paths:
        if not path.exists():
            complain(f"svartid ingest: {path}: no such file or folder")
            return 2
    services = services_of(args)
    fine, kept = True, Counter[str]()
    with Follower(services) as follower:
        entered: list[tuple[Intake, bool, Path] | dict[str, Any]] = []
        for path, bundle in _bundles(args.paths):
            is_slide = not (may_be_objects(bundle) and load(_ARE_OBJECTS)(bundle))
            entered.append((_enter if is_slide else _keep)(services, path, bundle, args))
        for item in entered:
            outcome = item if isinstance(item, dict) else _follow(follower, *item, args.until)
            fine = fine and outcome["status"] in _FINE
            kept.update(outcome.get("objects", {}))
            print_json(outcome) if args.json else _tell(outcome)
    if kept.total() > 1 and not args.json:
        print(f"{'DICOM objects in all':<20}  {_counted(kept)}")
    return 0 if fine and entered else 1


def _bundles(paths: list[Path]) -> list[tuple[Path, Bundle]]:
    found = []
    for path in paths:
        bundles = bundles_at(path)
        if not bundles:
            complain(f"svartid ingest: {path}: no slide in this folder")
        found += [(path, bundle) for bundle in bundles]
    return found


def _enter(
    services: Services, path: Path, bundle: Bundle, args: argparse.Namespace
) -> tuple[Intake, bool, Path] | dict[str, Any]:
    """Take one over; its row, or at once the outcome when it cannot even be taken."""
    source = bundle.files[0] if len(bundle.files) == 1 else path
    try:
        actor = f"command:{getpass.getuser()}"
        row, new = receive(services, bundle, Source.COMMAND, actor, lossless=args.lossless)
    except SvartidError as error:
        status = "quarantined" if isinstance(error, SlideError) else "failed"
        return _outcome(source, status, error=f"{error.code}: {error}", name=bundle.name)
    return row, new, source


def _keep(
    services: Services, path: Path, bundle: Bundle, _args: argparse.Namespace
) -> dict[str, Any]:
    """DICOM that is no slide; how many of it are new, known, in quarantine."""
    source = bundle.files[0] if len(bundle.files) == 1 else path
    results, reasons = Counter[str](), set[str]()
    try:
        for file in bundle.files:
            outcome = load(_KEEP_OBJECT)(services, file, f"command:{getpass.getuser()}")
            results[outcome.result.value] += 1
            reasons |= {outcome.reason.value} if outcome.reason else set()
    except SvartidError as error:
        return _outcome(source, "failed", error=f"{error.code}: {error}", name=bundle.name)
    why = f"in quarantine: {', '.join(sorted(reasons))}" if reasons else None
    status = "quarantined" if reasons else "kept"
    return _outcome(source, status, name=bundle.name, objects=dict(results), error=why)


def _follow(follower: Follower, row: Intake, new: bool, source: Path, until: str) -> dict[str, Any]:
    line = ProgressLine(row.name)
    wanted = READABLE if until == "ready" else frozenset({IntakeState.COMPLETE})
    row = follower.follow(row.intake_id, wanted, line.tell)
    line.clear()
    if row.state not in READABLE:
        unsupported = row.reason in _UNSUPPORTED
        status = "unsupported" if unsupported else row.state.value
        error = f"{row.reason}: {row.detail}"
        return _outcome(source, status, error=error, name=row.name, row=row)
    record, _ = follower.services.pyramids.describe(row.slide_id)
    mpp = record.metadata.mpp
    return _outcome(
        source,
        "ready" if new else "present",
        name=row.name,
        row=row,
        levels=[[at.size.width, at.size.height] for at in record.plan.levels],
        mpp=mpp.mean if mpp else None,
        notices=[notice.value for notice in record.metadata.notices],
    )


def _outcome(source: Path, status: str, row: Intake | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    known: dict[str, Any] = {
        "slide_id": row.slide_id if row else None,
        "fingerprint": row.fingerprint if row else None,
        "status": status,
        "path": str(source),
        "levels": [],
        "mpp": None,
        "seconds": row.seconds if row else None,
        "complete_seconds": row.complete_seconds if row else None,
        "error": None,
    }
    return known | more


def _counted(results: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in sorted(results.items()))


def _tell(outcome: dict[str, Any]) -> None:
    if outcome.get("objects"):
        told = _counted(outcome["objects"])
        print(f"{'DICOM objects':<20}  {told:<28}  {outcome['path']}")
    if outcome["error"]:
        complain(f"{outcome['path']}: {outcome['status']}: {outcome['error']}")
        if outcome["error"].startswith(NotASlide.code):
            complain("  remedy: deliver the scanner's own file; see docs/formats.md")
    if outcome["error"] or outcome.get("objects"):
        return
    width, height = outcome["levels"][0]
    seconds = f"{outcome['seconds']:.2f} s" if outcome["seconds"] is not None else "-"
    print(f"{outcome['slide_id']}  {outcome['status']:<8} {width}x{height}  {seconds}  "
          f"{outcome['path']}")  # fmt: skip
