"""Frames in colour as RGB. Where stream and header disagree about colour, the stream wins.

Sources: DICOM PS3.3 C.7.6.3.1.2 (photometric interpretation), PS3.5 8.2.1 and 8.2.4 (colour in JPEG
and JPEG 2000).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from processing import jpeg
from processing.codestream import mixes_components
from processing.dicom_palette import Palette
from processing.dicom_samples import (
    JPEG2000_KINDS,
    JPEG_DCT,
    JPEG_KINDS,
    Coding,
    Samples,
    decode,
    is_rgb,
)
from processing.jpeg import Pixels
from storage.errors import UnsupportedDicom

CHROMA = frozenset({"YBR_FULL", "YBR_FULL_422"})
BY_STREAM = frozenset({"YBR_ICT", "YBR_RCT"})
"""What JPEG 2000 makes of RGB, and undoes."""


def disagrees(sample: bytes, coding: Coding) -> bool:
    """Whether a frame shows that the header is wrong about colour. Errors: Damaged."""
    if coding.samples == 3 and coding.syntax in JPEG_DCT:
        header = jpeg.read_header(sample)
        return header.says_rgb is not None and is_rgb(header, coding) != (
            coding.photometric == "RGB"
        )
    if coding.samples == 3 and coding.syntax in JPEG2000_KINDS and mixes_components(sample):
        return coding.photometric in CHROMA
    return coding.photometric in BY_STREAM


def is_chroma(data: bytes, coding: Coding) -> bool:
    """Whether `decode` makes luma and chroma of a frame. Errors: Damaged."""
    if coding.samples != 3 or coding.photometric not in CHROMA:
        return False
    if coding.syntax in JPEG_KINDS:
        return jpeg.read_header(data).lossless
    return coding.syntax not in JPEG2000_KINDS or not mixes_components(data)


def to_rgb(data: bytes, coding: Coding, palette: Palette | None = None) -> Pixels:
    """RGB [row, column, 3] of a frame, 8 bit; grey is grey. Errors: SlideError."""
    samples = decode(data, coding)
    if palette is not None:
        return palette(samples)
    if coding.samples == 4:
        raise UnsupportedDicom(f"4 samples a pixel as {coding.photometric}")
    eight = _eight(samples, coding.stored)
    if coding.samples == 3:
        return from_chroma(eight, 8) if is_chroma(data, coding) else eight
    grey = 255 - eight if coding.photometric == "MONOCHROME1" else eight
    return np.repeat(grey[:, :, None], 3, axis=2)


def from_chroma(samples: Samples, bits: int) -> Samples:
    """YBR_FULL to RGB (PS3.3 C.7.6.3.1.2); samples of `bits`."""
    luma, blue, red = _apart(samples)
    blue, red = blue - (1 << bits - 1), red - (1 << bits - 1)
    parts = luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue
    return _whole(parts, bits, samples)


def to_chroma(samples: Samples, bits: int) -> Samples:
    """RGB to YBR_FULL, the way back."""
    red, green, blue = _apart(samples)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    middle = 1 << bits - 1
    return _whole((luma, (blue - luma) / 1.772 + middle, (red - luma) / 1.402 + middle), bits,
                  samples)  # fmt: skip


def _apart(samples: Samples) -> list[NDArray[np.float32]]:
    return [samples[..., at].astype(np.float32) for at in range(3)]


def _whole(parts: tuple[NDArray[Any], ...], bits: int, like: Samples) -> Samples:
    joined = np.rint(np.stack(parts, axis=-1)).clip(0, (1 << bits) - 1)
    made: Samples = joined.astype(like.dtype)
    return made


def _eight(samples: Samples, stored: int) -> Pixels:
    """The upper eight of the bits that are stored."""
    if samples.dtype == np.uint8:
        return np.ascontiguousarray(samples)
    shifted = samples.astype(np.int64) >> max(stored - 8, 0)
    eight: Pixels = shifted.clip(0, 255).astype(np.uint8)
    return eight
