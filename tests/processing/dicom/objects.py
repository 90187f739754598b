"""DICOM bytes made by hand, right and wrong; neither ours nor pydicom's code writes them."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

EXPLICIT, IMPLICIT, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
DEFLATED, JPEG = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.50"
CT = "1.2.840.10008.5.1.4.1.1.2"
LONG = ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")
UNDEFINED = 0xFFFFFFFF
ITEM = b"\xfe\xff\x00\xe0"
ITEM_END = b"\xfe\xff\x0d\xe0" + bytes(4)
SEQUENCE_END = b"\xfe\xff\xdd\xe0" + bytes(4)


def element(tag: int, vr: str, value: bytes, length: int | None = None) -> bytes:
    """An element, explicit little endian; `length` may lie."""
    value += (b"\0" if vr in ("UI", "OB", "UN") else b" ") * (len(value) & 1)
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    said = len(value) if length is None else length
    if vr in LONG:
        return head + struct.pack("<HI", 0, said) + value
    return head + struct.pack("<H", said & 0xFFFF) + value


def implicit(tag: int, value: bytes) -> bytes:
    """An element, implicit little endian."""
    value += b"\0" * (len(value) & 1)
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value


def identity(number: int = 1, *, charset: str = "", name: bytes = b"Hansen^Anna") -> list[bytes]:
    """The elements every object has to have, by tag."""
    found = [element(0x00080005, "CS", charset.encode())] if charset else []
    return [
        *found,
        element(0x00080016, "UI", CT.encode()),
        element(0x00080018, "UI", f"1.2.826.0.1.9.{number}".encode()),
        element(0x00080060, "CS", b"CT"),
        element(0x00100010, "PN", name),
        element(0x00100020, "LO", b"010190-4321"),
        element(0x0020000D, "UI", b"1.2.826.0.1.9.77"),
        element(0x0020000E, "UI", b"1.2.826.0.1.9.88"),
    ]


def part10(elements: Iterable[bytes] | bytes, syntax: str = EXPLICIT, number: int = 1) -> bytes:
    """A file with a head that is right."""
    dataset = elements if isinstance(elements, bytes) else b"".join(elements)
    meta = element(0x00020001, "OB", b"\0\1")
    meta += element(0x00020002, "UI", CT.encode())
    meta += element(0x00020003, "UI", f"1.2.826.0.1.9.{number}".encode())
    meta += element(0x00020010, "UI", syntax.encode())
    length = element(0x00020000, "UL", struct.pack("<I", len(meta)))
    return bytes(128) + b"DICM" + length + meta + dataset


def nested(depth: int, *, defined: bool) -> bytes:
    """A sequence in a sequence in a sequence."""
    if not defined:
        opened = element(0x00081115, "SQ", b"", UNDEFINED) + ITEM + struct.pack("<I", UNDEFINED)
        return opened * depth + (ITEM_END + SEQUENCE_END) * depth
    inner = b""
    for _ in range(depth):
        inner = element(0x00081115, "SQ", ITEM + struct.pack("<I", len(inner)) + inner)
    return inner


def real_files(slides: Path) -> list[Path]:
    """Every real DICOM file there is."""
    folders = ("radiology", "dicom-wsi", "dicom-fluorescence")
    return sorted(
        path
        for folder in folders
        for path in (slides / folder).rglob("*")
        if path.suffix in (".dcm", "") and path.is_file()
    )
