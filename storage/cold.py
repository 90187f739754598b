"""A JPEG in less space, and back bit for bit: how the tiles of a slide in the cold tier are kept.

A cold chunk is the smallest of the tile's JPEG, its JPEG XL where that gives the JPEG back, and its
zstd (smaller on empty glass, and thawed in microseconds); the first bytes tell which. Behind it
stands the CRC-32C of what is before, little endian: of the bits in a JPEG XL one in fifty may
change without the JPEG changing, and a decoder meets no bytes that it did not write.

Source: ISO/IEC 18181-2 (JPEG bitstream reconstruction data) as libjxl does it, RFC 8878; the
checksum is Zarr's `crc32c` codec.
"""

from __future__ import annotations

import struct
from pathlib import Path

import google_crc32c
import imagecodecs

from storage.errors import StoreDamaged
from storage.shards import Shard

_SUM_BYTES = 4
_JPEG, _ZSTD = b"\xff\xd8", b"\x28\xb5\x2f\xfd"
_JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL ")
"""A bare codestream, a container."""
_ZSTD_LEVEL = 12
"""Higher ones gain nothing on a few kilobytes."""


def cool_tile(jpeg: bytes) -> bytes:
    """The cold chunk of a JPEG, which gives it back. Errors: StoreDamaged (no JPEG)."""
    if not jpeg.startswith(_JPEG):
        raise StoreDamaged("a tile that should be a JPEG is none")
    squeezed = bytes(imagecodecs.zstd_encode(jpeg, level=_ZSTD_LEVEL))
    kept = min(jpeg, squeezed, _jpeg_xl(jpeg) or jpeg, key=len)
    return kept + struct.pack("<I", google_crc32c.value(kept))


def thaw_tile(chunk: bytes) -> bytes:
    """The JPEG of a cold chunk. Errors: StoreDamaged, when a bit of the chunk has changed."""
    kept, said = chunk[:-_SUM_BYTES], chunk[-_SUM_BYTES:]
    if struct.pack("<I", google_crc32c.value(kept)) != said:
        raise StoreDamaged("a cold tile does not match its checksum")
    if kept.startswith(_JPEG):
        return kept
    try:
        if kept.startswith(_ZSTD):
            return bytes(imagecodecs.zstd_decode(kept))
        return bytes(imagecodecs.jpegxl_decode_jpeg(kept, numthreads=1))
    except (RuntimeError, ValueError) as error:
        raise StoreDamaged("a cold tile does not give its JPEG back") from error


def _jpeg_xl(jpeg: bytes) -> bytes | None:
    """The JPEG XL; None where there is none, or the JPEG would be another."""
    try:
        packed = bytes(imagecodecs.jpegxl_encode_jpeg(jpeg, numthreads=1))
        same = imagecodecs.jpegxl_decode_jpeg(packed, numthreads=1) == jpeg
    except (RuntimeError, ValueError):
        return None
    return packed if same and packed.startswith(_JPEG_XL) else None


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
