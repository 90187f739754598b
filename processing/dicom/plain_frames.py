"""A frame as plain samples, as the header its client has describes them.

PS3.18 has one header for an object, as it is stored, whatever its frames are asked for in. So the
order of planes, the words' width and the colours are those of the header: one that says YBR_FULL
gets luma and chroma. Only what describes a code and no samples cannot be kept to: frames coded as
YBR_FULL_422, YBR_ICT or YBR_RCT are RGB, as PS3.3 C.8.12.4.1.5 and PS3.5 8.2.4 have them when they
are not coded, and as their length, three samples a pixel, says.
"""

from __future__ import annotations

import numpy as np

from processing.dicom_colour import from_chroma, is_chroma, to_chroma
from processing.dicom_samples import BIG_ENDIAN, NATIVE, Coding, Samples, words


def plain_frame(data: bytes, coding: Coding) -> bytes:
    """A frame in Explicit VR Little Endian. Errors: SlideError."""
    if coding.syntax == BIG_ENDIAN:
        return _turned(data, coding)
    if coding.syntax in NATIVE:
        return data
    samples = words(data, coding)
    if coding.samples == 3:
        samples = _coloured(samples, data, coding)
    if coding.planar:
        samples = np.moveaxis(samples, -1, 0)
    if coding.allocated == 1:
        return np.packbits(samples, bitorder="little").tobytes()
    return samples.astype(coding.dtype.newbyteorder("<"), copy=False).tobytes()


def _turned(data: bytes, coding: Coding) -> bytes:
    """Only the words are turned: order and colours are the header's already."""
    size = coding.dtype.itemsize
    whole = np.frombuffer(data[: len(data) - len(data) % size], f">u{size}")
    return data if size == 1 else whole.astype(f"<u{size}").tobytes()


def _coloured(samples: Samples, data: bytes, coding: Coding) -> Samples:
    wanted = coding.photometric == "YBR_FULL"
    if wanted == is_chroma(data, coding):
        return samples
    return (to_chroma if wanted else from_chroma)(samples, coding.stored)
