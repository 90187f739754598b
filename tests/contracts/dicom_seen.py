"""What svartid sees of a DICOM file or series."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processing.readers import SlideReader, open_slide
from storage.records.geometry import Region
from storage.records.slide import Notice


def seen(path: Path, level: int = 0) -> NDArray[Any]:
    """[row, column, 3], or [channel, row, column] where there are channels."""
    with open_slide(path) as slide:
        return whole(slide, level)


def whole(slide: SlideReader, level: int = 0) -> NDArray[Any]:
    """All of an open slide's level, as `seen`."""
    size = slide.levels[level].size
    everything = Region(0, 0, size.width, size.height)
    if slide.channels is None:
        return slide.pixels(level, everything)
    return np.stack(
        [slide.plane(level, at, everything) for at in range(len(slide.channels.channels))]
    )


def notices(path: Path) -> set[Notice]:
    """What the reader says beside the pixels."""
    with open_slide(path) as slide:
        return set(slide.metadata.notices)
