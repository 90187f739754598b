"""A GeoJSON feature as an annotation: QuPath's, our own, or anybody's with a geometry.

What is not understood is kept in `Content.foreign` and given back in the same dialect.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from storage.errors import Malformed
from storage.exchange.geojson import DESCRIPTION, kind_of, moment, name_of
from storage.exchange.geojson_shapes import geometry_from_json, geometry_json
from storage.records.annotation import (
    Annotation,
    Brought,
    Content,
    Geometry,
    Kind,
    Measurement,
    Origin,
    OriginKind,
    problem,
)
from storage.records.annotation_rules import problem_of_words

_STATED: Final = ("detection", "cell", "tile", "PathDetectionObject", "PathCellObject")
"""What an algorithm makes in QuPath, not a person."""
_NAMESPACE: Final = uuid.UUID("5b1f3c52-6d0c-4d8e-9f0b-2a0b8a5d7f11")
_UNDERSTOOD: Final = {"isLocked", "svartid", "color", "measurements"}


@dataclass(frozen=True, slots=True)
class FileSource:
    """What a file says of itself: its name, and when it came."""

    name: str
    at: datetime


def annotation_of(feature: Any, source: FileSource) -> Brought:  # noqa: ANN401 - whatever JSON holds
    """One feature. Errors: Malformed (why, in a word; never what was in it)."""
    if not isinstance(feature, Mapping) or feature.get("type") != "Feature":
        raise Malformed("feature_expected")
    said = _mapping(feature.get("properties"))
    ours = _mapping(said.get("svartid"))
    content = replace(_content(feature, said, ours), foreign=_foreign(feature, said))
    wrong = problem_of_words(content)
    if wrong:
        raise Malformed(wrong)
    made = Annotation(
        annotation_id=_id(feature, ours),
        content=content,
        author=_words(ours.get("author")),
        drawn_at=moment(ours.get("drawn_at")) or source.at,
        origin=_origin(said, ours, source),
        version=_version(ours.get("version")),
        changed_by=_words(ours.get("changed_by")),
        changed_at=moment(ours.get("changed_at")),
        removed=ours.get("removed") is True,
    )
    return Brought(made, bool(ours))


def _content(
    feature: Mapping[str, Any], said: Mapping[str, Any], ours: Mapping[str, Any]
) -> Content:
    label, class_colour = _classification(said.get("classification"))
    own = ours.get("colour")
    colour = _colour(said.get("color")) or class_colour
    # A class without a colour of its own goes out with one that stands for none.
    if own == "" and "color" not in said:
        colour = ""
    metadata = _mapping(said.get("metadata"))
    text = metadata.get(DESCRIPTION)
    return Content(
        geometry=_geometry(feature.get("geometry"), ours),
        label=label,
        colour=colour,
        text=_words(text if isinstance(text, str) else said.get("name")),
        measurements=_measurements(said.get("measurements"), _mapping(ours.get("units"))),
        group=_words(ours.get("group")),
        locked=said.get("isLocked") is True,
    )


def _geometry(said: Any, ours: Mapping[str, Any]) -> Geometry:  # noqa: ANN401
    """What the geometry says, of the kind we say if it is still that shape."""
    kind = ours.get("kind")
    if kind == Kind.ELLIPSE:
        ends = geometry_from_json({"type": "LineString", "coordinates": ours.get("ends")})
        ellipse = Geometry(Kind.ELLIPSE, ends.parts)
        if not problem(ellipse) and geometry_json(ellipse).items() <= _mapping(said).items():
            return ellipse
    found = geometry_from_json(said)
    if kind == Kind.TEXT and found.kind is Kind.POINT:
        return replace(found, kind=Kind.TEXT)
    if kind == Kind.RECTANGLE and found.kind is Kind.POLYGON:
        is_one = len(found.parts) == 1 and len(found.parts[0]) == 1
        if is_one and len(found.parts[0][0]) == 4:
            return replace(found, kind=Kind.RECTANGLE)
    return found


def _id(feature: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """The feature's UUID; else one made of all it says, so that the same stays the same."""
    said = ours.get("annotation_id", feature.get("id"))
    try:
        return uuid.UUID(said).hex if isinstance(said, str) else _made_id(feature)
    except ValueError:
        return _made_id(feature)


def _made_id(feature: Mapping[str, Any]) -> str:
    return uuid.uuid5(_NAMESPACE, json.dumps(feature, sort_keys=True)).hex


def _origin(said: Mapping[str, Any], ours: Mapping[str, Any], source: FileSource) -> Origin:
    kind = _origin_kind(said, ours)
    if "origin" in ours:
        name, version = _words(ours.get("origin_name")), _words(ours.get("origin_version"))
        return Origin(kind, name, version)
    return Origin(kind, source.name)


