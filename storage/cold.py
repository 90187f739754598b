"""A JPEG as JPEG XL and back, bit for bit: how the tiles of a slide in the cold tier are kept.

A cold chunk is the JPEG XL of the tile's JPEG, or that JPEG itself where it would not come back or
would not shrink (its first bytes, FFD8, tell), and behind it the CRC-32C of what is before, little
endian: of the bits in a JPEG XL one in fifty may change without the JPEG changing, and a decoder
meets no bytes that it did not write.

Source: ISO/IEC 18181-2 (JPEG bitstream reconstruction data) as libjxl does it; the checksum is
Zarr's `crc32c` codec.
"""

from __future__ import annotations

import struct
from pathlib import Path

import google_crc32c
import imagecodecs

from storage.errors import StoreDamaged
from storage.shards import Shard

_SUM_BYTES = 4
_JPEG = b"\xff\xd8"


def cool_tile(jpeg: bytes) -> bytes:
    """The cold chunk of a JPEG, thawed once and found the same. Errors: StoreDamaged (no JPEG)."""
    if not jpeg.startswith(_JPEG):
        raise StoreDamaged("a tile that should be a JPEG is none")
    kept = _packed(jpeg) or jpeg
    return kept + struct.pack("<I", google_crc32c.value(kept))


def thaw_tile(chunk: bytes) -> bytes:
    """The JPEG of a cold chunk. Errors: StoreDamaged, when a bit of the chunk has changed."""
    kept, said = chunk[:-_SUM_BYTES], chunk[-_SUM_BYTES:]
    if struct.pack("<I", google_crc32c.value(kept)) != said:
        raise StoreDamaged("a cold tile does not match its checksum")
    if kept.startswith(_JPEG):
        return kept
    try:
        return bytes(imagecodecs.jpegxl_decode_jpeg(kept, numthreads=1))
    except (RuntimeError, ValueError) as error:
        raise StoreDamaged("a cold tile does not give its JPEG back") from error


def _packed(jpeg: bytes) -> bytes | None:
    """The JPEG XL, None where there is none, it is no smaller, or the JPEG would be another."""
    try:
        packed = bytes(imagecodecs.jpegxl_encode_jpeg(jpeg, numthreads=1))
        same = imagecodecs.jpegxl_decode_jpeg(packed, numthreads=1) == jpeg
    except (RuntimeError, ValueError):
        return None
    return packed if same and len(packed) < len(jpeg) and not packed.startswith(_JPEG) else None


class ColdShard(Shard):
    """A shard of cold chunks; places and lengths are those of the chunks as they lie."""

    __slots__ = ()

    def chunk(self, at: int) -> bytes | None:
        """The JPEG of one tile, None where absent. Errors: StoreDamaged."""
        data = super().chunk(at)
        return None if data is None else thaw_tile(data)


def open_shard(path: Path, chunks: int, *, cold: bool) -> Shard | None:
    """Open a shard, warm or cold, whose `chunk` gives back the bytes of a warm one.

    None when there is no such file. Errors: StoreDamaged.
    """
    return (ColdShard if cold else Shard).open(path, chunks)
