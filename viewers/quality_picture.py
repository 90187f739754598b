"""A map of quality as a picture to lie over the slide, and the legend that says what it shows.

One pixel is one cell, and its colour is that of the step its value falls into, so that the legend
is exact. What is good, and what was not measured, is clear.
Source of the file format: PNG, ISO/IEC 15948 (https://www.w3.org/TR/png-3/).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.records.quality import Finding, MapRef

Colour = tuple[int, int, int]
_KINDS: tuple[Colour, ...] = ((220, 38, 38), (37, 99, 235), (202, 138, 4), (22, 163, 74))
_RAMP: tuple[Colour, ...] = ((44, 123, 182), (253, 174, 97), (215, 25, 28), (110, 0, 60))
"""From blue over amber to dark red: told apart also without red and green."""
_BOUNDS = {"focus.radius": (1.0, 1.5, 2.5, 4.0)}
"""Where the steps of a check begin, in its unit; below the first all is well."""
_OPACITY = 150
_HIGHEST = 254


@dataclass(frozen=True, slots=True)
class Step:
    """One colour of a legend: a class by its word, or values from `low` to below `high`."""

    colour: Colour
    word: str = ""
    low: float | None = None
    high: float | None = None


def legend(finding: Finding, ref: MapRef) -> list[Step]:
    """The colours of a map and what they stand for, in the unit of the check."""
    if ref.classes:
        return [Step(_KINDS[number % len(_KINDS)], word) for number, word in enumerate(ref.classes)]
    bounds = _BOUNDS.get(finding.check) or _even(finding, ref)
    ends: tuple[float | None, ...] = (*bounds[1:], None)
    return [
        Step(colour, "", low, high) for colour, low, high in zip(_RAMP, bounds, ends, strict=False)
    ]


def picture(finding: Finding, ref: MapRef, stored: NDArray[np.uint8]) -> bytes:
    """The map as a PNG of red, green, blue and opacity; `stored` is [row, column]."""
    return _png(_colours(finding, ref)[stored])


def _colours(finding: Finding, ref: MapRef) -> NDArray[np.uint8]:
    """[stored value, channel]: the colour of each byte of a map."""
    table = np.zeros((256, 4), np.uint8)
    numbers = np.arange(256)
    values = numbers * ref.scale + ref.offset
    for place, step in enumerate(legend(finding, ref), start=1):
        of_step = numbers == place if ref.classes else values >= (step.low or 0.0)
        table[of_step] = (*step.colour, _OPACITY)
    table[ref.nodata] = 0
    return table


def _even(finding: Finding, ref: MapRef) -> tuple[float, ...]:
    """Steps of one size, up to the worst place that the finding names."""
    worst = [spot.most for spot in finding.spots if spot.most is not None]
    top = max(worst, default=ref.scale * _HIGHEST + ref.offset)
    return tuple(round(top * share, 4) for share in (0.25, 0.5, 0.75, 1.0))


def _png(pixels: NDArray[np.uint8]) -> bytes:
    height, width = pixels.shape[:2]
    lines = np.zeros((height, 1 + width * 4), np.uint8)  # each line begins with its filter: none
    lines[:, 1:] = pixels.reshape(height, width * 4)
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
