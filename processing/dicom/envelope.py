"""The one way received objects are wrapped on disk, so that the same object is the same bytes.

Senders and transports wrap a dataset in file meta information of their own: their names, their
versions. What is kept is the dataset as it came below a head that only says what the object is.
Source: PS3.10 7.1.
"""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from typing import NamedTuple, Protocol

from processing.dicom.guard import (
    DEFLATED,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    META_AT,
    Unfit,
    is_supported,
    meta_elements,
)
from processing.dicom.vr import LONG, VALID

IMPLEMENTATION = "2.25.139275106216343266172164471943282905817"
"""In the head of every kept object, so part of its fingerprint: never changed."""
_MOST_HEAD = 2**20
_MOST_LOOKED_AT = 2**16
_CLASS, _OBJECT, _SYNTAX = 0x00020002, 0x00020003, 0x00020010


class Writing(Protocol):
    """What the object is written to."""

    def write(self, piece: bytes) -> None:
        """Append."""


def head(sop_class: str, sop_uid: str, transfer_syntax: str) -> bytes:
    """Preamble and file meta information of an object; always written alike."""
    elements = b"\x02\0\x01\0OB\0\0\x02\0\0\0\0\x01"
    for element, value in ((2, sop_class), (3, sop_uid), (0x10, transfer_syntax)):
        elements += _uid(element, value)
    elements += _uid(0x12, IMPLEMENTATION)
    length = b"\x02\0\0\0UL\x04\0" + struct.pack("<I", len(elements))
    return bytes(128) + b"DICM" + length + elements


class Unwrapping:
    """Takes a file in pieces and writes it on with our head instead of its own.

    Files without preamble or file meta information get one, if what they are can be seen from
    how they begin. Where it cannot, the bytes go on unchanged: they are nobody's DICOM.
    """

    def __init__(self, target: Writing) -> None:
        self._target, self._begun = target, bytearray()
        self._through = False

    def write(self, piece: bytes) -> None:
        """The next bytes of the file."""
        if self._through:
            self._target.write(piece)
            return
        self._begun += piece
        if len(self._begun) > _MOST_HEAD:
            self.finish()

    def finish(self) -> None:
        """The file is over, or its head is."""
        if self._through:
            return
        self._through = True
        begun = bytes(self._begun)
        self._begun.clear()
        known = _identify(begun)
        if known is None:
            self._target.write(begun)
            return
        self._target.write(head(known.sop_class, known.sop_uid, known.syntax))
        self._target.write(begun[known.dataset_at :])


class _Known(NamedTuple):
    sop_class: str
    sop_uid: str
    syntax: str
    dataset_at: int


def _identify(begun: bytes) -> _Known | None:
    """What a file is by its first bytes; None when that cannot be said."""
    at = META_AT if begun[128:META_AT] == b"DICM" else 0
    try:
        meta, end = meta_elements(begun, at)
    except Unfit:
        return None
    syntax = meta.get(_SYNTAX) or _syntax_by_looks(begun[end : end + 6])
    if not is_supported(syntax):
        return None
    seen = _first_uids(begun[end:], syntax)  # the head of a file that was changed is often older
    sop_class = seen.get(0x16) or meta.get(_CLASS, "")
    sop_uid = seen.get(0x18) or meta.get(_OBJECT, "")
    if not sop_class or not sop_uid:
        return None
    return _Known(sop_class, sop_uid, syntax, end)


def _syntax_by_looks(first: bytes) -> str:
    """Transfer syntax of a dataset by its first tag and VR; empty where it is no dataset."""
    if first[:2] == b"\0\x08":
        return EXPLICIT_BIG
    if first[:2] != b"\x08\0":
        return ""
    return EXPLICIT_LITTLE if first[4:6] in VALID else IMPLICIT_LITTLE


def _first_uids(dataset: bytes, syntax: str) -> dict[int, str]:
    """SOPClassUID and SOPInstanceUID by element number, which stand at the beginning."""
    order = ">" if syntax == EXPLICIT_BIG else "<"
    found, at = dict[int, str](), 0
    if syntax == DEFLATED:
        with suppress(zlib.error):
            dataset = zlib.decompressobj(-zlib.MAX_WBITS).decompress(dataset, _MOST_LOOKED_AT)
    while at + 12 <= len(dataset):
        group, element = struct.unpack_from(f"{order}HH", dataset, at)
        if (group, element) > (8, 0x18):
            break
        if syntax == IMPLICIT_LITTLE:
            length, start = struct.unpack_from("<I", dataset, at + 4)[0], at + 8
        elif dataset[at + 4 : at + 6] in LONG:
            length, start = struct.unpack_from(f"{order}I", dataset, at + 8)[0], at + 12
        else:
            length, start = struct.unpack_from(f"{order}H", dataset, at + 6)[0], at + 8
        if group == 8 and element in (0x16, 0x18) and length <= 64:
            found[element] = (
                dataset[start : start + length].rstrip(b"\0 ").decode("ascii", "replace")
            )
        at = start + length
    return found


def _uid(element: int, value: str) -> bytes:
    data = value.encode("ascii", "replace")[:64]
    data += b"\0" * (len(data) & 1)
    return struct.pack("<HH2sH", 2, element, b"UI", len(data)) + data
