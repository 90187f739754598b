"""What exact pixels cost where tiles cannot be copied as they are: NDPI and JPEG 2000.

python -m benchmarks.exactness [--peer-python PYTHON --turbojpeg LIBRARY] [--record]

CPU of one thread per megapixel of level 0, the least of interleaved rounds; bytes; and how far
the pixels are from the scanner's. Peers that cut NDPI are run by a Python that has opentile and
PyTurboJPEG; without one they are named as missing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import tifffile

from benchmarks.measure import machine, record
from processing.jpeg import Pixels
from processing.paint import NdpiLayout, write_ndpi
from processing.readers import Probe, SlideReader, open_slide
from processing.readers.openslide_formats import OpenSlideReader
from processing.tile_codec import decode_tile, encode_tile
from processing.tiling import ENCODED, ENCODED_EDGE
from storage.records.geometry import Region, Size, TileBlock, tile_region
from storage.records.slide import JpegEncoding

_SHARD = 8
"""Tiles on a side of what one task makes."""
_FINER = JpegEncoding(95, "444")
Coder = tuple[Callable[[Pixels], bytes], Callable[[bytes], Pixels]]
_CODERS: Mapping[str, Coder] = {
    "JPEG Q90 4:4:4": (
        lambda tile: encode_tile(tile, ENCODED),
        lambda data: decode_tile(data, ENCODED, ENCODED_EDGE),
    ),
    "JPEG Q95 4:4:4": (
        lambda tile: encode_tile(tile, _FINER),
        lambda data: decode_tile(data, _FINER, ENCODED_EDGE),
    ),
    "zstd 1 (--lossless)": (
        lambda tile: encode_tile(tile, None),
        lambda data: decode_tile(data, None, ENCODED_EDGE),
    ),
    "JPEG XL lossless, effort 1": (
        lambda tile: bytes(imagecodecs.jpegxl_encode(tile, lossless=True, effort=1, numthreads=1)),
        lambda data: imagecodecs.jpegxl_decode(data, numthreads=1),
    ),
    "JPEG-LS": (
        lambda tile: bytes(imagecodecs.jpegls_encode(tile)),
        imagecodecs.jpegls_decode,
    ),
    "JPEG 2000 lossless": (
        lambda tile: bytes(imagecodecs.jpeg2k_encode(tile, level=0, numthreads=1)),
        lambda data: imagecodecs.jpeg2k_decode(data, numthreads=1),
    ),
}


def main() -> int:
    """Measure, print, record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer-python", type=Path, default=None)
    parser.add_argument("--turbojpeg", type=Path, default=None, help="libturbojpeg.so.0")
    parser.add_argument("--record", action="store_true", help="write benchmarks/results")
    args = parser.parse_args()
    slides = Path(os.environ.get("SVARTID_TEST_SLIDES") or "../shared/slides")
    peer = (args.peer_python, args.turbojpeg) if args.peer_python and args.turbojpeg else None
    document: dict[str, Any] = {"machine": machine(), "ndpi": {}, "jpeg2000": {}}
    with tempfile.TemporaryDirectory(prefix="svartid-exactness-") as folder:
        for path in (*(slides / "hamamatsu").glob("*.ndpi"), *_tissue(slides, Path(folder))):
            document["ndpi"][path.name] = measure_ndpi(path, args.rounds, peer)
    for name in (
        "aperio/TCGA-CR-7395-01A-01-TS1.svs",
        "dicom-wsi/multi_frame_jpeg2000_camelyon_challenge_image.dcm",
    ):
        document["jpeg2000"][Path(name).name] = measure_jpeg2000(slides / name, args.rounds)
    print(json.dumps(document, indent=1))
    if args.record:
        print(record("exactness", document))
    return 0


