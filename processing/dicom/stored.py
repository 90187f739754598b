"""A received object as it came: its header, its frames by their places, its bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRBigEndian

from processing.frame_places import (
    FramePlaces,
    encapsulated_places,
    native_places,
    pixel_element,
)
from storage.errors import NotFound, StoreDamaged
from storage.records.imaging import StoredObject

_PIECE = 2**20
_TABLE = 0x7FE00001
_PLACES = ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "NumberOfFrames")


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
            return pydicom.dcmread(
                self.path, stop_before_pixels=True, specific_tags=[*_PLACES, "PixelRepresentation"]
            )

    @cached_property
    def _places(self) -> FramePlaces:
        """Places of all frames, read once. Errors: SlideError."""
        syntax, shape = UID(self.transfer_syntax), self._shape
        little = syntax != ExplicitVRBigEndian
        with self._descriptor() as descriptor:
            element = pixel_element(
                descriptor, self.found.pixels_at, implicit=syntax.is_implicit_VR, little=little
            )
            if syntax.is_encapsulated:
                return encapsulated_places(descriptor, element, self.frames, self._table)
            bits = int(shape.get("SamplesPerPixel") or 1) * int(shape.get("BitsAllocated") or 8)
            pixels = int(shape.get("Rows") or 0) * int(shape.get("Columns") or 0)
            return native_places(descriptor, element, self.frames, -(-pixels * bits // 8))

    @cached_property
    def _table(self) -> NDArray[np.int64] | None:
        """The extended offset table, which lies before the pixel data."""
        with self._opened():
            found = pydicom.dcmread(self.path, stop_before_pixels=True, specific_tags=[_TABLE])
        if _TABLE not in found:
            return None
        return np.frombuffer(found[_TABLE].value, "<u8").astype(np.int64)

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
