"""A frame's samples out of its bytes, whatever the transfer syntax; in colour always RGB.

Sources: PS3.5 8.2 (native and coded pixel data), PS3.3 C.7.6.3.1.2 (photometric interpretation).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from processing import jpeg
from processing.dicom.media_types import frame_type, is_native
from storage.errors import Damaged, TooLarge, UnsupportedCompression

Samples = NDArray[Any]
"""[row, column] of whole numbers or floats, or [row, column, 3] RGB."""
_BIG_ENDIAN = "1.2.840.10008.1.2.2"
_MOST = 2**28
"""Samples of one frame: a mammogram has a tenth of that."""
_FRAME_HEADS = frozenset({*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), 0xF7})
"""SOF markers of JPEG, and that of JPEG-LS."""
_LOSSLESS = frozenset({0xC3, 0xC7, 0xCB})
_END_OF_IMAGE = b"\xff\xd9"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a header says of its frames' samples."""

    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    high: int
    signed: bool
    planar: bool
    photometric: str
    floats: bool = False

    @classmethod
    def of(cls, header: Dataset) -> Shape:
        """Errors: Damaged, TooLarge."""
        try:
            found = cls._read(header)
        except (TypeError, ValueError) as error:
            raise Damaged("the header does not say what its pixels are") from error
        counts = found.rows, found.columns, found.samples
        if min(counts) < 1 or found.samples not in (1, 3, 4) or not 1 <= found.allocated <= 64:
            raise Damaged("the header does not say what its pixels are")
        if found.rows * found.columns * found.samples > _MOST:
            raise TooLarge("a frame of that many pixels is not unpacked")
        return found

    @classmethod
    def _read(cls, header: Dataset) -> Shape:
        allocated = int(header.get("BitsAllocated") or 0)
        stored = min(int(header.get("BitsStored") or allocated), allocated)
        high = header.get("HighBit")
        return cls(
            rows=int(header.get("Rows") or 0),
            columns=int(header.get("Columns") or 0),
            samples=int(header.get("SamplesPerPixel") or 1),
            allocated=allocated,
            stored=stored,
            high=stored - 1 if high is None else min(max(int(high), stored - 1), allocated - 1),
            signed=header.get("PixelRepresentation") == 1,
            planar=header.get("PlanarConfiguration") == 1,
            photometric=str(header.get("PhotometricInterpretation") or "MONOCHROME2"),
            floats=header.get("BitsStored") is None and allocated in (32, 64),
        )

    @property
    def kind(self) -> np.dtype[Any]:
        """What a sample is kept in, little endian."""
        if self.floats:
            return np.dtype(f"<f{self.allocated // 8}")
        width = next(at for at in (1, 2, 4, 8) if self.allocated <= 8 * at)
        return np.dtype(f"<{'i' if self.signed else 'u'}{width}")


def decode(frame: bytes, syntax: str, shape: Shape) -> Samples:
    """Samples of a frame. Errors: Damaged, TooLarge, UnsupportedCompression."""
    try:
        if is_native(syntax) or syntax == _BIG_ENDIAN:
            return _native(frame, shape, ">" if syntax == _BIG_ENDIAN else "<")
        made = _decoder(syntax)(frame, shape)
    except (RuntimeError, ValueError, struct.error) as error:
        raise Damaged("a frame cannot be unpacked") from error
    expected = (shape.rows, shape.columns) + ((shape.samples,) if shape.samples > 1 else ())
    if made.shape != expected:
        raise Damaged("a frame has another size than its header says")
    return _signed(made, shape)


def plain_bytes(samples: Samples, shape: Shape) -> bytes:
    """Samples as an uncompressed frame: little endian, as wide as the header says."""
    return samples.astype(shape.kind, copy=False).tobytes()


def little_endian(frame: bytes, shape: Shape) -> bytes:
    """A big-endian frame with its words turned: order and colours stay as the header says."""
    if shape.kind.itemsize == 1:
        return frame
    whole = len(frame) - len(frame) % shape.kind.itemsize
    return np.frombuffer(frame[:whole], shape.kind.newbyteorder(">")).astype(shape.kind).tobytes()


def _decoder(syntax: str) -> Callable[[bytes, Shape], Samples]:
    found = {
        "image/jpeg": _jpeg, "image/jls": _jpeg_ls, "image/jp2": _jpeg2000,
        "image/jpx": _jpeg2000, "image/jphc": _jpeg2000, "image/jxl": _jpeg_xl,
        "image/dicom-rle": _rle,
    }.get(frame_type(syntax))  # fmt: skip
    if found is None:
        raise UnsupportedCompression("frames of that transfer syntax are not unpacked here")
    return found


def _native(frame: bytes, shape: Shape, order: str) -> Samples:
    pixels = shape.rows * shape.columns
    if shape.allocated == 1:
        bits = np.unpackbits(np.frombuffer(frame, np.uint8), bitorder="little")
        return bits[: pixels * shape.samples].reshape(shape.rows, shape.columns)
    raw = np.frombuffer(frame, shape.kind.newbyteorder(">" if order == ">" else "<"))
    if shape.photometric == "YBR_FULL_422" and raw.size < 3 * pixels:
        return _rgb(_full_chroma(raw[: 2 * pixels].reshape(shape.rows, -1, 4)))
    raw = raw[: pixels * shape.samples]
    if shape.samples == 1:
        made = raw.reshape(shape.rows, shape.columns)
        return made if shape.floats else _signed(_own_bits(made, shape), shape)
    if shape.planar:
        colour = raw.reshape(shape.samples, shape.rows, shape.columns).transpose(1, 2, 0)
    else:
        colour = raw.reshape(shape.rows, shape.columns, shape.samples)
    return _in_rgb(colour, shape)


