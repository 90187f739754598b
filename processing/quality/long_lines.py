"""Long thin lines in a picture of what stands out: straight or gently curved, at any angle.

A pixel is on a line when most of a stretch through it stands out in one of 48 directions, and far
more of it than of the square around: so a line is found in quiet and in texture, and texture is
no line. Stretches that hang together make one line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.quality.tissue import TissueMask
from storage.records.quality import Spot

Mask = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
_ANGLES = 48
STRETCH = 64
"""Pixels that a direction is judged over: a power of two."""
_MOST_LINES = 50
_CROSSING = 0.02
"""The part of a line below which it merely touches."""


@dataclass(frozen=True, slots=True)
class LineRule:
    """What makes a line."""

    least_mm: float
    share: float = 0.8
    """Of a stretch that stands out."""
    more_than_around: float = 0.6
    """By so much the share is greater than that of the square around."""


@dataclass(frozen=True, slots=True)
class LongLine:
    """One line in pixels of the picture: where it is drawn, and how long it is."""

    box: tuple[int, int, int, int]
    """x, y, width, height."""
    mask: Mask
    """[row, column] within the box."""
    pixels: float
    """Its length."""


def find_lines(standing_out: Mask, um: float, rule: LineRule) -> list[LongLine]:
    """Lines at least `rule.least_mm` long, the longest first; `um` µm along a pixel."""
    on = _on_lines(standing_out, rule)
    least = max(rule.least_mm * 1000 / um, 1.2 * STRETCH)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(on.astype(np.uint8))
    found = []
    for number, (x, y, width, height, _) in enumerate(stats.tolist()):
        if not number or math.hypot(width, height) < least:
            continue
        mask: Mask = labels[y : y + height, x : x + width] == number
        length = length_of(mask)
        if length >= least:
            found.append(LongLine((x, y, width, height), mask, length))
    return sorted(found, key=lambda at: (-at.pixels, at.box))[:_MOST_LINES]


def length_of(mask: Mask) -> float:
    """The long side of the smallest rectangle around a mark, at any angle, in pixels."""
    points = cv2.findNonZero(mask.astype(np.uint8))
    if points is None:
        return 0.0
    _, sides, _ = cv2.minAreaRect(points)
    return float(max(sides))


def length_within(found: list[LongLine], within: Mask) -> float:
    """How much of the lines lies in a part of the picture [row, column], in pixels."""
    whole = 0.0
    for line in found:
        x, y, width, height = line.box
        part = float((line.mask & within[y : y + height, x : x + width]).sum())
        share = part / float(line.mask.sum())
        whole += line.pixels * share if share >= _CROSSING else 0.0
    return whole


def drawn_lines(found: list[LongLine], shape: tuple[int, ...]) -> Mask:
    """All of them in one picture [row, column]."""
    out = np.zeros(shape[:2], bool)
    for line in found:
        x, y, width, height = line.box
        out[y : y + height, x : x + width] |= line.mask
    return out


def spots_of(found: list[LongLine], tissue: TissueMask) -> tuple[Spot, ...]:
    """Where they are on the slide; `most` is the length in mm where the pixel size is known."""
    cell = 2**tissue.level
    um = tissue.um
    return tuple(
        Spot(
            (x * cell, y * cell, width * cell, height * cell),
            None if um is None else round(float(line.mask.sum()) * (um / 1000) ** 2, 4),
            None if um is None else round(line.pixels * um / 1000, 2),
        )
        for line in found
        for x, y, width, height in (line.box,)
    )


def _on_lines(standing_out: Mask, rule: LineRule) -> Mask:
    picture = standing_out.astype(np.uint8)
    side = STRETCH + 1
    around = cv2.blur(picture.astype(np.float32), (side, side), borderType=cv2.BORDER_CONSTANT)
    needed = np.maximum(around + rule.more_than_around, rule.share) * STRETCH
    wide = np.pad(cv2.dilate(picture, np.ones((3, 3), np.uint8)).astype(np.uint8), STRETCH)
    picture = np.pad(picture, STRETCH)
    least = np.pad(np.ceil(needed).clip(0, 255).astype(np.uint8), STRETCH, constant_values=255)
    on = np.zeros_like(picture)
    for number in range(_ANGLES):
        on |= _along(picture, least, math.pi * number / _ANGLES) & wide
    found: Mask = on[STRETCH:-STRETCH, STRETCH:-STRETCH] > 0
    return found


def _along(picture: Bytes, least: Bytes, angle: float) -> Bytes:
    """1 for pixels of stretches in one direction of which enough stand out.

    A stretch is summed by doubling: two of a pixel make one of two, two of those one of four.
    """
    steps = [
        (round(math.sin(angle) * length), round(math.cos(angle) * length))
        for length in (2**power for power in range(STRETCH.bit_length() - 1))
    ]
    count = picture
    for down, right in steps:
        count = count + np.roll(count, (-down, -right), (0, 1))
    half = STRETCH // 2
    middle = round(math.sin(angle) * half), round(math.cos(angle) * half)
    # What is asked for is that of the middle, the sum is kept at the stretch's beginning.
    begins = (count >= np.roll(least, (-middle[0], -middle[1]), (0, 1))).astype(np.uint8)
    for down, right in steps if begins.any() else ():
        begins |= np.roll(begins, (down, right), (0, 1))
    return begins
