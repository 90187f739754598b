"""From a frame's bytes to its samples, for every transfer syntax that is read.

Sources: DICOM PS3.3 C.7.6.3.1.2 (photometric interpretation), PS3.5 8.2 and annex A (transfer
syntaxes), annex G (RLE).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from processing import jpeg
from processing.dicom_frames import whole_number
from processing.readers.codestream import check_codestream
from processing.readers.dicom_palette import Palette, palette_of
from processing.readers.dicom_volume import Volume
from storage.errors import Damaged, UnsupportedCompression, UnsupportedDicom
from storage.records.geometry import Size

Samples = NDArray[Any]
"""[row, column] or [row, column, 3], uint8 or uint16 in the machine's order."""
NATIVE = frozenset({ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian})
JPEG_DCT = frozenset({JPEGBaseline8Bit, JPEGExtended12Bit})
_JPEG_LOSSLESS = frozenset({JPEGLossless, JPEGLosslessSV1})
_JPEG_LS = frozenset({JPEGLSLossless, JPEGLSNearLossless})
JPEG2000_KINDS = frozenset({JPEG2000, JPEG2000Lossless, HTJ2K, HTJ2KLossless, HTJ2KLosslessRPCL})
_READ = NATIVE | JPEG_DCT | _JPEG_LOSSLESS | _JPEG_LS | JPEG2000_KINDS | {RLELossless}
_END_OF_IMAGE = b"\xff\xd9"
_GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
CHROMA = frozenset({"YBR_FULL", "YBR_FULL_422"})
BY_STREAM = frozenset({"YBR_ICT", "YBR_RCT"})
_COLOURS = frozenset({"RGB"}) | CHROMA | BY_STREAM


@dataclass(frozen=True)
class Coding:
    """What a header says of the samples of every frame of an image."""

    syntax: UID
    tile: Size
    samples: int
    allocated: int
    stored: int
    photometric: str
    planar: bool
    palette: Palette | None = None

    @classmethod
    def of(cls, volume: Volume) -> Coding:
        """Read and checked. Errors: UnsupportedCompression, UnsupportedDicom, Damaged."""
        header, syntax = volume.header, volume.syntax
        if syntax not in _READ:
            raise UnsupportedCompression(f"DICOM transfer syntax {syntax.name}")
        samples = whole_number(header, "SamplesPerPixel", 3)
        allocated = whole_number(header, "BitsAllocated", 8)
        stored = whole_number(header, "BitsStored", allocated)
        photometric = str(header.get("PhotometricInterpretation") or "")
        if not photometric:
            photometric = "MONOCHROME2" if samples == 1 else "RGB"
        coding = cls(
            syntax,
            volume.tile,
            samples,
            allocated,
            stored,
            photometric,
            whole_number(header, "PlanarConfiguration", 0) == 1,
            palette_of(header) if photometric == "PALETTE COLOR" else None,
        )
        coding.check(whole_number(header, "HighBit", stored - 1))
        if header.get("PixelRepresentation"):
            raise UnsupportedDicom("samples that are signed")
        return coding

    def check(self, high_bit: int) -> None:
        """Refuse what is not read, and what contradicts itself."""
        if self.allocated not in (8, 16):
            raise UnsupportedDicom(f"{self.allocated} bits a sample")
        if not 1 <= self.stored <= self.allocated or high_bit != self.stored - 1:
            raise Damaged(f"{self.stored} of {self.allocated} bits, the highest being {high_bit}")
        known = _COLOURS if self.samples == 3 else _GREY | {"PALETTE COLOR"}
        told = self.samples == 3 and self.syntax in JPEG_DCT | JPEG2000_KINDS
        if self.samples not in (1, 3) or not (told or self.photometric in known):
            raise UnsupportedDicom(f"{self.samples} samples a pixel as {self.photometric}")

    @property
    def is_channel(self) -> bool:
        """One sample a pixel: an optical path of its own, not a picture in colour."""
        return self.samples == 1 and self.palette is None

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of a sample in memory."""
        return np.dtype(f"uint{self.allocated}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a frame in memory."""
        plane = self.tile.height, self.tile.width
        return plane if self.samples == 1 else (*plane, self.samples)


def decode(data: bytes, coding: Coding) -> Samples:
    """Samples of a frame as they are coded. Errors: Damaged, TooLarge, Truncated."""
    try:
        if coding.syntax in NATIVE:
            samples = _native(data, coding)
        elif coding.syntax == RLELossless:
            samples = _run_length(data, coding)
        else:
            samples = _by_codec(data, coding)
    except (RuntimeError, ValueError) as error:
        raise Damaged("a frame cannot be decoded") from error
    if samples.shape != coding.shape:
        raise Damaged("a frame has another size than the header says")
    if samples.dtype.kind != "u" or samples.itemsize > coding.dtype.itemsize:
        raise Damaged(f"samples of {samples.dtype} where {coding.dtype} was promised")
    return samples


def _native(data: bytes, coding: Coding) -> Samples:
    big = coding.syntax == ExplicitVRBigEndian
    kind = coding.dtype.newbyteorder(">" if big else "<")
    raw = np.frombuffer(data, kind).astype(coding.dtype, copy=False)
    pixels, (height, width) = coding.tile.area, coding.shape[:2]
    if coding.samples == 1:
        return raw.reshape(height, width)
    if coding.photometric == "YBR_FULL_422" and raw.size == 2 * pixels:
        pairs = raw.reshape(height, width // 2, 4)
        luma, chroma = pairs[:, :, :2].reshape(height, width), pairs[:, :, 2:].repeat(2, axis=1)
        return np.dstack([luma, chroma])
    if coding.planar:
        return np.moveaxis(raw.reshape(3, height, width), 0, -1)
    return raw.reshape(height, width, 3)


def _run_length(data: bytes, coding: Coding) -> Samples:
    order = coding.dtype.newbyteorder("<")
    # A buffer of the right size, so that a run cannot unpack to more.
    room = bytearray(coding.tile.area * coding.samples * order.itemsize)
    unpacked = imagecodecs.dicomrle_decode(data, order, out=room)
    raw = np.frombuffer(unpacked, order).astype(coding.dtype, copy=False)
    height, width = coding.shape[:2]
    return np.moveaxis(raw.reshape(coding.samples, height, width), 0, -1).reshape(coding.shape)


def _by_codec(data: bytes, coding: Coding) -> Samples:
    check_codestream(data, coding.tile.width, coding.tile.height)
    if coding.syntax in _JPEG_LS:
        # Without an end a damaged stream is searched for one for seconds.
        whole = data if _END_OF_IMAGE in data[-4:] else data + _END_OF_IMAGE
        return np.asarray(imagecodecs.jpegls_decode(whole))
    if coding.syntax in JPEG2000_KINDS:
        # OpenJPEG for High Throughput too: OpenJPH's errors get lost on their way through Python.
        return np.asarray(imagecodecs.jpeg2k_decode(data))
    if len(jpeg.read_header(data).components) != coding.samples:
        raise Damaged("a JPEG frame of another number of components than the header says")
    if coding.syntax in _JPEG_LOSSLESS and coding.samples == 3:
        # What is coded without loss is not transformed on the way out, whatever its markers say.
        return np.asarray(imagecodecs.jpeg8_decode(data, colorspace="rgb", outcolorspace="rgb"))
    return np.asarray(imagecodecs.jpeg8_decode(data))