def _own_bits(samples: Samples, shape: Shape) -> Samples:
    """Without what else stands in the words, such as old overlays."""
    shift = shape.high + 1 - shape.stored
    if shape.stored == shape.allocated:
        return samples
    plain = samples.view(samples.dtype.str.replace("i", "u")) >> shift
    return plain & ((1 << shape.stored) - 1)


def _signed(samples: Samples, shape: Shape) -> Samples:
    """With the sign the header speaks of, which some streams do not carry."""
    if shape.floats or samples.dtype.kind == ("i" if shape.signed else "u"):
        return samples
    if not shape.signed:
        return samples.astype(shape.kind) & ((1 << shape.stored) - 1)
    sign = 1 << (shape.stored - 1)
    wide = samples.astype(np.int64)
    return ((wide ^ sign) - sign).astype(shape.kind)


def _jpeg(frame: bytes, shape: Shape) -> Samples:
    if _check_size(frame, shape) in _LOSSLESS and shape.samples > 1:
        # What is coded without loss is not transformed, whatever its markers say.
        raw = imagecodecs.jpeg8_decode(frame, colorspace="rgb", outcolorspace="rgb")
        return _in_rgb(np.asarray(raw), shape)
    if shape.samples == 1:
        return np.asarray(imagecodecs.jpeg8_decode(frame))
    says_rgb = jpeg.read_header(frame).says_rgb
    is_rgb = shape.photometric == "RGB" if says_rgb is None else says_rgb
    coded = "rgb" if is_rgb else "ycbcr"
    return np.asarray(imagecodecs.jpeg8_decode(frame, colorspace=coded, outcolorspace="rgb"))


def _jpeg_ls(frame: bytes, shape: Shape) -> Samples:
    _check_size(frame, shape)
    # Without an end a damaged stream is searched for one for seconds.
    whole = frame if _END_OF_IMAGE in frame[-4:] else frame + _END_OF_IMAGE
    return _in_rgb(np.asarray(imagecodecs.jpegls_decode(whole)), shape)


def _jpeg2000(frame: bytes, shape: Shape) -> Samples:
    at = frame.find(b"\xff\x4f\xff\x51", 0, 65536)
    if at < 0:
        raise Damaged("a JPEG 2000 frame has no codestream")
    right, bottom, left, top = struct.unpack_from(">4I", frame, at + 8)
    if (right - left, bottom - top) != (shape.columns, shape.rows):
        raise Damaged("a frame has another size than its header says")
    return _in_rgb(np.asarray(imagecodecs.jpeg2k_decode(frame)), shape)


def _jpeg_xl(frame: bytes, shape: Shape) -> Samples:
    return np.asarray(imagecodecs.jpegxl_decode(frame))


def _rle(frame: bytes, shape: Shape) -> Samples:
    kind, grid = shape.kind, (shape.samples, shape.rows, shape.columns)
    room = shape.samples * shape.rows * shape.columns * kind.itemsize
    raw = imagecodecs.dicomrle_decode(frame, kind, out=room)
    planes: Samples = np.frombuffer(raw, kind).reshape(grid)
    made: Samples = planes[0] if shape.samples == 1 else planes.transpose(1, 2, 0)
    return _in_rgb(made, shape)


def _check_size(frame: bytes, shape: Shape) -> int:
    """Before a decoder believes it: the size a JPEG or JPEG-LS stream unpacks to; its process."""
    for marker, start, end in jpeg.markers(frame):
        if marker in _FRAME_HEADS and end - start >= 6:
            height, width = struct.unpack_from(">2H", frame, start + 1)
            if (width, height, frame[start + 5]) == (shape.columns, shape.rows, shape.samples):
                return marker
            break
    raise Damaged("a frame has another size than its header says")


def _in_rgb(samples: Samples, shape: Shape) -> Samples:
    """As the header says they are coloured; codecs that transform colours have undone it."""
    if samples.ndim == 3 and shape.photometric.startswith("YBR_FULL"):
        return _rgb(samples)
    return samples


def _full_chroma(pairs: Samples) -> Samples:
    """YBR_FULL_422, two pixels in four samples, as three samples a pixel."""
    rows, half = pairs.shape[:2]
    out = np.empty((rows, 2 * half, 3), np.uint8)
    out[:, 0::2, 0], out[:, 1::2, 0] = pairs[..., 0], pairs[..., 1]
    out[..., 1:] = np.repeat(pairs[..., 2:], 2, axis=1)
    return out


def _rgb(ybr: Samples) -> Samples:
    """YBR_FULL to RGB, 8 bit (PS3.3 C.7.6.3.1.2)."""
    y, cb, cr = (ybr[..., at].astype(np.float32) for at in range(3))
    cb, cr = cb - 128, cr - 128
    parts = y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb
    made: Samples = np.clip(np.rint(np.stack(parts, axis=-1)), 0, 255).astype(np.uint8)
    return made
