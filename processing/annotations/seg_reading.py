"""Areas out of segmentations, ours or anybody's: the outlines of each segment's mask, exactly."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from highdicom.seg import Segmentation, SegmentationTypeValues
from pydicom.dataset import Dataset

from processing.annotations import own
from processing.annotations.coded import NO_LABEL, colour_of, meaning_of
from processing.annotations.plane import Places, Plane
from processing.annotations.raster import Mask, areas
from processing.annotations.said import Said, said_of
from storage.errors import UnsupportedDicom
from storage.records.annotation import (
    Annotation,
    Brought,
    Content,
    Geometry,
    Kind,
    Origin,
    OriginKind,
)
from storage.records.geometry import Size

MOST: Final = 2**28
"""Pixels of the part of a mask that is looked at at once."""


def read_seg(dataset: Dataset, plane: Plane) -> Iterator[Brought]:
    """Every area of every segment; `plane` is of a level of the slide.

    Errors: UnsupportedDicom, and ValueError and its like of the library where it is malformed.
    """
    if "TotalPixelMatrixColumns" not in dataset:
        raise UnsupportedDicom("a segmentation that is not of a slide")
    said = said_of(dataset)
    turn = _turn(dataset, plane)
    left, top, right, bottom = _box(dataset)
    corner = np.array([left, top], float)
    if (right - left) * (bottom - top) > MOST:
        raise UnsupportedDicom("a mask too fine to be outlined")
    opened = Segmentation.from_dataset(dataset, copy=False)
    for number in opened.segment_numbers:
        described = opened.get_segment_description(number)
        mask = _mask(opened, number, (left, top, right, bottom))
        for place, part in enumerate(areas(mask)):
            rings = (turn(np.array(ring) + corner).tolist() for ring in part)
            parts = (tuple(tuple([(x, y) for x, y in ring]) for ring in rings),)
            yield _area(described, Geometry(Kind.POLYGON, parts), said, f"{number}/{place}")


def _mask(opened: Segmentation, number: int, box: tuple[int, int, int, int]) -> Mask:
    left, top, right, bottom = box
    found = opened.get_total_pixel_matrix(
        row_start=top, row_end=bottom, column_start=left, column_end=right,
        segment_numbers=[number], as_indices=True, rescale_fractional=True,
    )[..., 0]  # fmt: skip
    if opened.segmentation_type is SegmentationTypeValues.FRACTIONAL:
        return np.asarray(found >= 0.5)
    return np.asarray(found > 0)


def _box(dataset: Dataset) -> tuple[int, int, int, int]:
    """Around all frames: left, top, right, bottom in the mask's pixels."""
    columns, rows = int(dataset.TotalPixelMatrixColumns), int(dataset.TotalPixelMatrixRows)
    corners = list[tuple[int, int]]()
    for frame in dataset.get("PerFrameFunctionalGroupsSequence", []):
        for at in frame.get("PlanePositionSlideSequence", []):
            x, y = at.ColumnPositionInTotalImagePixelMatrix, at.RowPositionInTotalImagePixelMatrix
            corners.append((int(x) - 1, int(y) - 1))
    if not corners:
        return 0, 0, columns, rows
    xs, ys = zip(*corners, strict=True)
    right = min(max(xs) + int(dataset.Columns), columns)
    bottom = min(max(ys) + int(dataset.Rows), rows)
    return max(min(xs), 0), max(min(ys), 0), right, bottom


def _turn(dataset: Dataset, plane: Plane) -> Callable[[Places], Places]:
    """From the mask's pixels to level 0.

    A mask over the whole slide has a level's pixels, and they are scaled exactly; one that begins
    or ends elsewhere lies where it says on the glass.
    """
    columns, rows = int(dataset.TotalPixelMatrixColumns), int(dataset.TotalPixelMatrixRows)
    as_level = Plane(dataset, plane.size)
    by_itself = Plane(dataset, Size(columns, rows))
    corners = np.array([[0.0, 0.0], [columns, rows]])
    try:
        there = plane.from_glass(by_itself.to_glass(corners))
    except UnsupportedDicom:
        return as_level.from_level
    if np.abs(there - as_level.from_level(corners)).max() < 1.5 * as_level.scale.max():
        return as_level.from_level
    return lambda places: plane.from_glass(by_itself.to_glass(places))


def _area(described: Any, geometry: Geometry, said: Said, place: str) -> Brought:  # noqa: ANN401
    kind = described.SegmentedPropertyTypeCodeSequence[0]
    ours = own.words_of(described) or {}
    unnamed = kind == NO_LABEL
    content = Content(
        geometry,
        label=str(ours.get("label", "" if unnamed else meaning_of(kind))),
        colour=str(ours.get("colour", colour_of(described.get("RecommendedDisplayCIELabValue")))),
        group=str(described.get("SegmentLabel", "") or ""),
    )
    identity = uuid.uuid5(_NAMESPACE, f"{said.sop_uid}/{place}").hex
    made = Annotation(identity, content, said.author, said.at, _origin(described, said))
    return Brought(made, whole=False)


def _origin(described: Any, said: Said) -> Origin:  # noqa: ANN401
    if str(described.get("SegmentAlgorithmType", "")) == "MANUAL":
        return Origin(OriginKind.IMPORT, said.maker)
    for item in described.get("SegmentationAlgorithmIdentificationSequence", []):
        name, version = item.get("AlgorithmName", ""), item.get("AlgorithmVersion", "")
        return Origin(OriginKind.ALGORITHM, str(name or ""), str(version or ""))
    name = str(described.get("SegmentAlgorithmName", "") or said.maker)
    return Origin(OriginKind.ALGORITHM, name)


_NAMESPACE: Final = uuid.UUID("c1f0f6f4-9b0c-4c43-8f4e-52f4bb1d0a6e")
