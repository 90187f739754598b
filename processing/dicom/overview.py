"""A whole-slide image as one picture: the frames of a level side by side.

Source: PS3.3 C.7.6.17.3 (TILED_FULL), C.8.12.6.1 (positions of single frames).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from processing.dicom.instance import Instance
from processing.dicom.samples import Samples, Shape, decode
from storage.errors import NotFound, TooLarge

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


def level_for(seen: Sequence[Seen], width: int, height: int) -> Seen:
    """The smallest level that is as large as a picture, or the largest that can be put together.

    Errors: NotFound.
    """
    fits = [at for at in seen if at.shows_the_slide and 0 < at.matrix[0] * at.matrix[1] <= MOST]
    by_size = sorted(fits, key=lambda at: at.matrix[0] * at.matrix[1])
    for at in by_size:
        if at.matrix[0] >= width or at.matrix[1] >= height:
            return at
    if not by_size:
        raise NotFound("no level of the image is small enough for a picture")
    return by_size[-1]


def whole_samples(seen: Seen) -> Samples:
    """All frames of one optical path and plane in their places. Errors: SlideError, NotFound."""
    columns, rows = seen.matrix
    if columns * rows > MOST or columns < 1 or rows < 1:
        raise TooLarge("a level of that size is not put together")
    shape, syntax = Shape.of(seen.header), seen.instance.transfer_syntax
    colours = (3,) if shape.samples > 1 else ()
    whole = np.zeros((rows, columns, *colours), np.uint8 if colours else shape.kind)
    if colours:
        whole[:] = 255
    for number, x, y in _places(seen.header, shape, (columns, rows)):
        tile = decode(seen.instance.frame(number), syntax, shape)[: rows - y, : columns - x]
        whole[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
    return whole


def _places(
    header: Dataset, shape: Shape, matrix: tuple[int, int]
) -> Iterator[tuple[int, int, int]]:
    """Numbers of frames and where they begin, in pixels from the upper left."""
    frames = int(header.get("NumberOfFrames") or 1)
    across = -(-matrix[0] // shape.columns)
    groups = header.get("PerFrameFunctionalGroupsSequence") or []
    if header.get("DimensionOrganizationType") == "TILED_FULL" or len(groups) != frames:
        for number in range(min(frames, across * -(-matrix[1] // shape.rows))):
            yield number, number % across * shape.columns, number // across * shape.rows
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
