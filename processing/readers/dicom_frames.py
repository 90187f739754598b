"""The frames of a DICOM instance: where they lie in its file, and their bytes.

Source: DICOM PS3.5 A.4 (encapsulated pixel data), PS3.3 C.7.6.17.3 (TILED_FULL order).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)

from processing.readers.base import check_grid, plausible_size
from storage.errors import Damaged, Truncated, UnsupportedDicom
from storage.records.geometry import Size

_ITEM, _DELIMITER = 0xE000FFFE, 0xE0DDFFFE
_UNDEFINED = 0xFFFFFFFF
_PIXEL_DATA = b"\xe0\x7f\x10\x00"
JPEG2000_KINDS = frozenset({JPEG2000, JPEG2000Lossless})
RAW = frozenset({ExplicitVRLittleEndian, ImplicitVRLittleEndian})


@dataclass(frozen=True, slots=True)
class Instance:
    """A DICOM file's header, and where in the file its pixel data element begins."""

    path: Path
    dataset: Dataset
    pixels_at: int

    @property
    def role(self) -> str:
        """ImageType value 3: VOLUME, LABEL, OVERVIEW, THUMBNAIL; VOLUME when it is not said."""
        values = self.dataset.get("ImageType") or []
        return str(values[2]) if len(values) > 2 else "VOLUME"


class FrameFile:
    """An open instance whose frames are the tiles of `paths` levels, one after the other."""

    def __init__(self, instance: Instance, paths: int = 1) -> None:
        dataset = instance.dataset
        self.syntax = UID(dataset.file_meta.TransferSyntaxUID)
        width, height = int(dataset.Columns), int(dataset.Rows)
        self.size = plausible_size(
            int(dataset.get("TotalPixelMatrixColumns") or width),
            int(dataset.get("TotalPixelMatrixRows") or height),
        )
        coded = self.syntax not in RAW
        self.columns, self.rows = check_grid(self.size, width, height, coded=coded)
        self.tile = Size(width, height)
        frames, due = int(dataset.get("NumberOfFrames") or 1), self.columns * self.rows * paths
        if frames != due:
            raise UnsupportedDicom(f"{frames} frames where {due} are due")
        samples = int(dataset.get("SamplesPerPixel", 3))
        self._bytes = self.tile.area * samples * (int(dataset.get("BitsAllocated", 8)) // 8)
        self._descriptor = os.open(instance.path, os.O_RDONLY)
        try:
            self._offsets, self._counts = self._locate(instance.pixels_at, frames)
        except BaseException:
            self.close()
            raise

    def _locate(self, pixels_at: int, frames: int) -> tuple[NDArray[np.int64], ...]:
        """Offsets and lengths of the frames in the file."""
        start, length = _pixel_data(self._descriptor, pixels_at)
        if self.syntax in RAW:
            if start + self._bytes * frames > os.fstat(self._descriptor).st_size:
                raise Truncated("the file ends inside its pixel data")
            offsets = start + np.arange(frames, dtype=np.int64) * self._bytes
            return offsets, np.full(frames, self._bytes, np.int64)
        if length != _UNDEFINED:
            raise Damaged("compressed pixel data with a defined length")
        return _fragments(self._descriptor, start, frames)

    def frame(self, index: int) -> bytes:
        """The bytes of one frame. Errors: Truncated."""
        count = int(self._counts[index])
        data = os.pread(self._descriptor, count, int(self._offsets[index]))
        if len(data) != count or not count:
            raise Truncated("the file ends inside a frame")
        return data

    def places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Offsets and lengths of the frames of one level, [row, column]."""
        grid = self.rows, self.columns
        return self._offsets.reshape(grid), self._counts.reshape(grid)

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._descriptor)


def check_organisation(dataset: Dataset) -> None:
    """The frames of a level are all in one file, in the order everybody knows. UnsupportedDicom."""
    if "ConcatenationUID" in dataset:
        raise UnsupportedDicom("a concatenation of several parts")
    organisation = dataset.get("DimensionOrganizationType")
    if organisation != "TILED_FULL" and int(dataset.get("NumberOfFrames") or 1) > 1:
        raise UnsupportedDicom(f"tiles organised as {organisation or 'unknown'}")
    if int(dataset.get("TotalPixelMatrixFocalPlanes") or 1) > 1:
        raise UnsupportedDicom("several focal planes")


def _pixel_data(descriptor: int, position: int) -> tuple[int, int]:
    """Where the value of (7FE0,0010) starts in the file, and its length field."""
    header = os.pread(descriptor, 12, position)
    if len(header) < 12 or header[:4] != _PIXEL_DATA:
        raise Truncated("the file ends before its pixel data")
    if header[4:6] in (b"OB", b"OW"):
        return position + 12, int(struct.unpack("<I", header[8:12])[0])
    return position + 8, int(struct.unpack("<I", header[4:8])[0])


def _fragments(
    descriptor: int, start: int, frames: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One fragment a frame: offset and length of each, after the offset table item."""
    size = os.fstat(descriptor).st_size
    position, found = start, list[tuple[int, int]]()
    while position + 8 <= size and len(found) <= frames:
        tag, length = struct.unpack("<II", os.pread(descriptor, 8, position))
        if tag == _DELIMITER:
            break
        if tag != _ITEM:
            raise Damaged("the pixel data's items are out of step")
        if position + 8 + length > size:
            raise Truncated("the file ends inside a frame")
        found.append((position + 8, length))
        position += 8 + length
    if len(found) - 1 < frames:
        raise Truncated(f"{max(len(found) - 1, 0)} of {frames} frames are in the file")
    if len(found) - 1 > frames:
        raise UnsupportedDicom("frames in several fragments")
    table = np.asarray(found[1:], np.int64)
    return table[:, 0], table[:, 1]
