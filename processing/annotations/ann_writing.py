"""Microscopy Bulk Simple Annotations (PS3.3 A.87, C.37): one author's annotations in one object.

Coordinates are pixels of the level-0 total pixel matrix, in double precision. Each annotation drawn
by a person is a group of its own, tracked by its UID; many that came at once stay one group.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from highdicom import AlgorithmIdentificationSequence
from highdicom.ann import AnnotationGroup as Group
from highdicom.ann import Measurements, MicroscopyBulkSimpleAnnotations
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian

from processing.annotations import own
from processing.annotations.coded import (
    CATEGORY,
    NO_LABEL,
    concept,
    lab_of,
    short,
    unit_concept,
)
from processing.annotations.rings import GRAPHICS, Places, rings_of
from processing.annotations.sheet import Numbers, common, finish
from processing.dicom.names import to_person_name
from storage.annotations_codec import Array, Block, encode, joined, starts
from storage.annotations_gathering import annotations_in
from storage.annotations_sheet import Sheet
from storage.errors import Refused
from storage.exchange.plain import to_plain
from storage.records.annotation import Annotation, AnnotationGroup, Kind, Origin, OriginKind, uid_of

_MOST_GROUPS: Final = 65_535
_DIRECT: Final = (Kind.POINT, Kind.TEXT, Kind.POLYLINE, Kind.POLYGON, Kind.RECTANGLE)
"""Shapes whose one ring goes out as it is."""


def write_ann(header: Dataset, sheet: Sheet, numbers: Numbers) -> Dataset:
    """The object; `header` is of the level-0 instance, whose patient and study it belongs to.

    Errors: Refused when there are more groups than an object may have.
    """
    if len(sheet.single) + len(sheet.groups) > _MOST_GROUPS:
        raise Refused("more annotations than one object may have groups")
    origin = sheet.creator.origin
    groups = [_single(number, at) for number, at in enumerate(sheet.single, 1)]
    for number, (group, blocks) in enumerate(sheet.groups, len(groups) + 1):
        groups.append(_many(number, group, joined(blocks())))
    made = MicroscopyBulkSimpleAnnotations(
        source_images=[header],
        annotation_coordinate_type="2D",
        annotation_groups=groups,
        content_label="ANNOTATIONS",
        content_description=short(origin.name) if origin.name else None,
        content_creator_name=to_person_name(sheet.creator.shown),
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **common(numbers),
    )
    return finish(made, sheet, "Annotations")


def graphic_of(at: Annotation) -> tuple[str, list[Places]]:
    """The graphic type and the pieces that stand for a shape."""
    geometry = at.content.geometry
    return GRAPHICS[geometry.kind], rings_of(geometry)


def label_of(group: AnnotationGroup) -> str:
    """What the group is called in the object."""
    return short(group.label or group.group or group.kind.value)


def is_direct(group: AnnotationGroup, block: Block) -> bool:
    """Whether each member's one ring is what goes out."""
    plain = bool((block.parts == 1).all() and (block.rings == 1).all())
    return plain and group.kind in _DIRECT


def _single(number: int, drawn: Annotation) -> Group:
    content = drawn.content
    graphic, pieces = graphic_of(drawn)
    made = Group(
        number=number,
        uid=uid_of(drawn.annotation_id),
        label=short(content.label or content.geometry.kind.value),
        annotated_property_category=CATEGORY,
        annotated_property_type=concept(content.label) if content.label else NO_LABEL,
        graphic_type=graphic,
        graphic_data=pieces,
        measurements=[
            Measurements(
                concept(m.name), _fitting(np.full(len(pieces), m.value)), unit_concept(m.unit)
            )
            for m in content.measurements
        ]
        or None,
        description=_written(content.text) or None,
        display_color=lab_of(content.colour),
        **_made_by(drawn.origin),
    )
    own.put(made, {"annotation": to_plain(drawn)})
    return made


def _many(number: int, group: AnnotationGroup, block: Block) -> Group:
    direct = is_direct(group, block)
    if direct:
        pieces, owners = np.split(block.points, starts(block.lengths)[1:]), None
    else:
        each = [rings_of(at.content.geometry) for at in annotations_in(group, block)]
        pieces = [piece for some in each for piece in some]
        owners = np.repeat(np.arange(block.count), [len(some) for some in each])
    made = Group(
        number=number,
        uid=uid_of(group.group_id),
        label=label_of(group),
        annotated_property_category=CATEGORY,
        annotated_property_type=concept(group.label) if group.label else NO_LABEL,
        graphic_type=GRAPHICS[group.kind],
        graphic_data=pieces,
        measurements=[
            Measurements(
                concept(name),
                _fitting(values if owners is None else values[owners]),
                unit_concept(block.units.get(name, "")),
            )
            for name, values in block.measured.items()
        ]
        or None,
        description=_written(group.source) or None,
        display_color=lab_of(group.colour),
        **_made_by(group.origin),
    )
    kept = block.without_points() if direct else block
    own.put(made, {"group": to_plain(group), "direct": direct}, encode(kept))
    return made


def _fitting(values: Array) -> Array:
    """What single precision cannot hold stands as not measured."""
    return np.where(np.abs(values) <= np.finfo(np.float32).max, values, np.nan)


def _made_by(origin: Origin) -> dict[str, Any]:
    if origin.kind is not OriginKind.ALGORITHM:
        return {"algorithm_type": "MANUAL"}
    identified = AlgorithmIdentificationSequence(
        name=short(origin.name) if origin.name else "unknown",
        family=codes.cid7162.ArtificialIntelligence,
        version=short(origin.version) if origin.version else "unknown",
    )
    return {"algorithm_type": "AUTOMATIC", "algorithm_identification": identified}


def _written(text: str) -> str:
    """Free text as DICOM takes it: no control characters but line ends."""
    return "".join(at for at in text if at.isprintable() or at in "\r\n\f").rstrip()
