"""Fluorescence in DICOM: the levels of a series as one grid of samples for each optical path.

The paths of a level may lie in one image or in one each. Source: DICOM PS3.3 C.8.12.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from processing.dicom_palette import palette_of
from processing.dicom_samples import words
from processing.plane_cache import WHILE_READ, PlaneCache
from processing.plane_codec import Plane
from processing.readers.base import SourceLevel, number, plausible_text
from processing.readers.dicom_arrangement import OpticalPath
from processing.readers.dicom_opened import Opened
from processing.readers.dicom_stacks import LevelStacks, Stacks
from processing.readers.dicom_tiles import Tiles, paste
from processing.readers.dicom_volume import Volume
from processing.readers.plane_grid import Depth, PlaneGrid
from storage.errors import Damaged, UnsupportedDicom
from storage.records.channels import Channel, Channels, Window, default_colors
from storage.records.geometry import Region


class DicomPlanes:
    """Every level of a fluorescence series, channel by channel."""

    def __init__(self, stacks: Stacks) -> None:
        self._stacks, self._decoded = stacks, PlaneCache(WHILE_READ)
        self._depths = set[Depth]()
        self._opened = dict[int, Opened]()
        self.has_holes = False
        with ExitStack() as closing:
            self._closing = closing
            self._grids = [self._open(level) for level in stacks.levels]
            if len(self._depths) != 1:
                raise UnsupportedDicom("levels or optical paths of different depth")
            self._closing = closing.pop_all()
        self.channels = _channels(list(stacks.levels[0].paths.values()), self._depths.pop())
        self.levels = [SourceLevel(at.size) for at in stacks.levels]

    def _open(self, level: LevelStacks) -> list[PlaneGrid]:
        """A grid for each optical path, in the order of the largest level."""
        grids = []
        for path in self._stacks.levels[0].held:
            held = level.nearest(path, self._stacks.z)
            opened, tiles = self._frames_of(held.volume), held.tiles(self._stacks.z)
            depth = Depth(opened.coding.dtype.name, opened.coding.stored)
            self._depths.add(depth)
            self.has_holes |= tiles.has_holes
            decode_tile = partial(_composed, opened, tiles)
            size, tile = held.volume.size, held.volume.tile
            grids.append(PlaneGrid(size, tile, depth, decode_tile, self._decoded))
        return grids

    def _frames_of(self, volume: Volume) -> Opened:
        """The image opened, once for all of its paths."""
        if id(volume) not in self._opened:
            opened = Opened(volume)
            self._closing.callback(opened.close)
            self._opened[id(volume)] = opened
        return self._opened[id(volume)]

    def plane(self, level: int, channel: int, region: Region) -> Plane:
        """Samples of a region; zero outside and in holes."""
        return self._grids[level][channel].region(region)

    def close(self) -> None:
        """Give descriptors back."""
        self._closing.close()


def _composed(opened: Opened, tiles: Tiles, number: int) -> NDArray[Any] | None:
    """Samples of a tile [row, column], None for a hole. Errors: Damaged, TooLarge, Truncated."""
    pieces = tiles.pieces(number)
    if len(pieces) == 1 and pieces[0][1:] == (0, 0):
        return _samples(opened, pieces[0][0])
    if not pieces:
        return None
    out = np.zeros(opened.coding.shape, opened.coding.dtype)
    for frame, left, top in pieces:
        paste(out, _samples(opened, frame), left, top)
    return out


def _samples(opened: Opened, frame: int) -> NDArray[Any]:
    coding = opened.coding
    samples = words(opened.frame(frame), coding)
    if coding.photometric == "MONOCHROME1":
        return ((1 << coding.stored) - 1) - samples
    return samples


def _channels(paths: Sequence[OpticalPath], depth: Depth) -> Channels:
    colors = default_colors([_color(path.about) for path in paths])
    full = Window(0, (1 << depth.bits) - 1)
    found = []
    for at, (path, color) in enumerate(zip(paths, colors, strict=True)):
        wave = number(path.about.get("IlluminationWaveLength"))
        name = plausible_text(path.about.get("OpticalPathDescription")) or path.code_meaning
        excitation = wave if wave and wave > 0 else None
        found.append(Channel(name or f"{at + 1}", color, full, excitation_nm=excitation))
    return Channels(depth.bits, depth.dtype, tuple(found))


def _color(path: Dataset) -> str | None:
    """The colour of the brightest value in the path's palette: its last entry (C.7.9.2)."""
    palettes = path.get("PaletteColorLookupTableSequence") or []
    if not palettes:
        return None
    try:
        return bytes(palette_of(palettes[0]).colours[-1]).hex().upper()
    except Damaged:
        return None
