"""Tiles of one channel as stored: Blosc of the samples, without loss, and a CRC-32C behind it.

Both as Zarr's own codecs read them. Blosc alone lets most flipped bits pass as other samples.
Sources: Zarr v3 `blosc` and `crc32c` codec specifications; c-blosc 1 chunk header.
"""

from __future__ import annotations

import google_crc32c
import imagecodecs
import numpy as np
from numpy.typing import NDArray

from storage.errors import Damaged
from storage.ngff import BLOSC_LEVEL
from storage.records.slide import PlaneEncoding

Plane = NDArray[np.uint8 | np.uint16]
"""[row, column], the samples of one channel."""
_BITSHUFFLE = 2
_HEADER = 16


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
    stream = bytes(data)
    return stream + _checksum(stream)


def decode_plane(stream: bytes, encoding: PlaneEncoding, edge: int) -> Plane:
    """Samples [edge, edge]. Errors: Damaged."""
    expected = edge * edge * encoding.itemsize
    stream, sum_stored = stream[:-4], stream[-4:]
    if len(stream) < _HEADER or _checksum(stream) != sum_stored:
        raise Damaged("a channel's tile does not match its checksum")
    # The header's own words for both sizes, which the library believes: it makes room for the one
    # and reads as far as the other.
    sizes = int.from_bytes(stream[4:8], "little"), int.from_bytes(stream[12:16], "little")
    if sizes != (expected, len(stream)):
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


def _checksum(stream: bytes) -> bytes:
    return int(google_crc32c.value(stream)).to_bytes(4, "little")
