"""Write a part of a slide; x and y are in the chosen level's own pixels.

Level 0 is full size, each further level half of the one before. A slide with channels gives a
picture as PNG, by its own windows or by --channels; or, with --channel N, the exact samples of one
channel: tiff and npy in their own depth, png16 as 16-bit grey (8-bit samples stay 0 to 255).

examples:
  svartid region 66126c5b29721bf74129 --level 0 --x 9000 --y 4000 --width 1024 --height 768 -o a.png
  svartid region 66126c5b29721bf74129 --level 5 --width 1239 --height 487 -o overview.png
  svartid region 33215274e14d44c6fbda --width 512 --height 512 --channels 0:0-180:00FF00 -o g.png
  svartid region 33215274e14d44c6fbda --width 512 --height 512 --channel 2 --format tiff -o r.tif
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import cv2
import numpy as np
import tifffile

from flows.commands.common import note_look, services_of
from processing.plane_codec import Plane
from processing.tiles import Choice, Tiles
from storage.errors import Malformed, NotFound
from storage.exchange.channel_choice import read_choice
from storage.records.geometry import Region
from storage.shards import write_parts
from storage.tiles import OpenPyramid, TileStore

SUMMARY = "write a part of a slide as PNG, or of one channel exactly"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("slide_id")
    parser.add_argument("--level", type=int, default=0, help="0 is full size (default)")
    parser.add_argument("--x", type=int, default=0)
    parser.add_argument("--y", type=int, default=0)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--height", type=int, required=True)
    parser.add_argument(
        "--channels", metavar="N:LOW-HIGH:RRGGBB,…", help="channels, windows, colours of a picture"
    )
    parser.add_argument("--channel", type=int, metavar="N", help="one channel's exact samples")
    parser.add_argument(
        "--format", choices=("png", "png16", "tiff", "npy"), help="png; with --channel tiff"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")


def run(args: argparse.Namespace) -> int:
    """Read and write; what lies outside the slide is white, or black where it has channels."""
    if args.width < 1 or args.height < 1:
        raise NotFound("--width and --height are at least 1")
    if args.channel is not None and args.channels is not None:
        raise Malformed("--channel gives one channel's samples, --channels a picture: not both")
    if (args.channel is None) != (args.format in (None, "png")) and args.format is not None:
        raise Malformed("png is a picture; png16, tiff and npy are for --channel")
    services = services_of(args)
    tiles = Tiles(TileStore(services.pyramids), services.layout.made)
    region = Region(args.x, args.y, args.width, args.height)
    pyramid = tiles.pyramid(args.slide_id)
    note_look(services.database, "region", args.slide_id)
    if args.channel is not None:
        data = _samples(tiles.plane(pyramid, args.level, args.channel, region), args.format)
    else:
        choice = _choice(pyramid, args.channels)
        pixels = tiles.region(pyramid, args.level, region, choice)
        data = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1].tobytes()
    write_parts(args.output, [data], sync=False)
    return 0


def _choice(pyramid: OpenPyramid, text: str | None) -> Choice | None:
    channels = pyramid.record.plan.channels
    if text is None:
        return None
    if channels is None:
        raise Malformed("the slide has no channels to choose from")
    return read_choice(text, channels)


def _samples(plane: Plane, form: str | None) -> bytes:
    """The samples as a file, none of them changed."""
    if form == "png16":
        return cv2.imencode(".png", plane.astype(np.uint16))[1].tobytes()
    file = io.BytesIO()
    if form == "npy":
        np.save(file, plane, allow_pickle=False)
    else:
        tifffile.imwrite(file, plane, photometric="minisblack", compression="zlib")
    return file.getvalue()
