"""Fluorescence in TIFF: each channel a page of its own with its smaller copies, 8 to 16 bits.

Sources: TIFF 6.0; OME-TIFF specification 6.x (a page for each plane, levels in SubIFDs).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from processing.codestream import check_codestream
from processing.plane_cache import WHILE_READ, PlaneCache
from processing.plane_codec import Plane
from processing.readers.base import SourceLevel, plausible_size
from processing.readers.plane_grid import Depth, PlaneGrid
from processing.readers.tiff_levels import KNOWN, Segments, segments_of
from storage.errors import Damaged, Truncated, Unsupported, UnsupportedCompression
from storage.records.geometry import Region, Size

_GREY = 1
_UNSIGNED = 1


class TiffPlanes:
    """The levels of a slide whose channels are pages; `channels` has a list of pages for each."""

    def __init__(
        self, channels: Sequence[Sequence[tifffile.TiffPage]], descriptor: int, bits: int | None
    ) -> None:
        """`bits` are the significant ones, where the file says that not all are."""
        base = channels[0][0]
        self.depth = _depth(base, bits)
        sizes = [[(page.imagewidth, page.imagelength) for page in pages] for pages in channels]
        if any(found != sizes[0] for found in sizes):
            raise Damaged("the channels differ in size or in their smaller copies")
        self._descriptor, self._decoded = descriptor, PlaneCache(WHILE_READ)
        self._channels = [[self._grid(page) for page in pages] for pages in channels]
        self.levels = [SourceLevel(grid.size) for grid in self._channels[0]]

    def _grid(self, page: tifffile.TiffPage) -> PlaneGrid:
        _check_shape(page, self.depth)
        size = plausible_size(page.imagewidth, page.imagelength)
        segments = segments_of(page, size, os.fstat(self._descriptor).st_size)
        decode = partial(_decode, page, self._descriptor, segments)
        tile = Size(segments.width, segments.height)
        return PlaneGrid(size, tile, self.depth, decode, self._decoded)

    def plane(self, level: int, channel: int, region: Region) -> Plane:
        """Samples of a region; zero outside."""
        return self._channels[channel][level].region(region)


def is_deep(page: tifffile.TiffPage) -> bool:
    """Grey of more than 8 bits: never a picture in colour."""
    return bool(page.samplesperpixel == 1 and 8 < _bits(page) <= 16)


def _bits(page: tifffile.TiffPage) -> int:
    """Of one sample; 0 where the samples differ, which tifffile tells by a tuple."""
    bits: object = page.bitspersample
    return bits if isinstance(bits, int) else 0


def _depth(page: tifffile.TiffPage, significant: int | None) -> Depth:
    bits = _bits(page)
    dtype = "uint8" if bits <= 8 else "uint16"
    if significant is not None and not 1 <= significant <= bits:
        raise Damaged(f"{significant} significant of {bits} bits")
    return Depth(dtype, significant or bits)


def _check_shape(page: tifffile.TiffPage, depth: Depth) -> None:
    if int(page.compression) not in KNOWN:
        raise UnsupportedCompression(f"TIFF compression {int(page.compression)} is not read")
    if page.imagedepth != 1 or page.samplesperpixel != 1:
        raise Unsupported(f"{page.samplesperpixel} samples in a channel")
    if int(page.photometric) != _GREY or int(page.sampleformat) != _UNSIGNED:
        raise Unsupported("channels that are not grey, unsigned samples (MinIsBlack)")
    bits, dtype = _bits(page), np.dtype(depth.dtype)
    if not 8 <= bits <= 16 or (bits > 8) != (dtype.itemsize > 1):
        raise Unsupported(f"channels of {bits} bits")


def _decode(
    page: tifffile.TiffPage, descriptor: int, segments: Segments, index: int
) -> NDArray[Any] | None:
    """One tile or strip [row, column], None where the file has a hole."""
    count, offset = int(segments.counts[index]), int(segments.offsets[index])
    if count == 0:
        return None
    data = os.pread(descriptor, count, offset)
    if len(data) != count:
        raise Truncated("the file ends inside a tile")
    check_codestream(data, segments.width, segments.height)
    try:
        decoded, _, shape = page.decode(data, index, jpegtables=page.jpegtables)
    except (RuntimeError, ValueError, TypeError, OSError) as error:
        raise Damaged(f"a tile or strip cannot be decoded ({type(error).__name__})") from error
    if decoded is None or decoded.ndim != 4:
        raise Damaged("a tile or strip holds no pixels")
    plane: NDArray[Any] = decoded[0, : shape[1], : shape[2], 0]
    return plane
