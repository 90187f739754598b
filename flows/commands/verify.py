"""Compare what is stored with the original, byte by byte, and name every tile that differs.

The original's SHA-256 is recomputed; copied tiles are compared with the scanner's bytes, made
tiles are made again.

examples:
  svartid verify
  svartid verify 66126c5b29721bf74129 --json

exit code: 0 all is well, 1 something differs
"""

from __future__ import annotations

import argparse

from flows.commands.common import complain, print_json, services_of
from flows.verification import verify_slide
from storage.catalogue import get_slide, slides

SUMMARY = "compare what is stored with the original, byte by byte"
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
        clean = clean and not problems
        status = "damaged" if problems else "ok"
        if args.json:
            print_json(
                {
                    "slide_id": slide.slide_id,
                    "status": status,
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
    return 0 if clean else 1
