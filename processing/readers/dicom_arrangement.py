"""How the frames of one image are arranged: by optical path, focal plane and place.

Sources: DICOM PS3.3 C.7.6.17.3 (TILED_FULL: columns, rows, focal planes, optical paths, the first
the quickest), C.8.12.5 (optical paths), C.8.12.4.1.3 (origin, focal planes).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from processing.dicom_frames import whole_number
from processing.readers.base import number, plausible_text
from processing.readers.dicom_per_frame import PerFrame
from processing.readers.dicom_tiles import Tiles, full_tiles, placed_tiles
from processing.readers.dicom_volume import Volume
from storage.errors import Damaged, UnsupportedDicom
from storage.records.channels import MOST_CHANNELS

_MOST_PLANES = 1000
_SHARED_PATH = "OpticalPathIdentificationSequence"


@dataclass(frozen=True)
class OpticalPath:
    """One light an image was taken with."""

    identifier: str
    about: Dataset

    @property
    def key(self) -> tuple[str, ...]:
        """What makes it another one: some writers call every path "1"."""
        said = [
            self.about.get(name) for name in ("OpticalPathDescription", "IlluminationWaveLength")
        ]
        return self.identifier, *(str(value or "") for value in said), self.code_meaning or ""

    @property
    def code_meaning(self) -> str | None:
        """Name of the channel by its code."""
        codes = self.about.get("ChannelDescriptionCodeSequence") or []
        return plausible_text(codes[0].get("CodeMeaning")) if codes else None


class Arrangement(ABC):
    """What an image holds, and the tiles of any part of it."""

    volume: Volume
    paths: Sequence[OpticalPath]
    planes: Sequence[float]
    """Heights of the focal planes in micrometres, or their numbers, upwards; one at least."""

    @abstractmethod
    def tiles(self, path: int, z: float) -> Tiles:
        """Tiles of a path, each of the plane nearest to `z`. Errors: Damaged."""


def arranged(volume: Volume) -> Arrangement:
    """How an image is arranged, by what it says, or by what fits. Errors: UnsupportedDicom."""
    told = volume.per_frame()
    said = volume.header.get("DimensionOrganizationType")
    if told is not None and told.has_places and said != "TILED_FULL":
        return Sparse(volume, told)
    if said not in ("TILED_FULL", "TILED_SPARSE", None) and volume.frames > 1:
        raise UnsupportedDicom(f"tiles organised as {said}")
    return Full(volume)


class Full(Arrangement):
    """Every tile there, in the standard's order."""

    def __init__(self, volume: Volume) -> None:
        self.volume, area, header = volume, volume.grid.area, volume.header
        self.paths = described_paths(volume)
        # A picture in colour may speak of the paths of its neighbours.
        of_one = (
            shared_group(header, _SHARED_PATH) is not None or header.get("SamplesPerPixel") == 3
        )
        planes = whole_number(header, "TotalPixelMatrixFocalPlanes", 0)
        if volume.frames == area * (planes or 1) and len(self.paths) > 1 and of_one:
            self.paths = [shared_path(volume)]
        planes = planes or max(volume.frames // (area * len(self.paths)), 1)
        due = area * planes * len(self.paths)
        if volume.frames != due or planes > _MOST_PLANES:
            raise UnsupportedDicom(f"{volume.frames} frames where {due} are due")
        bottom, step = lowest_plane(volume.header) or 0.0, plane_distance(volume.header) or 1.0
        self.planes = [bottom + at * step for at in range(planes)]

    def tiles(self, path: int, z: float) -> Tiles:
        """See `Arrangement`."""
        grid = self.volume.grid
        plane = min(range(len(self.planes)), key=lambda at: abs(self.planes[at] - z))
        return full_tiles(grid, (path * len(self.planes) + plane) * grid.area)


class Sparse(Arrangement):
    """Every frame says its place, its path and its height."""

    def __init__(self, volume: Volume, told: PerFrame) -> None:
        self.volume = volume
        self._z = np.nan_to_num(told.z, nan=lowest_plane(volume.header) or 0.0)
        self._corners = np.stack([told.columns - 1, told.rows - 1], axis=1)
        if (self._corners.min(axis=0) == -1).any() and (told.columns >= 0).all():
            self._corners += 1  # counted from 0 by mistake
        self.paths, self._path_of = _paths_of(volume, told)
        self.planes = self._stacked()

    def _stacked(self) -> list[float]:
        """Heights of the planes, where places have several: a focus map is not a stack."""
        places = np.column_stack([self._corners, self._path_of])
        _, place = np.unique(places, axis=0, return_inverse=True)
        heights = np.unique(np.column_stack([place.reshape(-1), self._z]), axis=0)
        several = np.flatnonzero(np.bincount(heights[:, 0].astype(np.int64)) > 1)
        if not len(several):
            return [float(np.median(self._z))]
        planes = np.unique(heights[np.isin(heights[:, 0], several), 1])
        if len(planes) > _MOST_PLANES:
            raise UnsupportedDicom(f"{len(planes)} focal planes")
        return [float(at) for at in planes]

    def tiles(self, path: int, z: float) -> Tiles:
        """See `Arrangement`."""
        own = np.flatnonzero(self._path_of == path)
        corners, away = self._corners[own], np.abs(self._z[own] - z)
        # Of those at one place the nearest plane, of the same plane the last frame.
        order = np.lexsort((-own, away, corners[:, 0], corners[:, 1]))
        _, first = np.unique(corners[order], axis=0, return_index=True)
        chosen = np.sort(order[first])
        size, tile = self.volume.size, self.volume.tile
        return placed_tiles(size, tile, own[chosen].astype(np.int64), corners[chosen])


def described_paths(volume: Volume) -> list[OpticalPath]:
    """The optical paths of an image by its header. Errors: Damaged."""
    described = volume.header.get("OpticalPathSequence") or []
    told = whole_number(volume.header, "NumberOfOpticalPaths", max(len(described), 1))
    if told == 1 and len(described) != 1:
        return [shared_path(volume)]
    if told != len(described) or not 1 <= told <= MOST_CHANNELS:
        raise Damaged(f"{told} optical paths, {len(described)} of them described")
    found = [OpticalPath(str(at.get("OpticalPathIdentifier") or ""), at) for at in described]
    if len({at.key for at in found}) != len(found):
        raise Damaged("an optical path is described twice")
    return found


def shared_path(volume: Volume) -> OpticalPath:
    """The one path all frames were taken with, as far as it is said."""
    described = volume.header.get("OpticalPathSequence") or []
    group = shared_group(volume.header, _SHARED_PATH)
    identifier = str(group.get("OpticalPathIdentifier") or "") if group is not None else ""
    for about in described:
        if str(about.get("OpticalPathIdentifier") or "") == identifier or len(described) == 1:
            return OpticalPath(str(about.get("OpticalPathIdentifier") or ""), about)
    return OpticalPath(identifier, Dataset())


def _paths_of(volume: Volume, told: PerFrame) -> tuple[list[OpticalPath], NDArray[np.int64]]:
    """Paths that frames were taken with, in the header's order, and each frame's number there."""
    if len(told.identifiers) > MOST_CHANNELS:
        raise Damaged(f"{len(told.identifiers)} optical paths")
    described = {str(at.get("OpticalPathIdentifier") or ""): at
                 for at in volume.header.get("OpticalPathSequence") or []}  # fmt: skip
    other = shared_path(volume)
    names = [*told.identifiers, other.identifier]  # the last for frames that do not say
    used = {names[at] for at in np.unique(told.paths)}
    order = [name for name in described if name in used]
    order += [name for name in dict.fromkeys(names) if name in used and name not in described]
    paths = [OpticalPath(name, described.get(name, Dataset())) for name in order]
    numbers = np.asarray([order.index(at) if at in used else -1 for at in names], np.int64)
    return paths, numbers[told.paths]


def shared_group(header: Dataset, name: str) -> Dataset | None:
    """A functional group of all frames, where it is there."""
    groups = header.get("SharedFunctionalGroupsSequence") or []
    items = groups[0].get(name) if groups else None
    return items[0] if items else None


def lowest_plane(header: Dataset) -> float | None:
    """Height of the (first) focal plane in micrometres."""
    origin = (header.get("TotalPixelMatrixOriginSequence") or [None])[0]
    for at in (shared_group(header, "PlanePositionSlideSequence"), origin):
        height = number(at.get("ZOffsetInSlideCoordinateSystem")) if at is not None else None
        if height is not None:
            return height
    return None


def plane_distance(header: Dataset) -> float | None:
    """Micrometres between focal planes."""
    measures = shared_group(header, "PixelMeasuresSequence")
    told = number(measures.get("SpacingBetweenSlices")) if measures is not None else None
    return told * 1000 if told and told > 0 else None


def in_focus(planes: Sequence[float]) -> float:
    """The plane to show: that nearest to a focus the heights are counted from, else the middle."""
    heights = sorted(planes)
    if heights[0] < 0 < heights[-1]:
        return min(heights, key=abs)
    return heights[len(heights) // 2]
