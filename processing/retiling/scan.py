"""The header of a baseline JPEG with restarts, as far as new tiles are cut from its scan.

Source: ITU-T T.81, B.2 and F.1.2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property, lru_cache

from processing import jpeg
from processing.jpeg import JpegHeader
from processing.retiling.codes import MOST_DC_BITS, huffman_codes, step_tables
from processing.retiling.walk import Walker
from storage.errors import Damaged

_DHT, _DQT, _DRI, _SOS, _APP0, _APP14 = 0xC4, 0xDB, 0xDD, 0xDA, 0xE0, 0xEE
_BLOCK = 8
_MOST_BLOCKS = 10
"""Blocks of one MCU, T.81 B.2.3."""
MOST_DC = (1 << MOST_DC_BITS) - 1
_MOST_BITS = 25
"""Of a DC difference: what 32 bits show from any bit of their first byte on."""
_END_OF_BLOCK = 0
_WHOLE_SPECTRUM = b"\x00\x3f\x00"
Bits = tuple[int, int]
"""A value, and how many bits it takes."""


@dataclass(frozen=True)
class Component:
    """One of the interleaved components."""

    number: int
    first: int
    """Number of its first block in an MCU."""
    blocks: int
    """In an MCU."""
    step: int
    """Of its quantised DC coefficient, in eighths of a grey level."""
    dc: bytes
    ac: bytes
    """Its Huffman tables."""

    @property
    def is_complete(self) -> bool:
        """Every DC difference has a code that is short enough, and so has a block's end."""
        codes, wanted = huffman_codes(self.dc).code_of, range(MOST_DC_BITS + 1)
        ends = _END_OF_BLOCK in huffman_codes(self.ac).code_of
        return ends and all(codes.get(size, (0, 99))[1] + size <= _MOST_BITS for size in wanted)

    @property
    def differences(self) -> list[Bits]:
        """Codes of all DC differences, from -MOST_DC on."""
        return _differences(self.dc)

    def flat(self, difference: int) -> Bits:
        """A block of one grey."""
        code, bits = self.differences[difference + MOST_DC]
        end, end_bits = huffman_codes(self.ac).code_of[_END_OF_BLOCK]
        return code << end_bits | end, bits + end_bits


@lru_cache(maxsize=64)
def _differences(dc: bytes) -> list[Bits]:
    found, codes = list[Bits](), huffman_codes(dc).code_of
    for value in range(-MOST_DC, MOST_DC + 1):
        size = abs(value).bit_length()
        code, bits = codes[size]
        extra = value if value > 0 else value + (1 << size) - 1
        found.append((code << size | extra, bits + size))
    return found


@dataclass(frozen=True)
class Scan:
    """What a level's scan is coded with."""

    header: JpegHeader
    tables: bytes
    """Segments kept for every tile: tables and colour markers."""
    frame: bytes
    selection: bytes
    """The scan's own header."""
    interval: int
    """MCUs between restarts."""
    components: tuple[Component, ...]

    @property
    def mcu(self) -> tuple[int, int]:
        """Width and height of an MCU in pixels."""
        across, down = (max(at[axis] for at in self.header.components) for axis in (1, 2))
        return across * _BLOCK, down * _BLOCK

    @cached_property
    def walker(self) -> Walker:
        """Of all blocks of an MCU."""
        each = ([step_tables(at.dc, at.ac)] * at.blocks for at in self.components)
        return Walker([tables for component in each for tables in component])

    def head(self, width: int, height: int, restart: int, rgb: bool) -> bytes:
        """Everything before a scan of other size; `rgb` adds the marker that says so."""
        sized = self.frame[:5] + struct.pack(">HH", height, width) + self.frame[9:]
        restarts = struct.pack(">BBHH", 0xFF, _DRI, 4, restart)
        mark = jpeg.APP14_RGB if rgb else b""
        return b"\xff\xd8" + self.tables + mark + sized + restarts + self.selection


def read_scan(data: bytes) -> Scan | None:
    """From a header that ends where the scan begins; None when tiles cannot be cut out of it.

    That is: not baseline, not three interleaved components, no restarts, or Huffman tables
    without the codes that new tiles need. Errors: Damaged.
    """
    header, parts = jpeg.read_header(data), _Parts(data)
    if not header.is_copyable or parts.interval < 1 or len(parts.frames) != 1:
        return None
    components = parts.components(header)
    blocks = sum(at.blocks for at in components)
    if len(components) != 3 or blocks > _MOST_BLOCKS:
        return None
    if not all(at.is_complete for at in components):
        return None
    frame, selection = parts.frames[0], parts.selection
    return Scan(header, parts.kept, frame, selection, parts.interval, components)


class _Parts:
    """Segments of a header by what they say."""

    def __init__(self, data: bytes) -> None:
        self.kept, self.selection, self.interval = b"", b"", 0
        self.frames = list[bytes]()
        self._codes, self._steps = dict[int, bytes](), dict[int, int]()
        end = 2
        for marker, start, end in jpeg.markers(data):
            self._read(marker, data[start - 4 : end], data[start:end])
            if marker == _SOS:
                break
        if end != len(data) or not self.selection:
            raise Damaged("a JPEG header does not end where the scan begins")

    def _read(self, marker: int, segment: bytes, body: bytes) -> None:
        if marker in (_DHT, _DQT, _APP0, _APP14):
            self.kept += segment
        if marker == _DHT:
            while len(body) > 17:
                end = 17 + sum(body[1:17])
                self._codes[body[0]], body = body[1:end], body[end:]
        elif marker == _DQT:
            while len(body) > 64:
                wide = 1 + (body[0] >> 4)
                self._steps[body[0] & 15] = int.from_bytes(body[1 : 1 + wide], "big")
                body = body[1 + 64 * wide :]
        elif marker == _DRI:
            self.interval = int.from_bytes(body[:2], "big")
        elif marker == _SOS:
            self.selection = segment
        elif 0xC0 <= marker <= 0xCF:
            self.frames.append(segment)

    def components(self, header: JpegHeader) -> tuple[Component, ...]:
        """In the scan's order; none when it is not that of the frame, or a table is missing."""
        scan, frame = self.selection[4:], self.frames[0][4:]
        names = [at[0] for at in header.components]
        if len(scan) != 10 or list(scan[1:7:2]) != names or scan[7:] != _WHOLE_SPECTRUM:
            return ()
        found, first = list[Component](), 0
        for at, (_, across, down) in enumerate(header.components):
            selector, step = scan[2 + 2 * at], self._steps.get(frame[8 + 3 * at], 0)
            dc, ac = self._codes.get(selector >> 4), self._codes.get(0x10 | selector & 15)
            if dc is None or ac is None or step < 1:
                return ()
            found.append(Component(at, first, across * down, step, dc, ac))
            first += across * down
        return tuple(found)
