"""Measurement reports (PS3.16 TID 1500): each annotation a planar region with what is said of it.

Regions lie in millimetres on the glass (SCOORD3D), or in pixels of the level-0 image where the size
of a pixel is not known: nothing is measured by a guess.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import numpy as np
from highdicom import sr
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ImplicitVRLittleEndian

from processing.annotations import own
from processing.annotations.coded import CATEGORY, NO_LABEL, concept, short, unit_concept
from processing.annotations.plane import Places, Plane
from processing.annotations.rings import rings_of
from processing.annotations.sheet import MAKER, Numbers, common, finish
from processing.dicom.header import IMPLEMENTATION
from processing.dicom.names import local, to_person_name
from storage.annotations_gathering import annotations_in
from storage.annotations_sheet import Sheet
from storage.errors import Illegal
from storage.exchange.plain import to_plain
from storage.records.annotation import Annotation, Kind, Origin, OriginKind, uid_of

MOST: Final = 2000
"""Regions of a report: more is what bulk annotations are for."""
_FAR: Final = 1e37
"""Numbers beyond this do not fit a decimal string of sixteen characters and single precision."""


def write_sr(plane: Plane, sheet: Sheet, numbers: Numbers) -> Dataset:
    """The report; `plane` is of the level-0 instance, whose patient and study it belongs to.

    Errors: Illegal (`too_many_for_a_report`).
    """
    count = len(sheet.single) + sum(group.count for group, _ in sheet.groups)
    if count > MOST:
        raise Illegal("too_many_for_a_report")
    regions = [part for at in _all(sheet) for part in _regions(at, plane)]
    report = sr.MeasurementReport(
        observation_context=_observed(sheet),
        procedure_reported=codes.SCT.ImagingProcedure,
        imaging_measurements=regions,
    )
    made = sr.Comprehensive3DSR(
        evidence=[plane.header],
        content=report,
        is_complete=True,
        is_final=False,
        **common(numbers),
    )
    # With explicit VR a region could have no more than 5461 corners: lengths are of 16 bits.
    made.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return finish(made, sheet, "Annotations, measured")


def regions_of(at: Annotation, plane: Plane) -> list[tuple[str, Places]]:
    """The graphic type and coordinates of each piece, as they are written (single precision)."""
    geometry = at.content.geometry
    turn = plane.to_glass if plane.is_measured else plane.to_level
    if geometry.kind is Kind.ELLIPSE:
        pieces = [("ELLIPSE", np.array(geometry.parts[0][0]))]
    else:
        pieces = [_piece(geometry.kind, ring, plane) for ring in rings_of(geometry)]
    return [(graphic, turn(ring).astype(np.float32).astype(float)) for graphic, ring in pieces]


def _piece(kind: Kind, ring: Places, plane: Plane) -> tuple[str, Places]:
    if kind in (Kind.POINT, Kind.TEXT, Kind.MULTIPOINT):
        return "POINT", ring
    if kind is Kind.POLYLINE:
        return "POLYLINE", ring
    closed = np.vstack([ring, ring[:1]])
    return "POLYGON" if plane.is_measured else "POLYLINE", closed


def _all(sheet: Sheet) -> Iterator[Annotation]:
    yield from sheet.single
    for group, blocks in sheet.groups:
        for block in blocks():
            yield from annotations_in(group, block)


def _regions(
    at: Annotation, plane: Plane
) -> Iterator[sr.PlanarROIMeasurementsAndQualitativeEvaluations]:
    """A measurement group for each piece, all tracked by the annotation's UID."""
    content = at.content
    pieces = regions_of(at, plane)
    for number, (graphic, places) in enumerate(pieces):
        first = number == 0
        group = sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=sr.TrackingIdentifier(
                uid_of(at.annotation_id), short(content.label or content.geometry.kind.value)
            ),
            referenced_region=_region(graphic, places, plane),
            finding_type=concept(content.label) if content.label else NO_LABEL,
            finding_category=CATEGORY,
            algorithm_id=_algorithm(at.origin),
            measurements=[
                sr.Measurement(concept(m.name), m.value, unit_concept(m.unit))
                for m in content.measurements
                if abs(m.value) < _FAR
            ]
            if first
            else None,
        )
        container = group[0]
        container.ObservationDateTime = _moment(at.changed_at or at.drawn_at)
        if first:
            if content.text.strip():
                container.ContentSequence.append(_comment(content.text))
            own.put(container, {"annotation": to_plain(at), "pieces": len(pieces)})
        yield group


def _region(graphic: str, places: Places, plane: Plane) -> sr.ImageRegion | sr.ImageRegion3D:
    header = plane.header
    if plane.is_measured:
        return sr.ImageRegion3D(graphic, places, header.FrameOfReferenceUID)
    source = sr.SourceImageForRegion(header.SOPClassUID, header.SOPInstanceUID)
    return sr.ImageRegion(graphic, places, source)


def _comment(text: str) -> sr.TextContentItem:
    written = "".join(at for at in text if at.isprintable() or at in "\r\n")
    return sr.TextContentItem(codes.DCM.Comment, written or "-", sr.RelationshipTypeValues.CONTAINS)


def _algorithm(origin: Origin) -> sr.AlgorithmIdentification | None:
    if origin.kind is not OriginKind.ALGORITHM:
        return None
    name, version = short(origin.name or "unknown"), short(origin.version or "unknown")
    return sr.AlgorithmIdentification(name, version)


def _observed(sheet: Sheet) -> sr.ObservationContext:
    """By the person, or by the device that svartid is, for what no person here drew."""
    creator = sheet.creator
    if creator.origin.kind is OriginKind.PERSON:
        person = sr.PersonObserverIdentifyingAttributes(
            to_person_name(creator.shown) or "-", login_name=short(creator.author)
        )
        observer = sr.ObserverContext(codes.DCM.Person, person)
        return sr.ObservationContext(observer_person_context=observer)
    name = short(creator.origin.name or creator.shown or MAKER)
    device = sr.DeviceObserverIdentifyingAttributes(IMPLEMENTATION, name)
    observer = sr.ObserverContext(codes.DCM.Device, device)
    return sr.ObservationContext(observer_device_context=observer)


def _moment(at: datetime) -> str:
    return local(at).strftime("%Y%m%d%H%M%S.%f%z")
