"""Annotations as GeoJSON in QuPath's dialect: one feature for one annotation.

What QuPath knows stands where QuPath looks for it; the rest is in `properties.svartid`, so that
nothing is lost on the way back. Sources: RFC 7946; QuPath 0.4 and later, `qupath.lib.io`
(objectType, name, color, classification, measurements, isLocked, metadata.ANNOTATION_DESCRIPTION).
Reading is in `geojson_reading`.
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Any, Final

from storage.exchange.geojson_shapes import geometry_json
from storage.records.annotation import Annotation, Content, Kind, OriginKind

DESCRIPTION: Final = "ANNOTATION_DESCRIPTION"
NO_COLOUR: Final = [255, 200, 0]
"""QuPath reads no class without a colour."""
_NAME: Final = 80
_PLAIN: Final = (Kind.POINT, Kind.MULTIPOINT, Kind.POLYLINE, Kind.POLYGON)
"""Shapes that GeoJSON tells by itself."""


def feature_of(at: Annotation) -> dict[str, Any]:
    """One annotation as a feature; coordinates in level-0 pixels."""
    content = at.content
    foreign = json.loads(content.foreign) if content.foreign else {}
    beside = dict(foreign.get("properties", {}))
    if not content.label:  # what else was said of its class goes with the class
        beside.pop("classification", None)
    rest = foreign.get("feature", {})
    ours = _ours(at) | ({"annotation_id": at.annotation_id} if "id" in rest else {})
    return {
        "type": "Feature",
        "id": str(uuid.UUID(at.annotation_id)),
        "geometry": geometry_json(content.geometry) | foreign.get("geometry", {}),
        **rest,
        "properties": beside | merged(beside, _properties(at)) | {"svartid": ours},
    }


def kind_of(origin: OriginKind) -> str:
    """QuPath's word: what an algorithm states is a detection there."""
    return "detection" if origin is OriginKind.ALGORITHM else "annotation"


def name_of(text: str) -> str:
    """What a list shows of a text: its first line."""
    return text.strip().partition("\n")[0][:_NAME]


def rgb(colour: str) -> list[int]:
    """RRGGBB as numbers from 0 to 255."""
    return list(bytes.fromhex(colour))


def merged(beside: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    """Ours over what else there is, one level deep; but a foreign name and kind stay."""
    made = dict(ours)
    for key, value in ours.items():
        if isinstance(value, dict) and isinstance(beside.get(key), dict):
            made[key] = beside[key] | value
    return made | {key: beside[key] for key in ("objectType", "name") if key in beside}


def _properties(at: Annotation) -> dict[str, Any]:
    content = at.content
    said: dict[str, Any] = {"objectType": kind_of(at.origin.kind)}
    if content.text:
        said["name"] = name_of(content.text)
        said["metadata"] = {DESCRIPTION: content.text}
    colour = rgb(content.colour) if content.colour else None
    if colour:
        said["color"] = colour
    if content.label:
        said["classification"] = {"name": content.label, "color": colour or NO_COLOUR}
    if content.locked:
        said["isLocked"] = True
    if content.measurements:
        said["measurements"] = {measured.name: measured.value for measured in content.measurements}
    return said


def _ours(at: Annotation) -> dict[str, Any]:
    """What no other dialect has a place for; what says nothing is left out."""
    changed = at.changed_at.isoformat() if at.changed_at else ""
    said: dict[str, Any] = {
        "author": at.author,
        "drawn_at": at.drawn_at.isoformat(),
        "origin": at.origin.kind.value,
        "origin_name": at.origin.name,
        "origin_version": at.origin.version,
        "version": at.version,
        "changed_by": at.changed_by,
        "changed_at": changed,
        "removed": at.removed,
        "group": at.content.group,
        "colour": at.content.colour,
        "units": {m.name: m.unit for m in at.content.measurements if m.unit},
        **_shape(at.content),
    }
    return {key: value for key, value in said.items() if value or key == "colour"}


def _shape(content: Content) -> dict[str, Any]:
    kind = content.geometry.kind
    if kind in _PLAIN:
        return {}
    if kind is Kind.ELLIPSE:
        return {"kind": kind.value, "ends": [list(point) for point in content.geometry.points]}
    return {"kind": kind.value}


def moment(text: Any) -> datetime | None:  # noqa: ANN401 - whatever JSON holds
    """A time with its zone; None when it is none."""
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo is not None else None
