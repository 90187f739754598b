"""Which objects hold annotations, and which images they are about: without reading them."""

from __future__ import annotations

from typing import Final, NamedTuple

from pydicom.dataset import Dataset

BULK: Final = "1.2.840.10008.5.1.4.1.1.91.1"
"""Microscopy Bulk Simple Annotations Storage."""
REPORTS: Final = tuple(f"1.2.840.10008.5.1.4.1.1.88.{last}" for last in (22, 33, 34))
"""Enhanced, Comprehensive and Comprehensive 3D SR Storage."""
MASKS: Final = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""Segmentation and Label Map Segmentation Storage."""
ANNOTATION_CLASSES: Final = (BULK, *REPORTS, *MASKS)


class Reference(NamedTuple):
    """An image that an object is about."""

    series_uid: str
    sop_uid: str


def references(dataset: Dataset) -> list[Reference]:
    """The images an object is about, as it names them; those named first come first."""
    series = list(dataset.get("ReferencedSeriesSequence") or [])
    for study in dataset.get("CurrentRequestedProcedureEvidenceSequence") or []:
        series += study.get("ReferencedSeriesSequence") or []
    found = list[Reference]()
    for at in series:
        images = list(at.get("ReferencedInstanceSequence") or [])
        images += at.get("ReferencedSOPSequence") or []
        for image in images:
            uids = (
                str(at.get("SeriesInstanceUID", "")),
                str(image.get("ReferencedSOPInstanceUID", "")),
            )
            found.append(Reference(*uids))
    return list(dict.fromkeys(found))
