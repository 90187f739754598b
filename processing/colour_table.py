"""A table from a scanner's RGB to sRGB, and the arithmetic the browser does with it.

Nodes lie at chosen source values; they hold linear light, not clipped, so that neither gamma nor
the edge of sRGB bends what is interpolated. Between two nodes the way is measured along the
channel's own curve. `static/js/colour_table.js` does the same; a test holds them together.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]

VALUES = 256
_HEAD = struct.Struct("<4sHHff")
_MAGIC, _VERSION = b"SVCT", 1
_UNIT = 65535
"""Linear light of 1, and the steps a fraction has."""


@dataclass(frozen=True)
class ColourTable:
    """`cells` and `fractions` [3, 256]: where a value of a channel lies between the nodes.

    `grid` [nodes, nodes, nodes, 3] by red, green, blue: `low + step * grid` is linear light.
    """

    cells: NDArray[np.uint8]
    fractions: NDArray[np.uint16]
    grid: NDArray[np.uint16]
    low: float
    step: float

    @property
    def nodes(self) -> int:
        """Nodes along each channel."""
        return len(self.grid)

    def to_bytes(self) -> bytes:
        """Little-endian: head (magic, version, nodes, low, step), cells, fractions, grid."""
        head = _HEAD.pack(_MAGIC, _VERSION, self.nodes, self.low, self.step)
        parts = self.cells, self.fractions.astype("<u2"), self.grid.astype("<u2")
        return head + b"".join(part.tobytes() for part in parts)


def make_table(places: NDArray[np.int64], curves: Floats, light: Floats) -> ColourTable:
    """A table of nodes at the source values `places` [3, nodes], each ascending from 0 to 255.

    `curves` [3, 256] rise along each channel; `light` [nodes, nodes, nodes, 3] is linear.
    """
    cells = np.empty((3, VALUES), np.intp)
    fractions = np.empty((3, VALUES))
    for channel, (at, curve) in enumerate(zip(places, curves, strict=True)):
        cell = np.minimum(np.searchsorted(at, np.arange(VALUES), "right") - 1, len(at) - 2)
        begin, end = curve[at[cell]], curve[at[cell + 1]]
        cells[channel], fractions[channel] = cell, (curve - begin) / (end - begin)
    low = np.float32(light.min())
    step = np.float32(max((light.max() - light.min()) / _UNIT, 1e-9))
    grid = np.clip(np.rint((light - low) / step), 0, _UNIT).astype(np.uint16)
    steps = np.rint(fractions * _UNIT).astype(np.uint16)
    return ColourTable(cells.astype(np.uint8), steps, grid, float(low), float(step))


def apply_table(table: ColourTable, pixels: Pixels) -> Pixels:
    """sRGB of source pixels [..., 3], as the browser shows them."""
    units = np.clip(interpolated(table, pixels), 0, _UNIT)
    found: Pixels = _encoding()[np.floor(units + 0.5).astype(np.intp)]
    return found


def shown_unrounded(table: ColourTable, pixels: Pixels) -> Floats:
    """The same from 0 to 1, before a screen's 256 steps."""
    return encoded(np.clip(interpolated(table, pixels) / _UNIT, 0, 1))


def interpolated(table: ColourTable, pixels: Pixels) -> Floats:
    """Linear light in units, not clipped, by tetrahedral interpolation."""
    flat = pixels.reshape(-1, 3).astype(np.intp)
    strides = np.array([table.nodes**2, table.nodes, 1])
    channels = np.arange(3)
    corner = table.cells[channels, flat].astype(np.intp) @ strides
    fractions = table.fractions[channels, flat] / _UNIT
    order = np.argsort(-fractions, axis=1, kind="stable")
    ordered = np.take_along_axis(fractions, order, axis=1)
    grid = _scaled(table).reshape(-1, 3)
    light = at = grid[corner]
    for rank in range(3):
        corner = corner + strides[order[:, rank]]
        following = grid[corner]
        light = light + ordered[:, rank, None] * (following - at)
        at = following
    whole: Floats = light.reshape(pixels.shape)
    return whole


def _scaled(table: ColourTable) -> Floats:
    """Linear light in units; single precision, as the browser keeps it."""
    light = (table.low + table.step * table.grid.astype(np.float64)) * _UNIT
    return light.astype(np.float32).astype(np.float64)


@cache
def _encoding() -> Pixels:
    """sRGB of every unit of linear light."""
    return np.floor(encoded(np.arange(_UNIT + 1) / _UNIT) * 255 + 0.5).astype(np.uint8)


def encoded(light: Floats) -> Floats:
    """sRGB from 0 to 1 of linear light from 0 to 1."""
    curve: Floats = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return curve
