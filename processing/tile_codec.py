"""RGB tiles as stored: JPEG streams, or zstd of the raw pixels where a pyramid is lossless."""

from __future__ import annotations

import imagecodecs
import numpy as np

from processing import jpeg
from processing.jpeg import Pixels
from storage.errors import Damaged
from storage.records.slide import Encoding, JpegEncoding, PlaneEncoding

ZSTD_LEVEL = 1


def encode_tile(pixels: Pixels, encoding: JpegEncoding | None) -> bytes:
    """Bytes of a tile [edge, edge, 3]; `encoding` None is lossless."""
    if encoding is not None:
        return jpeg.encode(pixels, encoding)
    raw = np.ascontiguousarray(pixels).tobytes()
    return bytes(imagecodecs.zstd_encode(raw, level=ZSTD_LEVEL))


def decode_tile(stream: bytes, encoding: Encoding, edge: int) -> Pixels:
    """RGB [edge, edge, 3]. Errors: Damaged."""
    if isinstance(encoding, PlaneEncoding):
        raise Damaged("a channel's tile where one in colour is due")
    if encoding is not None:
        pixels = jpeg.decode(stream, (edge, edge))
    else:
        try:
            raw = imagecodecs.zstd_decode(stream)
        except (RuntimeError, ValueError) as error:
            raise Damaged("a lossless tile cannot be decoded") from error
        pixels = np.frombuffer(raw, np.uint8)
    if pixels.size != edge * edge * 3:
        raise Damaged("a tile has another size than the level says")
    return pixels.reshape(edge, edge, 3)
