"""NDPI cut into tiles: the pixels are those of the scanner's JPEG, and spoiled files say so."""

from __future__ import annotations

import io
import struct
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
import tifffile
from openslide import OpenSlide
from PIL import Image

from processing.jpeg import Pixels, read_header
from processing.paint import NdpiLayout, write_ndpi
from processing.readers import SlideReader, open_slide
from processing.tiling import plan_pyramid
from storage.errors import Damaged
from storage.records.geometry import Region, TileBlock
from storage.records.slide import LevelOrigin
from tests.contracts.hostile import ReadingProcess

_MCU_STARTS, _LENS, _FOCAL_PLANE = 65426, 65421, 65424
_REGIONS = 200


def _noise(width: int, height: int, seed: int = 5) -> Pixels:
    """Every frequency there is, from plain black and white to the finest grain."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 2, (-(-height // 64), -(-width // 64), 3)) * 255
    broad = coarse.repeat(64, axis=0).repeat(64, axis=1)[:height, :width]
    grain = random.integers(-255, 256, (height, width, 3)) * random.random((1, width, 1)) ** 6
    return (broad + grain).clip(0, 255).astype(np.uint8)


def _whole(path: Path) -> Pixels:
    """The largest level as Pillow reads its JPEG, which is no program of ours."""
    data = path.read_bytes()
    stream = data[data.index(b"\xff\xd8") :]
    return np.asarray(Image.open(io.BytesIO(stream)).convert("RGB"))


def _from_tiles(slide: SlideReader, width: int, height: int) -> Pixels:
    """The largest level put together from its JPEG tiles, each decoded by Pillow."""
    columns, rows = -(-width // 512), -(-height // 512)
    out = np.zeros((rows * 512, columns * 512, 3), np.uint8)
    block = TileBlock(0, 0, columns, rows)
    for (x, y), chunk in zip(block.places(), slide.jpeg_tiles(0, block), strict=True):
        tile = np.asarray(Image.open(io.BytesIO(b"".join(chunk or ()))).convert("RGB"))
        out[y * 512 : (y + 1) * 512, x * 512 : (x + 1) * 512] = tile
    return out[:height, :width]


def test_every_pixel_is_openslides(slides_dir: Path) -> None:
    path = slides_dir / "hamamatsu/test3-DAPI-2-387.ndpi"
    random = np.random.default_rng(20261123)
    with open_slide(path) as slide, OpenSlide(path) as judge:
        whole = _from_tiles(slide, *astuple(slide.levels[0].size))
        for number in random.integers(0, len(slide.levels), _REGIONS).tolist():
            size, downsample = slide.levels[number].size, round(judge.level_downsamples[number])
            width, height = (int(at) for at in random.integers(2, 300, 2))
            # Three in four touch the right or the bottom edge.
            x = int(random.choice([size.width - width // 2, random.integers(size.width)]))
            y = int(random.choice([size.height - height // 2, random.integers(size.height)]))
            at = Region(x, y, width, height).clipped(size)
            assert at is not None
            corner = at.x * downsample, at.y * downsample
            shown = np.asarray(judge.read_region(corner, number, (at.width, at.height)))
            assert np.array_equal(slide.pixels(number, at), shown[:, :, :3]), (number, at)
            if number == 0:
                assert np.array_equal(whole[at.y : at.bottom, at.x : at.right], shown[:, :, :3])


@pytest.mark.parametrize("quality", [30, 100])
@pytest.mark.parametrize(
    ("width", "height", "across"),
    [(1024, 520, 2), (1024, 520, 8), (1000, 600, 1), (1000, 77, 5), (520, 530, 13)],
)
def test_intervals_of_any_width(
    width: int, height: int, across: int, quality: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.ndpi"
    write_ndpi([_noise(width, height)], path, NdpiLayout(across=across, quality=quality))
    with open_slide(path) as slide:
        assert slide.name == "hamamatsu"
        assert np.array_equal(slide.pixels(0, Region(0, 0, width, height)), _whole(path))
        assert np.array_equal(_from_tiles(slide, width, height), _whole(path))


@pytest.mark.parametrize("subsampling", ["422", "420"])
def test_subsampled_colour_differs_only_where_decoders_interpolate(
    subsampling: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.ndpi"
    write_ndpi([_noise(1056, 1056)], path, NdpiLayout(across=2, subsampling=subsampling))
    whole = _whole(path)
    with open_slide(path) as slide:
        assert slide.levels[0].jpeg is not None
        assert slide.levels[0].jpeg.subsampling == subsampling
        tiles = _from_tiles(slide, 1056, 1056)
        pixels = slide.pixels(0, Region(300, 300, 700, 700))
    apart = (tiles != whole).any(axis=2)
    for edge in (512, 1024, 1056):
        apart[edge - 1 : edge + 1] = apart[:, edge - 1 : edge + 1] = False
    assert not apart.any()
    apart = (pixels != whole[300:1000, 300:1000]).any(axis=2)
    apart[:, 528 - 300 - 1 : 528 - 300 + 1] = False  # between the two intervals
    assert not apart.any()


def test_tiles_are_whole_where_the_picture_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.ndpi"
    write_ndpi([_noise(520, 520)], path)
    with open_slide(path) as slide:
        chunks = slide.jpeg_tiles(0, TileBlock(0, 0, 2, 2))
        streams = [b"".join(chunk or ()) for chunk in chunks]
        assert [read_header(each).width for each in streams] == [512] * 4
        corner = np.asarray(Image.open(io.BytesIO(streams[3])).convert("RGB"))
        assert corner[8:].min() >= 253
        plan = plan_pyramid(slide.levels).plan
    assert [at.origin for at in plan.levels] == [LevelOrigin.COPIED, LevelOrigin.DERIVED]


def _changed(path: Path, tag: int, value: bytes, page: int = 0) -> None:
    """Other bytes in the place of a tag's values."""
    with tifffile.TiffFile(path) as file:
        at = file.pages[page].tags[tag].valueoffset
    with path.open("r+b") as file:
        file.seek(at)
        file.write(value)


