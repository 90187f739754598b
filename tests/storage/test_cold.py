"""Every JPEG comes back out of its cold chunk bit for bit, however odd it is; no bit may change."""

from __future__ import annotations

import os
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as some

from storage.cold import cool_tile, thaw_tile
from storage.errors import StoreDamaged

_SUM = 4


def _pixels() -> np.ndarray:
    noise = np.random.default_rng(1).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 2).astype(np.uint8)


PIXELS = _pixels()


def encoded(sampling: str = "420") -> bytes:
    return simplejpeg.encode_jpeg(PIXELS, quality=85, colorsubsampling=sampling)


def by_opencv(*settings: int) -> bytes:
    return cv2.imencode(".jpg", PIXELS, settings)[1].tobytes()


PLAIN = encoded()
_ADOBE = b"\xff\xee\x00\x0eAdobe\x00\x64\0\0\0\0\0"
SHRINK = {
    "4:2:0": PLAIN,
    "4:2:2": encoded("422"),
    "4:4:4": encoded("444"),
    "progressive": by_opencv(cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restarts": by_opencv(cv2.IMWRITE_JPEG_RST_INTERVAL, 4),
    "its own tables": by_opencv(cv2.IMWRITE_JPEG_OPTIMIZE, 1),
    "one byte behind the end": PLAIN + b"\0",
    "padding behind the end": PLAIN + bytes(100),
    "fill bytes": PLAIN[:2] + b"\xff\xff" + PLAIN[2:],
    "APP14": PLAIN[:2] + _ADOBE + PLAIN[2:],
    "comment": PLAIN[:2] + b"\xff\xfe\x00\x07hello" + PLAIN[2:],
}
EMPTY = simplejpeg.encode_jpeg(np.full((256, 256, 3), 241, np.uint8), quality=85)
STAY = {
    "4:1:1": encoded("411"),
    "no end": PLAIN[:-2],
    "cut": PLAIN[: len(PLAIN) // 2],
    "no tables": PLAIN[:2] + PLAIN[PLAIN.index(b"\xff\xc0") :],
    "only the start": b"\xff\xd8",
    "nonsense behind the start": b"\xff\xd8" + os.urandom(300),
    "one pixel, smaller as it is": simplejpeg.encode_jpeg(PIXELS[:1, :1].copy()),
}


@pytest.mark.parametrize("name", SHRINK)
def test_a_jpeg_shrinks_and_comes_back(name: str) -> None:
    chunk = cool_tile(SHRINK[name])
    assert len(chunk) < len(SHRINK[name])
    assert thaw_tile(chunk) == SHRINK[name]


@pytest.mark.parametrize("name", STAY)
def test_what_has_no_jpeg_xl_comes_back_all_the_same(name: str) -> None:
    chunk = cool_tile(STAY[name])
    assert len(chunk) <= len(STAY[name]) + _SUM
    assert thaw_tile(chunk) == STAY[name]


def test_each_tile_is_kept_as_what_is_smallest() -> None:
    assert cool_tile(PLAIN).startswith((b"\xff\x0a", b"\0\0\0\x0cJXL "))
    assert cool_tile(EMPTY).startswith(b"\x28\xb5\x2f\xfd")
    assert cool_tile(b"\xff\xd8")[:-_SUM] == b"\xff\xd8"
    assert len(cool_tile(EMPTY)) < len(EMPTY) / 2


def spoiled(data: bytes) -> some.SearchStrategy[bytes]:
    places = some.tuples(some.integers(0, len(data) - 1), some.integers(0, 255))

    def change(changes: list[tuple[int, int]]) -> bytes:
        found = bytearray(data)
        for at, value in changes:
            found[at] = value
        return b"\xff\xd8" + bytes(found[2:])

    return some.lists(places, max_size=6).map(change)


@given(spoiled(PLAIN))
def test_whatever_begins_like_a_jpeg_comes_back(data: bytes) -> None:
    assert thaw_tile(cool_tile(data)) == data


def flips(chunk: bytes) -> Iterator[bytes]:
    for at in range(0, len(chunk) * 8, 7):
        found = bytearray(chunk)
        found[at // 8] ^= 1 << at % 8
        yield bytes(found)


@pytest.mark.parametrize("data", [PLAIN, EMPTY, STAY["4:1:1"]])
def test_no_bit_may_change(data: bytes) -> None:
    for changed in flips(cool_tile(data)):
        with pytest.raises(StoreDamaged):
            thaw_tile(changed)


@pytest.mark.parametrize("chunk", [b"", b"abc", bytes(4), b"\xff\xd8\xff"])
def test_no_chunk_at_all(chunk: bytes) -> None:
    with pytest.raises(StoreDamaged):
        thaw_tile(chunk)


def test_what_is_no_jpeg_is_not_cooled() -> None:
    with pytest.raises(StoreDamaged):
        cool_tile(b"\x28\xb5\x2f\xfd")
