"""An image of a series whose frames can be read: its files open, its frames located."""

from __future__ import annotations

import os
from bisect import bisect_right
from contextlib import ExitStack
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from processing.dicom_frames import FramePlaces, locate_frames
from processing.dicom_palette import palette_of
from processing.dicom_samples import is_encapsulated
from processing.readers.dicom_coding import coding_of
from processing.readers.dicom_tiles import Tiles
from processing.readers.dicom_volume import Volume
from storage.errors import Damaged, Truncated


class Opened:
    """Frames of an image by their number, over all its parts. Thread-safe."""

    def __init__(self, volume: Volume) -> None:
        self.volume, self.coding = volume, coding_of(volume)
        coloured = self.coding.photometric == "PALETTE COLOR"
        self.palette = palette_of(volume.header) if coloured else None
        self._located = list[FramePlaces]()
        self._descriptors = list[int]()
        with ExitStack() as opened:
            for part in volume.parts:
                descriptor = os.open(part.path, os.O_RDONLY)
                opened.callback(os.close, descriptor)
                located = locate_frames(descriptor, part.header, part.pixels_at)
                if is_encapsulated(volume.syntax) != (located.frame_bits is None):
                    raise Damaged("pixel data that is not of its transfer syntax")
                self._descriptors.append(descriptor)
                self._located.append(located)
            self._closing = opened.pop_all()
        self._starts = [0, *accumulate(len(at) for at in self._located)]

    def frame(self, number: int) -> bytes:
        """The bytes of one frame. Errors: Truncated."""
        part = bisect_right(self._starts, number) - 1
        data = self._located[part].read(self._descriptors[part], number - self._starts[part])
        if not data:
            raise Truncated("the file ends inside a frame")
        return data

    def places(self, tiles: Tiles) -> tuple[str, NDArray[np.int64], NDArray[np.int64]] | None:
        """The file, offsets and lengths [row, column] of tiles that are a frame each.

        None where they lie in several files or in pieces; length 0 for a hole.
        """
        numbers = tiles.one_each
        if numbers is None or len(self._located) > 1 or not self._located[0].in_one_piece:
            return None
        located, there = self._located[0], numbers >= 0
        offsets = np.where(there, located.offsets[numbers], 0)
        return str(self.volume.parts[0].path), offsets, np.where(there, located.lengths[numbers], 0)

    def close(self) -> None:
        """Give descriptors back."""
        self._closing.close()