def _two_levels(path: Path) -> Path:
    write_ndpi([_noise(1024, 512), _noise(512, 256)], path, NdpiLayout(across=2, quality=50))
    return path


def test_other_lenses_and_focal_planes_are_no_levels(tmp_path: Path) -> None:
    path = _two_levels(tmp_path / "a.ndpi")
    with open_slide(path) as slide:
        assert len(slide.levels) == 2
    _changed(path, _FOCAL_PLANE, struct.pack("<i", 4000), page=1)
    with open_slide(path) as slide:
        assert len(slide.levels) == 1
    _changed(path, _FOCAL_PLANE, bytes(4), page=1)
    _changed(path, _LENS, struct.pack("<f", -2), page=1)
    with open_slide(path) as slide:
        assert len(slide.levels) == 1


def _with_restart_interval(path: Path, mcus: int) -> Path:
    data = bytearray(path.read_bytes())
    at = data.index(b"\xff\xdd\x00\x04") + 4
    data[at : at + 2] = struct.pack(">H", mcus)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("mcus", [63, 65, 4096, 65535])
def test_intervals_that_make_no_rows(mcus: int, tmp_path: Path) -> None:
    path = _with_restart_interval(_two_levels(tmp_path / "a.ndpi"), mcus)
    with pytest.raises(Damaged), open_slide(path):
        pass


@pytest.mark.parametrize("mcus", [0, 1, 32, 128])
def test_intervals_of_another_number_are_left_to_openslide(mcus: int, tmp_path: Path) -> None:
    with open_slide(_with_restart_interval(_two_levels(tmp_path / "a.ndpi"), mcus)) as slide:
        assert slide.name == "openslide"


@pytest.mark.parametrize(
    "starts",
    [
        lambda at: at * 0,
        lambda at: at[::-1],
        lambda at: at * 0 + at[0],
        lambda at: at + 1,
        lambda at: at + 2**31,
        lambda at: np.r_[at[:1], at[:-1]],
        lambda at: np.r_[at[:1], at[1:] - 2],
        lambda at: np.r_[at[:-1], at[-1] + 10**6],
        lambda at: at[:1] + np.arange(at.size) * 2,
    ],
)
def test_lists_of_intervals_that_lie(
    starts: object, tmp_path: Path, reading: ReadingProcess
) -> None:
    path = _two_levels(tmp_path / "a.ndpi")
    with tifffile.TiffFile(path) as file:
        listed = file.pages.first.tags[_MCU_STARTS].value.astype(np.int64)
    assert callable(starts)
    lie = starts(listed) % 2**32
    _changed(path, _MCU_STARTS, lie.astype("<u4").tobytes())
    assert reading.read(path, f"starts {lie[:3]}") != "read"


def test_cut_anywhere(tmp_path: Path, reading: ReadingProcess) -> None:
    path = _two_levels(tmp_path / "a.ndpi")
    data = path.read_bytes()
    for end in range(1, len(data), len(data) // 30):
        path.write_bytes(data[:end])
        assert reading.read(path, f"cut at {end}") != "read"


def test_flipped_bits_in_the_scan(tmp_path: Path, reading: ReadingProcess) -> None:
    path = _two_levels(tmp_path / "a.ndpi")
    data, random = path.read_bytes(), np.random.default_rng(11)
    with tifffile.TiffFile(path) as file:
        scan, length = file.pages.first.dataoffsets[0], sum(file.pages.first.databytecounts)
    for number in range(20):
        spoiled = bytearray(data)
        for at in random.integers(scan, scan + length, 1 + number % 5).tolist():
            spoiled[at] = int(random.integers(256))
        path.write_bytes(spoiled)
        reading.read(path, f"flip {number}")
    assert reading.outcomes["Damaged"] > 3
    assert reading.outcomes["read"] > 3


def test_tables_of_every_kind(tmp_path: Path, reading: ReadingProcess) -> None:
    """Spoiled headers: Huffman tables too full or too empty, other components, other frames."""
    path = _two_levels(tmp_path / "a.ndpi")
    data, random = path.read_bytes(), np.random.default_rng(12)
    head = data.index(b"\xff\xda", 12) - 12
    for number in range(40):
        spoiled = bytearray(data)
        spoiled[12 + int(random.integers(head))] = int(random.choice([0, 1, 2, 17, 127, 254, 255]))
        path.write_bytes(spoiled)
        reading.read(path, f"head {number}")
