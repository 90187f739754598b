"""Just enough BigTIFF: data appended as it comes, directories at the end."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import BinaryIO

SHORT, LONG, UNDEFINED, ASCII, LONG8 = 3, 4, 7, 2, 16
_FORMAT = {SHORT: "H", LONG: "I", LONG8: "Q"}


@dataclass
class Page:
    """One directory: tag number to (type, values); values are integers or bytes."""

    tags: dict[int, tuple[int, list[int] | bytes]] = field(default_factory=dict)

    def text(self, tag: int, value: str) -> None:
        """Set an ASCII tag."""
        self.tags[tag] = (ASCII, value.encode("ascii", "replace") + b"\0")

    def numbers(self, tag: int, kind: int, *values: int) -> None:
        """Set a tag of one or more integers."""
        self.tags[tag] = (kind, list(values))

    def blob(self, tag: int, value: bytes) -> None:
        """Set a tag of opaque bytes."""
        self.tags[tag] = (UNDEFINED, value)


class BigTiff:
    """A little-endian BigTIFF being written; the caller opens, closes and moves the file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        file.write(struct.pack("<2sHHHQ", b"II", 43, 8, 0, 0))

    def append(self, data: bytes) -> int:
        """Write image data and return its offset."""
        if self._file.tell() % 2:
            self._file.write(b"\0")
        offset = self._file.tell()
        self._file.write(data)
        return offset

    def finish(self, pages: Iterable[Page]) -> None:
        """Write the directories, linked in order."""
        link = 8
        for page in pages:
            entries = [self._entry(tag, *page.tags[tag]) for tag in sorted(page.tags)]
            at = self.append(struct.pack("<Q", len(entries)) + b"".join(entries) + bytes(8))
            end = self._file.tell()
            self._file.seek(link)
            self._file.write(struct.pack("<Q", at))
            self._file.seek(end)
            link = end - 8

    def _entry(self, tag: int, kind: int, values: list[int] | bytes) -> bytes:
        packed = (
            values
            if isinstance(values, bytes)
            else struct.pack(f"<{len(values)}{_FORMAT[kind]}", *values)
        )
        # Up to eight bytes live in the entry itself.
        inline = packed.ljust(8, b"\0") if len(packed) <= 8 else None
        place = inline or struct.pack("<Q", self.append(packed))
        return struct.pack("<HHQ", tag, kind, len(values)) + place
