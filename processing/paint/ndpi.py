"""Write a picture as Hamamatsu's scanner software would: one JPEG a level, restarts listed.

Source: openslide.org/formats/hamamatsu (the layout of NDPI; its long offsets).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .pixels import Pixels

_ASCII, _SHORT, _LONG, _RATIONAL, _SIGNED, _FLOAT = 2, 3, 4, 5, 9, 11
_FORMAT = {_SHORT: "H", _LONG: "I", _RATIONAL: "I", _SIGNED: "i", _FLOAT: "f"}
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_SAMPLING = {
    "444": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "422": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "420": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
}
Tag = tuple[int, Sequence[float] | bytes]


@dataclass(frozen=True)
class NdpiLayout:
    """How the levels are coded. `across` are the restart intervals of a row, alike in width."""

    across: int = 1
    quality: int = 90
    subsampling: str = "444"
    objective_power: float = 40.0
    mpp: float = 0.25


def write_ndpi(levels: Sequence[Pixels], path: Path, layout: NdpiLayout | None = None) -> None:
    """One directory a level, largest first. Errors: ValueError when intervals come out uneven."""
    layout = layout or NdpiLayout()
    out, link = bytearray(struct.pack("<2sHQ", b"II", 42, 0)), 4
    for number, pixels in enumerate(levels):
        stream = _coded(pixels, layout)
        at = len(out)
        out += stream + bytes(-len(stream) % 2)
        tags = _tags(pixels, stream, layout, number) | {273: (_LONG, [at])}
        link = _append_directory(out, tags, link)
    path.write_bytes(out)


def _coded(pixels: Pixels, layout: NdpiLayout) -> bytes:
    mcu = 8 if layout.subsampling == "444" else 16
    columns = -(-pixels.shape[1] // mcu)
    if columns % layout.across:
        raise ValueError(f"{columns} MCUs do not make {layout.across} intervals alike")
    options = [
        (cv2.IMWRITE_JPEG_QUALITY, layout.quality),
        (cv2.IMWRITE_JPEG_RST_INTERVAL, columns // layout.across),
        (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, _SAMPLING[layout.subsampling]),
    ]
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [each for option in options for each in option])
    return bytes(data.tobytes())


def _tags(pixels: Pixels, stream: bytes, layout: NdpiLayout, number: int) -> dict[int, Tag]:
    scan = stream.index(b"\xff\xda")
    scan += 2 + int.from_bytes(stream[scan + 2 : scan + 4], "big")
    starts = [scan, *(found.end() for found in _RESTART.finditer(stream, scan))]
    per_centimetre = round(1e4 / layout.mpp / 2**number)
    return {
        256: (_LONG, [pixels.shape[1]]),
        257: (_LONG, [pixels.shape[0]]),
        258: (_SHORT, [8, 8, 8]),
        259: (_SHORT, [7]),
        262: (_SHORT, [6]),
        271: (_ASCII, b"Hamamatsu\0"),
        272: (_ASCII, b"PAINTED\0"),
        277: (_SHORT, [3]),
        278: (_LONG, [pixels.shape[0]]),
        279: (_LONG, [len(stream)]),
        282: (_RATIONAL, [per_centimetre, 1]),
        283: (_RATIONAL, [per_centimetre, 1]),
        296: (_SHORT, [3]),
        65420: (_LONG, [1]),
        65421: (_FLOAT, [layout.objective_power / 2**number]),
        65422: (_SIGNED, [0]),
        65423: (_SIGNED, [0]),
        65424: (_SIGNED, [0]),
        65426: (_LONG, starts),
    }


def _append_directory(out: bytearray, tags: dict[int, Tag], link: int) -> int:
    """The directory and its values at the end of the file; where its own link lies."""
    entries = b""
    for code, (kind, values) in sorted(tags.items()):
        raw, count = _packed(kind, values)
        place = raw.ljust(4, b"\0")
        if len(raw) > 4:
            place = struct.pack("<I", len(out))
            out += raw + bytes(len(raw) % 2)
        entries += struct.pack("<HHI", code, kind, count) + place
    struct.pack_into("<Q", out, link, len(out))
    # Behind the link the upper halves of all offsets, which only files above 4 GB need.
    out += struct.pack("<H", len(tags)) + entries + bytes(8 + 4 * len(tags))
    return len(out) - 8 - 4 * len(tags)


def _packed(kind: int, values: Sequence[float] | bytes) -> tuple[bytes, int]:
    if isinstance(values, bytes):
        return values, len(values)
    count = len(values) // 2 if kind == _RATIONAL else len(values)
    return np.array(values, f"<{_FORMAT[kind]}").tobytes(), count
