"""Frames of a picture as 8-bit RGB. Where stream and header disagree about colour, the stream wins.

Sources: DICOM PS3.3 C.7.6.3.1.2 (photometric interpretation), PS3.5 8.2.1 and 8.2.4 (colour in JPEG
and JPEG 2000).
"""

from __future__ import annotations

import numpy as np

from processing import jpeg
from processing.jpeg import Pixels
from processing.readers.codestream import check_codestream, mixes_components
from processing.readers.dicom_coding import (
    BY_STREAM,
    CHROMA,
    JPEG2000_KINDS,
    JPEG_DCT,
    Coding,
    Samples,
    decode,
)
from storage.errors import Damaged


class ToRgb:
    """Of one image; a frame of it shows whether the header tells the truth."""

    def __init__(self, coding: Coding, sample: bytes) -> None:
        self._coding = coding
        self.head = b""
        """What goes in front of a JPEG frame without its first two bytes."""
        self.disagrees = coding.photometric in BY_STREAM
        self._chroma = coding.photometric in CHROMA
        if coding.samples == 3 and coding.syntax in JPEG_DCT:
            self._ask_jpeg(sample)
        elif coding.samples == 3 and coding.syntax in JPEG2000_KINDS:
            mixed = mixes_components(sample)
            self.disagrees = self._chroma if mixed else self.disagrees
            self._chroma = self._chroma and not mixed

    def _ask_jpeg(self, sample: bytes) -> None:
        header = jpeg.read_header(sample)
        # PS3.5 8.2.1: RGB frames carry no colour transform; a stream that says otherwise wins.
        tagged = self._coding.photometric == "RGB"
        rgb = header.says_rgb if header.says_rgb is not None else tagged
        self.disagrees = header.says_rgb is not None and header.says_rgb != tagged
        if rgb and header.adobe_transform is None:
            self.head = jpeg.splice_head(b"", True)
        self._chroma = False  # the decoder undoes it

    def __call__(self, data: bytes) -> Pixels:
        """RGB [row, column, 3] of a frame. Errors: Damaged, TooLarge, Truncated."""
        coding = self._coding
        data = self.head + data[2:] if self.head else data
        if coding.syntax in JPEG_DCT and coding.allocated == 8:
            check_codestream(data, coding.tile.width, coding.tile.height)
            pixels = jpeg.decode(data)
            if pixels.shape[:2] != coding.shape[:2]:
                raise Damaged("a frame has another size than the header says")
            return 255 - pixels if coding.photometric == "MONOCHROME1" else pixels
        samples = decode(data, coding)
        if coding.palette is not None:
            return coding.palette(samples)
        eight = (samples >> max(coding.stored - 8, 0)).clip(0, 255).astype(np.uint8)
        if coding.samples == 3:
            return _from_chroma(eight) if self._chroma else np.ascontiguousarray(eight)
        grey = 255 - eight if coding.photometric == "MONOCHROME1" else eight
        return np.repeat(grey[:, :, None], 3, axis=2)


def _from_chroma(samples: Samples) -> Pixels:
    """YBR_FULL to RGB (PS3.3 C.7.6.3.1.2)."""
    luma = samples[:, :, :1].astype(np.float32)
    blue, red = (samples[:, :, at].astype(np.float32) - 128 for at in (1, 2))
    apart = np.dstack([1.402 * red, -0.344136 * blue - 0.714136 * red, 1.772 * blue])
    rgb: Pixels = np.rint(luma + apart).clip(0, 255).astype(np.uint8)
    return rgb
