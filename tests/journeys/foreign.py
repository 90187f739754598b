"""What other programs say a slide is: OpenSlide, tifffile, pydicom, Pillow. Nothing of ours."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openslide
import pydicom
import tifffile
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import generate_frames

Pixels = NDArray[np.uint8]
Box = tuple[int, int, int, int]
"""x, y, width, height in level-0 pixels."""
_ADOBE_RGB = bytes.fromhex("ffee000e41646f626500640000000000")
_RGB = 2


@dataclass(frozen=True)
class Foreign:
    """A slide as another program reads it."""

    name: str
    size: tuple[int, int]
    read: Callable[[Box], Pixels]


@contextmanager
def by_openslide(path: Path) -> Iterator[Foreign]:
    with openslide.OpenSlide(path) as slide:

        def read(box: Box) -> Pixels:
            x, y, width, height = box
            pixels = np.asarray(slide.read_region((x, y), 0, (width, height)))
            assert (pixels[..., 3] == 255).all(), "OpenSlide has no pixels there"
            return pixels[..., :3]

        yield Foreign("OpenSlide", slide.dimensions, read)


@contextmanager
def by_tifffile(path: Path) -> Iterator[Foreign]:
    with tifffile.TiffFile(path) as tiff:
        whole: Pixels = tiff.pages.first.asarray()
    yield Foreign("tifffile", (whole.shape[1], whole.shape[0]), _cropped(whole))


@contextmanager
def by_pydicom(folder: Path) -> Iterator[Foreign]:
    """Frames put together, each decoded by Pillow from its own stream, whatever the tags say."""
    dataset = largest_instance(folder)
    width, height = dataset.TotalPixelMatrixColumns, dataset.TotalPixelMatrixRows
    columns, edge = -(-width // dataset.Columns), dataset.Columns
    whole = np.zeros((height, width, 3), np.uint8)
    for number, frame in enumerate(_frames(dataset)):
        x, y = number % columns * edge, number // columns * edge
        tile = decode(frame)[: height - y, : width - x]
        whole[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
    yield Foreign("pydicom and Pillow", (width, height), _cropped(whole))


def _cropped(whole: Pixels) -> Callable[[Box], Pixels]:
    return lambda box: whole[box[1] : box[1] + box[3], box[0] : box[0] + box[2]]


def decode(stream: bytes) -> Pixels:
    """RGB by Pillow, which heeds the stream's own markers."""
    with Image.open(io.BytesIO(stream)) as picture:
        return np.asarray(picture.convert("RGB"))


def largest_instance(path: Path) -> pydicom.Dataset:
    """The instance with the most pixels of a DICOM file or series."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return max(map(pydicom.dcmread, files), key=lambda at: at.TotalPixelMatrixColumns)


def tiff_streams(path: Path) -> list[bytes]:
    """Every tile of the first page as a whole JPEG: the page's tables, and where the page says
    RGB and has no Adobe marker, one that says so (TIFF Technical Note 2, Adobe TN5116)."""
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages.first
        tables = page.jpegtables or b"\xff\xd8\xff\xd9"
        tiles = list(zip(page.dataoffsets, page.databytecounts, strict=True))
        with path.open("rb") as file:
            streams = [_at(file, offset, count) for offset, count in tiles]
    marker = (
        _ADOBE_RGB if page.photometric == _RGB and _components(streams[0]) == b"\0\1\2" else b""
    )
    return [b"\xff\xd8" + tables[2:-2] + marker + stream[2:] for stream in streams]


def dicom_streams(path: Path) -> list[bytes]:
    """Every frame of the largest level, with the byte that pads it to an even length."""
    return list(_frames(largest_instance(path)))


def _frames(dataset: pydicom.Dataset) -> Iterator[bytes]:
    return generate_frames(dataset.PixelData, number_of_frames=int(dataset.NumberOfFrames))


def _at(file: io.BufferedReader, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)


def _components(stream: bytes) -> bytes:
    """The ids of the colour components in the frame header (SOF)."""
    at = 2
    while stream[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + struct.unpack(">H", stream[at + 2 : at + 4])[0]
    return bytes(stream[at + 10 + 3 * index] for index in range(stream[at + 9]))


def stored_chunks(level: Path, columns: int, rows: int, per_shard: int) -> Iterator[bytes | None]:
    """Every chunk of a level row by row, read by the Zarr specification alone: at the end of
    each shard lie (offset, length) of its chunks as uint64, then a CRC-32C."""
    shards: dict[tuple[int, int], bytes] = {}
    for row in range(rows):
        for column in range(columns):
            place = (row // per_shard, column // per_shard)
            if place not in shards:
                shards[place] = (level / "c" / "0" / str(place[0]) / str(place[1])).read_bytes()
            shard = shards[place]
            index = len(shard) - 4 - 16 * per_shard * per_shard
            at = index + 16 * (row % per_shard * per_shard + column % per_shard)
            offset, length = struct.unpack("<QQ", shard[at : at + 16])
            absent = offset == length == 2**64 - 1
            yield None if absent else shard[offset : offset + length]


def random_boxes(size: tuple[int, int], count: int, seed: int) -> list[Box]:
    """Regions all over a slide; corners, edges, single pixels and thin strips among them."""
    width, height = size
    chance = random.Random(seed)
    most = min(300, width, height)
    boxes = [
        (0, 0, most, most),
        (width - most, 0, most, most),
        (0, height - most, most, most),
        (width - most, height - most, most, most),
        (width - 1, height - 1, 1, 1),
        (width - 1, 0, 1, most),
        (0, height - 1, most, 1),
        (width // 2, height // 2, 1, 1),
    ]
    for number in range(count - len(boxes)):
        wide, high = chance.randint(1, most), chance.randint(1, most)
        x, y = chance.randint(0, width - wide), chance.randint(0, height - high)
        if number % 5 == 0:
            x = width - wide
        if number % 5 == 1:
            y = height - high
        boxes.append((x, y, wide, high))
    return boxes
