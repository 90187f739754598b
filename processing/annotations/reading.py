"""Annotations out of any DICOM object that holds such, and which images it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from pydicom.dataset import Dataset

from processing.annotations.ann_reading import read_ann
from processing.annotations.plane import Plane
from processing.annotations.seg_reading import read_seg
from processing.annotations.sr_reading import read_sr
from storage.errors import Damaged, SlideError, UnsupportedDicom
from storage.records.annotation import Brought

READERS: Final[dict[str, Callable[[Dataset, Plane], Iterator[Brought]]]] = {
    "1.2.840.10008.5.1.4.1.1.91.1": read_ann,
    "1.2.840.10008.5.1.4.1.1.88.22": read_sr,
    "1.2.840.10008.5.1.4.1.1.88.33": read_sr,
    "1.2.840.10008.5.1.4.1.1.88.34": read_sr,
    "1.2.840.10008.5.1.4.1.1.66.4": read_seg,
    "1.2.840.10008.5.1.4.1.1.66.7": read_seg,
}
"""By SOP class: bulk annotations; three kinds of structured report; two of segmentation."""
_STUMBLES: Final = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError,
    AssertionError,
)  # fmt: skip


class Reference(NamedTuple):
    """An image that an object is about."""

    series_uid: str
    sop_uid: str


def may_hold_annotations(sop_class: str) -> bool:
    """Whether `read` knows that kind of object."""
    return sop_class in READERS


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


def read(dataset: Dataset, plane: Plane) -> Iterator[Brought]:
    """Every annotation of an object; `plane` is of the image it refers to, of any level.

    Errors: UnsupportedDicom for what is not understood, Damaged for what makes no sense.
    """
    reader = READERS.get(str(dataset.get("SOPClassUID", "")))
    if reader is None:
        raise UnsupportedDicom("no object that holds annotations")
    try:
        yield from reader(dataset, plane)
    except SlideError:
        raise
    except _STUMBLES as error:
        raise Damaged(f"the object makes no sense ({type(error).__name__})") from error
