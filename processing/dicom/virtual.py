"""A level of a pyramid as a DICOM instance: its stored JPEG bytes are the frames, unchanged.

Frames are in TILED_FULL order: row by row, then channel by channel (PS3.3 C.7.6.17.3). What is
stored without loss (channels, RGB) goes out uncompressed; a hole the scanner left is white.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cached_property

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit

from processing import jpeg
from processing.dicom import encapsulated
from processing.dicom.header import Coding, Picture, build_header, sop_uid_of
from processing.plane_codec import decode_plane
from processing.tile_codec import decode_tile
from storage.errors import NotFound
from storage.records.geometry import Size
from storage.records.imaging import WSI, SeriesEntry
from storage.records.slide import JpegEncoding, PlaneEncoding, StoredLevel
from storage.tiles import OpenPyramid, TileStore

_ENCAPSULATED_RAW = "1.2.840.10008.1.2.1.98"
"""Encapsulated Uncompressed Explicit VR Little Endian: for what 32 bits cannot measure."""
_MOST_NATIVE = 2**32 - 2
_PIECE = 2**20


class VirtualLevel:
    """One level, made when it is asked for."""

    sop_class = WSI

    def __init__(
        self, tiles: TileStore, pyramid: OpenPyramid, level: StoredLevel, entry: SeriesEntry
    ) -> None:
        self._tiles, self._pyramid, self._level, self._entry = tiles, pyramid, level, entry
        edge = pyramid.record.plan.tile_edge
        self.picture = Picture(level.size, Size(edge, edge), level=level.level)
        self._grid = self.picture.grid
        self.sop_uid = sop_uid_of(entry, self.picture)
        self.frames = self._grid.area * pyramid.record.plan.planes

    @property
    def transfer_syntax(self) -> str:
        """JPEG Baseline, or uncompressed where the level is stored without loss."""
        if self._is_jpeg:
            return str(JPEGBaseline8Bit)
        if self._raw_bytes * self.frames > _MOST_NATIVE:
            return _ENCAPSULATED_RAW
        return str(ExplicitVRLittleEndian)

    @property
    def _is_jpeg(self) -> bool:
        return isinstance(self._level.encoding, JpegEncoding)

    @property
    def _raw_bytes(self) -> int:
        """Of one decoded frame."""
        encoding, area = self._level.encoding, self.picture.tile.area
        return area * encoding.itemsize if isinstance(encoding, PlaneEncoding) else area * 3

    def header(self) -> Dataset:
        """See `Instance`."""
        record = self._pyramid.record
        return build_header(
            self._entry, record.metadata, self.picture, self._coding(), record.plan.size,
            record.plan.channels, self._icc,
        )  # fmt: skip

    def frame(self, number: int) -> bytes:
        """See `Instance`."""
        if not 0 <= number < self.frames:
            raise NotFound("the image has no such frame")
        channel, place = divmod(number, self._grid.area)
        row, column = divmod(place, self._grid.width)
        at = self._pyramid, self._level.level, column, row, channel
        stored = self._tiles.stored(*at)
        encoding, edge = self._level.encoding, self.picture.tile.width
        if isinstance(encoding, PlaneEncoding):
            return (
                decode_plane(stored, encoding, edge).astype(f"<u{encoding.itemsize}").tobytes()
                if stored
                else bytes(self._raw_bytes)
            )
        if encoding is None:
            return decode_tile(stored, None, edge).tobytes() if stored else self._white
        return stored if stored is not None else self._white

    def size(self) -> int | None:
        """See `Instance`; None for a cold slide."""
        spans = self._spans
        if spans is None:
            return None
        end = len(encapsulated.END) if self._is_encapsulated else 0
        return len(self._head) + int(spans.sum()) + end

    def stream(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """See `Instance`."""
        head, spans = self._head, self._spans
        if spans is None:
            yield from cut(self._from_frame(0), start, stop, head)
            return
        ends = len(head) + np.cumsum(spans)
        # A range begins in the middle: frames before it are not even read.
        first = int(np.searchsorted(ends, start, side="right")) if start >= len(head) else 0
        before = int(ends[first - 1]) if first else 0
        yield from cut(
            self._from_frame(first),
            start - before,
            None if stop is None else stop - before,
            head if not first else b"",
        )

    def _from_frame(self, first: int) -> Iterator[bytes]:
        """Frames as they stand in the file from one on, in pieces worth sending."""
        pieces, length = list[bytes](), 0
        for number in range(first, self.frames):
            frame = self.frame(number)
            pieces.extend(encapsulated.item(frame) if self._is_encapsulated else (frame,))
            length += len(frame)
            if length >= _PIECE:
                yield b"".join(pieces)
                pieces, length = [], 0
        if self._is_encapsulated:
            pieces.append(encapsulated.END)
        yield b"".join(pieces)

    @property
    def _is_encapsulated(self) -> bool:
        return self.transfer_syntax != ExplicitVRLittleEndian

    @cached_property
    def _head(self) -> bytes:
        """The file up to the first frame."""
        out = io.BytesIO()
        self.header().save_as(out, enforce_file_format=True)
        if self._is_encapsulated:
            return out.getvalue() + encapsulated.encapsulated_head(self._lengths)
        words = isinstance(self._level.encoding, PlaneEncoding) and self._raw_depth > 1
        length = self._raw_bytes * self.frames
        return out.getvalue() + encapsulated.native_head(length, words=words)

    @property
    def _raw_depth(self) -> int:
        encoding = self._level.encoding
        return encoding.itemsize if isinstance(encoding, PlaneEncoding) else 1

    @cached_property
    def _lengths(self) -> NDArray[np.int64] | None:
        """Bytes of every frame as it goes out; None where that costs decoding all."""
        if not self._is_jpeg:
            return np.full(self.frames, self._raw_bytes, np.int64)
        found = self._tiles.lengths(self._pyramid, self._level.level)
        if found is None:
            return None
        lengths = found.reshape(-1)
        return np.where(lengths < 0, len(self._white), lengths)

    @cached_property
    def _spans(self) -> NDArray[np.int64] | None:
        """Bytes each frame takes in the file."""
        if self._lengths is None:
            return None
        if not self._is_encapsulated:
            return self._lengths
        return encapsulated.padded(self._lengths) + encapsulated.ITEM_HEAD

    def _coding(self) -> Coding:
        encoding, channels = self._level.encoding, self._pyramid.record.plan.channels
        if isinstance(encoding, PlaneEncoding):
            bits = 8 * encoding.itemsize
            used = channels.bits if channels else bits
            return Coding(self.transfer_syntax, "MONOCHROME2", bits, used)
        if encoding is None:
            return Coding(self.transfer_syntax, "RGB")
        raw = float(self._raw_bytes * self.frames)
        ratio = raw / float(self._lengths.sum()) if self._lengths is not None else 10.0
        # 4:4:4 goes by this name as well: the WSI IOD knows no YBR_FULL, and the stream tells.
        return Coding(JPEGBaseline8Bit, "RGB" if self._is_rgb else "YBR_FULL_422", ratio=ratio)

    @cached_property
    def _is_rgb(self) -> bool:
        """The streams' components are RGB by their own markers."""
        grid = self._grid
        for number in range(min(grid.area, 4096)):
            row, column = divmod(number, grid.width)
            stored = self._tiles.stored(self._pyramid, self._level.level, column, row)
            if stored is not None:
                return jpeg.read_header(stored).says_rgb is True
        return False

    @cached_property
    def _white(self) -> bytes:
        """A frame for a hole, coded as its neighbours are."""
        edge = self.picture.tile.width
        pixels = np.full((edge, edge, 3), 255, np.uint8)
        if not self._is_jpeg:
            return pixels.tobytes()
        if not self._is_rgb:
            return jpeg.encode(pixels, JpegEncoding(92, "444"))
        # Values as they are, and the marker that says they are RGB, in place of the JFIF one.
        coded = bytes(
            imagecodecs.jpeg8_encode(pixels, 92, colorspace="ycbcr", outcolorspace="ycbcr")
        )
        kept = 4 + int.from_bytes(coded[4:6], "big") if coded[2:4] == b"\xff\xe0" else 2
        return coded[:2] + jpeg.APP14_RGB + coded[kept:]

    @cached_property
    def _icc(self) -> bytes | None:
        name = self._pyramid.record.icc_profile
        return (self._pyramid.folder / name).read_bytes() if name else None


def cut(
    pieces: Iterator[bytes], start: int, stop: int | None, head: bytes = b""
) -> Iterator[bytes]:
    """Bytes [start, stop) of `head` and then `pieces`."""
    position = 0
    for piece in _with_head(head, pieces):
        end = position + len(piece)
        if end > start:
            until = len(piece) if stop is None else min(len(piece), stop - position)
            if until > max(start - position, 0):
                yield piece[max(start - position, 0) : until]
        if stop is not None and end >= stop:
            return
        position = end


def _with_head(head: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from pieces
