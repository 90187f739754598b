"""List the slides that can be read, newest first.

examples:
  svartid slides
  svartid slides --json | jq -r .slide_id
"""

from __future__ import annotations

import argparse

from flows.commands.common import print_json, services_of
from storage.catalogue import slides
from storage.exchange.slide_json import slide_json

SUMMARY = "list the slides that can be read"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line and slide")


def run(args: argparse.Namespace) -> int:
    """Print the catalogue."""
    found = slides(services_of(args).database)
    for slide in found:
        if args.json:
            print_json(slide_json(slide))
            continue
        state = "complete" if slide.complete_at else "ready"
        tier = slide.tier.value
        mpp = f"{slide.metadata.mpp.mean:.3f} µm/px" if slide.metadata.mpp else "no scale"
        size = f"{slide.size.width}x{slide.size.height}"
        print(f"{slide.slide_id}  {state:<8}  {tier}  {size:>13}  {mpp:>12}  {slide.name}")
    if not found and not args.json:
        print("no slides yet; svartid ingest PATH reads one in")
    return 0
