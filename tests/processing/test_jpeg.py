"""JPEG headers are read more strictly than decoders read them."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from processing import jpeg
from processing.downsample import half_tile
from processing.tile_codec import decode_tile, encode_tile
from storage.errors import Damaged
from storage.records.slide import JpegEncoding

_PIXELS = np.random.default_rng(1).integers(0, 255, (128, 128, 3), np.uint8)
_STREAM = jpeg.encode(_PIXELS, JpegEncoding(90, "420"))
_FRAME = _STREAM.index(b"\xff\xc0")


def _progressive() -> bytes:
    out = io.BytesIO()
    Image.fromarray(_PIXELS).save(out, "JPEG", progressive=True)
    return out.getvalue()


@pytest.mark.parametrize("subsampling", ["444", "422", "420"])
@pytest.mark.parametrize("quality", [30, 80, 95])
def test_what_we_encode_says_what_it_is(subsampling: str, quality: int) -> None:
    stream = jpeg.encode(_PIXELS, JpegEncoding(quality, subsampling))
    header = jpeg.read_header(stream)
    assert (header.width, header.height, header.subsampling) == (128, 128, subsampling)
    assert header.is_copyable
    assert header.says_rgb is False
    assert abs(jpeg.estimate_quality(stream) - quality) <= 1
    assert jpeg.frame_size(memoryview(stream), baseline=True) == (128, 128)


def test_progressive_is_not_baseline() -> None:
    stream = _progressive()
    assert jpeg.frame_size(stream) == (128, 128)
    assert not jpeg.read_header(stream).is_copyable
    with pytest.raises(Damaged):
        jpeg.frame_size(stream, baseline=True)


def test_fill_bytes_are_legal_and_rubbish_is_not() -> None:
    filled = _STREAM[:_FRAME] + b"\xff\xff" + _STREAM[_FRAME:]
    assert jpeg.frame_size(filled) == (128, 128)
    for rubbish in (b"\0", b"\xff\0", b"\xff\xd0", b"\xff\xd9", b"\xff\x01"):
        with pytest.raises(Damaged):
            jpeg.frame_size(_STREAM[:_FRAME] + rubbish + _STREAM[_FRAME:])


@given(st.binary(max_size=64))
def test_any_bytes_are_a_size_or_damaged(data: bytes) -> None:
    for start in (b"", b"\xff\xd8", _STREAM[:_FRAME]):
        for read in (jpeg.frame_size, jpeg.read_header):
            try:
                read(start + data)
            except Damaged:
                continue


def test_a_stream_of_another_size_is_not_decoded() -> None:
    at = _FRAME + 5
    bomb = _STREAM[:at] + struct.pack(">HH", 65500, 65500) + _STREAM[at + 4 :]
    encoding = JpegEncoding()
    for read in (decode_tile, half_tile):
        with pytest.raises(Damaged, match="another size"):
            read(bomb, encoding, 128)
        with pytest.raises(Damaged):
            read(_STREAM[: len(_STREAM) // 2], encoding, 128)
        with pytest.raises(Damaged):
            read(b"", encoding, 128)


def test_lossless_tiles_come_back_exactly() -> None:
    stream = encode_tile(_PIXELS, None)
    assert np.array_equal(decode_tile(stream, None, 128), _PIXELS)
    assert half_tile(stream, None, 128).shape == (64, 64, 3)
    for wrong in (stream[:-10], b"", b"rubbish"):
        with pytest.raises(Damaged):
            decode_tile(wrong, None, 128)
    with pytest.raises(Damaged):
        decode_tile(stream, None, 256)


def test_half_is_close_to_the_mean() -> None:
    smooth = np.repeat(np.arange(128, dtype=np.uint8)[:, None, None], 128, 1).repeat(3, 2)
    half = half_tile(encode_tile(smooth, JpegEncoding(95, "444")), JpegEncoding(95, "444"), 128)
    mean = smooth.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    assert abs(half - mean).mean() < 1.5
