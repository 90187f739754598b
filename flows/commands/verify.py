"""Check every stored byte against the proof made when the slide was read in.

Every tile and file is hashed again and held against the root in the database; what has changed is
named by level, column and row. The original is given back in memory and must have the SHA-256 it
came with. What checks of quality found is held against its digests. Without a slide's id the files
in quarantine are checked too. A slide that is not complete has no proof yet: it is compared with
its original, byte by byte.

examples:
  svartid verify
  svartid verify 66126c5b29721bf74129 --json

exit code: 0 all is well, 1 something differs
"""

from __future__ import annotations

import argparse

from flows.commands.common import complain, print_json, services_of
from flows.quality_verification import verify_quality
from flows.verification import verify_quarantine, verify_slide
from storage.catalogue import get_slide, slides

SUMMARY = "check every stored byte, and name what has changed"
_MOST_TOLD = 20


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("slide_id", nargs="*", help="slides to verify (default: all)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line and slide")


def run(args: argparse.Namespace) -> int:
    """Verify each slide."""
    services = services_of(args)
    chosen = [get_slide(services.database, slide_id) for slide_id in args.slide_id]
    clean = True
    for slide in chosen or slides(services.database, limit=1_000_000):
        tiles, problems = verify_slide(services, slide)
        problems = problems + verify_quality(services, slide.slide_id)
        clean = clean and not problems
        status = "damaged" if problems else "ok"
        if args.json:
            print_json(
                {
                    "slide_id": slide.slide_id,
                    "status": status,
                    "root": slide.root,
                    "tiles": tiles,
                    "problems": problems,
                }
            )
            continue
        print(f"{slide.slide_id}  {status:<8} {tiles} tiles  {slide.name}")
        for problem in problems[:_MOST_TOLD]:
            complain(f"  {problem}")
        if len(problems) > _MOST_TOLD:
            complain(f"  and {len(problems) - _MOST_TOLD} more (--json lists all)")
    held = [] if chosen else verify_quarantine(services.layout)
    for problem in held:
        complain(problem)
    return 0 if clean and not held else 1
