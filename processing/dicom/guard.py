"""Untrusted DICOM files are looked through before any parser sees them.

The structure is walked byte by byte and iteratively (`walk`): depth, counts and lengths are
bounded and compared with what is there. What comes out is a short copy of the header that a parser
can be given without harm. Source: PS3.10 7, PS3.5 7.1-7.5, A.4.
"""

from __future__ import annotations

import mmap
import os
import struct
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from processing.dicom.short_copy import Broken, Walked
from processing.dicom.vr import LONG
from processing.dicom.walk import Encoding, walk
from storage.errors import SlideError

DEFLATED = "1.2.840.10008.1.2.1.99"
EXPLICIT_LITTLE, IMPLICIT_LITTLE = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
_UNCOMPRESSED = frozenset({EXPLICIT_LITTLE, IMPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED})
_ENCAPSULATED = ("1.2.840.10008.1.2.4.", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.1.98")
_WITHOUT_PIXELS = frozenset(f"1.2.840.10008.1.2.4.{last}" for last in (94, 95, 204, 205))
"""JPIP: the pixels stay elsewhere, at an address; an archive would keep nothing."""
META_AT = 132
_MOST_META = 2**20
_SYNTAX = 0x00020010


class Reason(StrEnum):
    """Why an object is not taken."""

    EMPTY = "empty"
    NOT_DICOM = "not_dicom"
    TRUNCATED = "truncated"
    """The file ends before what its own lengths promise."""
    DAMAGED = "damaged"
    """The structure contradicts itself."""
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    """More elements, or more of a header, than any real object has; a deflate bomb."""
    SYNTAX = "transfer_syntax"
    """A private transfer syntax, one without pixels, or none."""
    IDENTITY = "no_identity"
    """No usable UIDs of class, object, series or study."""
    OTHER_OBJECT = "other_object"
    """Another class or UID than the sender, or the file's meta information, said."""
    UNREADABLE = "unreadable"
    """The parser stumbled over what the structure did not show."""
    ANOTHER_OBJECT = "another_object"
    """The UID stands for other bytes already."""
    ANOTHER_SERIES = "another_series"
    """The series is another patient's or study's already."""


class Unfit(SlideError):
    """The object is not taken; `reason` is why. Nothing of its content is in the message."""

    code = "unsupported_dicom"

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value.replace("_", " "))
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Meta:
    """File meta information, as far as it matters; `end` is where the dataset begins."""

    sop_class: str
    sop_uid: str
    transfer_syntax: str
    end: int


@dataclass(frozen=True, slots=True)
class Structure:
    """A file whose structure holds."""

    meta: Meta
    walked: Walked

    @property
    def little(self) -> bool:
        """How it orders bytes."""
        return self.meta.transfer_syntax != EXPLICIT_BIG


def inspect(path: Path) -> Structure:
    """Look through a Part 10 file that is not deflated. Errors: Unfit.

    Memory is bounded whatever the file holds: it is mapped, and the short copy is limited.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if os.fstat(descriptor).st_size == 0:
            raise Unfit(Reason.EMPTY)
        with mmap.mmap(descriptor, 0, prot=mmap.PROT_READ) as data:
            meta = read_meta(data)
            return Structure(meta, _walk(data, meta))
    finally:
        os.close(descriptor)


def read_meta(data: mmap.mmap | bytes) -> Meta:
    """The file meta information group. Errors: Unfit."""
    if data[128:META_AT] != b"DICM":
        raise Unfit(Reason.NOT_DICOM)
    found, end = meta_elements(data, META_AT)
    syntax = found.get(_SYNTAX, "")
    if not is_supported(syntax):
        raise Unfit(Reason.SYNTAX)
    return Meta(found.get(0x00020002, ""), found.get(0x00020003, ""), syntax, end)


def meta_elements(data: mmap.mmap | bytes, at: int) -> tuple[dict[int, str], int]:
    """Short values of group 0002 from `at` on, and where it ends. Errors: Unfit."""
    found, start, size = dict[int, str](), at, len(data)
    while at + 8 <= size and data[at : at + 2] == b"\x02\0":
        element, vr, length = struct.unpack_from("<H2sH", data, at + 2)
        head = 8
        if vr in LONG:
            head = 12
            if at + head > size:
                raise Unfit(Reason.TRUNCATED)
            (length,) = struct.unpack_from("<I", data, at + 8)
        if at + head + length > size:
            raise Unfit(Reason.TRUNCATED)
        if at + head + length > start + _MOST_META:
            raise Unfit(Reason.DAMAGED)
        if length <= 64:
            value = data[at + head : at + head + length]
            found[0x00020000 | element] = value.rstrip(b"\0 ").decode("ascii", "replace")
        at += head + length
    return found, at


def is_supported(syntax: str) -> bool:
    """True for every transfer syntax of the standard with its pixels in the object."""
    if syntax in _UNCOMPRESSED:
        return True
    return syntax.startswith(_ENCAPSULATED) and syntax not in _WITHOUT_PIXELS


def is_encapsulated(syntax: str) -> bool:
    """True where pixel data is in fragments."""
    return syntax not in _UNCOMPRESSED


def _walk(data: mmap.mmap, meta: Meta) -> Walked:
    syntax = meta.transfer_syntax
    if syntax == DEFLATED:
        raise Unfit(Reason.SYNTAX)  # inflated before, see `receiving`
    encoding = Encoding(
        implicit=syntax == IMPLICIT_LITTLE,
        little=syntax != EXPLICIT_BIG,
        encapsulated=is_encapsulated(syntax),
    )
    try:
        return walk(data, meta.end, encoding)
    except Broken as error:
        raise Unfit(Reason(error.why)) from None
