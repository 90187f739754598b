"""Where the frames of a DICOM file lie, for every way of writing pixel data.

Source: PS3.5 8.1 (native), A.4 (encapsulated; Basic Offset Table), PS3.3 C.7.6.3 (extended table).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.errors import Damaged, Truncated, UnsupportedDicom

_ITEM, _DELIMITER = 0xE000FFFE, 0xE0DDFFFE
_UNDEFINED = 0xFFFFFFFF
_PIXELS = frozenset({0x0010, 0x0009, 0x0008})
"""Element numbers in group 7FE0: pixel data, double float, float."""
_LONG = frozenset({b"OB", b"OW", b"OF", b"OD", b"UN"})
_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  ")
"""A JPEG, JPEG-LS or JPEG 2000 stream begins; a fragment that does not, goes on."""
_MOST_FRAGMENTS = 20_000_000


@dataclass(frozen=True, slots=True)
class FramePlaces:
    """Fragments of all frames, in order: frame k has fragments [first[k], first[k + 1])."""

    offsets: NDArray[np.int64]
    lengths: NDArray[np.int64]
    first: NDArray[np.int64]

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return len(self.first) - 1

    def read(self, descriptor: int, frame: int) -> bytes:
        """The bytes of one frame. Errors: Truncated."""
        parts = []
        for at in range(int(self.first[frame]), int(self.first[frame + 1])):
            length = int(self.lengths[at])
            data = os.pread(descriptor, length, int(self.offsets[at]))
            if len(data) != length:
                raise Truncated("the file ends inside a frame")
            parts.append(data)
        return parts[0] if len(parts) == 1 else b"".join(parts)


@dataclass(frozen=True, slots=True)
class PixelElement:
    """The pixel data element: where its value starts, its length field, the file's byte order."""

    start: int
    length: int
    little: bool = True


def pixel_element(descriptor: int, position: int, *, implicit: bool, little: bool) -> PixelElement:
    """The element whose tag lies at `position`. Errors: Truncated, Damaged."""
    head = os.pread(descriptor, 12, position)
    order = "<" if little else ">"
    if len(head) < 12:
        raise Truncated("the file ends before its pixel data")
    group, element = struct.unpack_from(f"{order}HH", head)
    if group != 0x7FE0 or element not in _PIXELS:
        raise Damaged("there is no pixel data where the header ends")
    if implicit:
        return PixelElement(position + 8, struct.unpack_from(f"{order}I", head, 4)[0], little)
    if head[4:6] not in _LONG:
        raise Damaged("pixel data of a kind that cannot be")
    return PixelElement(position + 12, struct.unpack_from(f"{order}I", head, 8)[0], little)


def native_places(
    descriptor: int, element: PixelElement, frames: int, frame_bytes: int
) -> FramePlaces:
    """Frames one after the other, uncompressed. Errors: Truncated."""
    needed = frame_bytes * frames
    there = os.fstat(descriptor).st_size - element.start
    if needed > there or needed > element.length != _UNDEFINED:
        raise Truncated("the file ends inside its pixel data")
    offsets = element.start + np.arange(frames, dtype=np.int64) * frame_bytes
    return FramePlaces(
        offsets, np.full(frames, frame_bytes, np.int64), np.arange(frames + 1, dtype=np.int64)
    )


def encapsulated_places(
    descriptor: int, element: PixelElement, frames: int, table: NDArray[np.int64] | None = None
) -> FramePlaces:
    """Frames as fragments; `table` is the extended offset table, if there is one.

    Without a table that fits, fragments are told apart by how a stream begins.
    Errors: Truncated, Damaged, UnsupportedDicom (frames that cannot be told apart).
    """
    if element.length != _UNDEFINED:
        raise Damaged("compressed pixel data with a defined length")
    basic, offsets, lengths = _fragments(descriptor, element.start)
    count = len(offsets)
    if count < frames:
        raise Truncated(f"{count} of {frames} frames are in the file")
    if count == frames:
        return FramePlaces(offsets, lengths, np.arange(frames + 1, dtype=np.int64))
    if frames == 1:
        return FramePlaces(offsets, lengths, np.array([0, count], np.int64))
    starts = table if table is not None and len(table) == frames else basic
    if len(starts) == frames:
        # A table counts from the first byte after itself; the items' own heads come first.
        first = np.searchsorted(offsets - 8 - int(offsets[0] - 8), starts)
    else:
        first = np.array(_beginnings(descriptor, offsets), np.int64)
    if len(first) != frames or first[0] != 0 or (np.diff(first) < 1).any() or first[-1] >= count:
        raise UnsupportedDicom("fragments that do not say to which frame they belong")
    return FramePlaces(offsets, lengths, np.append(first, count).astype(np.int64))


def _fragments(
    descriptor: int, start: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The basic offset table, then offset and length of every fragment."""
    size = os.fstat(descriptor).st_size
    position, found = start, list[tuple[int, int]]()
    while position + 8 <= size:
        tag, length = struct.unpack("<II", os.pread(descriptor, 8, position))
        if tag == _DELIMITER:
            break
        if tag != _ITEM or len(found) > _MOST_FRAGMENTS:
            raise Damaged("the pixel data's items are out of step")
        if position + 8 + length > size:
            raise Truncated("the file ends inside a frame")
        found.append((position + 8, length))
        position += 8 + length
    if not found:
        raise Truncated("the file ends before its first frame")
    at, length = found[0]
    basic = np.frombuffer(os.pread(descriptor, length - length % 4, at), "<u4").astype(np.int64)
    places = np.asarray(found[1:], np.int64).reshape(-1, 2)
    return basic, places[:, 0], places[:, 1]


def _beginnings(descriptor: int, offsets: NDArray[np.int64]) -> list[int]:
    return [
        at
        for at, offset in enumerate(offsets.tolist())
        if os.pread(descriptor, 12, offset).startswith(_STARTS)
    ]
