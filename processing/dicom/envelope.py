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
from processing.dicom.short_copy import UNDEFINED
from processing.dicom.vr import LONG, VALID

IMPLEMENTATION = "2.25.139275106216343266172164471943282905817"
"""In the head of every kept object, so part of its fingerprint: never changed."""
_MOST_HEAD = 2**20
_MOST_LOOKED_AT = 2**16
_CLASS, _OBJECT, _SYNTAX = 0x00020002, 0x00020003, 0x00020010
_SOP_CLASS, _SOP_UID, _SERIES = 0x00080016, 0x00080018, 0x0020000E
_ITEM, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE0DD


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
        known = identify(begun)
        if known is None:
            self._target.write(begun)
            return
        self._target.write(head(known.sop_class, known.sop_uid, known.syntax))
        self._target.write(begun[known.dataset_at :])


def series_of(begun: bytes, syntax: str) -> str:
    """SeriesInstanceUID of a dataset by its first bytes; empty where it does not lie in them."""
    return _uids(begun, syntax, _SERIES, (_SERIES,)).get(_SERIES, "")


class Known(NamedTuple):
    """What a file is, and where its dataset begins."""

    sop_class: str
    sop_uid: str
    syntax: str
    dataset_at: int


def identify(begun: bytes) -> Known | None:
    """What a file is by its first bytes; None when that cannot be said."""
    at = META_AT if begun[128:META_AT] == b"DICM" else 0
    try:
        meta, end = meta_elements(begun, at)
    except Unfit:
        return None
    syntax = meta.get(_SYNTAX) or _syntax_by_looks(begun[end : end + 6])
    if not is_supported(syntax):
        return None
    # The head of a file that was changed is often older than its dataset.
    seen = _uids(begun[end:], syntax, _SOP_UID, (_SOP_CLASS, _SOP_UID))
    sop_class = seen.get(_SOP_CLASS) or meta.get(_CLASS, "")
    sop_uid = seen.get(_SOP_UID) or meta.get(_OBJECT, "")
    if not sop_class or not sop_uid:
        return None
    return Known(sop_class, sop_uid, syntax, end)


def _syntax_by_looks(first: bytes) -> str:
    """Transfer syntax of a dataset by its first tag and VR; empty where it is no dataset."""
    if first[:2] == b"\0\x08":
        return EXPLICIT_BIG
    if first[:2] != b"\x08\0":
        return ""
    return EXPLICIT_LITTLE if first[4:6] in VALID else IMPLICIT_LITTLE


def _uids(dataset: bytes, syntax: str, last: int, wanted: tuple[int, ...]) -> dict[int, str]:
    """Some UIDs of a dataset by tag, looked for up to `last`, in the bytes given and no further."""
    order = ">" if syntax == EXPLICIT_BIG else "<"
    found, at, depth = dict[int, str](), 0, 0
    if syntax == DEFLATED:
        with suppress(zlib.error):
            dataset = zlib.decompressobj(-zlib.MAX_WBITS).decompress(dataset, _MOST_LOOKED_AT)
    while at + 12 <= len(dataset) and len(found) < len(wanted):
        group, element = struct.unpack_from(f"{order}HH", dataset, at)
        tag = group << 16 | element
        if depth == 0 and tag > last:
            break
        if syntax == IMPLICIT_LITTLE or tag >= _ITEM:
            length, start = struct.unpack_from(f"{order}I", dataset, at + 4)[0], at + 8
        elif dataset[at + 4 : at + 6] in LONG:
            length, start = struct.unpack_from(f"{order}I", dataset, at + 8)[0], at + 12
        else:
            length, start = struct.unpack_from(f"{order}H", dataset, at + 6)[0], at + 8
        if tag == _SEQUENCE_END:
            depth -= 1
        elif length == UNDEFINED and tag != _ITEM:
            depth += 1
        elif depth == 0 and tag in wanted and length <= 64:
            value = dataset[start : start + length].rstrip(b"\0 ")
            found[tag] = value.decode("ascii", "replace")
        at = start if length == UNDEFINED or tag >= _ITEM else start + length
    return found


def _uid(element: int, value: str) -> bytes:
    data = value.encode("ascii", "replace")[:64]
    data += b"\0" * (len(data) & 1)
    return struct.pack("<HH2sH", 2, element, b"UI", len(data)) + data
