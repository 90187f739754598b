"""What a coded tile claims to unpack to, read from its header before any decoder sees it.

A tile of a few bytes can ask for gigabytes; decoders believe it.
Sources: ITU-T T.81 B.2.2 (JPEG), T.87 C.2.2 (JPEG-LS), T.800 A.5.1 and A.6.1 (JPEG 2000), RFC
9649 (WebP).
"""

from __future__ import annotations

import struct

from processing import jpeg
from storage.errors import Damaged, TooLarge

_JPEG2000 = b"\xff\x4f\xff\x51"
_JP2_BOX = b"\0\0\0\x0cjP  "
_MOST_PARTS = 4096
"""JPEG 2000 tiles inside one of ours; scanners write one."""
_JPEG_LS, _SCAN, _NO_FRAMES = 0xF7, 0xDA, (0xC4, 0xC8, 0xCC)
_CODING_STYLE, _FIRST_PART = 0xFF52, 0xFF90
_MOST_MARKERS = 100
_STEPS = tuple((b"\1\1", other, other) for other in (b"\1\1", b"\2\1", b"\2\2"))
"""Pixels a sample stands for, across and down, of three components: 4:4:4, 4:2:2, 4:2:0."""


def check_codestream(data: bytes, width: int, height: int) -> None:
    """Refuse a stream that unpacks to more than its tile. Errors: TooLarge, Damaged."""
    if data[:2] == b"\xff\xd8":
        size = _jpeg_ls(data) or jpeg.frame_size(data)
    elif data[:4] == _JPEG2000 or data[:8] == _JP2_BOX:
        size = _jpeg2000(_codestream(data))
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        size = _webp(data)
    else:
        return
    if size[0] > width or size[1] > height:
        raise TooLarge(f"a {width}x{height} tile would unpack to {size[0]}x{size[1]} pixels")


def mixes_components(data: bytes) -> bool:
    """Whether a JPEG 2000 stream transforms colours itself, so that RGB comes out. Damaged."""
    at = _marker(_codestream(data), _CODING_STYLE)
    return at is not None and len(at) > 6 and at[6] == 1


def _codestream(data: bytes) -> bytes:
    """JPEG 2000 without the boxes of a JP2 file. Errors: Damaged."""
    at = data.find(_JPEG2000, 0, 65536)
    if at < 0:
        raise Damaged("a JPEG 2000 tile has no codestream")
    return data[at:] if at else data


def _marker(stream: bytes, wanted: int) -> bytes | None:
    """A marker segment of the main header, from its length on; None without."""
    at = 2
    for _ in range(_MOST_MARKERS):
        if at + 4 > len(stream):
            break
        marker, length = struct.unpack(">HH", stream[at : at + 4])
        if marker == wanted:
            return stream[at + 2 : at + 2 + length]
        if marker == _FIRST_PART or length < 2:
            break
        at += 2 + length
    return None


def _jpeg_ls(data: bytes) -> tuple[int, int] | None:
    """Size by the frame header of a JPEG-LS stream; None where it is another JPEG."""
    for marker, start, end in jpeg.markers(data):
        if marker == _JPEG_LS and end - start >= 6:
            height, width = struct.unpack(">HH", data[start + 1 : start + 5])
            # Zero means "see below": a size of four bytes in a segment of its own.
            if not width or not height or not 1 <= data[start + 5] <= 4:
                raise Damaged("a JPEG-LS tile does not say its size")
            return width, height
        if (0xC0 <= marker <= 0xCF and marker not in _NO_FRAMES) or marker == _SCAN:
            break
    return None


def _jpeg2000(data: bytes) -> tuple[int, int]:
    """Extent of the reference grid, counted from its own origin."""
    if len(data) < 42:
        raise Damaged("a JPEG 2000 header is cut off")
    right, bottom, left, top, tile_width, tile_height = struct.unpack(">6I", data[8:32])
    (components,) = struct.unpack(">H", data[40:42])
    width, height = right - left, bottom - top
    if width < 1 or height < 1 or tile_width < 1 or tile_height < 1:
        raise Damaged("a JPEG 2000 tile has no extent")
    if components > 4 or -(-width // tile_width) * -(-height // tile_height) > _MOST_PARTS:
        raise TooLarge(f"a JPEG 2000 tile of {components} components in many parts")
    steps = tuple(data[at + 1 : at + 3] for at in range(42, 42 + 3 * components, 3))
    if components == 3 and steps not in _STEPS:
        raise Damaged("a JPEG 2000 tile whose components are of odd sizes")
    return width, height


def _webp(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X" and len(data) >= 30:
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and len(data) >= 30:
        width, height = struct.unpack("<2H", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    raise Damaged("a WebP header is cut off")