def _tissue(slides: Path, folder: Path) -> list[Path]:
    """Real tissue in Hamamatsu's layout, intervals 2048 pixels wide as its scanners write."""
    made = []
    for name, region in (
        ("BS25-HE-40x-crop.tif", Region(0, 0, 4096, 4096)),
        ("giardia-HE-20x.tif", Region(29184, 2560, 8192, 8192)),
    ):
        with open_slide(slides / "pyramid-tiff" / name) as slide:
            pixels = slide.pixels(0, region)
        made.append(folder / f"{Path(name).stem}.ndpi")
        write_ndpi([pixels], made[-1], NdpiLayout(across=region.width // 2048))
    return made


def measure_ndpi(path: Path, count: int, peer: tuple[Path, Path] | None) -> dict[str, Any]:
    """Ways to tiles of a file's level 0; `peer` is a Python and the turbo library."""
    probe = Probe.at(path)
    openslide = OpenSlideReader(probe)
    with open_slide(path) as slide:
        size = slide.levels[0].size
        ways = {
            "decode, encode JPEG Q90 4:4:4": lambda: _encoded(openslide, size),
            "cut by svartid": lambda: _cut(slide, size),
        }
        figures = _rounds(ways, count, size)
        figures["decode, encode JPEG Q90 4:4:4"] |= _apart(openslide, size)
        figures["cut by svartid"] |= {"mean_difference": 0.0 if _same(slide, openslide) else None}
    openslide.close()
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages.first
        figures["source"] = {"bytes": sum(page.databytecounts), "size": [size.width, size.height]}
        figures["source"]["interval"] = [page.tilewidth, page.tilelength]
    probe.close()
    if peer is None:
        return figures | {"missing": ["PyTurboJPEG", "opentile"]}
    script = Path(__file__).with_name("crop_peer.py")
    command = [peer[0], script, path, peer[1], str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return figures | json.loads(done.stdout)


def _blocks(size: Size) -> list[TileBlock]:
    grid = size.in_tiles(ENCODED_EDGE)
    return [
        TileBlock(x, y, min(_SHARD, grid.width - x), min(_SHARD, grid.height - y))
        for y in range(0, grid.height, _SHARD)
        for x in range(0, grid.width, _SHARD)
    ]


def _places(size: Size) -> list[Region]:
    return [tile_region(x, y, ENCODED_EDGE) for block in _blocks(size) for x, y in block.places()]


def _encoded(slide: SlideReader, size: Size) -> int:
    return sum(len(encode_tile(slide.pixels(0, at), ENCODED)) for at in _places(size))


def _cut(slide: SlideReader, size: Size) -> int:
    tiles = (slide.jpeg_tiles(0, block) for block in _blocks(size))
    return sum(len(part) for each in tiles for chunk in each for part in chunk or ())


def _same(slide: SlideReader, judge: SlideReader) -> bool:
    """Every pixel of the cut tiles is the judge's."""
    size = slide.levels[0].size
    for block in _blocks(size):
        for (x, y), chunk in zip(block.places(), slide.jpeg_tiles(0, block), strict=True):
            at = tile_region(x, y, ENCODED_EDGE).clipped(size)
            assert at is not None
            tile = decode_tile(b"".join(chunk or ()), ENCODED, ENCODED_EDGE)
            if not np.array_equal(tile[: at.height, : at.width], judge.pixels(0, at)):
                return False
    return True


def _rounds(
    ways: Mapping[str, Callable[[], int]], count: int, size: Size
) -> dict[str, dict[str, Any]]:
    figures: dict[str, dict[str, Any]] = {}
    for _ in range(count):
        for name, way in ways.items():
            began = time.process_time()
            total = way()
            took = (time.process_time() - began) / size.area * 1e9
            least = min(took, figures.get(name, {}).get("cpu_ms_mpx", took))
            figures[name] = {"cpu_ms_mpx": round(least, 2), "bytes": total}
            print(f"{name:<34} {took:7.2f} CPU ms/Mpx {total / 1e6:8.2f} MB", flush=True)
    return figures


def _apart(slide: SlideReader, size: Size) -> dict[str, float | None]:
    """Mean difference and PSNR of what is encoded once, inside the picture."""
    pairs = []
    for at in _places(size):
        inside = at.clipped(size)
        assert inside is not None
        tile = slide.pixels(0, at)
        again = decode_tile(encode_tile(tile, ENCODED), ENCODED, ENCODED_EDGE)
        pairs.append(
            (tile[: inside.height, : inside.width], again[: inside.height, : inside.width])
        )
    return _difference(pairs)


def _difference(pairs: list[tuple[Pixels, Pixels]]) -> dict[str, float | None]:
    """Grey levels over all channels; no PSNR where nothing differs."""
    pixels = sum(before.size for before, _ in pairs)
    apart = [cv2.absdiff(before, np.ascontiguousarray(after)) for before, after in pairs]
    squares = sum(float((each.astype(np.float64) ** 2).sum()) for each in apart) / pixels
    return {
        "mean_difference": round(sum(float(each.sum()) for each in apart) / pixels, 3),
        "most": int(max(each.max() for each in apart)),
        "psnr_db": round(10 * np.log10(255**2 / squares), 1) if squares else None,
    }


def measure_jpeg2000(path: Path, count: int) -> dict[str, Any]:
    """Ways to keep the pixels of a level 0 that is decoded."""
    with open_slide(path) as slide:
        size = slide.levels[0].size
        places = _places(size)
        figures: dict[str, Any] = {"size": [size.width, size.height]}
        began = time.process_time()
        tiles = [slide.pixels(0, at) for at in places]
        took = (time.process_time() - began) / size.area * 1e9
    figures["decode"] = {"cpu_ms_mpx": round(took, 2), "source_bytes": path.stat().st_size}
    # Tiles reach past the picture: what is coded there is not the picture's.
    tiles = [
        tile
        for tile, at in zip(tiles, places, strict=True)
        if at.right <= size.width and at.bottom <= size.height
    ]
    whole = Size(ENCODED_EDGE * len(tiles), ENCODED_EDGE)
    figures["whole_tiles"] = len(tiles)
    for name, (encode, decode) in _CODERS.items():
        coded: list[bytes] = []

        def code(coded: list[bytes] = coded, encode: Callable[[Pixels], bytes] = encode) -> int:
            coded[:] = [encode(tile) for tile in tiles]
            return sum(map(len, coded))

        figures |= _rounds({name: code}, count, whole)
        began = time.process_time()
        again = [decode(data) for data in coded]
        took = (time.process_time() - began) / whole.area * 1e9
        figures[name]["decode_ms_mpx"] = round(took, 2)
        figures[name]["bits_a_pixel"] = round(figures[name]["bytes"] * 8 / whole.area, 2)
        figures[name] |= _difference(list(zip(tiles, again, strict=True)))
    return figures


if __name__ == "__main__":
    raise SystemExit(main())
