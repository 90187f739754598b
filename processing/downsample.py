"""A tile of the next coarser level from the four below it.

One function serves the pyramid's second phase and tiles made on first sight: the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from processing import jpeg
from processing.halving import halve, halve_plane
from processing.jpeg import Pixels
from processing.plane_codec import Plane, decode_plane, encode_plane
from processing.tile_codec import decode_tile, encode_tile
from storage.errors import Damaged
from storage.records.geometry import Size
from storage.records.slide import Encoding, JpegEncoding, PlaneEncoding, StoredLevel

WHITE = 255
_T = TypeVar("_T", bound=np.generic)


def join_quarters(quarters: Sequence[Pixels | None], edge: int) -> Pixels:
    """Four half-size tiles (top left, top right, bottom left, bottom right) as one tile."""
    half = edge // 2
    tile = np.full((edge, edge, 3), WHITE, np.uint8)
    for at, quarter in enumerate(quarters):
        if quarter is not None:
            y, x = (at // 2) * half, (at % 2) * half
            tile[y : y + half, x : x + half] = quarter
    return tile


def parent_tile(
    children: Sequence[bytes | None],
    edge: int,
    finer: StoredLevel,
    level: StoredLevel,
    place: tuple[int, int] | None = None,
) -> tuple[bytes | None, int]:
    """The tile above four tiles of the `finer` level, and how many of them are damaged.

    None for the tile when all four are absent; else as in `parent_pixels`.
    """
    tile, damaged = parent_pixels(children, edge, finer, place)
    return (None if tile is None else encode_pixels(tile, level.encoding)), damaged


def encode_pixels(tile: Pixels | Plane, encoding: Encoding) -> bytes:
    """Bytes of a tile of colours [edge, edge, 3] or of one channel [edge, edge]."""
    if isinstance(encoding, PlaneEncoding):
        return encode_plane(tile)
    return encode_tile(tile.astype(np.uint8, copy=False), encoding)


def decode_pixels(stream: bytes, encoding: Encoding, edge: int) -> Pixels | Plane:
    """Colours [edge, edge, 3] or one channel [edge, edge]. Errors: Damaged."""
    if isinstance(encoding, PlaneEncoding):
        return decode_plane(stream, encoding, edge)
    return decode_tile(stream, encoding, edge)


def parent_pixels(
    children: Sequence[bytes | None],
    edge: int,
    finer: StoredLevel,
    place: tuple[int, int] | None = None,
) -> tuple[Pixels | Plane | None, int]:
    """Pixels of the tile above four, and how many of the four are damaged.

    None when all four are absent. A damaged child leaves white, and is counted. With `place`,
    the (column, row) of the new tile, what scanners put beyond the image's right and bottom
    side (often black) is kept out of the picture. Levels of channels are made in their full
    depth, one channel at a time; nothing is black there.
    """
    if isinstance(finer.encoding, PlaneEncoding):
        return _parent_plane(children, edge, finer.size, finer.encoding, place)
    quarters, damaged = list[Pixels | None](), 0
    for at, child in enumerate(children):
        real = _real(finer.size, edge, place, at)
        try:
            quarters.append(None if child is None else _quarter(child, finer, edge, real))
        except Damaged:
            quarters.append(None)
            damaged += 1
    if all(quarter is None for quarter in quarters):
        return None, damaged
    tile = join_quarters(quarters, edge)
    if place is not None:
        left, top = place[0] * edge, place[1] * edge
        width, height = -(-finer.size.width // 2) - left, -(-finer.size.height // 2) - top
        tile = _extended(tile, min(width, edge), min(height, edge))
    return tile, damaged


def _real(size: Size, edge: int, place: tuple[int, int] | None, at: int) -> tuple[int, int]:
    """Width and height of the image inside a child, which is less than a tile at its sides."""
    if place is None:
        return edge, edge
    column, row = 2 * place[0] + at % 2, 2 * place[1] + at // 2
    return min(size.width - column * edge, edge), min(size.height - row * edge, edge)


def _quarter(child: bytes, finer: StoredLevel, edge: int, real: tuple[int, int]) -> Pixels:
    """A child at half size. Errors: Damaged."""
    if real == (edge, edge) or min(real) < 1:
        return half_tile(child, finer.encoding, edge)
    # Not in the DCT domain: there a black margin rings through the last eight real columns.
    return halve(_extended(decode_tile(child, finer.encoding, edge), *real))


def half_tile(stream: bytes, encoding: Encoding, edge: int) -> Pixels:
    """The tile at half size, [edge/2, edge/2, 3]. Errors: Damaged."""
    if isinstance(encoding, JpegEncoding):
        return jpeg.decode_half(stream, edge)
    return halve(decode_tile(stream, encoding, edge))


def _parent_plane(
    children: Sequence[bytes | None],
    edge: int,
    finer: Size,
    encoding: PlaneEncoding,
    place: tuple[int, int] | None,
) -> tuple[Plane | None, int]:
    """One channel's tile above four; zero where a child is absent or damaged, or past the image."""
    half, damaged, seen = edge // 2, 0, False
    tile: Plane = np.zeros((edge, edge), encoding.dtype)
    for at, child in enumerate(children):
        if child is None:
            continue
        width, height = _real(finer, edge, place, at)
        try:
            pixels = decode_plane(child, encoding, edge)
        except Damaged:
            damaged += 1
            continue
        seen = True
        y, x = (at // 2) * half, (at % 2) * half
        tile[y : y + half, x : x + half] = halve_plane(_extended(pixels, width, height))
    if place is not None:
        width, height = (-(-side // 2) for side in (finer.width, finer.height))
        tile[max(height - place[1] * edge, 0) :] = 0
        tile[:, max(width - place[0] * edge, 0) :] = 0
    return (tile if seen else None), damaged


def _extended(tile: NDArray[_T], width: int, height: int) -> NDArray[_T]:
    """The tile with its last real column and row repeated to its far sides."""
    if min(width, height) < 1 or (width >= tile.shape[1] and height >= tile.shape[0]):
        return tile
    rows, columns = tile.shape[0] - height, tile.shape[1] - width
    beyond = ((0, rows), (0, columns), (0, 0))[: tile.ndim]
    return np.pad(tile[:height, :width], beyond, "edge")
