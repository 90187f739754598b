"""The `jpeg` codec for zarr-python, so that any Zarr reader opens a pyramid.

Source: the proposal `codecs/jpeg` of zarr-extensions (array to bytes, channel innermost).
The inverse colour transform is the stream's own, so scanner tiles and ours may be mixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import simplejpeg
from zarr.abc.codec import ArrayBytesCodec
from zarr.core.array_spec import ArraySpec
from zarr.core.buffer import Buffer, NDBuffer
from zarr.core.common import JSON

from storage.ngff import SUBSAMPLING, jpeg_codec_json
from storage.records.slide import JpegEncoding


@dataclass(frozen=True)
class JpegCodec(ArrayBytesCodec):
    """Baseline JPEG of a chunk of shape (height, width, 3), uint8."""

    quality: int = 90
    subsampling: str = "444"
    is_fixed_size = False

    @classmethod
    def from_dict(cls, data: dict[str, JSON]) -> Self:
        """From the entry in zarr.json; unknown subsampling is a ValueError."""
        configuration: Any = data.get("configuration") or {}
        for name, factors in SUBSAMPLING.items():
            if factors == configuration.get("subsampling", factors):
                return cls(int(configuration.get("quality", 90)), name)
        raise ValueError(f"unknown JPEG subsampling {configuration.get('subsampling')!r}")

    def to_dict(self) -> dict[str, JSON]:
        """The entry in zarr.json."""
        return jpeg_codec_json(JpegEncoding(self.quality, self.subsampling))

    async def _decode_single(self, chunk_data: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        pixels = simplejpeg.decode_jpeg(chunk_data.to_bytes(), colorspace="RGB")
        return chunk_spec.prototype.nd_buffer.from_numpy_array(pixels.reshape(chunk_spec.shape))

    async def _encode_single(self, chunk_data: NDBuffer, chunk_spec: ArraySpec) -> Buffer | None:
        pixels = np.ascontiguousarray(chunk_data.as_numpy_array())
        data = simplejpeg.encode_jpeg(
            pixels, quality=self.quality, colorspace="RGB", colorsubsampling=self.subsampling
        )
        return chunk_spec.prototype.buffer.from_bytes(data)

    def compute_encoded_size(self, input_byte_length: int, _chunk_spec: ArraySpec) -> int:
        """JPEG's size depends on the picture."""
        raise NotImplementedError("the size of a JPEG is not known beforehand")
