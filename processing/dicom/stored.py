"""A received object as it came: its header, its frames by their places, its bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset

from processing.dicom_frames import FramePlaces, locate_frames
from storage.errors import NotFound, StoreDamaged
from storage.records.imaging import StoredObject

_PIECE = 2**20
_PLACES = (
    "Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "NumberOfFrames",
    "PhotometricInterpretation", "ExtendedOffsetTable",
)  # fmt: skip


class StoredInstance:
    """One object below DATA/dicom; `path` is its file."""

    def __init__(self, found: StoredObject, path: Path) -> None:
        self.found, self.path = found, path
        self.sop_uid, self.sop_class = found.sop_uid, found.sop_class
        self.transfer_syntax = found.transfer_syntax

    @property
    def frames(self) -> int:
        """See `Instance`."""
        if not self.found.pixels_at:
            return 0
        return max(int(self._shape.get("NumberOfFrames") or 1), 1)

    def header(self) -> Dataset:
        """See `Instance`. Errors: StoreDamaged."""
        with self._opened():
            return pydicom.dcmread(self.path, stop_before_pixels=True)

    def frame(self, number: int) -> bytes:
        """See `Instance`."""
        if not 0 <= number < self.frames:
            raise NotFound("the object has no such frame")
        with self._descriptor() as descriptor:
            return self._places.read(descriptor, number)

    def size(self) -> int:
        """See `Instance`."""
        return self.found.bytes

    def stream(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """See `Instance`."""
        with self._descriptor() as descriptor:
            position, end = start, self.found.bytes if stop is None else stop
            while position < end:
                piece = os.pread(descriptor, min(_PIECE, end - position), position)
                if not piece:
                    return
                yield piece
                position += len(piece)

    @cached_property
    def _shape(self) -> Dataset:
        """The few attributes that say where frames lie."""
        with self._opened():
            return pydicom.dcmread(self.path, stop_before_pixels=True, specific_tags=[*_PLACES])

    @cached_property
    def _places(self) -> FramePlaces:
        """Places of all frames, read once. Errors: SlideError."""
        with self._opened():
            return locate_frames(self.path, self._shape, self.found.pixels_at)

    @contextmanager
    def _descriptor(self) -> Iterator[int]:
        with self._opened():
            descriptor = os.open(self.path, os.O_RDONLY)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _opened(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreDamaged("a received object is not where it should be") from error
