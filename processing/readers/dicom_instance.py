"""A DICOM file as an instance of a series, and as an open file whose frames can be read.

Source: DICOM PS3.3 C.7.6.17.3 (TILED_FULL order).
"""

from __future__ import annotations

import os
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

from processing.dicom_frames import locate_frames
from processing.readers.base import check_grid, plausible_size
from storage.errors import Damaged, Truncated, UnsupportedDicom
from storage.records.geometry import Size

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
        self._descriptor = os.open(instance.path, os.O_RDONLY)
        try:
            self._places = locate_frames(self._descriptor, dataset, instance.pixels_at)
            if coded != (self._places.frame_bits is None):
                raise Damaged("pixel data that is not of its transfer syntax")
        except BaseException:
            self.close()
            raise

    def frame(self, index: int) -> bytes:
        """The bytes of one frame. Errors: Truncated."""
        data = self._places.read(self._descriptor, index)
        if not data:
            raise Truncated("the file ends inside a frame")
        return data

    def places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """Offsets and lengths of the frames of one level, [row, column]; None where in pieces."""
        if not self._places.in_one_piece:
            return None
        grid = self.rows, self.columns
        return self._places.offsets.reshape(grid), self._places.lengths.reshape(grid)

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
