"""The chain of directories in a TIFF, walked before any library may lose itself in it.

Sources: TIFF 6.0 section 2; BigTIFF; openslide.org/formats/hamamatsu (NDPI's long offsets).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from storage.errors import Damaged, Truncated

MOST_DIRECTORIES = 1000
_MOST_TAGS = 4096
_NDPI = 65420


@dataclass(frozen=True, slots=True)
class _Layout:
    """How this file writes counts, offsets and tags."""

    count: struct.Struct
    offset: struct.Struct
    tag_bytes: int
    order: str


def check_chain(file: BinaryIO) -> None:
    """Follow every directory to the last. Errors: Truncated, Damaged (loops, absurd counts)."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    layout, at = _header(file)
    seen = set[int]()
    while at:
        if at in seen:
            raise Damaged("the TIFF directories run in a circle")
        if len(seen) == MOST_DIRECTORIES:
            raise Damaged(f"more than {MOST_DIRECTORIES} directories in one file")
        if at >= size:
            raise Truncated("the file ends before its TIFF directory")
        seen.add(at)
        at = _next(file, at, layout, size)
    if not seen:
        raise Damaged("the TIFF directory holds no image")


def _header(file: BinaryIO) -> tuple[_Layout, int]:
    """Layout, and the offset of the first directory."""
    head = file.read(16)
    order = "<" if head[:1] == b"I" else ">"
    if len(head) < 16:
        raise Truncated("the file ends inside its header")
    if head[2:4] in (b"\x2b\0", b"\0\x2b"):
        big = _Layout(struct.Struct(order + "Q"), struct.Struct(order + "Q"), 20, order)
        return big, int(big.offset.unpack(head[8:16])[0])
    classic = _Layout(struct.Struct(order + "H"), struct.Struct(order + "I"), 12, order)
    return classic, int(classic.offset.unpack(head[4:8])[0])


def _next(file: BinaryIO, at: int, layout: _Layout, size: int) -> int:
    """Offset of the directory after the one at `at`, 0 when it is the last."""
    file.seek(at)
    head = file.read(layout.count.size)
    if len(head) < layout.count.size:
        raise Truncated("the file ends inside a TIFF directory")
    (tags,) = layout.count.unpack(head)
    if not 0 < tags <= _MOST_TAGS:
        raise Damaged(f"a TIFF directory of {tags} tags")
    entries = file.read(tags * layout.tag_bytes)
    offset = layout.offset
    if layout.tag_bytes == 12 and _has_tag(entries, layout, _NDPI):
        # Hamamatsu writes 8 bytes here in a classic file, so that slides may pass 4 GB.
        offset = struct.Struct(layout.order + "Q")
    following = file.read(offset.size)
    if len(following) < offset.size:
        raise Truncated("the file ends inside a TIFF directory")
    return int(offset.unpack(following)[0])


def _has_tag(entries: bytes, layout: _Layout, code: int) -> bool:
    wanted = struct.pack(layout.order + "H", code)
    return any(entries[at : at + 2] == wanted for at in range(0, len(entries), layout.tag_bytes))
