"""Annotations out of measurement reports (TID 1500), ours or anybody's."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
from highdicom import sr
from highdicom.sr.utils import find_content_items
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from processing.annotations import own
from processing.annotations.coded import NO_LABEL, meaning_of, short, unit_of
from processing.annotations.plane import Places, Plane
from processing.annotations.said import Said, said_of
from processing.annotations.sr_writing import regions_of
from processing.dicom.names import from_person_name
from storage.errors import SvartidError, UnsupportedDicom
from storage.exchange.plain import from_plain
from storage.records.annotation import (
    Annotation,
    Brought,
    Content,
    Geometry,
    Kind,
    Measurement,
    Origin,
    OriginKind,
    id_of_uid,
    open_ring,
    problem,
    tidy,
)

_GROUP: Final = Code("125007", "DCM", "Measurement Group")
_CATEGORY: Final = Code("276214006", "SCT", "Finding category")
_KINDS: Final = {
    "POINT": Kind.POINT, "MULTIPOINT": Kind.MULTIPOINT, "POLYLINE": Kind.POLYLINE,
    "POLYGON": Kind.POLYGON, "ELLIPSE": Kind.ELLIPSE,
}  # fmt: skip
_NAMESPACE: Final = uuid.UUID("0dd1b7f0-2c7e-4d0b-9a0b-5b7d2a3c9e55")


def read_sr(dataset: Dataset, plane: Plane) -> Iterator[Brought]:
    """Every annotation of a report; `plane` is of the image it refers to.

    Errors: UnsupportedDicom, and ValueError and its like of the library where it is malformed.
    """
    template = [
        str(at.get("TemplateIdentifier")) for at in dataset.get("ContentTemplateSequence", [])
    ]
    if template != ["1500"]:
        raise UnsupportedDicom("a structured report that is no measurement report")
    report = sr.MeasurementReport.from_sequence([dataset], copy=False)
    said = replace(said_of(dataset), author=_observer(report[0]))
    groups = find_content_items(report[0], name=_GROUP, recursive=True)
    left = 0
    for number, group in enumerate(groups):
        if left:
            left -= 1
            continue
        ours, count = _ours(groups[number:], plane)
        if ours is not None:
            left = count - 1
            yield Brought(ours, whole=True)
        else:
            yield from _theirs(group, number, plane, said)


def _ours(groups: list[Any], plane: Plane) -> tuple[Annotation | None, int]:
    """What we wrote, and over how many groups; None unless those are as we wrote them."""
    words = own.words_of(groups[0])
    if words is None:
        return None, 0
    try:
        at, count = from_plain(Annotation, words["annotation"]), words["pieces"]
        pieces = regions_of(at, plane)
        if count != len(pieces) or problem(at.content.geometry):
            return None, 0
        found = [piece for group in groups[:count] for piece in _pieces(group)]
    except (SvartidError, KeyError, TypeError, ValueError):
        return None, 0
    same = len(found) == count and all(
        graphic == other and np.array_equal(places, theirs)
        for (graphic, places), (other, theirs, _) in zip(pieces, found, strict=True)
    )
    label = _finding(groups[0]) == (short(at.content.label) if at.content.label else "")
    return (at, count) if same and label else (None, 0)


def _theirs(group: Any, number: int, plane: Plane, said: Said) -> Iterator[Brought]:  # noqa: ANN401
    pieces = _pieces(group)
    shapes = list[Geometry]()
    for graphic, places, flat in pieces:
        turned = plane.from_level(places) if flat else plane.from_glass(places)
        ring = tuple([(x, y) for x, y in turned.tolist()])
        kind = _KINDS.get(graphic)
        if kind is None:
            continue
        if kind is Kind.POLYLINE and flat and len(ring) > 3 and ring[0] == ring[-1]:
            kind, ring = Kind.POLYGON, open_ring(ring)  # in two dimensions there is no polygon
        shapes.append(tidy(Geometry(kind, ((ring,),))))
    uid = _text(group, codes.DCM.TrackingUniqueIdentifier)
    lone = id_of_uid(uid) if len(shapes) == 1 else None
    content = _content(group)
    for place, geometry in enumerate(shapes):
        if problem(geometry):
            continue
        key = lone or uuid.uuid5(_NAMESPACE, f"{said.sop_uid}/{uid}/{number}/{place}").hex
        made = replace(content, geometry=geometry)
        yield Brought(
            Annotation(key, made, said.author, said.at, _origin(group, said)), whole=False
        )


def _pieces(group: Any) -> list[tuple[str, Places, bool]]:  # noqa: ANN401 - a content item
    """Graphic type, coordinates, and whether they are of two dimensions, of each region."""
    found = list[tuple[str, Places, bool]]()
    for item in group.get("ContentSequence", []):
        kind = str(item.get("ValueType", ""))
        if kind not in ("SCOORD", "SCOORD3D"):
            continue
        flat = kind == "SCOORD"
        if flat and str(item.get("PixelOriginInterpretation", "VOLUME")) != "VOLUME":
            raise UnsupportedDicom("regions counted from the corner of a frame")
        places = np.array(item.GraphicData, float).reshape(-1, 2 if flat else 3)
        found.append((str(item.GraphicType), places, flat))
    return found


def _content(group: Any) -> Content:  # noqa: ANN401
    measured = dict[str, Measurement]()
    for item in _items(group, "NUM"):
        name = meaning_of(item.ConceptNameCodeSequence[0])
        for value in item.get("MeasuredValueSequence", []):
            number = value.get("FloatingPointValue", value.get("NumericValue"))
            unit = unit_of(value.MeasurementUnitsCodeSequence[0])
            measured[name] = Measurement(name, float(number), unit)
    said = {
        meaning_of(item.ConceptNameCodeSequence[0]): meaning_of(item.ConceptCodeSequence[0])
        for item in _items(group, "CODE")
        if item.name not in (codes.DCM.Finding, _CATEGORY)
    }
    return Content(
        Geometry(Kind.POINT, ()),
        label=_finding(group),
        text=_text(group, codes.DCM.Comment),
        measurements=tuple(measured.values()),
        group=_text(group, codes.DCM.TrackingIdentifier),
        foreign=json.dumps({"sr": said}, sort_keys=True) if said else "",
    )


def _finding(group: Any) -> str:  # noqa: ANN401
    for item in _items(group, "CODE"):
        if item.name == codes.DCM.Finding:
            value = item.ConceptCodeSequence[0]
            is_none = Code(value.get("CodeValue", ""), value.CodingSchemeDesignator, "") == NO_LABEL
            return "" if is_none else meaning_of(value)
    return ""


def _origin(group: Any, said: Said) -> Origin:  # noqa: ANN401
    name = _text(group, codes.DCM.AlgorithmName)
    if name:
        return Origin(OriginKind.ALGORITHM, name, _text(group, codes.DCM.AlgorithmVersion))
    return Origin(OriginKind.IMPORT, said.maker)


def _observer(root: Any) -> str:  # noqa: ANN401
    for item in _items(root, "PNAME"):
        if item.name == codes.DCM.PersonObserverName:
            return from_person_name(item.PersonName)
    return ""


def _text(group: Any, name: Code) -> str:  # noqa: ANN401
    for item in group.get("ContentSequence", []):
        if item.name == name:
            return str(item.get("TextValue") or item.get("UID") or "")
    return ""


def _items(group: Any, kind: str) -> list[Any]:  # noqa: ANN401
    return [at for at in group.get("ContentSequence", []) if str(at.get("ValueType", "")) == kind]
