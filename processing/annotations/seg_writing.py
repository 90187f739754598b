"""Segmentations (PS3.3 A.51): the areas of one author as masks, a segment for each label.

Masks are made at one level of the slide, the finest that fits into memory unless one is named; the
object refers to that level. Points and lines have no area and are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from highdicom import AlgorithmIdentificationSequence
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentDescription
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian

from processing.annotations import own
from processing.annotations.coded import CATEGORY, NO_LABEL, concept, lab_of, short
from processing.annotations.plane import Plane
from processing.annotations.raster import Mask, fill
from processing.annotations.sheet import Numbers, common, finish
from processing.dicom.names import to_person_name
from storage.annotations_gathering import annotations_in
from storage.annotations_sheet import Sheet
from storage.errors import Illegal
from storage.exchange.geojson_shapes import ellipse_ring
from storage.records.annotation import Annotation, Geometry, Kind, OriginKind

MOST_SEGMENTS: Final = 100
MOST_PIXELS: Final = 2**26
"""Of all segments together."""
_TILE: Final = 512
_AREAS: Final = (Kind.POLYGON, Kind.RECTANGLE, Kind.ELLIPSE)


def write_seg(planes: Sequence[Plane], sheet: Sheet, numbers: Numbers) -> Dataset:
    """The object; `planes` are those of the levels, the finest first: the first that fits is taken.

    Errors: Illegal (`no_areas`, `too_many_for_masks`).
    """
    labels = dict.fromkeys(at.content.label for at in _areas(sheet))
    if not labels:
        raise Illegal("no_areas")
    fitting = [at for at in planes if pixels_of(at) * len(labels) <= MOST_PIXELS]
    if not fitting or len(labels) > MOST_SEGMENTS:
        raise Illegal("too_many_for_masks")
    plane, names = fitting[0], list(labels)
    masks, colours = _masks(sheet, plane, names)
    shown = [number for number in range(len(names)) if masks[..., number].any()]
    if not shown:
        raise Illegal("no_areas")
    made = Segmentation(
        source_images=[plane.header],
        pixel_array=masks[None, ..., shown],
        segmentation_type="BINARY",
        segment_descriptions=[
            _segment(place, names[number], colours[number], sheet)
            for place, number in enumerate(shown, 1)
        ],
        tile_pixel_array=True,
        tile_size=(_TILE, _TILE),
        content_label="ANNOTATIONS",
        content_creator_name=to_person_name(sheet.creator.shown),
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **common(numbers),
    )
    made.PatientOrientation = ""
    return finish(made, sheet, "Annotations as masks")


def pixels_of(plane: Plane) -> int:
    """Pixels of the whole of a level."""
    return int(plane.header.TotalPixelMatrixColumns) * int(plane.header.TotalPixelMatrixRows)


def paint(mask: Mask, geometry: Geometry, plane: Plane) -> None:
    """Set the pixels of an area, at the plane's level."""
    parts = geometry.parts
    if geometry.kind is Kind.ELLIPSE:
        parts = ((ellipse_ring(parts[0][0]),),)
    for part in parts:
        fill(mask, [plane.to_level(np.array(ring)) for ring in part])


def _masks(sheet: Sheet, plane: Plane, names: list[str]) -> tuple[Mask, list[str]]:
    """[row, column, segment], and the colour that is used first for each."""
    header = plane.header
    shape = int(header.TotalPixelMatrixRows), int(header.TotalPixelMatrixColumns), len(names)
    # Segment by segment in memory, as they are painted; the library wants them last.
    planes = np.zeros((shape[2], shape[0], shape[1]), bool)
    colours = dict[str, str]()
    for at in _areas(sheet):
        content = at.content
        paint(planes[names.index(content.label)], content.geometry, plane)
        colours[content.label] = colours.get(content.label) or content.colour
    return np.moveaxis(planes, 0, -1), [colours[name] for name in names]


def _areas(sheet: Sheet) -> Iterator[Annotation]:
    for at in sheet.single:
        if at.content.geometry.kind in _AREAS:
            yield at
    for group, blocks in sheet.groups:
        if group.kind in _AREAS:
            for block in blocks():
                yield from annotations_in(group, block)


def _segment(number: int, label: str, colour: str, sheet: Sheet) -> SegmentDescription:
    origin = sheet.creator.origin
    stated = origin.kind is OriginKind.ALGORITHM
    kind = SegmentAlgorithmTypeValues.AUTOMATIC if stated else SegmentAlgorithmTypeValues.MANUAL
    identified = AlgorithmIdentificationSequence(
        name=short(origin.name or "unknown"),
        family=codes.cid7162.ArtificialIntelligence,
        version=short(origin.version or "unknown"),
    )
    made = SegmentDescription(
        segment_number=number,
        segment_label=short(label or "Region"),
        segmented_property_category=CATEGORY,
        segmented_property_type=concept(label) if label else NO_LABEL,
        algorithm_type=kind,
        algorithm_identification=identified if stated else None,
        display_color=lab_of(colour),
    )
    own.put(made, {"label": label, "colour": colour})
    return made
