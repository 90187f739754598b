"""JPEG streams: what a header says, splicing scanner tiles, decoding, encoding.

Sources: ITU-T T.81 (JPEG), T.871 (JFIF), Adobe TN5116 (APP14), TIFF Technical Note 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from storage.errors import Damaged
from storage.records.slide import JpegEncoding

Pixels = NDArray[np.uint8]
"""[row, column, channel], RGB."""

APP14_RGB = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
"""Adobe marker with transform 0: the three components are RGB, not YCbCr."""

_FRAME_MARKERS = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB})
_BASELINE = frozenset({0xC0, 0xC1})
_LOSSLESS = frozenset({0xC3, 0xC7, 0xCB})
_SUBSAMPLING = {(1, 1): "444", (2, 1): "422", (2, 2): "420"}
# fmt: off
_K_LUMA = np.array([
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40,
    26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51,
    56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87,
    95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
])
# fmt: on
"""The luminance table of T.81 Annex K in zigzag order: libjpeg's quality 50."""


def _luma_sum(quality: int) -> int:
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return int(np.clip((_K_LUMA * scale + 50) // 100, 1, 255).sum())


_SUMS = np.array([_luma_sum(quality) for quality in range(1, 101)])


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """What the markers before the scan data say."""

    width: int
    height: int
    components: tuple[tuple[int, int, int], ...]
    """(component id, horizontal factor, vertical factor)."""
    baseline: bool
    adobe_transform: int | None
    jfif: bool
    lossless: bool
    """The process that predicts samples, and knows no colours."""

    @property
    def is_copyable(self) -> bool:
        """Baseline, 8 bit, three components: any browser and any Zarr codec shows it."""
        return self.baseline and len(self.components) == 3

    @property
    def says_rgb(self) -> bool | None:
        """Colour by the stream's own markers; None when it says nothing."""
        if self.adobe_transform is not None:
            return self.adobe_transform == 0
        if self.jfif:
            return False
        ids = tuple(component[0] for component in self.components)
        return True if ids == (82, 71, 66) else None

    @property
    def subsampling(self) -> str:
        """Of the chroma, "444" when it is none of the usual three."""
        first = self.components[0][1:]
        others = self.components[1:]
        usual = all(component[1:] == (1, 1) for component in others)
        return _SUBSAMPLING.get(first, "444") if usual else "444"


def read_header(stream: bytes | memoryview) -> JpegHeader:
    """Read markers up to the scan; works on abbreviated streams. Errors: Damaged."""
    data = bytes(stream[:65536])
    jfif, adobe = False, None
    for marker, start, end in markers(data):
        body = data[start:end]
        if marker in _FRAME_MARKERS:
            return _frame(marker, body, jfif, adobe)
        if marker == 0xE0 and body[:4] == b"JFIF":
            jfif = True
        if marker == 0xEE and body[:5] == b"Adobe" and len(body) >= 12:
            adobe = body[11]
    raise Damaged("a JPEG tile has no frame header")


def frame_size(stream: bytes | memoryview, *, baseline: bool = False) -> tuple[int, int]:
    """Width and height by the frame header, quickly. Errors: Damaged.

    With `baseline` any other process is refused: a level of copied tiles is one kind of JPEG.
    """
    for marker, start, end in markers(stream):
        if marker in _FRAME_MARKERS and end - start >= 6:
            if baseline and marker not in _BASELINE:
                break
            height, width = stream[start + 1 : start + 3], stream[start + 3 : start + 5]
            return int.from_bytes(width, "big"), int.from_bytes(height, "big")
    raise Damaged("a JPEG tile has no frame header of the kind expected")


def markers(stream: bytes | memoryview) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of every segment before the scan data. Errors: Damaged.

    Stricter than decoders, which skip rubbish between segments: what this does not follow to
    the frame header must not reach them.
    """
    if stream[:2] != b"\xff\xd8":
        raise Damaged("a JPEG tile does not begin with a JPEG marker")
    at, total = 2, len(stream)
    while at + 4 <= total:
        marker = stream[at + 1]
        if marker == 0xFF and stream[at] == 0xFF:
            at += 1  # a fill byte, T.81 B.1.1.2
            continue
        if stream[at] != 0xFF or not 0xC0 <= marker <= 0xFE or 0xD0 <= marker <= 0xD9:
            raise Damaged("a JPEG tile's markers are out of step")
        end = at + 2 + (stream[at + 2] << 8 | stream[at + 3])
        if end < at + 4 or end > total:
            raise Damaged("a JPEG tile's header is cut off")
        yield marker, at + 4, end
        at = end


def _frame(marker: int, body: bytes, jfif: bool, adobe: int | None) -> JpegHeader:
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        raise Damaged("a JPEG frame header is cut off")
    components = tuple(
        (body[at], body[at + 1] >> 4, body[at + 1] & 15) for at in range(6, 6 + 3 * body[5], 3)
    )
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    baseline = marker in _BASELINE and body[0] == 8
    return JpegHeader(width, height, components, baseline, adobe, jfif, marker in _LOSSLESS)


def splice_head(tables: bytes, rgb: bool) -> bytes:
    """What goes in front of `tile[2:]` to make a tile stand alone: SOI, tables, marker."""
    return b"\xff\xd8" + tables[2:-2] + (APP14_RGB if rgb else b"")


def estimate_quality(stream: bytes) -> int:
    """Quality of the first quantisation table on libjpeg's scale, 90 when there is none."""
    at = stream.find(b"\xff\xdb")
    if at < 0 or len(stream) < at + 69 or stream[at + 4] >> 4:
        return 90
    return int(np.abs(_SUMS - sum(stream[at + 5 : at + 69])).argmin()) + 1


def decode(stream: bytes, expected: tuple[int, int] | None = None) -> Pixels:
    """RGB pixels of a whole stream, (width, height) if `expected`. Errors: Damaged."""
    if expected is not None and frame_size(stream) != expected:
        raise Damaged("a JPEG tile has another size than the level says")
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(stream, colorspace="RGB")
    except ValueError as error:
        raise Damaged("a JPEG tile cannot be decoded") from error
    return pixels


def decode_grey(stream: bytes) -> Pixels:
    """Samples [row, column] of a stream of one component. Errors: Damaged."""
    if len(read_header(stream).components) != 1:
        raise Damaged("a JPEG frame in colour where one channel is due")
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(stream, colorspace="GRAY")
    except ValueError as error:
        raise Damaged("a JPEG tile cannot be decoded") from error
    return pixels[:, :, 0]


def decode_half(stream: bytes, edge: int) -> Pixels:
    """RGB pixels at half size, averaged in the DCT domain: [edge/2, edge/2, 3].

    Differs from a true 2x2 mean by 0.8 grey levels on average. Errors: Damaged.
    """
    pixels = decode_smaller(stream, edge, edge // 2)
    if pixels.shape != (edge // 2, edge // 2, 3):
        raise Damaged("a JPEG tile has another size than the level says")
    return pixels


def decode_eighth(stream: bytes, edge: int) -> Pixels:
    """RGB pixels at an eighth, rounded up: the means of the blocks of 8x8. Errors: Damaged."""
    return decode_smaller(stream, edge, edge // 8)


def decode_smaller(stream: bytes, edge: int, least: int) -> Pixels:
    """RGB pixels of a tile at the smallest size that is at least `least`. Errors: Damaged."""
    if frame_size(stream) != (edge, edge):
        raise Damaged("a JPEG tile has another size than the level says")
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(
            stream, colorspace="RGB", min_height=least, min_width=least, min_factor=2
        )
    except ValueError as error:
        raise Damaged("a JPEG tile cannot be decoded") from error
    return pixels


def encode(pixels: Pixels, encoding: JpegEncoding) -> bytes:
    """Baseline JPEG, YCbCr with JFIF marker, from [row, column, 3]."""
    data: bytes = simplejpeg.encode_jpeg(
        np.ascontiguousarray(pixels),
        quality=encoding.quality,
        colorspace="RGB",
        colorsubsampling=encoding.subsampling,
    )
    return data
