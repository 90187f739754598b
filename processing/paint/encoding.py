"""JPEG in the two shapes a slide holds it: complete, or without its tables as TIFF wants it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import imagecodecs
import simplejpeg

from .pixels import Pixels

Photometric = Literal["ycbcr", "rgb"]

_SOF0, _DHT, _DQT, _SOS = 0xC0, 0xC4, 0xDB, 0xDA


class Abbreviated(NamedTuple):
    """A JPEG cut in two: tables that many tiles share, and the tile without them."""

    tables: bytes
    tile: bytes


@dataclass(frozen=True)
class Encoder:
    """How tiles of one slide are compressed."""

    quality: int = 80
    photometric: Photometric = "ycbcr"
    subsampling: Literal["420", "422", "444"] = "420"

    def __call__(self, pixels: Pixels) -> bytes:
        """A complete JPEG of [rows, columns, 3]."""
        if self.photometric == "rgb":
            encoded = imagecodecs.jpeg8_encode(
                pixels, level=self.quality, colorspace="rgb", outcolorspace="rgb", subsampling="444"
            )
            return bytes(encoded)
        jpeg: bytes = simplejpeg.encode_jpeg(
            pixels, quality=self.quality, colorspace="RGB", colorsubsampling=self.subsampling
        )
        return jpeg

    def abbreviated(self, pixels: Pixels) -> Abbreviated:
        """Tables and tile apart; without APP0 and APP14, as Aperio leaves them out."""
        jpeg = self(pixels)
        tables, frame, at = bytearray(), bytearray(), 2
        while True:
            marker = jpeg[at + 1]
            end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
            if marker in (_DQT, _DHT):
                tables += jpeg[at:end]
            elif marker in (_SOF0, _SOS):
                frame += _numbered(jpeg[at:end]) if self.photometric == "rgb" else jpeg[at:end]
            if marker == _SOS:
                break
            at = end
        tile = b"\xff\xd8" + bytes(frame) + jpeg[end:]
        return Abbreviated(b"\xff\xd8" + bytes(tables) + b"\xff\xd9", tile)


def _numbered(segment: bytes) -> bytes:
    """Name the components 0, 1, 2 as Aperio does: nothing in the stream then says RGB."""
    first, step = (10, 3) if segment[1] == _SOF0 else (5, 2)
    renamed = bytearray(segment)
    for component in range(3):
        renamed[first + step * component] = component
    return bytes(renamed)
