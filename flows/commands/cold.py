"""Keep complete slides in the cold tier, in less space; nothing goes there by itself.

Every tile's JPEG becomes JPEG XL (zstd on empty glass) that gives it back bit for bit, and is
held against the slide's proof before the warm pyramid is removed. A cold slide is shown, verified
and exported like any other; --thaw brings it back. Killed at any moment, the slide is in one tier
or the other, whole.

The price, measured (docs/decisions/0014-cold-tier.md): 15 to 26 % less space; CPU of 50 to 80 ms
a megapixel to cool and 6 to 22 ms to thaw; up to 1.2 ms for each tile shown where a warm one takes
0.003; thirty to forty-five times the CPU of `svartid verify`.

examples:
  svartid cold 66126c5b29721bf74129
  svartid cold --older-than 180d --json
  svartid cold --thaw 66126c5b29721bf74129

exit code: 0 all are where they should be, 1 something stayed where it was, 2 wrong usage
"""

from __future__ import annotations

import argparse
import getpass
import re
import time
from datetime import timedelta
from typing import Any

from flows.cold import move_to
from flows.commands.common import ProgressLine, complain, print_json, services_of
from flows.services import Services
from storage.catalogue import get_slide, slides
from storage.database import now
from storage.errors import NoSpace, Refused, SvartidError
from storage.records.slide import Slide, Tier

SUMMARY = "keep slides in less space, or thaw them"
_UNITS = {"d": "days", "h": "hours", "w": "weeks"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("slide_id", nargs="*", help="slides to move")
    parser.add_argument(
        "--older-than",
        type=_age,
        metavar="AGE",
        help="every complete slide received longer ago: 180d, 26w, 12h",
    )
    parser.add_argument("--thaw", action="store_true", help="back to JPEG")
    parser.add_argument("--json", action="store_true", help="one JSON object a line and slide")


def run(args: argparse.Namespace) -> int:
    """Move each slide; one that cannot be moved does not keep the others."""
    if bool(args.slide_id) == (args.older_than is not None):
        complain("svartid cold: name slides, or give --older-than AGE; not both")
        return 2
    if args.thaw and args.older_than is not None:
        complain("svartid cold: --thaw takes the slides' ids")
        return 2
    services, tier = services_of(args), Tier.WARM if args.thaw else Tier.COLD
    chosen = args.slide_id or _due(services, args.older_than)
    fine = True
    for slide_id in chosen:
        outcome, error = _move(services, slide_id, tier)
        # Of those chosen by age alone, one that would gain nothing rightly stays warm.
        fine = fine and (not error or (not args.slide_id and isinstance(error, Refused)))
        print_json(outcome) if args.json else _tell(outcome)
        if isinstance(error, NoSpace):
            break  # the next would not fit either
    if not chosen and not args.json:
        print("no warm slide is as old as that")
    return 0 if fine else 1


def _age(text: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,6})([dhw])", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no age; for example 180d, 26w, 12h")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _due(services: Services, age: timedelta) -> list[str]:
    """Complete, warm, and received longer ago; oldest first."""
    before = now() - age
    found = slides(services.database, limit=1_000_000)
    return [
        slide.slide_id
        for slide in reversed(found)
        if slide.root and slide.tier is Tier.WARM and slide.received_at < before
    ]


def _move(
    services: Services, slide_id: str, tier: Tier
) -> tuple[dict[str, Any], SvartidError | None]:
    began, outcome = time.monotonic(), {"slide_id": slide_id, "status": "failed", "error": None}
    try:
        known = get_slide(services.database, slide_id)
        line = ProgressLine(known.name)
        word = "cooling" if tier is Tier.COLD else "thawing"
        try:
            slide = move_to(
                services,
                slide_id,
                tier,
                f"command:{getpass.getuser()}",
                lambda done, total: line.tell(word, done, total),
            )
        finally:
            line.clear()
    except SvartidError as error:
        status = "refused" if isinstance(error, Refused) else "failed"
        return outcome | {"status": status, "error": f"{error.code}: {error}"}, error
    moved = "cooled" if tier is Tier.COLD else "thawed"
    status = moved if slide.tier is not known.tier else "unchanged"
    return outcome | _figures(known, slide) | {
        "status": status,
        "seconds": round(time.monotonic() - began, 3),
    }, None


def _figures(known: Slide, slide: Slide) -> dict[str, Any]:
    return {
        "tier": slide.tier.value,
        "name": slide.name,
        "bytes_before": known.stored_bytes,
        "bytes_after": slide.stored_bytes,
    }


def _tell(outcome: dict[str, Any]) -> None:
    if outcome["error"]:
        complain(f"{outcome['slide_id']}: {outcome['error']}")
        return
    before, after = outcome["bytes_before"] or 0, outcome["bytes_after"] or 0
    print(f"{outcome['slide_id']}  {outcome['status']:<9}  {before / 1e6:,.1f} MB -> "
          f"{after / 1e6:,.1f} MB  {outcome['seconds']:.1f} s  {outcome['name']}")  # fmt: skip
