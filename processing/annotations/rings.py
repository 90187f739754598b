"""Shapes as the rings that DICOM knows: areas with holes as one ring with a slit into each hole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from storage.exchange.geojson_shapes import ellipse_ring
from storage.records.annotation import Geometry, Kind, Part, Ring

POINT: Final = "POINT"
POLYLINE: Final = "POLYLINE"
POLYGON: Final = "POLYGON"
GRAPHICS: Final = {
    Kind.POINT: POINT, Kind.TEXT: POINT, Kind.MULTIPOINT: POINT, Kind.POLYLINE: POLYLINE,
    Kind.RECTANGLE: POLYGON, Kind.POLYGON: POLYGON, Kind.ELLIPSE: POLYGON,
}  # fmt: skip
"""Rectangles and ellipses go out as polygons: not every reader knows the others."""

Places = NDArray[np.float64]


def rings_of(geometry: Geometry) -> list[Places]:
    """The shape in pieces that DICOM can tell: [point, (x, y)] each, open, level-0 pixels."""
    if geometry.kind is Kind.MULTIPOINT:
        return [np.array([point]) for point in geometry.points]
    if geometry.kind is Kind.ELLIPSE:
        return [np.array(ellipse_ring(geometry.parts[0][0]))]
    return [np.array(with_slits(part)) for part in geometry.parts]


def with_slits(part: Part) -> Ring:
    """An area with holes as one ring, whichever rule it is filled by.

    To each hole leads a slit of no width, there and back; the hole is gone round the other way.
    """
    outer, *holes = part
    ring = list(outer)
    for hole in holes:
        inner = hole if (_area(hole) > 0) != (_area(outer) > 0) else hole[::-1]
        at, begin = _nearest(ring, inner)
        way = [*inner[begin:], *inner[: begin + 1]]
        ring[at + 1 : at + 1] = [*way, ring[at]]
    return tuple(ring)


def _nearest(ring: Sequence[tuple[float, float]], hole: Ring) -> tuple[int, int]:
    """Of both rings the points closest to each other."""
    ones, others = np.array(ring), np.array(hole)
    best, found = np.inf, (0, 0)
    for begin, place in enumerate(others):  # one at a time: both may be long
        distances = np.square(ones - place).sum(axis=1)
        at = int(distances.argmin())
        if distances[at] < best:
            best, found = float(distances[at]), (at, begin)
    return found


def _area(ring: Ring) -> float:
    """Twice the area, positive one way round and negative the other."""
    places = np.array(ring)
    x, y = places[:, 0], places[:, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
