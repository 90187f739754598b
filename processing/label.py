"""What is printed on a slide's label in squares or bars, read from the picture of it.

Bytes in, text out. Whatever the bytes are, the answer is text or nothing: a picture that is too
large is not decoded, one that cannot be decoded has no barcode. Still, decoders of pictures have
had holes: hand this to a process that may die.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import cv2
import numpy as np
import simplejpeg
import zxingcpp
from numpy.typing import NDArray

MOST_BYTES = 32 * 2**20
MOST_PIXELS = 40_000_000
_MOST_CODES = 16
_LONGEST = 64
"""Characters; what is longer is no slide's barcode."""
_SMALL = 1000
"""Longest side, in pixels, up to which a picture is also looked at enlarged."""
_QUIET = 0.08
"""White added round the picture, of its longer side: squares cut close lack their margin."""
_PNG = b"\x89PNG\r\n\x1a\n"
_FORMATS = zxingcpp.BarcodeFormats(
    [
        zxingcpp.BarcodeFormat.DataMatrix,
        zxingcpp.BarcodeFormat.QRCode,
        zxingcpp.BarcodeFormat.Aztec,
        zxingcpp.BarcodeFormat.PDF417,
        zxingcpp.BarcodeFormat.Code128,
    ]
)
"""Those with a check of their own; bars without one are read out of noise."""

Grey = NDArray[np.uint8]


def read_barcodes(image: bytes) -> tuple[str, ...]:
    """The texts of the barcodes on a PNG or JPEG, each once; empty when none can be read."""
    try:
        grey = _decode(image)
        if grey is None:
            return ()
        for view in _views(grey):
            found = _read(view)
            if found:
                return found
    except (cv2.error, ValueError, MemoryError):
        pass
    return ()


def _decode(image: bytes) -> Grey | None:
    """Grey pixels [row, column]; None for what is no picture, or too large a one."""
    if len(image) > MOST_BYTES:
        return None
    if image.startswith(_PNG):
        width, height = struct.unpack(">II", image[16:24].ljust(8, b"\0"))
    elif image.startswith(b"\xff\xd8"):
        height, width, *_ = simplejpeg.decode_jpeg_header(image)
    else:
        return None
    if not 0 < width * height <= MOST_PIXELS:
        return None
    pixels = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_GRAYSCALE)
    return None if pixels is None else np.asarray(pixels, np.uint8)


def _views(grey: Grey) -> Iterator[Grey]:
    """The picture with a margin; a small one larger too, since its squares are a few pixels."""
    longest = max(grey.shape)
    margin = max(8, round(longest * _QUIET))
    framed = cv2.copyMakeBorder(
        grey, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(255.0,)
    )
    yield np.asarray(framed, np.uint8)
    if longest <= _SMALL:
        for times in (2, 4):
            larger = cv2.resize(framed, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
            yield np.asarray(larger, np.uint8)
            yield np.asarray(cv2.GaussianBlur(larger, (0, 0), times / 2), np.uint8)


def _read(grey: Grey) -> tuple[str, ...]:
    found = zxingcpp.read_barcodes(
        grey, formats=_FORMATS, text_mode=zxingcpp.TextMode.Plain, try_invert=False
    )
    texts = (at.text.strip() for at in found[:_MOST_CODES] if at.valid)
    good = (text for text in texts if 0 < len(text) <= _LONGEST and text.isprintable())
    return tuple(dict.fromkeys(good))
