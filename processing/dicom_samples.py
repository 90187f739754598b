"""A frame's samples out of its bytes, for every transfer syntax whose frames are unpacked.

For slides that are read in, and for whatever frame is shown or served.

Sources: DICOM PS3.5 8.1.1 (samples in their words), 8.2 and annex A (transfer syntaxes), annex G
(RLE), PS3.3 C.7.6.3.1 (what describes the pixels).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from processing import jpeg
from processing.codestream import check_codestream
from processing.dicom_frames import whole_number
from storage.errors import Damaged, TooLarge, UnsupportedCompression
from storage.records.geometry import Size

Samples = NDArray[Any]
"""[row, column] or [row, column, sample], in the machine's byte order."""

_UID = "1.2.840.10008.1.2"
BIG_ENDIAN = f"{_UID}.2"
_NATIVE_IN_ITEMS = f"{_UID}.1.98"
NATIVE = frozenset({_UID, f"{_UID}.1", _NATIVE_IN_ITEMS, f"{_UID}.1.99", BIG_ENDIAN})
"""Frames are the plain samples: implicit and explicit, encapsulated, deflated, big endian."""
JPEG_DCT = frozenset(f"{_UID}.4.{kind}" for kind in (50, 51))
JPEG_KINDS = JPEG_DCT | {f"{_UID}.4.57", f"{_UID}.4.70"}
_JPEG_LS = frozenset(f"{_UID}.4.{kind}" for kind in (80, 81))
JPEG2000_KINDS = frozenset(f"{_UID}.4.{kind}" for kind in (90, 91, 92, 93, 201, 202, 203))
_JPEG_XL = frozenset(f"{_UID}.4.{kind}" for kind in (110, 111, 112))
_RUN_LENGTH = f"{_UID}.5"
UNPACKED = NATIVE | JPEG_KINDS | _JPEG_LS | JPEG2000_KINDS | _JPEG_XL | {_RUN_LENGTH}
_IN_WORDS = NATIVE | {_RUN_LENGTH}
"""What else stands in the words of the samples, such as old overlays, comes out with them."""
_MOST = 2**28
"""Samples of one frame: a mammogram has a tenth of that."""
_END_OF_IMAGE = b"\xff\xd9"


def is_encapsulated(syntax: str) -> bool:
    """Whether frames lie in items, each with its length."""
    return syntax not in NATIVE or syntax == _NATIVE_IN_ITEMS


@dataclass(frozen=True, slots=True)
class Coding:
    """What a header says of the samples of every frame."""

    syntax: str
    size: Size
    samples: int
    allocated: int
    stored: int
    high: int
    signed: bool
    planar: bool
    photometric: str
    floats: bool = False

    @classmethod
    def of(cls, header: Dataset, syntax: str) -> Coding:
        """Errors: Damaged, TooLarge."""
        rows, columns = (whole_number(header, name, 0) for name in ("Rows", "Columns"))
        samples = whole_number(header, "SamplesPerPixel", 1)
        allocated = whole_number(header, "BitsAllocated", 0)
        if min(rows, columns) < 1 or samples not in (1, 3, 4) or not 1 <= allocated <= 64:
            raise Damaged("the header does not say what its pixels are")
        if rows * columns * samples > _MOST:
            raise TooLarge("a frame of that many pixels is not unpacked")
        stored = min(whole_number(header, "BitsStored", 0) or allocated, allocated)
        high = whole_number(header, "HighBit", stored - 1)
        usual = "MONOCHROME2" if samples == 1 else "RGB"
        return cls(
            syntax=str(syntax),
            size=Size(columns, rows),
            samples=samples,
            allocated=allocated,
            stored=stored,
            high=min(max(high, stored - 1), allocated - 1),
            signed=header.get("PixelRepresentation") == 1,
            planar=samples > 1 and header.get("PlanarConfiguration") == 1,
            photometric=str(header.get("PhotometricInterpretation") or usual),
            floats=header.get("BitsStored") is None and allocated in (32, 64),
        )

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of a sample in memory."""
        if self.floats:
            return np.dtype(f"f{self.allocated // 8}")
        width = next(at for at in (1, 2, 4, 8) if self.allocated <= 8 * at)
        return np.dtype(f"{'i' if self.signed else 'u'}{width}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a frame in memory."""
        plane = self.size.height, self.size.width
        return plane if self.samples == 1 else (*plane, self.samples)


def decode(data: bytes, coding: Coding) -> Samples:
    """Values of a frame's samples, in the colours they are coded in.

    What JPEG and JPEG 2000 do to colours themselves is undone: RGB comes out. `dicom_colour` knows
    which it is. Errors: Damaged, TooLarge, UnsupportedCompression.
    """
    return _own_bits(words(data, coding), coding)


def words(data: bytes, coding: Coding) -> Samples:
    """The same as native pixel data has them, with what else stands in their words."""
    try:
        made = _unpacked(data, coding)
    except (RuntimeError, ValueError) as error:
        raise Damaged("a frame cannot be unpacked") from error
    if made.shape != coding.shape:
        raise Damaged("a frame has another size than its header says")
    fits = made.dtype.kind == "f" if coding.floats else made.dtype.kind in "iu"
    if not fits or made.dtype.itemsize > coding.dtype.itemsize:
        raise Damaged(f"samples of {made.dtype} where {coding.dtype} was promised")
    if made.dtype.kind == coding.dtype.kind:
        return made.astype(coding.dtype, copy=False)
    return _of_bits(made, 0, coding)


