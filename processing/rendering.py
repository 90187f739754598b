"""Channels as a picture: every channel's window in its colour, added up on black.

The light of channels adds, as it does in the microscope: a sample at or below `low` gives none,
at or above `high` its full colour, in between in proportion; sums above white stay white.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from processing.jpeg import Pixels
from processing.plane_codec import Plane
from storage.records.channels import ShownChannel

VERSION = 1
"""Part of every rendered tile's ETag: raise it when the same choice gives other pixels."""


def render(planes: Iterable[tuple[Plane, ShownChannel]], shape: tuple[int, int]) -> Pixels:
    """RGB [row, column, 3] of planes of that shape, rounded to the nearest; black without any."""
    light = np.zeros((*shape, 3), np.float32)
    for plane, shown in planes:
        share = _table(plane.itemsize, shown)[plane]
        for component, full in enumerate(bytes.fromhex(shown.color)):
            if full == 255:
                light[:, :, component] += share
            elif full:
                light[:, :, component] += share * np.float32(full / 255)
    np.minimum(light + np.float32(0.5), 255, out=light)
    return light.astype(np.uint8)


def _table(itemsize: int, shown: ShownChannel) -> NDArray[np.float32]:
    """For every value a sample can have, how much light it gives: 0 to 255."""
    low, high = shown.window.low, shown.window.high
    values = np.arange(1 << (8 * itemsize), dtype=np.float64)
    return (np.clip((values - low) / (high - low), 0, 1) * 255).astype(np.float32)
