"""A coarser tile is the mean of the finer ones, and nothing from beyond the image gets in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.downsample import parent_tile
from processing.jpeg import Pixels
from processing.tile_codec import decode_tile, encode_tile
from storage.records.geometry import Size
from storage.records.slide import JpegEncoding, LevelOrigin, StoredLevel

_EDGE = 64
_FINE, _COARSE = JpegEncoding(95, "444"), JpegEncoding(95, "444")


def _level(level: int, size: Size, encoding: JpegEncoding | None) -> StoredLevel:
    return StoredLevel(level, size, LevelOrigin.DERIVED, encoding)


def _gradient(width: int, height: int) -> Pixels:
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([120 + x, 230 - y, 130 + (x + y) // 2], axis=2).astype(np.uint8)


def _tiles(image: Pixels, encoding: JpegEncoding | None, beyond: int) -> list[bytes | None]:
    """Four tiles of an image of at most 2x2 tiles; its padding has the grey value `beyond`."""
    height, width = image.shape[:2]
    canvas = np.full((2 * _EDGE, 2 * _EDGE, 3), beyond, np.uint8)
    canvas[:height, :width] = image
    corners = [(y, x) for y in (0, _EDGE) for x in (0, _EDGE)]
    return [
        encode_tile(canvas[y : y + _EDGE, x : x + _EDGE], encoding)
        if y < height and x < width
        else None
        for y, x in corners
    ]


def _plain_half(image: Pixels) -> Pixels:
    height, width = image.shape[:2]
    even = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), "edge").astype(np.uint16)
    total = even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]
    return ((total + 2) // 4).astype(np.uint8)


def _parent(image: Pixels, encoding: JpegEncoding | None, beyond: int) -> Pixels:
    size = Size(image.shape[1], image.shape[0])
    finer, level = _level(0, size, encoding), _level(1, size.at_level(1), encoding)
    data, damaged = parent_tile(_tiles(image, encoding, beyond), _EDGE, finer, level, (0, 0))
    assert data is not None
    assert damaged == 0
    return decode_tile(data, encoding, _EDGE)[: size.at_level(1).height, : size.at_level(1).width]


@given(st.integers(1, 128), st.integers(1, 128), st.sampled_from([0, 255]))
@settings(max_examples=40, deadline=None)
def test_without_loss_it_is_the_mean_to_the_last_column(
    width: int, height: int, beyond: int
) -> None:
    image = _gradient(width, height)
    apart = _parent(image, None, beyond).astype(int) - _plain_half(image)
    assert abs(apart).max() <= 1


@pytest.mark.parametrize(
    ("width", "height"), [(128, 128), (127, 127), (97, 101), (65, 64), (17, 90)]
)
def test_a_black_margin_does_not_show(width: int, height: int) -> None:
    image = _gradient(width, height)
    apart = abs(_parent(image, _FINE, 0).astype(int) - _plain_half(image))
    # What the scanner's own JPEG let in from its black margin stays: a few grey levels.
    assert apart[:, -1].mean() < 12
    assert apart[-1].mean() < 12
    assert apart.mean() < 3


@pytest.mark.parametrize("width", [127, 97, 65])
def test_the_margin_would_show_without_the_place(width: int) -> None:
    """The flaw this mends, so that the test above is known to look at it."""
    image = _gradient(width, 128)
    size = Size(width, 128)
    finer, level = _level(0, size, _FINE), _level(1, size.at_level(1), _COARSE)
    data, _ = parent_tile(_tiles(image, _FINE, 0), _EDGE, finer, level)
    assert data is not None
    last = decode_tile(data, _COARSE, _EDGE)[:, size.at_level(1).width - 1]
    assert abs(last.astype(int) - _plain_half(image)[:, -1]).mean() > 40


def test_absent_and_damaged_children() -> None:
    size = Size(128, 128)
    finer, level = _level(0, size, _FINE), _level(1, size.at_level(1), _COARSE)
    assert parent_tile([None] * 4, _EDGE, finer, level, (0, 0)) == (None, 0)
    good = encode_tile(np.full((_EDGE, _EDGE, 3), 90, np.uint8), _FINE)
    large = encode_tile(np.full((128, 128, 3), 90, np.uint8), _FINE)
    data, damaged = parent_tile([good, None, b"no JPEG", large], _EDGE, finer, level, (0, 0))
    assert damaged == 2
    assert data is not None
    tile = decode_tile(data, _COARSE, _EDGE)
    assert abs(tile[:24, :24].astype(int) - 90).max() <= 2
    assert (tile[40:, 40:] >= 250).all()


def test_tiles_away_from_the_corner() -> None:
    """The place is that of the new tile: what lies inside the image is never made up."""
    size = Size(5 * _EDGE, 4 * _EDGE)
    finer, level = _level(0, size, None), _level(1, size.at_level(1), None)
    tiles = [encode_tile(np.full((_EDGE, _EDGE, 3), 10 * at, np.uint8), None) for at in range(4)]
    inner, _ = parent_tile(tiles, _EDGE, finer, level, (1, 1))
    assert inner is not None
    assert decode_tile(inner, None, _EDGE)[::32, ::32, 0].tolist() == [[0, 10], [20, 30]]
    last, _ = parent_tile([tiles[0], None, tiles[2], None], _EDGE, finer, level, (2, 1))
    assert last is not None
    assert decode_tile(last, None, _EDGE)[::32, ::32, 0].tolist() == [[0, 0], [20, 20]]
