"""Spoiled TIFFs: every end is an error in our words, soon, and in bounded memory."""

from __future__ import annotations

import os
import struct
import zlib
from itertools import product
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile

from processing import jpeg
from storage.records.slide import JpegEncoding
from tests.contracts.hostile import ReadingProcess
from tests.contracts.spoil import flipped, one_tile, structural_places, tag_places, tiff

CUTS, TAGS, FLIPS = (int(os.environ.get("SVARTID_SPOIL", "1")) * each for each in (30, 25, 15))
"""Tries for each sample; SVARTID_SPOIL=100 tries a hundred times as many."""
_SHAPE_TAGS = frozenset(
    {256, 257, 258, 259, 262, 270, 273, 277, 278, 279, 284, 322, 323, 324, 325, 330, 339, 347}
)
_VALUES = (0, 1, 17, 2**16 - 1, 2**31 - 1, 2**32 - 1)
_SAMPLES = (
    "aperio/CMU-1-Small-Region.svs",
    "aperio/TCGA-CR-7395-01A-01-TS1.svs",
    "hamamatsu/test3-DAPI-2-387.ndpi",
    "ome-tiff/OS-1-detail.ome.tif",
    "generic-tiff/kidney-48-5.tif",
    "pyramid-tiff/BS25-HE-40x-crop.tif",
)
_JPEG = jpeg.encode(np.full((256, 256, 3), 200, np.uint8), JpegEncoding(80, "444"))
_FRAME = _JPEG.index(b"\xff\xc0") + 5
_ONE_FRAME = _JPEG[_FRAME - 5 : _FRAME + 14]


@pytest.fixture(params=("painted", *_SAMPLES))
def sample(request: pytest.FixtureRequest, painted_svs: Path) -> Path:
    if request.param == "painted":
        return painted_svs
    folder: Path = request.getfixturevalue("slides_dir")
    return folder / str(request.param)


