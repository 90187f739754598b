"""Write a part of a slide as PNG; x and y are in the chosen level's own pixels.

Level 0 is full size, each further level half of the one before.

examples:
  svartid region 66126c5b29721bf74129 --level 0 --x 9000 --y 4000 --width 1024 --height 768 -o a.png
  svartid region 66126c5b29721bf74129 --level 5 --width 1239 --height 487 -o overview.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2

from flows.commands.common import services_of
from processing.tiles import Tiles
from storage.errors import NotFound
from storage.records.geometry import Region
from storage.shards import write_parts
from storage.tiles import TileStore

SUMMARY = "write a part of a slide as PNG"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("slide_id")
    parser.add_argument("--level", type=int, default=0, help="0 is full size (default)")
    parser.add_argument("--x", type=int, default=0)
    parser.add_argument("--y", type=int, default=0)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--height", type=int, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.png")


def run(args: argparse.Namespace) -> int:
    """Read and write; what lies outside the slide is white."""
    if args.width < 1 or args.height < 1:
        raise NotFound("--width and --height are at least 1")
    services = services_of(args)
    tiles = Tiles(TileStore(services.pyramids), services.layout.made)
    region = Region(args.x, args.y, args.width, args.height)
    pixels = tiles.region(tiles.pyramid(args.slide_id), args.level, region)
    _, data = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    write_parts(args.output, [data.tobytes()], sync=False)
    return 0
