"""Ways to spoil a file: cut it, change a tag, build a small TIFF that lies."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import tifffile

Tag = tuple[int, Sequence[int] | bytes]
"""TIFF type (2 ASCII, 3 SHORT, 4 LONG, 7 bytes) and values."""
_FORMATS = {1: "B", 3: "H", 4: "I"}


def structural_places(path: Path) -> list[int]:
    """Offsets of every directory, tag, tag value, and of a few tiles: where cuts hurt most."""
    places = {0, 1, 4, 8, 12, 16, path.stat().st_size - 1}
    with tifffile.TiffFile(path) as tiff:
        for page in tiff.pages:
            assert isinstance(page, tifffile.TiffPage)
            places |= {page.offset, page.offset + 1, page.offset + 9}
            for tag in page.tags:
                places |= {tag.offset, tag.offset + 3, tag.valueoffset, tag.valueoffset + 1}
            some = [0, len(page.dataoffsets) // 2, len(page.dataoffsets) - 1]
            for at in some:
                start, count = page.dataoffsets[at], page.databytecounts[at]
                places |= {start, start + 1, start + count // 2, start + count - 1}
    return sorted((at for at in places if at < path.stat().st_size), reverse=True)


def tag_places(path: Path, codes: frozenset[int]) -> Iterator[tuple[int, int, int]]:
    """(tag, offset of its value, bytes it may take) of some tags in every directory."""
    with tifffile.TiffFile(path) as tiff:
        wide = 8 if tiff.is_bigtiff else 4
        for page in tiff.pages:
            assert isinstance(page, tifffile.TiffPage)
            for tag in page.tags:
                if tag.code in codes:
                    yield tag.code, tag.valueoffset, wide


def tiff(pages: Sequence[Mapping[int, Tag]], next_of_last: int = 0) -> bytes:
    """A classic little-endian TIFF of these directories, values and all."""
    out = bytearray(b"II*\0\x08\0\0\0")
    for number, page in enumerate(pages):
        after = len(out) + 2 + 12 * len(page) + 4
        entries, values = bytearray(), bytearray()
        for code, (kind, value) in sorted(page.items()):
            raw = (
                value
                if isinstance(value, bytes)
                else struct.pack(f"<{len(value)}{_FORMATS[kind]}", *value)
            )
            if len(raw) > 4:
                place = struct.pack("<I", after + len(values))
                values += raw
            else:
                place = raw.ljust(4, b"\0")
            entries += struct.pack("<HHI", code, kind, len(value)) + place
        last = number == len(pages) - 1
        following = next_of_last if last else after + len(values)
        out += struct.pack("<H", len(page)) + entries + struct.pack("<I", following) + values
    return bytes(out)


def one_tile(
    stream: bytes, compression: int, edge: int = 256, extra: Mapping[int, Tag] | None = None
) -> bytes:
    """A TIFF of a single RGB tile whose bytes are `stream`, which lies right behind it."""
    tags: dict[int, Tag] = {
        256: (4, [edge]),
        257: (4, [edge]),
        258: (3, [8, 8, 8]),
        259: (3, [compression]),
        262: (3, [6 if compression == 7 else 2]),
        277: (3, [3]),
        322: (4, [edge]),
        323: (4, [edge]),
        324: (4, [0]),
        325: (4, [len(stream)]),
    } | dict(extra or {})
    tags[324] = (4, [len(tiff([tags]))])
    return tiff([tags]) + stream


def flipped(data: bytes, random: np.random.Generator, places: Sequence[int]) -> bytes:
    """The bytes with a few bits, bytes or words changed, mostly near the places given."""
    out = bytearray(data)
    for _ in range(int(random.choice([1, 1, 2, 4, 16]))):
        near = len(places) and random.random() < 0.8
        at = int(random.choice(places)) + int(random.integers(-2, 24)) if near else 0
        at = at if near else int(random.integers(len(out)))
        at = min(max(at, 0), len(out) - 8)
        match int(random.integers(4)):
            case 0:
                out[at] ^= 1 << int(random.integers(8))
            case 1:
                out[at] = int(random.choice([0, 1, 127, 128, 255]))
            case 2:
                word = (0, 1, 2**16, 2**31 - 1, 2**32 - 1)[int(random.integers(5))]
                out[at : at + 4] = struct.pack("<I", word)
            case _:
                out[at : at + 8] = bytes([int(random.choice([0, 255]))]) * 8
    return bytes(out)
