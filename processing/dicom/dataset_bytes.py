"""The data set of an instance without the file around it: what goes over an association.

As it is stored, or, where pixels are not compressed, with its VRs said or left out instead; pixels
pass through piece by piece either way. Source: PS3.5 7.1, A.1, A.2; PS3.10 7.1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO
from itertools import chain

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset

from processing.dicom.guard import EXPLICIT_LITTLE, IMPLICIT_LITTLE, read_meta
from processing.dicom.instance import Instance
from processing.dicom.stored import StoredInstance
from storage.errors import StoreDamaged

REWRITABLE = (EXPLICIT_LITTLE, IMPLICIT_LITTLE)
"""Syntaxes an instance of the one can be rewritten into the other."""
_FIRST = 2**16
_MOST_TRAILING = 2**24
_PIXELS = {0x7FE00008: b"OF", 0x7FE00009: b"OD", 0x7FE00010: b"OW"}


def stored_bytes(instance: Instance) -> Iterator[bytes]:
    """As it is stored. Errors: StoreDamaged, NotFound, OSError; a truncated file ends early."""
    pieces, begun = instance.stream(), b""
    for piece in pieces:
        begun += piece
        if len(begun) >= _FIRST:
            break
    yield begun[read_meta(begun).end :]
    yield from pieces


def rewritten_bytes(instance: Instance, syntax: str) -> Iterator[bytes]:
    """In the other of the two syntaxes of REWRITABLE. Errors: as above, StoreDamaged."""
    header, implicit = instance.header(), syntax == IMPLICIT_LITTLE
    at = _pixels_at(instance, header)
    yield encoded(header, implicit=implicit)
    if not at:
        return
    said = instance.transfer_syntax == EXPLICIT_LITTLE
    head = b"".join(instance.stream(at, at + (12 if said else 8)))
    tag, length = _place(head, said=said)
    start = at + len(head)
    yield _head(tag, length, implicit=implicit)
    yield from instance.stream(start, start + length)
    trailing = b"".join(instance.stream(start + length, start + length + _MOST_TRAILING))
    if trailing:
        after = read_dataset(BytesIO(trailing), is_implicit_VR=not said, is_little_endian=True)
        yield encoded(after, implicit=implicit)


def begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same pieces, the first of which is there already: what cannot be read is known now."""
    first = next(pieces, b"")
    return chain((first,), pieces)


def encoded(dataset: Dataset, *, implicit: bool) -> bytes:
    """A data set in little endian, held whole."""
    out = DicomBytesIO()
    out.is_implicit_VR, out.is_little_endian = implicit, True
    write_dataset(out, dataset)
    return bytes(out.getvalue())


def _pixels_at(instance: Instance, header: Dataset) -> int:
    """Where in the file the pixel element begins; 0 where there is none."""
    if isinstance(instance, StoredInstance):
        return instance.found.pixels_at
    if not instance.frames:
        return 0
    out = BytesIO()
    header.save_as(out, enforce_file_format=True)
    return out.tell()


def _place(head: bytes, *, said: bool) -> tuple[int, int]:
    """Tag and length of the pixel element."""
    if len(head) != (12 if said else 8):
        raise StoreDamaged("an object has no pixels where they should be")
    group, element, length = struct.unpack("<HH4xI" if said else "<HHI", head)
    tag = group << 16 | element
    if tag not in _PIXELS or length == 0xFFFFFFFF:
        raise StoreDamaged("an object has no pixels where they should be")
    return tag, length


def _head(tag: int, length: int, *, implicit: bool) -> bytes:
    place = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if implicit:
        return place + struct.pack("<I", length)
    return place + _PIXELS[tag] + b"\0\0" + struct.pack("<I", length)
