"""What everything that is served as DICOM can do, be it made on the fly or stored as received."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from pydicom.dataset import Dataset


class Instance(Protocol):
    """One SOP instance. Thread-safe; holds no file open longer than a call."""

    @property
    def sop_uid(self) -> str:
        """SOPInstanceUID."""

    @property
    def sop_class(self) -> str:
        """SOPClassUID."""

    @property
    def transfer_syntax(self) -> str:
        """The syntax its bytes are in; they are never transcoded here."""

    @property
    def frames(self) -> int:
        """Frames it has; 0 for an object without pixels."""

    def header(self) -> Dataset:
        """All attributes but the pixel data, with file meta information; the caller's own copy."""

    def frame(self, number: int) -> bytes:
        """One frame as encoded, counted from 0. Errors: NotFound, StoreDamaged."""

    def size(self) -> int | None:
        """Bytes of the whole Part 10 file; None where that is only known when it is made."""

    def stream(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The Part 10 file, or bytes [start, stop) of it; in pieces, memory bounded."""