def _own_bits(made: Samples, coding: Coding) -> Samples:
    whole = coding.stored == 8 * coding.dtype.itemsize
    if whole or coding.floats or coding.syntax not in _IN_WORDS:
        return made
    return _of_bits(made, coding.high + 1 - coding.stored, coding)


def _of_bits(made: Samples, shift: int, coding: Coding) -> Samples:
    """The bits from `shift` on that are stored, with the sign the header speaks of."""
    unsigned = np.dtype(f"u{coding.dtype.itemsize}")
    plain = made.astype(unsigned, copy=False)
    if coding.signed:
        above = 8 * unsigned.itemsize - coding.stored
        return (plain << (above - shift)).view(coding.dtype) >> above
    return plain >> shift & ((1 << coding.stored) - 1)


def _unpacked(data: bytes, coding: Coding) -> Samples:
    syntax = coding.syntax
    if syntax in NATIVE:
        return _native(data, coding)
    if syntax == _RUN_LENGTH:
        return _run_length(data, coding)
    if syntax in JPEG_KINDS:
        return _jpeg(data, coding)
    if syntax in _JPEG_XL:
        # Into a buffer of the right size, so that a few bytes cannot unpack to more.
        return np.asarray(imagecodecs.jpegxl_decode(data, out=_room(coding)))
    if syntax not in UNPACKED:
        raise UnsupportedCompression("frames of that transfer syntax are not unpacked here")
    check_codestream(data, coding.size.width, coding.size.height)
    if syntax in _JPEG_LS:
        # Without an end a damaged stream is searched for one for seconds.
        whole = data if _END_OF_IMAGE in data[-4:] else data + _END_OF_IMAGE
        return np.asarray(imagecodecs.jpegls_decode(whole))
    # OpenJPEG for High Throughput too: OpenJPH's errors get lost on their way through Python.
    return np.asarray(imagecodecs.jpeg2k_decode(data))


def _native(data: bytes, coding: Coding) -> Samples:
    (height, width), pixels = coding.shape[:2], coding.size.area
    if coding.allocated == 1:
        bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
        return bits[: pixels * coding.samples].reshape(coding.shape)
    big = coding.syntax == BIG_ENDIAN
    raw = np.frombuffer(data, coding.dtype.newbyteorder(">" if big else "<"))
    if coding.photometric == "YBR_FULL_422" and raw.size < 3 * pixels:
        return _full_chroma(raw[: 2 * pixels].reshape(height, -1, 4))
    raw = raw[: pixels * coding.samples]
    if coding.planar:
        return np.moveaxis(raw.reshape(coding.samples, height, width), 0, -1)
    return raw.reshape(coding.shape)


def _full_chroma(pairs: Samples) -> Samples:
    """Two pixels in four samples [row, pair, 4] as three samples a pixel."""
    luma = pairs[:, :, :2].reshape(len(pairs), -1)
    return np.dstack([luma, pairs[:, :, 2:].repeat(2, axis=1)])


def _run_length(data: bytes, coding: Coding) -> Samples:
    order = np.dtype(f"<u{coding.dtype.itemsize}")
    # A buffer of the right size, so that a run cannot unpack to more.
    room = bytearray(coding.size.area * coding.samples * order.itemsize)
    unpacked = imagecodecs.dicomrle_decode(data, order, out=room)
    raw = np.frombuffer(unpacked, coding.dtype.newbyteorder("<"))
    planes = raw.reshape(coding.samples, *coding.shape[:2])
    return np.moveaxis(planes, 0, -1).reshape(coding.shape)


def _jpeg(data: bytes, coding: Coding) -> Samples:
    header = jpeg.read_header(data)
    said = header.width, header.height, len(header.components)
    if said != (coding.size.width, coding.size.height, coding.samples):
        raise Damaged("a frame has another size than its header says")
    eight = coding.allocated == 8 and not header.lossless
    if coding.samples == 1:
        return jpeg.decode_grey(data) if eight else np.asarray(imagecodecs.jpeg8_decode(data))
    if coding.samples == 3 and eight:
        head = jpeg_head(header, coding)
        return jpeg.decode(head + data[2:] if head else data)
    # What is coded without loss is not transformed on the way out, whatever its markers say.
    rgb = header.lossless or is_rgb(header, coding)
    coded = "rgb" if rgb else "ycbcr"
    return np.asarray(imagecodecs.jpeg8_decode(data, colorspace=coded, outcolorspace="rgb"))


def is_rgb(header: jpeg.JpegHeader, coding: Coding) -> bool:
    """Whether a JPEG frame is RGB as it is coded: by itself, else by the DICOM header.

    PS3.5 8.2.1: RGB frames carry no colour transform; a stream that says otherwise wins.
    """
    return coding.photometric == "RGB" if header.says_rgb is None else header.says_rgb


def jpeg_head(header: jpeg.JpegHeader, coding: Coding) -> bytes:
    """What goes in front of a JPEG frame without its first two bytes; empty where nothing does."""
    told = header.adobe_transform is not None
    return b"" if told or not is_rgb(header, coding) else jpeg.splice_head(b"", True)


def _room(coding: Coding) -> Samples:
    return np.empty(coding.shape, f"u{coding.dtype.itemsize}")