def test_cut_at_every_boundary(sample: Path, tmp_path: Path, reading: ReadingProcess) -> None:
    copy = tmp_path / sample.name
    copy.write_bytes(sample.read_bytes())
    places = structural_places(sample)
    for at in places[:: max(1, len(places) // CUTS)]:
        with copy.open("r+b") as file:
            file.truncate(at)
        reading.read(copy, f"{sample.name} cut at {at}")


def test_absurd_tags(sample: Path, tmp_path: Path, reading: ReadingProcess) -> None:
    copy, data = tmp_path / sample.name, sample.read_bytes()
    copy.write_bytes(data)
    cases = list(product(tag_places(sample, _SHAPE_TAGS), _VALUES))
    for (code, at, wide), value in cases[:: max(1, len(cases) // TAGS)]:
        with copy.open("r+b") as file:
            file.seek(at)
            file.write(value.to_bytes(wide, "little"))
            file.flush()
            reading.read(copy, f"{sample.name} tag {code} at {at} = {value}")
            file.seek(at)
            file.write(data[at : at + wide])


def test_flipped_bits(sample: Path, tmp_path: Path, reading: ReadingProcess) -> None:
    copy, data, random = tmp_path / sample.name, sample.read_bytes(), np.random.default_rng(11)
    places = structural_places(sample)
    for number in range(FLIPS):
        copy.write_bytes(flipped(data, random, places))
        reading.read(copy, f"{sample.name} flip {number}")


_EMPTY_PAGE = {256: (4, [1]), 257: (4, [1])}


@pytest.mark.parametrize(
    ("name", "content", "outcome"),
    [
        ("empty.svs", b"", "EmptyFile"),
        ("word.svs", b"II*\0", "Truncated"),
        ("text.tif", b"this is no slide at all", "NotASlide"),
        ("picture.svs", b"\x89PNG\r\n\x1a\n" + bytes(100), "NotASlide"),
        ("archive.svs", b"PK\3\4" + bytes(1000), "NotASlide"),
        ("nothing.tif", b"II*\0" + bytes(100), "Damaged"),
        ("itself.tif", tiff([_EMPTY_PAGE], next_of_last=8), "Damaged"),
        ("circle.tif", tiff([_EMPTY_PAGE, _EMPTY_PAGE], next_of_last=8), "Damaged"),
        ("chain.tif", tiff([_EMPTY_PAGE] * 50_000), "Damaged"),
        ("far.tif", tiff([_EMPTY_PAGE], next_of_last=2**32 - 1), "Truncated"),
        ("tags.tif", b"II*\0\x08\0\0\0\xff\xff" + bytes(2**20), "Damaged"),
    ],
)
def test_broken_structure(
    name: str, content: bytes, outcome: str, tmp_path: Path, reading: ReadingProcess
) -> None:
    (tmp_path / name).write_bytes(content)
    assert reading.read(tmp_path / name, name) == outcome


def _with_frame(width: int, height: int) -> bytes:
    return _JPEG[:_FRAME] + struct.pack(">HH", height, width) + _JPEG[_FRAME + 4 :]


def _jpeg2000(width: int, height: int, part: int = 0, components: int = 3) -> bytes:
    size = struct.pack(
        ">HHHIIIIIIIIH",
        0xFF51,
        38 + 3 * components,
        0,
        width,
        height,
        0,
        0,
        part or width,
        part or height,
        0,
        0,
        components,
    )
    return b"\xff\x4f" + size + b"\x07\x01\x01" * components + b"\xff\x52" + bytes(400)


_ZEROS = bytes(2**28)
_BOMBS = {
    "jpeg-65500": (_with_frame(65500, 65500), 7),
    "jpeg-0": (_with_frame(0, 0), 7),
    "jpeg-behind-rubbish": (_JPEG[:2] + b"\xff\xff\xff\xe0\xff\xff" + _with_frame(65500, 65500), 7),
    "jpeg-two-frames": (_JPEG[:2] + _ONE_FRAME + _with_frame(65500, 65500)[2:], 7),
    "jpeg2000-60000": (_jpeg2000(60000, 60000), 33005),
    "jpeg2000-boxed": (b"\0\0\0\x0cjP  \r\n\x87\n" + _jpeg2000(60000, 60000), 33005),
    "jpeg2000-confetti": (_jpeg2000(256, 256, part=1), 33005),
    "jpeg2000-components": (_jpeg2000(256, 256, components=16000), 33005),
    "jpeg2000-by-openslide": (_jpeg2000(60000, 60000), 33003),
    "deflate": (zlib.compress(_ZEROS), 8),
    "zstd": (bytes(imagecodecs.zstd_encode(_ZEROS)), 50000),
    "lzw": (bytes(imagecodecs.lzw_encode(_ZEROS[: 2**24])), 5),
    "packbits": (b"\x81\0" * 2**20, 32773),
    "webp": (b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x3f\0\xff\x3f\0" + bytes(20), 50001),
}  # fmt: skip


@pytest.mark.parametrize("name", _BOMBS)
def test_bombs(name: str, tmp_path: Path, reading: ReadingProcess) -> None:
    stream, compression = _BOMBS[name]
    path = tmp_path / f"{name}.tif"
    path.write_bytes(one_tile(stream, compression))
    # Inflating decoders stop at the tile's size: what fits may be read, what does not is refused.
    fits = {"packbits", "lzw", "deflate", "zstd"}
    assert (reading.read(path, name) != "read") or name in fits


def test_tables_that_hold_a_frame(tmp_path: Path, reading: ReadingProcess) -> None:
    """JPEGTables are put in front of every tile: a frame in them would be the first one seen."""
    tables = _with_frame(65500, 65500)[: _FRAME + 14] + b"\xff\xd9"
    path = tmp_path / "tables.tif"
    path.write_bytes(one_tile(_JPEG, 7, extra={347: (7, tables)}))
    assert reading.read(path, "tables") == "Damaged"


def test_one_bad_tile_among_good_ones(
    tmp_path: Path, painted_svs: Path, reading: ReadingProcess
) -> None:
    """The first tile is sound, a later one asks for gigabytes: it must never be copied."""
    data = bytearray(painted_svs.read_bytes())
    with tifffile.TiffFile(painted_svs) as file:
        start = file.pages.first.dataoffsets[1]
    at = data.index(b"\xff\xc0", start) + 5
    data[at : at + 4] = struct.pack(">HH", 65500, 65500)
    (tmp_path / "late.svs").write_bytes(data)
    assert reading.read(tmp_path / "late.svs", "late bomb") == "Damaged"


@pytest.mark.parametrize("offset", [0, 2**31 - 1, 2**32 - 1])
def test_tiles_that_lie_elsewhere(offset: int, tmp_path: Path, reading: ReadingProcess) -> None:
    path = tmp_path / "elsewhere.tif"
    content = one_tile(_JPEG, 7)
    at = content.index(struct.pack("<HHI", 324, 4, 1)) + 8
    path.write_bytes(content[:at] + struct.pack("<I", offset) + content[at + 4 :])
    assert reading.read(path, f"tile at {offset}") in {"Truncated", "Damaged"}


def test_tiles_that_overlap(tmp_path: Path, reading: ReadingProcess) -> None:
    """A thousand tiles that are all the whole file would be copied a thousand times."""
    grid = {256: (4, [256 * 40]), 257: (4, [256 * 25])}
    lists = {324: (4, [0] * 1000), 325: (4, [2**20] * 1000)}
    path = tmp_path / "overlap.tif"
    path.write_bytes(one_tile(_JPEG + bytes(2**21), 7, extra={**grid, **lists}))
    assert reading.read(path, "overlap") == "Damaged"


def test_sub_directories_that_loop(tmp_path: Path, reading: ReadingProcess) -> None:
    path = tmp_path / "sub.tif"
    for target in (8, 2, 2**31):
        for count in (1, 500):
            path.write_bytes(one_tile(_JPEG, 7, extra={330: (4, [target] * count)}))
            reading.read(path, f"{count} SubIFDs at {target}")
