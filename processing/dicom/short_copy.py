"""A short copy of a header, made while it is walked: what a parser can be given without harm.

Explicit VR in the file's byte order, every sequence and item of undefined length; group lengths,
pixels and large values are left out, the latter by their address.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from processing.dicom.vr import LONG, TEXT, VALID

MOST_INLINE = 1024
"""Bytes of a binary value that are copied; see json_model."""
MOST_TEXT = 65_534
MOST_COPIED = 32 * 2**20
MOST_CUTS = 100_000
MOST_PER_FRAME = 256 * 2**10
"""Per-frame functional groups that take more are not copied: the file has them."""
UNDEFINED = 0xFFFFFFFF
_MOST_TEXTS = 256 * 2**10
_PER_FRAME = 0x52009230
_CHARSET = 0x00080005
_BINARY = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"UN"})


class Broken(Exception):
    """The structure does not hold; `why` is a word of `guard.Reason`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(slots=True)
class Walked:
    """What was found on the way through a dataset."""

    pixels_at: int = 0
    """Where the pixel data element begins in the file; 0 without one."""
    copy: bytearray = field(default_factory=bytearray)
    """The short copy."""
    cuts: list[tuple[str, str]] = field(default_factory=list)
    """Address (`00480105/0/00282000`) and VR of every large value that was left out."""
    texts: list[bytes] = field(default_factory=list)
    """Texts that are not plain ASCII, to judge the character set by."""
    charset: tuple[int, int] | None = None
    """Where in the copy Specific Character Set of the dataset itself lies."""


@dataclass(slots=True)
class _Open:
    """A sequence being copied."""

    tag: int
    copied: int
    """Length of the copy when it began, and how many cuts there were."""
    cuts: int
    number: int = -1
    """The item it is at."""


class ShortCopy:
    """Writes the copy into `found`. Errors of all: Broken (too_large)."""

    def __init__(self, found: Walked, *, little: bool) -> None:
        self.found = found
        order = "<" if little else ">"
        self._short = struct.Struct(f"{order}HH2sH")
        self._long = struct.Struct(f"{order}HH2s2xI")
        self._plain = struct.Struct(f"{order}HHI")
        self._sequences = list[_Open]()
        self._texts = 0
        self._silent: int | None = None
        """Sequences that are open where nothing is copied; None: everything is."""

    def keeps(self, vr: bytes, length: int) -> bool:
        """Whether a value of that length is copied."""
        if self._silent is not None:
            return False
        return length <= (MOST_INLINE if vr in _BINARY else MOST_TEXT)

    def value(self, tag: int, vr: bytes, value: bytes) -> None:
        """Copy an element."""
        copy, before = self.found.copy, len(self.found.copy)
        if vr not in VALID:
            vr = b"UN"
        packed = self._long if vr in LONG else self._short
        copy += packed.pack(tag >> 16, tag & 0xFFFF, vr, len(value))
        copy += value
        if tag == _CHARSET and not self._sequences:
            self.found.charset = before, len(copy)
        if vr in TEXT and not value.isascii() and self._texts < _MOST_TEXTS:
            self.found.texts.append(value)
            self._texts += len(value)
        self._bound()

    def cut(self, tag: int, vr: bytes) -> None:
        """Note a value that is left out."""
        if self._silent is not None:
            return
        if len(self.found.cuts) >= MOST_CUTS:
            raise Broken("too_large")
        steps = [f"{at.tag:08X}/{at.number}" for at in self._sequences]
        said = vr.decode() if vr in VALID else "UN"
        self.found.cuts.append(("/".join([*steps, f"{tag:08X}"]), said))

    def begin_sequence(self, tag: int) -> None:
        """A sequence begins."""
        self._sequences.append(_Open(tag, len(self.found.copy), len(self.found.cuts)))
        if self._silent is None:
            self.found.copy += self._long.pack(tag >> 16, tag & 0xFFFF, b"SQ", UNDEFINED)

    def end_sequence(self) -> None:
        """A sequence ends."""
        self._sequences.pop()
        if self._silent is None:
            self.found.copy += self._plain.pack(0xFFFE, 0xE0DD, 0)
            self._bound()
        elif len(self._sequences) < self._silent:
            self._silent = None

    def begin_item(self) -> None:
        """An item of the open sequence begins."""
        self._sequences[-1].number += 1
        if self._silent is None:
            self.found.copy += self._plain.pack(0xFFFE, 0xE000, UNDEFINED)

    def end_item(self) -> None:
        """An item ends."""
        if self._silent is not None:
            return
        self.found.copy += self._plain.pack(0xFFFE, 0xE00D, 0)
        sequence = self._sequences[-1]
        if sequence.tag == _PER_FRAME and len(self.found.copy) - sequence.copied > MOST_PER_FRAME:
            del self.found.copy[sequence.copied :]
            del self.found.cuts[sequence.cuts :]
            self._silent = len(self._sequences)
        self._bound()

    def _bound(self) -> None:
        if len(self.found.copy) > MOST_COPIED:
            raise Broken("too_large")
