"""Annotations: what somebody drew on a slide, what a file brought, what an algorithm stated.

Frame: level-0 pixels of the slide as floats, (0, 0) at the top left corner of the first pixel.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

Point = tuple[float, float]
Ring = tuple[Point, ...]
"""Open: its last point is not its first again."""
Part = tuple[Ring, ...]
"""Of a polygon the outer ring and then its holes; of anything else one ring."""


class Kind(StrEnum):
    """What shape an annotation has."""

    POINT = "point"
    MULTIPOINT = "multipoint"
    POLYLINE = "polyline"
    RECTANGLE = "rectangle"
    """Four corners in turn, upright or not."""
    POLYGON = "polygon"
    ELLIPSE = "ellipse"
    """Ends of its longer axis, then of the shorter one."""
    TEXT = "text"
    """A point with words beside it."""


class OriginKind(StrEnum):
    """Who or what an annotation is from; what an algorithm states is kept apart from people's."""

    PERSON = "person"
    IMPORT = "import"
    ALGORITHM = "algorithm"


@dataclass(frozen=True, slots=True)
class Origin:
    """From whom or what, by name and version where it is not a person here."""

    kind: OriginKind = OriginKind.PERSON
    name: str = ""
    """Of the file or system it came by, or of the algorithm."""
    version: str = ""


BY_HAND = Origin()


@dataclass(frozen=True, slots=True)
class Geometry:
    """A shape; several parts only where it is a polygon or a polyline of more than one piece."""

    kind: Kind
    parts: tuple[Part, ...]

    @property
    def outlines(self) -> Iterator[Ring]:
        """Every ring of every part."""
        return (ring for part in self.parts for ring in part)

    @property
    def points(self) -> Iterator[Point]:
        """Every point, ring by ring."""
        return (point for ring in self.outlines for point in ring)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        xs, ys = zip(*self.points, strict=True)
        return min(xs), min(ys), max(xs), max(ys)


@dataclass(frozen=True, slots=True)
class Measurement:
    """A number that goes with an annotation; the unit is UCUM's (`um`, `mm2`), empty for none."""

    name: str
    value: float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """What may be changed of an annotation."""

    geometry: Geometry
    label: str = ""
    """Its class."""
    colour: str = ""
    """RRGGBB in capitals; empty leaves it to the screen."""
    text: str = ""
    measurements: tuple[Measurement, ...] = ()
    group: str = ""
    locked: bool = False
    foreign: str = ""
    """JSON of what a file said beside: kept, and given back in the same dialect."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotation as it is now; its history is its events."""

    annotation_id: str
    """32 hexadecimal digits, of which its UID is made too."""
    content: Content
    author: str
    """Who drew it: a person here, or whom a file names."""
    drawn_at: datetime
    origin: Origin = BY_HAND
    version: int = 1
    """Grows by one with each change; a change is made to the version somebody has seen."""
    changed_by: str = ""
    changed_at: datetime | None = None
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Brought:
    """An annotation out of a file or a DICOM object."""

    annotation: Annotation
    whole: bool
    """It says all that we say of one; else what it cannot say is kept where it is known."""


def new_id() -> str:
    """Of an annotation, or of a group of them."""
    return uuid.uuid4().hex


def uid_of(annotation_id: str) -> str:
    """The DICOM UID an annotation is tracked by (PS3.5 B.2)."""
    return f"2.25.{int(annotation_id, 16)}"


def id_of_uid(uid: str) -> str | None:
    """The id behind such a UID; None for a UID of another make."""
    root, dot, number = uid.rpartition(".")
    if root != "2.25" or not dot or not (number.isascii() and number.isdigit()):
        return None
    value = int(number) if len(number) <= _UUID_DIGITS else 1 << 128
    return f"{value:032x}" if value < 1 << 128 and str(value) == number else None


def open_ring(points: Ring) -> Ring:
    """Without the first point again at the end."""
    end = len(points)
    while end > 1 and points[end - 1] == points[0]:
        end -= 1
    return points[:end]


def tidy(geometry: Geometry) -> Geometry:
    """The same shape as it is kept: rings of areas open."""
    if geometry.kind is not Kind.POLYGON:
        return geometry
    parts = tuple(tuple(open_ring(ring) for ring in part) for part in geometry.parts)
    return geometry if parts == geometry.parts else replace(geometry, parts=parts)


FAR = 16_777_216.0
"""Pixels from the corner: beyond any slide, and still exact in single precision."""
_UUID_DIGITS = 39
_LEAST = {
    Kind.POINT: (1, 1), Kind.TEXT: (1, 1), Kind.MULTIPOINT: (1, 0), Kind.POLYLINE: (2, 0),
    Kind.RECTANGLE: (4, 4), Kind.ELLIPSE: (4, 4), Kind.POLYGON: (3, 0),
}  # fmt: skip
"""Points a ring has at least, and exactly where that is not 0."""
_AREAS = (Kind.POLYGON, Kind.RECTANGLE)


def problem(geometry: Geometry) -> str:
    """Why a shape cannot be kept, in a word; empty when it can."""
    least, exactly = _LEAST[geometry.kind]
    if not geometry.parts or not all(geometry.parts):
        return "shape_empty"
    if len(geometry.parts) > 1 and geometry.kind not in (Kind.POLYGON, Kind.POLYLINE):
        return "shape_malformed"
    for part in geometry.parts:
        if len(part) > 1 and geometry.kind is not Kind.POLYGON:
            return "shape_malformed"
        for ring in part:
            if len(ring) < least or (exactly and len(ring) != exactly):
                return "shape_too_few_points"
            if geometry.kind in _AREAS and ring[0] == ring[-1]:
                return "shape_too_few_points"
            if not all(math.isfinite(at) and abs(at) <= FAR for point in ring for at in point):
                return "shape_out_of_bounds"
    return ""


@dataclass(frozen=True, slots=True)
class AnnotationGroup:
    """Many annotations that came at once and are alike: kept, shown and removed together."""

    group_id: str
    kind: Kind
    count: int
    label: str
    colour: str
    group: str
    author: str
    drawn_at: datetime
    origin: Origin
    source: str
    """The file or object it came by."""
    digest: str
    """SHA-256 of its members' ids and places: the same file once more is the same group."""


@dataclass(frozen=True, slots=True)
class BlockPlace:
    """Where neighbours of a group lie: their number, how many, and the box around them."""

    number: int
    count: int
    bounds: tuple[float, float, float, float]
