"""Shapes as GeoJSON geometries, in level-0 pixels, and back. Rings of polygons are closed there.

An ellipse is a polygon in GeoJSON; QuPath marks those that stand for one (`isEllipse`) and takes
the box around them.
"""

from __future__ import annotations

import math
from typing import Any, Final

from storage.errors import Malformed
from storage.records.annotation import Geometry, Kind, Part, Point, Ring, problem, tidy

STEPS: Final = 64
"""Corners of the polygon that stands for an ellipse."""
_POINTS: Final = {"Point": Kind.POINT, "MultiPoint": Kind.MULTIPOINT}
_LINES: Final = ("LineString", "MultiLineString")
_AREAS: Final = ("Polygon", "MultiPolygon")


def geometry_json(geometry: Geometry) -> dict[str, Any]:
    """A shape as a GeoJSON geometry."""
    first = geometry.parts[0][0]
    match geometry.kind:
        case Kind.POINT | Kind.TEXT:
            return {"type": "Point", "coordinates": list(first[0])}
        case Kind.MULTIPOINT:
            return {"type": "MultiPoint", "coordinates": _places(first)}
        case Kind.ELLIPSE:
            made = {"type": "Polygon", "coordinates": [_closed(ellipse_ring(first))]}
            return made | ({"isEllipse": True} if _is_upright(first) else {})
        case Kind.POLYLINE:
            return _of_parts("LineString", [_places(part[0]) for part in geometry.parts])
        case Kind.POLYGON | Kind.RECTANGLE:
            return _of_parts(
                "Polygon", [[_closed(ring) for ring in part] for part in geometry.parts]
            )


def geometry_from_json(said: Any) -> Geometry:  # noqa: ANN401 - whatever JSON holds
    """The shape of a GeoJSON geometry. Errors: Malformed (why, in a word)."""
    try:
        geometry = tidy(_read(said))
    except (TypeError, ValueError, KeyError, IndexError, RecursionError, OverflowError) as error:
        raise Malformed("shape_malformed") from error
    wrong = problem(geometry)
    if wrong:
        raise Malformed(wrong)
    return geometry


def ellipse_ring(ends: Ring) -> Ring:
    """Corners on an ellipse, given by the ends of its two axes."""
    (x1, y1), (x2, y2), (x3, y3), (x4, y4) = ends
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    major, minor = ((x2 - x1) / 2, (y2 - y1) / 2), ((x4 - x3) / 2, (y4 - y3) / 2)
    ring = []
    for step in range(STEPS):
        cos, sin = math.cos(step * math.tau / STEPS), math.sin(step * math.tau / STEPS)
        ring.append((x + cos * major[0] + sin * minor[0], y + cos * major[1] + sin * minor[1]))
    return tuple(ring)


def ellipse_in(left: float, top: float, right: float, bottom: float) -> Ring:
    """The ends of the axes of the upright ellipse in a box, those of the longer one first."""
    x, y = (left + right) / 2, (top + bottom) / 2
    across: Ring = ((left, y), (right, y))
    down: Ring = ((x, top), (x, bottom))
    return across + down if right - left >= bottom - top else down + across


def _read(said: Any) -> Geometry:  # noqa: ANN401
    kind, places = said["type"], said["coordinates"]
    if kind in _POINTS:
        ring = (_point(places),) if kind == "Point" else _ring(places)
        return Geometry(_POINTS[kind], ((ring,),))
    if kind in _LINES:
        lines = [places] if kind == "LineString" else places
        return Geometry(Kind.POLYLINE, tuple((_ring(line),) for line in lines))
    if kind not in _AREAS:
        raise Malformed("shape_unknown")
    areas = [places] if kind == "Polygon" else places
    parts: tuple[Part, ...] = tuple(tuple(_ring(ring) for ring in area) for area in areas)
    geometry = Geometry(Kind.POLYGON, parts)
    if said.get("isEllipse") is True:
        return Geometry(Kind.ELLIPSE, ((ellipse_in(*geometry.bounds),),))
    return geometry


def _ring(places: Any) -> Ring:  # noqa: ANN401
    return tuple([_point(at) for at in places])


def _point(place: Any) -> Point:  # noqa: ANN401
    x, y = place[0], place[1]
    if type(x) not in (int, float) or type(y) not in (int, float):
        raise TypeError("numbers are expected")
    return float(x), float(y)


def _places(ring: Ring) -> list[list[float]]:
    return [[x, y] for x, y in ring]


def _closed(ring: Ring) -> list[list[float]]:
    return _places((*ring, ring[0]))


def _of_parts(kind: str, parts: list[Any]) -> dict[str, Any]:
    if len(parts) == 1:
        return {"type": kind, "coordinates": parts[0]}
    return {"type": f"Multi{kind}", "coordinates": parts}


def _is_upright(ends: Ring) -> bool:
    """Whether the box around it says all about it."""
    (x1, y1), (x2, y2), (x3, y3), (x4, y4) = ends
    return (y1 == y2 and x3 == x4) or (x1 == x2 and y3 == y4)
