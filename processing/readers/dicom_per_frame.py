"""What each frame of a sparse instance says of itself: its place, optical path and focal plane.

Read from the bytes: as datasets the items of 200,000 frames would take minutes and gigabytes.

Sources: DICOM PS3.3 C.7.6.16 (functional groups), C.8.12.6.1 (plane position, slide), C.8.12.6.2
(optical path identification), PS3.5 7.1 and 7.5 (elements, sequences).
"""

from __future__ import annotations

import os
import struct
from array import array
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.errors import Damaged, TooLarge, Truncated

PER_FRAME = 0x52009230
PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
EXTENDED_TABLE = 0x7FE00001
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_DESCENDED = frozenset({PER_FRAME, _ITEM, 0x0048021A, 0x00480207, 0x00289110})
"""With plane position, optical path identification, pixel measures: what is looked into."""
_COLUMN, _ROW, _Z, _PATH, _SPACING = 0x0048021E, 0x0048021F, 0x0040074A, 0x00480106, 0x00280030
_WANTED = frozenset({_COLUMN, _ROW, _Z, _PATH, _SPACING})
_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR",
                   b"UT", b"UV"})  # fmt: skip
_UNDEFINED = 0xFFFFFFFF
_DEEPEST = 32
_MOST_ELEMENTS = 500
"""Of one frame."""
_LONGEST = 128
_WINDOW, _AHEAD = 2**22, 256
_NOWHERE = 2**63
"""End of what has no length."""


@dataclass(frozen=True)
class PerFrame:
    """By frame; a value that is not said is 0 (places), NaN (z) or -1 (paths)."""

    columns: NDArray[np.int64]
    """1-based, in pixels of the total pixel matrix, as `rows`."""
    rows: NDArray[np.int64]
    z: NDArray[np.float64]
    """Micrometres."""
    paths: NDArray[np.int64]
    """Number in `identifiers`."""
    identifiers: tuple[str, ...]
    spacing: tuple[str, ...] = ()
    """PixelSpacing of the first frame that has one, in mm."""

    @property
    def has_places(self) -> bool:
        """Every frame says where it lies."""
        return len(self.columns) > 0 and bool((self.columns > 0).any() or (self.rows > 0).any())


@dataclass(frozen=True)
class Rest:
    """What follows a header from its per-frame groups on."""

    per_frame: PerFrame
    pixels_at: int
    extended_table: bytes | None


class _Collected:
    """Lists that grow by a place when a frame begins."""

    def __init__(self) -> None:
        self.places = {_COLUMN: array("q"), _ROW: array("q")}
        self.z, self.paths = array("d"), array("q")
        self.identifiers: dict[str, int] = {}
        self.spacing: tuple[str, ...] = ()

    def begin(self) -> None:
        for values in self.places.values():
            values.append(0)
        self.z.append(float("nan"))
        self.paths.append(-1)

    def take(self, tag: int, value: bytes, binary: str | None) -> None:
        """A wanted value of the last frame; `binary` is its struct format where it is no text."""
        if tag in self.places:
            self.places[tag][-1] = _whole(value, binary)
            return
        text = value.decode("latin-1").strip(" \0")
        if tag == _PATH:
            self.paths[-1] = self.identifiers.setdefault(text, len(self.identifiers))
        elif tag == _Z:
            with suppress(ValueError):
                self.z[-1] = float(text)
        elif not self.spacing:
            self.spacing = tuple(text.split("\\"))

    def made(self) -> PerFrame:
        return PerFrame(
            np.asarray(self.places[_COLUMN], np.int64),
            np.asarray(self.places[_ROW], np.int64),
            np.asarray(self.z, np.float64),
            np.asarray(self.paths, np.int64),
            tuple(self.identifiers),
            self.spacing,
        )


