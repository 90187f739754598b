"""A whole-slide image as one picture: the frames of a level side by side.

Source: PS3.3 C.7.6.17.3 (TILED_FULL), C.8.12.6.1 (positions of single frames).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from processing.dicom.instance import Instance
from processing.dicom.rendering import shown_samples
from processing.dicom_samples import Coding, Samples
from storage.errors import TooLarge
from storage.records.geometry import Size

MOST = 2**24
"""Pixels of a level that are put together for a picture."""
_KINDS = frozenset({"VOLUME", "THUMBNAIL"})


@dataclass(frozen=True, slots=True)
class Seen:
    """An instance with its header."""

    instance: Instance
    header: Dataset

    @property
    def matrix(self) -> tuple[int, int]:
        """Columns and rows of the total pixel matrix, or of the frame where there is none."""
        header = self.header
        columns = header.get("TotalPixelMatrixColumns") or header.get("Columns") or 0
        return int(columns), int(header.get("TotalPixelMatrixRows") or header.get("Rows") or 0)

    @property
    def is_tiled(self) -> bool:
        """Whether a frame shows a part of the image only."""
        own = int(self.header.get("Columns") or 0), int(self.header.get("Rows") or 0)
        return self.matrix != own and "TotalPixelMatrixColumns" in self.header

    @property
    def shows_the_slide(self) -> bool:
        """By ImageType value 3; label and overview show something else."""
        values = self.header.get("ImageType") or []
        return str(values[2]) in _KINDS if len(values) > 2 else self.is_tiled


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the slide, in fractions of its width and height."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0

    def box(self, matrix: tuple[int, int]) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in a level's pixels; at least one of them."""
        columns, rows = matrix
        left, top = min(int(self.left * columns), columns - 1), min(int(self.top * rows), rows - 1)
        right, bottom = round(self.right * columns), round(self.bottom * rows)
        return left, top, min(max(right, left + 1), columns), min(max(bottom, top + 1), rows)


def level_for(seen: Sequence[Seen], part: Part, width: int, height: int) -> Seen | None:
    """The smallest level that shows the part as large as a picture, or the largest that can be
    put together; None when there is none."""
    best = None
    levels = (at for at in seen if at.shows_the_slide and min(at.matrix) > 0)
    for at in sorted(levels, key=lambda at: at.matrix[0] * at.matrix[1]):
        left, top, right, bottom = part.box(at.matrix)
        if (right - left) * (bottom - top) > MOST:
            break
        best = at
        if right - left >= width or bottom - top >= height:
            break
    return best


def samples_of(seen: Seen, part: Part) -> Samples:
    """A part of a level, of one optical path and plane. Errors: SlideError."""
    left, top, right, bottom = part.box(seen.matrix)
    coding = Coding.of(seen.header, seen.instance.transfer_syntax)
    if (right - left) * (bottom - top) > MOST:
        raise TooLarge("a picture of that size is not put together")
    size, tile = (bottom - top, right - left), coding.size
    coloured = coding.samples > 1
    whole = np.full((*size, 3), 255, np.uint8) if coloured else np.zeros(size, coding.dtype)
    for number, x, y in _places(seen.header, tile, seen.matrix):
        if x >= right or y >= bottom or x + tile.width <= left or y + tile.height <= top:
            continue
        shown = shown_samples(seen.instance.frame(number), coding)
        inside = shown[max(top - y, 0) : bottom - y, max(left - x, 0) : right - x]
        down, across = max(y - top, 0), max(x - left, 0)
        whole[down : down + inside.shape[0], across : across + inside.shape[1]] = inside
    return whole


def _places(header: Dataset, tile: Size, matrix: tuple[int, int]) -> Iterator[tuple[int, int, int]]:
    """Numbers of frames and where they begin, in pixels from the upper left."""
    frames = int(header.get("NumberOfFrames") or 1)
    across = -(-matrix[0] // tile.width)
    groups = header.get("PerFrameFunctionalGroupsSequence") or []
    if header.get("DimensionOrganizationType") == "TILED_FULL" or len(groups) != frames:
        for number in range(min(frames, across * -(-matrix[1] // tile.height))):
            yield number, number % across * tile.width, number // across * tile.height
        return
    done = set[tuple[int, int]]()
    for number, group in enumerate(groups):
        place = _stated(group)
        if place in done or not (0 <= place[0] < matrix[0] and 0 <= place[1] < matrix[1]):
            continue  # another plane or path of the same place
        done.add(place)
        yield number, *place


def _stated(group: Dataset) -> tuple[int, int]:
    items = group.get("PlanePositionSlideSequence") or []
    if not items:
        return -1, -1
    item = items[0]
    return (
        int(item.get("ColumnPositionInTotalImagePixelMatrix") or 0) - 1,
        int(item.get("RowPositionInTotalImagePixelMatrix") or 0) - 1,
    )
