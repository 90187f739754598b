"""Windows from the samples themselves: from what lies in the dark to all but the very brightest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from processing.plane_codec import Plane
from storage.records.channels import Window

DARKEST, BRIGHTEST = 0.01, 0.999
"""Shares of the samples: below the first all is black, above the second all is full."""


def auto_window(planes: Sequence[Plane], most: int) -> Window:
    """The window over all samples of some planes of one channel; `most` is the depth's largest."""
    counts = np.zeros(most + 1, np.int64)
    for plane in planes:
        counts += np.bincount(plane.ravel(), minlength=most + 1)[: most + 1]
    below = np.cumsum(counts)
    if below[-1] == 0:
        return Window(0, most)
    low, high = (int(np.searchsorted(below, share * below[-1])) for share in (DARKEST, BRIGHTEST))
    low = min(low, most - 1)
    return Window(low, max(high, low + 1))