def read_per_frame(descriptor: int, at: int, frames: int) -> Rest | None:
    """Read on from the per-frame groups up to the pixel data; None where they are not at `at`.

    Errors: Damaged, Truncated, TooLarge.
    """
    head = os.pread(descriptor, 6, at)
    order = "<" if head[:4] == struct.pack("<HH", *divmod(PER_FRAME, 2**16)) else ">"
    if head[:4] != struct.pack(f"{order}HH", *divmod(PER_FRAME, 2**16)):
        return None
    # Without its kind: a length that looked like a kind would be odd.
    walk, extended = _Walk(descriptor, at, head[4:] not in (b"SQ", b"UN"), order), None
    for _ in range(_MOST_ELEMENTS * (frames + 100)):
        tag, kind, length = walk.element()
        if tag in PIXELS and not walk.open:
            return Rest(walk.found.made(), walk.element_at, extended)
        if tag == EXTENDED_TABLE and length <= 8 * frames and not walk.open:
            extended = walk.value(length)
        else:
            walk.enter_or_pass(tag, kind, length)
        if len(walk.found.z) > frames:
            raise Damaged(f"more frames are described than the {frames} there are")
    raise TooLarge("the frames' descriptions go on and on")


class _Walk:
    """Through elements in the order of the file; `open` are the ends of what it is inside of."""

    def __init__(self, descriptor: int, at: int, implicit: bool, order: str) -> None:
        self._descriptor, self._implicit, self._order = descriptor, implicit, order
        self._plain = struct.Struct(f"{order}HHI").unpack_from
        self._short = struct.Struct(f"{order}HH2sH").unpack_from
        self._window, self._window_at = b"", 0
        self.open: list[tuple[int, bool]] = []
        """(end, whether elements inside are without their kind)."""
        self.position, self.element_at, self._frames_begin = at, at, False
        self.found = _Collected()

    def element(self) -> tuple[int, bytes, int]:
        """Tag, kind and length of the next element, its value not read."""
        position, within = self.position, self.open
        while within and position >= within[-1][0]:
            within.pop()
        at = position - self._window_at
        if not 0 <= at <= len(self._window) - _AHEAD:
            at = self._look(position)
        self.element_at, self.position = position, position + 8
        group, number, kind, length = self._short(self._window, at)
        tag = group << 16 | number
        if group == 0xFFFE or (within[-1][1] if within else self._implicit):
            return tag, b"", self._plain(self._window, at)[2]
        if kind in _LONG:
            self.position += 4
            (length,) = struct.unpack_from(f"{self._order}I", self._window, at + 8)
        return tag, kind, length

    def _look(self, position: int) -> int:
        """The file from here on, so far that a header and a short value are in sight."""
        self._window = os.pread(self._descriptor, _WINDOW, position)
        self._window_at = position
        if len(self._window) < 12:
            raise Truncated("the file ends before its pixel data")
        self._window += bytes(_AHEAD)
        return 0

    def value(self, length: int) -> bytes:
        """The value of the element just met, and on behind it."""
        if length <= _LONGEST:
            start = self.position - self._window_at
            data = self._window[start : start + length]
        else:
            data = os.pread(self._descriptor, length, self.position)
        self.position += length
        return data

    def enter_or_pass(self, tag: int, kind: bytes, length: int) -> None:
        """Go into what is wanted or has no length, take a wanted value, pass over the rest."""
        if tag in (_ITEM_END, _SEQUENCE_END):
            if self.open:
                self.open.pop()
            return
        if length == _UNDEFINED or tag in _DESCENDED:
            self._enter(tag, kind, length)
        elif tag in _WANTED and len(self.found.z) and length <= _LONGEST:
            binary = self._order + {2: "h", 4: "i"}.get(length, "0s")
            text = kind in (b"IS", b"DS")
            self.found.take(tag, self.value(length), None if text else binary)
        else:
            self.position += length

    def _enter(self, tag: int, kind: bytes, length: int) -> None:
        if len(self.open) >= _DEEPEST:
            raise Damaged("sequences within sequences without end")
        if not self.open:
            self._frames_begin = tag == PER_FRAME
        elif tag == _ITEM and len(self.open) == 1 and self._frames_begin:
            self.found.begin()
        end = _NOWHERE if length == _UNDEFINED else self.position + length
        inside = self.open[-1][1] if self.open else self._implicit
        self.open.append((end, inside or (kind == b"UN" and end == _NOWHERE)))


def _whole(value: bytes, binary: str | None) -> int:
    with suppress(ValueError, struct.error):
        return int(value) if binary is None else int(struct.unpack(binary, value)[0])
    return 0
