"""Annotations out of Microscopy Bulk Simple Annotations, ours or anybody's."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
from highdicom.ann import AnnotationGroup as Group
from highdicom.ann import MicroscopyBulkSimpleAnnotations
from pydicom.dataset import Dataset

from processing.annotations import own
from processing.annotations.ann_writing import graphic_of, label_of
from processing.annotations.coded import colour_of, lab_of, meaning_of, short, unit_of
from processing.annotations.plane import Places, Plane
from processing.annotations.rings import GRAPHICS
from processing.annotations.said import Said, said_of
from storage.annotations_codec import Array, Block, decode
from storage.annotations_gathering import annotations_in
from storage.errors import StoreDamaged, SvartidError, UnsupportedDicom
from storage.exchange.plain import from_plain
from storage.records.annotation import (
    Annotation,
    AnnotationGroup,
    Brought,
    Content,
    Geometry,
    Kind,
    Measurement,
    Origin,
    OriginKind,
    id_of_uid,
    problem,
    tidy,
)

_KINDS: Final = {
    "POINT": Kind.POINT, "POLYLINE": Kind.POLYLINE, "POLYGON": Kind.POLYGON,
    "RECTANGLE": Kind.RECTANGLE, "ELLIPSE": Kind.ELLIPSE,
}  # fmt: skip
_NAMESPACE: Final = uuid.UUID("8a0a7a4e-6a1e-4a6b-8d37-0f6f3f1d2c11")


def read_ann(dataset: Dataset, plane: Plane) -> Iterator[Brought]:
    """Every annotation of an object; `plane` is of the image it refers to.

    Errors: UnsupportedDicom, and ValueError and its like of the library where it is malformed.
    """
    flat = dataset.AnnotationCoordinateType == "2D"
    if flat and dataset.get("PixelOriginInterpretation", "VOLUME") != "VOLUME":
        raise UnsupportedDicom("annotations counted from the corner of a frame")
    said = said_of(dataset)
    opened = MicroscopyBulkSimpleAnnotations.from_dataset(dataset, copy=False)
    for group in opened.AnnotationGroupSequence:
        pieces = group.get_graphic_data("2D" if flat else "3D")
        turn = plane.from_level if flat else plane.from_glass
        # In one go: a group may have a hundred thousand.
        places = turn(np.concatenate(pieces).astype(np.float64)) if pieces else np.empty((0, 2))
        lengths = np.array([len(piece) for piece in pieces])
        ours = _ours(group, places, lengths)
        if ours is not None:
            yield from (Brought(at, whole=True) for at in ours)
        else:
            yield from _theirs(group, places, lengths, said)


def _ours(group: Group, places: Places, lengths: Array) -> Iterator[Annotation] | None:
    """What we wrote, as long as the standard's part of it is as we wrote it; else None."""
    words = own.words_of(group)
    if words is None:
        return None
    try:
        if "annotation" not in words:
            known, block = _members(group, words, places, lengths)
            return annotations_in(known, block)
        at = from_plain(Annotation, words["annotation"])
        same = graphic_of(at)[0] == group.GraphicType and _same([at], places, lengths)
    except (SvartidError, KeyError, TypeError, ValueError):
        return None
    wrong = problem(at.content.geometry) or not _says(group, at.content)
    return iter([at]) if same and not wrong else None


def _members(
    group: Group, words: dict[str, Any], places: Places, lengths: Array
) -> tuple[AnnotationGroup, Block]:
    """Of a group that came at once. Errors: StoreDamaged when it is not what it was."""
    known = from_plain(AnnotationGroup, words["group"])
    block = decode(own.columns_of(group))
    if words["direct"]:
        same = np.array_equal(block.lengths, lengths)
        block = replace(block, points=places)
    else:
        same = _same(annotations_in(known, block), places, lengths)
    if not same or _label(group) != label_of(known) or group.GraphicType != GRAPHICS[known.kind]:
        raise StoreDamaged("the group is not what it was")
    return known, block


def _same(found: Iterable[Annotation], places: Places, lengths: Array) -> bool:
    """Whether these pieces are what the annotations go out as."""
    number = end = 0
    for at in found:
        for piece in graphic_of(at)[1]:
            begin, end = end, end + len(piece)
            if number >= len(lengths) or lengths[number] != len(piece):
                return False
            if not np.array_equal(places[begin:end], piece):
                return False
            number += 1
    return number == len(lengths)


def _says(group: Group, content: Content) -> bool:
    """Whether label and colour are those that were written."""
    label = short(content.label or content.geometry.kind.value)
    lab = lab_of(content.colour)
    colour = list(group.get("RecommendedDisplayCIELabValue") or [])
    return _label(group) == label and colour == (list(lab.value) if lab else [])


def _theirs(group: Group, places: Places, lengths: Array, said: Said) -> Iterator[Brought]:
    kind = _KINDS[group.GraphicType]
    names, values, units = group.get_measurements()
    measured = [(meaning_of(name), unit_of(unit)) for name, unit in zip(names, units, strict=True)]
    columns, end = values.tolist(), 0
    content = _content(group)
    origin = _origin(group, said)
    lone = id_of_uid(str(group.get("AnnotationGroupUID", ""))) if len(lengths) == 1 else None
    for number, length in enumerate(lengths.tolist()):
        begin, end = end, end + length
        ring = tuple([(x, y) for x, y in places[begin:end].tolist()])
        geometry = tidy(Geometry(kind, ((ring,),)))
        if problem(geometry):
            continue
        identity = f"{said.sop_uid}/{group.AnnotationGroupNumber}/{number}"
        found = dict[str, Measurement]()
        for (name, unit), value in zip(measured, columns[number], strict=True):
            if name and np.isfinite(value):
                found[name] = Measurement(name, value, unit)
        made = replace(content, geometry=geometry, measurements=tuple(found.values()))
        key = lone or uuid.uuid5(_NAMESPACE, identity).hex
        yield Brought(Annotation(key, made, said.author, said.at, origin), whole=False)


def _content(group: Group) -> Content:
    """What the group says of all its members."""
    label = meaning_of(group.AnnotationPropertyTypeCodeSequence[0])
    described = str(group.get("AnnotationGroupDescription", "") or "")
    alone = int(group.NumberOfAnnotations) == 1
    category = meaning_of(group.AnnotationPropertyCategoryCodeSequence[0])
    beside = {"category": category} | ({} if alone else {"description": described})
    return Content(
        Geometry(Kind.POINT, ()),
        label=label,
        colour=_colour(group),
        text=described if alone else "",
        group=_label(group),
        foreign=json.dumps({"ann": {key: said for key, said in beside.items() if said}}),
    )


def _origin(group: Group, said: Said) -> Origin:
    """An algorithm by name and version, or the system it came from."""
    if str(group.AnnotationGroupGenerationType) == "MANUAL":
        return Origin(OriginKind.IMPORT, said.maker)
    for item in group.get("AnnotationGroupAlgorithmIdentificationSequence", []):
        name, version = item.get("AlgorithmName", ""), item.get("AlgorithmVersion", "")
        return Origin(OriginKind.ALGORITHM, str(name or ""), str(version or ""))
    return Origin(OriginKind.ALGORITHM, said.maker)


def _label(group: Group) -> str:
    return str(group.get("AnnotationGroupLabel", "") or "")


def _colour(group: Group) -> str:
    return colour_of(group.get("RecommendedDisplayCIELabValue"))
