"""Slides for checks, made of pixels: a pyramid in memory, tiles as a scanner would have them."""

from __future__ import annotations

import cv2
import numpy as np

from processing import jpeg
from processing.jpeg import Pixels
from processing.quality.slide_view import Order, SlideView
from storage.records.geometry import Size
from storage.records.slide import (
    JpegEncoding,
    LevelOrigin,
    Mpp,
    MppOrigin,
    PyramidPlan,
    PyramidRecord,
    SlideMetadata,
    StoredLevel,
)

EDGE = 256


def slide_view(
    pixels: Pixels,
    mpp: float | None = 0.5,
    quality: int = 90,
    missing: frozenset[tuple[int, int]] = frozenset(),
    order: Order | None = None,
    associated: dict[str, bytes] | None = None,
    scanner: str = "S1",
) -> SlideView:
    """A slide with these pixels as level 0, [row, column, 3]; `missing` are (column, row)."""
    height, width = pixels.shape[:2]
    encoding = JpegEncoding(quality, "444")
    tiles: dict[tuple[int, int, int], bytes] = {}
    levels, level, now = [], 0, pixels
    while True:
        size = Size(width, height).at_level(level)
        levels.append(StoredLevel(level, size, LevelOrigin.COPIED, encoding))
        for row in range(-(-size.height // EDGE)):
            for column in range(-(-size.width // EDGE)):
                if level == 0 and (column, row) in missing:
                    continue
                part = now[row * EDGE : (row + 1) * EDGE, column * EDGE : (column + 1) * EDGE]
                tile = np.full((EDGE, EDGE, 3), 255, np.uint8)
                tile[: part.shape[0], : part.shape[1]] = part
                tiles[level, column, row] = jpeg.encode(tile, encoding)
        if max(size.width, size.height) <= EDGE:
            break
        level += 1
        smaller = Size(width, height).at_level(level)
        now = cv2.resize(now, (smaller.width, smaller.height), interpolation=cv2.INTER_AREA)
    plan = PyramidPlan(EDGE, 8, tuple(levels))
    found = None if mpp is None else Mpp(mpp, mpp, MppOrigin.HEADER)
    record = PyramidRecord("s", "f", plan, SlideMetadata("made", found, scanner=scanner))
    images = associated or {}
    return SlideView(
        record,
        {at.level: at for at in levels},
        lambda *place: tiles.get(place),
        images.get,
        order or Order(),
    )


def blank(height: int, width: int) -> Pixels:
    """Glass alone."""
    return np.full((height, width, 3), 243, np.uint8)


def noise(height: int, width: int) -> Pixels:
    """Nothing that a scanner ever saw."""
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)


def tissue(height: int, width: int, seed: int = 1) -> Pixels:
    """A round of stained tissue on glass, with nuclei a few µm across at 0.5 µm a pixel."""
    random = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), 243, np.float32)
    y, x = np.mgrid[:height, :width]
    inside = ((x - width / 2) / (0.42 * width + 1)) ** 2 + (
        (y - height / 2) / (0.42 * height + 1)
    ) ** 2 < 1
    texture = cv2.GaussianBlur(random.normal(0, 1, (height, width)).astype(np.float32), (0, 0), 6)
    texture /= max(float(np.abs(texture).max()), 1e-6)
    pixels[inside] = np.array([226, 168, 200], np.float32) + 24 * texture[inside, None]
    for _ in range(height * width // 900):
        at = int(random.integers(0, width)), int(random.integers(0, height))
        if inside[at[1], at[0]]:
            cv2.circle(pixels, at, int(random.integers(4, 8)), (104, 66, 138), -1, cv2.LINE_AA)
    pixels += random.normal(0, 1.5, pixels.shape).astype(np.float32)
    return np.clip(pixels, 0, 255).astype(np.uint8)
