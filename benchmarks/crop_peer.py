"""NDPI cut by others, in a Python of their own: opentile, and libjpeg-turbo's lossless crop.

PYTHON crop_peer.py SLIDE LIBTURBOJPEG ROUNDS: a line of JSON. Needs nothing of svartid.
"""

from __future__ import annotations

import json
import struct
import sys
import time
from importlib.metadata import version
from pathlib import Path

import tifffile
from opentile import OpenTile
from turbojpeg import TurboJPEG

_EDGE = 512
_MCU = 8


def crop(path: Path, library: str) -> int:
    """Every tile of level 0 by one transform a column of intervals; bytes of all tiles."""
    turbo, total = TurboJPEG(library), 0
    with tifffile.TiffFile(path) as tiff, path.open("rb") as file:
        page = tiff.pages.first
        width, (offsets, counts) = page.tilewidth, (page.dataoffsets, page.databytecounts)
        per_row = page.imagewidth // width
        for top in range(0, page.imagelength, _EDGE):
            high = min(_EDGE, page.imagelength - top)
            for column in range(per_row):
                stream = bytearray(page.jpegheader)
                at = stream.index(b"\xff\xc0") + 5
                stream[at : at + 4] = struct.pack(">HH", high, width)
                for row in range(high // _MCU):
                    number = (top // _MCU + row) * per_row + column
                    file.seek(offsets[number])
                    stream += file.read(counts[number])[:-2] + bytes((0xFF, 0xD0 + row % 8))
                stream[-2:] = b"\xff\xd9"
                areas = [(x, 0, min(_EDGE, width - x), high) for x in range(0, width, _EDGE)]
                total += sum(map(len, turbo.crop_multiple(bytes(stream), areas)))
    return total


def cut_by_opentile(path: Path, library: str) -> tuple[int, float]:
    """Bytes, and CPU seconds a pixel, of the first four rows of tiles: it takes its time."""
    with OpenTile.open(path, tile_size=_EDGE, turbo_path=library) as slide:
        level = slide.get_level(0)
        edge, grid = level.tile_size, level.tiled_size
        began, total, rows = time.process_time(), 0, min(4, grid.height)
        for y in range(rows):
            total += sum(len(level.get_tile((x, y))) for x in range(grid.width))
        took = time.process_time() - began
        return total, took / (rows * grid.width * edge.width * edge.height)


def main() -> None:
    """Measure and print."""
    path, library, rounds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    seconds, total, tiles = [], 0, []
    for _ in range(rounds):
        began = time.process_time()
        total = crop(path, library)
        seconds.append(time.process_time() - began)
        tiles.append(cut_by_opentile(path, library)[1])
    with tifffile.TiffFile(path) as tiff:
        pixels = tiff.pages.first.imagewidth * tiff.pages.first.imagelength
    said = {
        "PyTurboJPEG crop_multiple": {
            "version": version("PyTurboJPEG"),
            "cpu_ms_mpx": round(min(seconds) / pixels * 1e9, 2),
            "bytes": total,
        },
        "opentile": {"version": version("opentile"), "cpu_ms_mpx": round(min(tiles) * 1e9, 2)},
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