def _origin_kind(said: Mapping[str, Any], ours: Mapping[str, Any]) -> OriginKind:
    if ours.get("origin") in set(OriginKind):
        return OriginKind(ours["origin"])
    stated = said.get("objectType") in _STATED
    return OriginKind.ALGORITHM if stated else OriginKind.IMPORT


def _classification(said: Any) -> tuple[str, str]:  # noqa: ANN401
    """Name and colour of a class: QuPath's words since 0.4, those before, or a name alone."""
    if isinstance(said, str):
        return said, ""
    found = _mapping(said)
    names = found.get("names")
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        label = ": ".join(names)
    else:
        label = _words(found.get("name"))
    return label, _colour(found.get("color", found.get("colorRGB")))


def _colour(said: Any) -> str:  # noqa: ANN401
    """RRGGBB of three numbers (a fourth, opacity, is left), or of one packed as Java does."""
    if type(said) is int:
        return f"{said & 0xFFFFFF:06X}"
    if not isinstance(said, list) or len(said) not in (3, 4):
        return ""
    if any(type(part) is not int or not 0 <= part <= 255 for part in said):
        return ""
    return bytes(said[:3]).hex().upper()


def _measurements(said: Any, units: Mapping[str, Any]) -> tuple[Measurement, ...]:  # noqa: ANN401
    """Named numbers; what is none (QuPath writes NaN for what it could not measure) is left out."""
    if isinstance(said, list):  # before QuPath 0.4
        said = {at["name"]: at.get("value") for at in said if isinstance(at, dict) and "name" in at}
    return tuple(
        Measurement(name, float(value), _words(units.get(name)))
        for name, value in _mapping(said).items()
        if type(value) in (int, float) and math.isfinite(value)
    )


def _foreign(feature: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    """What is not understood, as JSON by name; empty when all is."""
    ours = _mapping(said.get("svartid"))
    beside = {key: said[key] for key in said.keys() - _UNDERSTOOD - set(_PARTLY)}
    for key, left in _PARTLY.items():
        rest = left(said, ours)
        if rest:
            beside[key] = rest
    geometry = _mapping(feature.get("geometry"))
    known = {"type", "coordinates", "isEllipse"}
    kept = {
        "properties": beside,
        "geometry": {key: geometry[key] for key in geometry.keys() - known},
        "feature": _rest_of(feature),
    }
    kept = {key: value for key, value in kept.items() if value}
    return json.dumps(kept, sort_keys=True, ensure_ascii=False) if kept else ""


def _rest_of(feature: Mapping[str, Any]) -> dict[str, Any]:
    known = {"type", "geometry", "properties"}
    rest = {key: feature[key] for key in feature.keys() - known}
    try:
        if isinstance(rest.get("id"), str):
            uuid.UUID(rest["id"])
            del rest["id"]
    except ValueError:
        pass
    return rest


def _foreign_type(said: Mapping[str, Any], ours: Mapping[str, Any]) -> Any:  # noqa: ANN401
    kind = said.get("objectType")
    return None if kind == kind_of(_origin_kind(said, ours)) else kind


def _foreign_name(said: Mapping[str, Any], _: Mapping[str, Any]) -> Any:  # noqa: ANN401
    text, name = _mapping(said.get("metadata")).get(DESCRIPTION), said.get("name")
    if not isinstance(text, str):
        return None if isinstance(name, str) else name
    return None if name == name_of(text) else name


def _foreign_metadata(said: Mapping[str, Any], _: Mapping[str, Any]) -> Any:  # noqa: ANN401
    metadata = said.get("metadata")
    if not isinstance(metadata, dict):
        return metadata
    rest = dict(metadata)
    if isinstance(rest.get(DESCRIPTION), str):
        del rest[DESCRIPTION]
    return rest


def _foreign_class(said: Mapping[str, Any], _: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Of a class what is beside its name and colour."""
    found = _mapping(said.get("classification"))
    return {key: found[key] for key in found.keys() - {"name", "names", "color", "colorRGB"}}


_PARTLY = {
    "objectType": _foreign_type,
    "name": _foreign_name,
    "metadata": _foreign_metadata,
    "classification": _foreign_class,
}


def _mapping(said: Any) -> Mapping[str, Any]:  # noqa: ANN401
    return said if isinstance(said, Mapping) else {}


def _words(said: Any) -> str:  # noqa: ANN401
    return said if isinstance(said, str) else ""


def _version(said: Any) -> int:  # noqa: ANN401
    return said if type(said) is int and said > 0 else 1
