"""Fluorescence in DICOM: the levels of a series as one grid of frames for each optical path.

The paths of a level may lie in one instance (after each other, the path counting slowest) or in
one instance each. Sources: DICOM PS3.3 C.7.6.17.3 (TILED_FULL order), C.8.12.5 (optical paths),
PS3.5 8.1.1 (bits) and annex G (RLE).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import UID, JPEGBaseline8Bit, RLELossless

from processing import jpeg
from processing.plane_cache import WHILE_READ, PlaneCache
from processing.plane_codec import Plane
from processing.readers.base import SourceLevel, number, plausible_text
from processing.readers.codestream import check_codestream
from processing.readers.dicom_instance import (
    JPEG2000_KINDS,
    RAW,
    FrameFile,
    Instance,
    check_organisation,
)
from processing.readers.plane_grid import Depth, PlaneGrid
from storage.errors import Damaged, UnsupportedCompression, UnsupportedDicom
from storage.records.channels import MOST_CHANNELS, Channel, Channels, Window, default_colors
from storage.records.geometry import Region

_READ = JPEG2000_KINDS | RAW | {JPEGBaseline8Bit, RLELossless}


class DicomPlanes:
    """Every level of a fluorescence series, channel by channel."""

    def __init__(self, volumes: Sequence[Instance]) -> None:
        for instance in volumes:
            _check_kind(instance.dataset)
        depths = {_depth(instance.dataset) for instance in volumes}
        if len(depths) != 1:
            raise UnsupportedDicom("levels or optical paths of different depth")
        self._depth = depths.pop()
        groups = _levels(volumes)
        paths = {_identifier(path): path for at in groups[0] for path in _paths(at.dataset)}
        self.channels = _channels(list(paths.values()), self._depth)
        self._decoded = PlaneCache(WHILE_READ)
        with ExitStack() as opened:
            self._grids = [self._open(group, list(paths), opened) for group in groups]
            self._opened = opened.pop_all()
        self.levels = [SourceLevel(grids[0].size) for grids in self._grids]

    def _open(
        self, group: Sequence[Instance], paths: Sequence[str], opened: ExitStack
    ) -> list[PlaneGrid]:
        """A grid for each of `paths`, from the one or many instances of a level."""
        found, depth = dict[str, PlaneGrid](), self._depth
        for instance in group:
            here = [_identifier(path) for path in _paths(instance.dataset)]
            file = FrameFile(instance, len(here))
            opened.callback(file.close)
            for at, identifier in enumerate(here):
                if identifier in found:
                    raise UnsupportedDicom("an optical path twice at one size (planes or parts)")
                decode = partial(_decode, file, depth, at * file.columns * file.rows)
                found[identifier] = PlaneGrid(file.size, file.tile, depth, decode, self._decoded)
        if set(found) != set(paths):
            raise Damaged("an optical path is missing from a level")
        return [found[identifier] for identifier in paths]

    def plane(self, level: int, channel: int, region: Region) -> Plane:
        """Samples of a region; zero outside."""
        return self._grids[level][channel].region(region)

    def close(self) -> None:
        """Give descriptors back."""
        self._opened.close()


def is_grey(instance: Instance) -> bool:
    """One sample a pixel: an optical path of its own, not a picture in colour."""
    return bool(instance.dataset.get("SamplesPerPixel") == 1)


def _check_kind(dataset: Dataset) -> None:
    """What is read, and what contradicts itself. UnsupportedCompression, UnsupportedDicom."""
    check_organisation(dataset)
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    if syntax not in _READ:
        raise UnsupportedCompression(f"DICOM transfer syntax {syntax.name}")
    allocated, stored = (int(dataset.get(name, 0)) for name in ("BitsAllocated", "BitsStored"))
    if allocated not in (8, 16) or (syntax == JPEGBaseline8Bit and allocated != 8):
        raise UnsupportedDicom(f"{allocated} bits a sample")
    if dataset.get("PixelRepresentation") or dataset.get("SamplesPerPixel") != 1:
        raise UnsupportedDicom("samples that are signed, or several a pixel")
    if not 1 <= stored <= allocated or int(dataset.get("HighBit", stored - 1)) != stored - 1:
        raise Damaged(f"{stored} of {allocated} bits, the highest being {dataset.get('HighBit')}")
    if dataset.get("PhotometricInterpretation") != "MONOCHROME2":
        raise UnsupportedDicom(f"fluorescence as {dataset.get('PhotometricInterpretation')}")
    told = int(dataset.get("NumberOfOpticalPaths") or 1)
    if told != len(_paths(dataset)) or told > MOST_CHANNELS:
        raise Damaged(f"{told} optical paths, {len(_paths(dataset))} of them described")


def _depth(dataset: Dataset) -> Depth:
    return Depth(f"uint{int(dataset.BitsAllocated)}", int(dataset.BitsStored))


def _levels(volumes: Sequence[Instance]) -> list[list[Instance]]:
    """Instances of the same size, largest first."""
    groups = defaultdict[tuple[int, int], list[Instance]](list)
    for instance in volumes:
        about = instance.dataset
        sides = about.get("TotalPixelMatrixColumns"), about.get("TotalPixelMatrixRows")
        groups[int(sides[0] or about.Columns), int(sides[1] or about.Rows)].append(instance)
    return [groups[size] for size in sorted(groups, reverse=True)]


def _decode(file: FrameFile, depth: Depth, first: int, index: int) -> NDArray[Any]:
    """One frame [row, column]. Errors: Damaged, TooLarge, Truncated."""
    data, shape = file.frame(first + index), (file.tile.height, file.tile.width)
    dtype = np.dtype(depth.dtype).newbyteorder("<")
    try:
        pixels = _samples(data, file, dtype)
    except (RuntimeError, ValueError) as error:
        raise Damaged("a frame cannot be decoded") from error
    if pixels.size != file.tile.area:
        raise Damaged("a frame has another size than the header says")
    return pixels.reshape(shape)


def _samples(data: bytes, file: FrameFile, dtype: np.dtype[Any]) -> NDArray[Any]:
    if file.syntax in RAW:
        return np.frombuffer(data, dtype)
    if file.syntax == RLELossless:
        # A buffer of the right size, so that a run cannot unpack to more.
        room = bytearray(file.tile.area * dtype.itemsize)
        return np.frombuffer(imagecodecs.dicomrle_decode(data, dtype, out=room), dtype)
    check_codestream(data, file.tile.width, file.tile.height)
    if file.syntax in JPEG2000_KINDS:
        return np.asarray(imagecodecs.jpeg2k_decode(data))
    return jpeg.decode_grey(data)


def _channels(paths: Sequence[Dataset], depth: Depth) -> Channels:
    colors = default_colors([_color(path) for path in paths])
    full = Window(0, (1 << depth.bits) - 1)
    found = []
    for at, (path, color) in enumerate(zip(paths, colors, strict=True)):
        wave = number(path.get("IlluminationWaveLength"))
        name = plausible_text(path.get("OpticalPathDescription")) or _code_meaning(path)
        excitation = wave if wave and wave > 0 else None
        found.append(Channel(name or f"{at + 1}", color, full, excitation_nm=excitation))
    return Channels(depth.bits, depth.dtype, tuple(found))


def _paths(dataset: Dataset) -> Sequence[Dataset]:
    return dataset.get("OpticalPathSequence") or []


def _identifier(path: Dataset) -> str:
    return str(path.get("OpticalPathIdentifier", ""))


def _code_meaning(path: Dataset) -> str | None:
    codes = path.get("ChannelDescriptionCodeSequence") or []
    return plausible_text(codes[0].get("CodeMeaning")) if codes else None


def _color(path: Dataset) -> str | None:
    """The colour of the brightest value in the path's palette: its last entry (C.7.9.2)."""
    palettes = path.get("PaletteColorLookupTableSequence") or []
    if not palettes:
        return None
    parts = []
    for name in ("Red", "Green", "Blue"):
        about = palettes[0].get(f"{name}PaletteColorLookupTableDescriptor")
        data = palettes[0].get(f"Segmented{name}PaletteColorLookupTableData")
        data = data or palettes[0].get(f"{name}PaletteColorLookupTableData")
        if not about or len(about) != 3 or not isinstance(data, bytes) or len(data) < 2:
            return None
        last = int.from_bytes(data[-2:], "little")
        parts.append(min(last >> 8 if int(about[2]) == 16 else last, 255))
    return bytes(parts).hex().upper()
