"""Where the frames of a DICOM object lie in its file: any object, any transfer syntax.

Native pixels follow each other without gaps; encapsulated ones lie in fragments, one or several a
frame. Nothing is decoded. Stands on NumPy, pydicom's records and the error tree alone.

Sources: DICOM PS3.5 A.4 (encapsulation, Basic Offset Table), PS3.3 C.7.6.3.1.8 (Extended Offset
Table), PS3.5 8.2 (native frames, YBR_FULL_422), PS3.5 7.1 (elements).
"""

from __future__ import annotations

import os
import struct
from array import array
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from storage.errors import Damaged, TooLarge, Truncated, UnsupportedCompression

_ITEM, _DELIMITER = 0xE000FFFE, 0xE0DDFFFE
_UNDEFINED = 0xFFFFFFFF
_PIXEL_TAGS = {(0x7FE0, 0x0010): None, (0x7FE0, 0x0008): 32, (0x7FE0, 0x0009): 64}
"""Pixel data, and the two for floating samples, whose depth the tag itself says."""
_LONG_FORM = frozenset({b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN"})
_DEFLATED = "1.2.840.10008.1.2.1.99"
_NOT_IN_FRAMES = tuple(f"1.2.840.10008.1.2.4.{kind}" for kind in ("10", "94", "95", "204", "205"))
"""MPEG-2, H.264 and HEVC (100 to 108) and JPIP: a film, or an address."""
_MOST_FRAMES = 20_000_000
_MORE_FRAGMENTS = 2**20
"""Fragments beyond one a frame; real files split a frame into a few."""
_BEGINNINGS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ")
"""How a JPEG or JPEG-LS frame, a JPEG 2000 codestream and a JP2 file begin."""


@dataclass(frozen=True)
class FramePlaces:
    """Frames of one file, numbered from 0; `offsets` and `lengths` are those of the pieces."""

    offsets: NDArray[np.int64]
    """Bytes from the beginning of the file, of every piece."""
    lengths: NDArray[np.int64]
    firsts: NDArray[np.int64]
    """Number of each frame's first piece, and behind them the number of pieces."""
    frame_bits: int | None = None
    """Bits of a native frame; None where frames are coded."""
    in_words: bool = False
    """Samples of 8 bits that lie in words of the other byte order: each two are exchanged."""

    def __len__(self) -> int:
        return len(self.firsts) - 1

    def pieces(self, frame: int) -> list[tuple[int, int]]:
        """(offset, length) of the pieces of a frame in their order. Errors: IndexError."""
        if not 0 <= frame < len(self):
            raise IndexError(frame)
        first, end = int(self.firsts[frame]), int(self.firsts[frame + 1])
        offsets, lengths = self.offsets[first:end].tolist(), self.lengths[first:end].tolist()
        return list(zip(offsets, lengths, strict=True))

    @property
    def in_one_piece(self) -> bool:
        """Every frame is one run of bytes: `offsets` and `lengths` are those of the frames."""
        return len(self.offsets) == len(self)

    def read(self, descriptor: int, frame: int) -> bytes:
        """Bytes of a frame as they are coded, native ones as samples. Errors: Truncated."""
        pieces = self.pieces(frame)
        if self.in_words:
            return self._out_of_words(descriptor, *pieces[0])
        if len(pieces) == 1:
            data = _read(descriptor, *pieces[0])
        else:
            data = b"".join(_read(descriptor, *piece) for piece in pieces)
        if self.frame_bits is None or not self.frame_bits % 8:
            return data
        # Segmentations of one bit: a frame begins where the last one ended, within a byte.
        first = frame * self.frame_bits % 8
        bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
        own = bits[first : first + self.frame_bits]
        return np.packbits(own, bitorder="little").tobytes()

    def _out_of_words(self, descriptor: int, offset: int, length: int) -> bytes:
        before = (offset - int(self.offsets[0])) % 2
        whole = _read(descriptor, offset - before, before + length + (before + length) % 2)
        return np.frombuffer(whole, ">u2").astype("<u2").tobytes()[before : before + length]


def locate_frames(file: Path | int, header: Dataset, pixels_at: int) -> FramePlaces:
    """Every frame of a file (a path or an open descriptor) whose pixel element is at `pixels_at`.

    `header` is the dataset before that element, with its file meta. Reads item headers only; the
    memory is some 24 bytes a frame. Errors: Truncated, Damaged, TooLarge, UnsupportedCompression.
    """
    if isinstance(file, int):
        return _located(file, header, pixels_at)
    descriptor = os.open(file, os.O_RDONLY)
    try:
        return _located(descriptor, header, pixels_at)
    finally:
        os.close(descriptor)


def _read(descriptor: int, offset: int, length: int) -> bytes:
    data = os.pread(descriptor, length, offset)
    if len(data) != length:
        raise Truncated("the file ends inside a frame")
    return data


def _located(descriptor: int, header: Dataset, pixels_at: int) -> FramePlaces:
    syntax = str(_meta(header).get("TransferSyntaxUID") or "")
    if syntax == _DEFLATED or syntax.startswith(_NOT_IN_FRAMES):
        raise UnsupportedCompression("DICOM whose frames have no place of their own in the file")
    frames = whole_number(header, "NumberOfFrames", 1)
    if frames < 1:
        raise Damaged(f"{frames} frames")
    if frames > _MOST_FRAMES:
        raise TooLarge(f"{frames} frames in one file")
    start, length, depth, words = _pixel_element(descriptor, pixels_at)
    if length == _UNDEFINED:
        return _encapsulated(descriptor, start, frames, header)
    about = _samples(header, depth)
    places = _native(descriptor, (start, length), frames, about)
    return replace(places, in_words=words and about[1] == 8)


def whole_number(header: Dataset, name: str, otherwise: int) -> int:
    """An attribute as a whole number; `otherwise` where it is absent or empty. Errors: Damaged."""
    value = header.get(name)
    try:
        return otherwise if value is None or value == "" else int(value)
    except (TypeError, ValueError) as error:
        raise Damaged(f"{name} is not a number") from error


def _meta(header: Dataset) -> Dataset:
    return getattr(header, "file_meta", None) or Dataset()


def _pixel_element(descriptor: int, at: int) -> tuple[int, int, int | None, bool]:
    """Where the value begins, its length field, the bits a sample where the tag says them, and
    whether it is in big-endian words.

    The element itself says how it is written: headers that lie about it are read by guessing.
    """
    head = os.pread(descriptor, 12, at)
    if len(head) < 8:
        raise Truncated("the file ends before its pixel data")
    known = [order for order in "<>" if struct.unpack(f"{order}HH", head[:4]) in _PIXEL_TAGS]
    if not known:
        raise Truncated("the file has no pixel data where its header ends")
    (order,) = known
    depth = _PIXEL_TAGS[struct.unpack(f"{order}HH", head[:4])]
    # Without its kind: a length that looked like a kind would be odd.
    if head[4:6] not in _LONG_FORM or head[6:8] != b"\0\0" or len(head) < 12:
        return at + 8, int(struct.unpack(f"{order}I", head[4:8])[0]), depth, False
    words = order == ">" and head[4:6] == b"OW"
    return at + 12, int(struct.unpack(f"{order}I", head[8:12])[0]), depth, words


def _samples(header: Dataset, depth: int | None) -> tuple[int, int, bool]:
    """Samples a frame, bits a sample, and whether two pixels share their chroma."""
    samples = whole_number(header, "SamplesPerPixel", 1)
    pixels = whole_number(header, "Rows", 0) * whole_number(header, "Columns", 0)
    bits = depth or whole_number(header, "BitsAllocated", 0)
    if pixels < 1 or not 1 <= samples <= 4 or not 1 <= bits <= 64:
        raise Damaged(f"{pixels} pixels of {samples} samples of {bits} bits")
    return pixels * samples, bits, header.get("PhotometricInterpretation") == "YBR_FULL_422"


def _native(
    descriptor: int, value: tuple[int, int], frames: int, about: tuple[int, int, bool]
) -> FramePlaces:
    (start, length), (samples, bits, shared) = value, about
    total = samples * bits
    # Some write three samples a pixel and call it 4:2:2; the length tells.
    if shared and -(-total * frames // 8) > length:
        total = total // 3 * 2
    due = -(-total * frames // 8)
    if due > length or start + due > os.fstat(descriptor).st_size:
        raise Truncated("the file ends inside its pixel data")
    numbers = np.arange(frames + 1, dtype=np.int64)
    if not total % 8:
        each = np.broadcast_to(np.int64(total // 8), frames)
        return FramePlaces(start + numbers[:-1] * (total // 8), each, numbers, total)
    begin = numbers[:-1] * total // 8
    end = -(-numbers[1:] * total // 8)
    return FramePlaces(start + begin, end - begin, numbers, total)


def _encapsulated(descriptor: int, start: int, frames: int, header: Dataset) -> FramePlaces:
    offsets, lengths = _items(descriptor, start, frames + 1 + _MORE_FRAGMENTS)
    table = (int(offsets[0]), int(lengths[0])) if len(offsets) else (0, 0)
    offsets, lengths = offsets[1:], lengths[1:]
    if len(offsets) < frames:
        raise Truncated(f"{len(offsets)} of {frames} frames are in the file")
    if len(offsets) == frames:
        firsts = np.arange(frames + 1, dtype=np.int64)
    elif frames == 1:
        firsts = np.asarray([0, len(offsets)], np.int64)
    else:
        told = _table(descriptor, table, frames, header)
        found = _by_table(told, offsets) if told is not None else None
        firsts = _by_beginnings(descriptor, offsets, frames) if found is None else found
    return FramePlaces(offsets, lengths, firsts)


def _items(descriptor: int, start: int, most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Offset and length of every item's value, that of the offset table first."""
    size, position = os.fstat(descriptor).st_size, start
    offsets, lengths = array("q"), array("q")
    while position + 8 <= size:
        tag, length = struct.unpack("<II", os.pread(descriptor, 8, position))
        if tag == _DELIMITER:
            break
        if tag != _ITEM:
            if not lengths or not lengths[-1] % 2 or not _is_item(descriptor, position + 1):
                raise Damaged("the pixel data's items are out of step")
            position += 1  # an item of odd length, its padding not counted
            continue
        if position + 8 + length > size:
            raise Truncated("the file ends inside a frame")
        if len(offsets) >= most:
            raise TooLarge(f"more than {most} pieces of pixel data")
        offsets.append(position + 8)
        lengths.append(length)
        position += 8 + length
    return np.asarray(offsets, np.int64), np.asarray(lengths, np.int64)


def _is_item(descriptor: int, position: int) -> bool:
    return os.pread(descriptor, 4, position) in (b"\xfe\xff\0\xe0", b"\xfe\xff\xdd\xe0")


def _table(
    descriptor: int, basic: tuple[int, int], frames: int, header: Dataset
) -> NDArray[np.int64] | None:
    """Where the frames' first items begin in the file, by a table of the file's own."""
    base = basic[0] + basic[1]
    extended = header.get("ExtendedOffsetTable")
    if isinstance(extended, bytes) and len(extended) >= 8 * frames:
        return base + np.frombuffer(extended[: 8 * frames], "<u8").astype(np.int64)
    if basic[1] >= 4 * frames:
        told = os.pread(descriptor, 4 * frames, basic[0])
        return base + np.frombuffer(told, "<u4").astype(np.int64)
    return None


def _by_table(told: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Numbers of the frames' first pieces; None where the table does not lead to pieces."""
    beginnings = offsets - 8
    firsts = np.searchsorted(beginnings, told)
    inside = bool((firsts < len(offsets)).all())
    if not inside or firsts[0] != 0 or not (beginnings[firsts] == told).all():
        return None
    if not (np.diff(firsts) > 0).all():
        return None
    return np.append(firsts, len(offsets)).astype(np.int64)


def _by_beginnings(descriptor: int, offsets: NDArray[np.int64], frames: int) -> NDArray[np.int64]:
    """Without a table: a frame begins where a piece begins like one. Errors: Damaged."""
    heads = (os.pread(descriptor, 8, int(offset)) for offset in offsets)
    firsts = [number for number, head in enumerate(heads) if head.startswith(_BEGINNINGS)]
    if len(firsts) != frames or firsts[0] != 0:
        raise Damaged(f"{len(offsets)} pieces of pixel data, {frames} frames, and no table")
    return np.asarray([*firsts, len(offsets)], np.int64)
