"""Value representations: which there are, and which an element of an implicit file has."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache

from pydicom.datadict import dictionary_VR

LONG = frozenset(
    {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV"} | {b"UC", b"UN", b"UR", b"UT", b"UV"}
)
"""Those with a length of four bytes (PS3.5 7.1.2)."""
TEXT = frozenset({b"LO", b"LT", b"PN", b"SH", b"ST", b"UC", b"UT"})
"""Those the character set counts for."""
VALID = LONG | TEXT | frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"SL", b"SS", b"TM"}
    | {b"UI", b"UL", b"US"}
)  # fmt: skip
_PIXEL_REPRESENTATION = 0x00280103


@dataclass(slots=True)
class Shape:
    """What decides between VRs that the dictionary leaves open."""

    little: bool
    signed: bool = False

    def note(self, tag: int, value: bytes) -> None:
        """Remember what matters of an element that went by."""
        if tag == _PIXEL_REPRESENTATION and len(value) == 2:
            self.signed = struct.unpack("<H" if self.little else ">H", value)[0] == 1


def vr_of(tag: int, shape: Shape) -> bytes:
    """The VR of an element that does not say it. Source: PS3.5 A.1, PS3.6."""
    word = _word_of(tag)
    if len(word) == 2:
        return word
    if b"SS" in word:
        return b"SS" if shape.signed else b"US"
    return b"OW"


@lru_cache(maxsize=8192)
def _word_of(tag: int) -> bytes:
    if tag & 0xFFFF == 0:
        return b"UL"
    if tag >> 16 & 1:
        return b"LO" if 0x10 <= tag & 0xFFFF <= 0xFF else b"UN"
    try:
        return str(dictionary_VR(tag)).encode()
    except KeyError:
        return b"UN"
