"""One channel of one level as files keep it: a grid of tiles or strips, read by regions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processing.plane_cache import PlaneCache
from processing.plane_codec import Plane
from storage.errors import Damaged
from storage.records.geometry import Region, Size


@dataclass(frozen=True, slots=True)
class Depth:
    """What a sample is by the file's own word."""

    dtype: str
    bits: int
    """Significant ones."""


class PlaneGrid:
    """Decodes what a region needs and holds every sample to the depth the file claims."""

    def __init__(
        self,
        size: Size,
        tile: Size,
        depth: Depth,
        decode: Callable[[int], NDArray[Any] | None],
        decoded: PlaneCache,
    ) -> None:
        """`decode` gives a tile [row, column] by its number, row by row; None for a hole.

        All grids of a slide share `decoded`: forty channels take no more memory than one.
        """
        self.size, self._tile, self._depth = size, tile, depth
        self._columns = -(-size.width // tile.width)
        self._decode, self._decoded = decode, decoded

    def region(self, region: Region) -> Plane:
        """Samples of a region; zero outside and in holes. Errors: Damaged, Truncated."""
        out: Plane = np.zeros((region.height, region.width), self._depth.dtype)
        inside = region.clipped(self.size)
        if inside is None:
            return out
        wide, high = self._tile.width, self._tile.height
        for row in range(inside.y // high, (inside.bottom - 1) // high + 1):
            for column in range(inside.x // wide, (inside.right - 1) // wide + 1):
                self._paste(out, region, inside, (column, row))
        return out

    def _paste(self, out: Plane, region: Region, inside: Region, place: tuple[int, int]) -> None:
        column, row = place
        left, top = column * self._tile.width, row * self._tile.height
        tile = self._tile_at(row * self._columns + column)
        x0, y0 = max(left, inside.x), max(top, inside.y)
        x1, y1 = min(left + tile.shape[1], inside.right), min(top + tile.shape[0], inside.bottom)
        if x1 > x0 and y1 > y0:
            part = tile[y0 - top : y1 - top, x0 - left : x1 - left]
            out[y0 - region.y : y1 - region.y, x0 - region.x : x1 - region.x] = part

    def _tile_at(self, index: int) -> Plane:
        tile = self._decoded.get((id(self), index))
        if tile is None:
            tile = self._checked(index)
            self._decoded.put((id(self), index), tile)
        return tile

    def _checked(self, index: int) -> Plane:
        decoded, dtype = self._decode(index), np.dtype(self._depth.dtype)
        if decoded is None:
            return np.zeros((1, 1), dtype)
        if decoded.ndim != 2 or decoded.dtype.kind != "u" or decoded.itemsize > dtype.itemsize:
            raise Damaged(f"samples of {decoded.dtype} where {dtype} was promised")
        if int(decoded.max(initial=0)) >> self._depth.bits:
            raise Damaged(f"a sample is larger than {self._depth.bits} bits allow")
        plane: Plane = decoded.astype(dtype, copy=False)
        return plane
