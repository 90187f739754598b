"""Tiles of one channel as stored: Blosc of the samples, without loss, as Zarr's own codec reads it.

Source: Zarr v3 `blosc` codec specification; c-blosc 1 chunk header.
"""

from __future__ import annotations

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from storage.errors import Damaged
from storage.ngff import BLOSC_LEVEL
from storage.records.slide import PlaneEncoding

Plane = NDArray[np.uint8 | np.uint16]
"""[row, column], the samples of one channel."""
_BITSHUFFLE = 2


def encode_plane(plane: Plane) -> bytes:
    """Bytes of a tile; the same samples always give the same bytes."""
    samples = np.ascontiguousarray(plane)
    wide = samples.itemsize
    data = imagecodecs.blosc_encode(
        samples.astype(samples.dtype.newbyteorder("<"), copy=False).tobytes(),
        level=BLOSC_LEVEL,
        compressor="zstd",
        shuffle=_BITSHUFFLE if wide > 1 else 0,
        typesize=wide,
        numthreads=1,
    )
    return bytes(data)


def decode_plane(stream: bytes, encoding: PlaneEncoding, edge: int) -> Plane:
    """Samples [edge, edge]. Errors: Damaged."""
    expected = edge * edge * encoding.itemsize
    # The header's own word for the size, before the library makes room for it.
    if len(stream) < 16 or int.from_bytes(stream[4:8], "little") != expected:
        raise Damaged("a channel's tile has another size than the level says")
    try:
        raw = imagecodecs.blosc_decode(stream, numthreads=1)
    except (RuntimeError, ValueError) as error:
        raise Damaged("a channel's tile cannot be decoded") from error
    if len(raw) != expected:
        raise Damaged("a channel's tile has another size than the level says")
    samples = np.frombuffer(raw, np.dtype(encoding.dtype).newbyteorder("<"))
    plane: Plane = samples.reshape(edge, edge).astype(encoding.dtype, copy=False)
    return plane
