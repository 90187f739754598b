"""Reads slides named on standard input under a memory limit; one line of JSON for each.

Run as a program by the hostile tests, so that a crash or a bomb is seen from outside.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from processing.channels_seen import channels_seen
from processing.readers import SlideReader, open_slide
from processing.tiling import plan_pyramid
from storage.errors import SlideError
from storage.records.geometry import Region, TileBlock

MOST_MEMORY = 3 * 2**30
_MOST_LEVELS = 8


def read_all_kinds(path: Path) -> None:
    """Everything ingest asks of a reader, on a few places of every level."""
    with open_slide(path) as slide:
        plan_pyramid(slide.levels, channels=channels_seen(slide))
        for number in range(min(len(slide.levels), _MOST_LEVELS)):
            _read_level(slide, number)
        slide.associated_images()
        json.dumps([slide.metadata.barcode, slide.metadata.scanner, slide.metadata.objective_power])


def _read_level(slide: SlideReader, number: int) -> None:
    level = slide.levels[number]
    width, height = level.size.width, level.size.height
    for x, y in ((0, 0), (width - 40, height - 40), (width // 2, height // 2)):
        if slide.channels is None:
            slide.pixels(number, Region(x, y, 256, 256))
        for channel in range(len(slide.channels.channels) if slide.channels else 0):
            slide.plane(number, channel, Region(x, y, 256, 256))
    if level.jpeg is not None and level.tile_edge is not None:
        grid = level.size.in_tiles(level.tile_edge)
        for row in {0, grid.height // 2, grid.height - 1}:
            slide.jpeg_tiles(number, TileBlock(0, row, min(grid.width, 16), 1))


def _outcome(path: Path) -> str:
    try:
        read_all_kinds(path)
    except SlideError as error:
        return type(error).__name__
    except BaseException as error:  # what must not happen, told to the test
        return f"UNEXPECTED {type(error).__name__}: {error}"
    return "read"


def main() -> None:
    """Answer until standard input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    for line in sys.stdin:
        started = time.process_time()
        outcome = _outcome(Path(line.rstrip("\n")))
        seconds = time.process_time() - started
        print(json.dumps({"outcome": outcome, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
