"""What any object says of itself: who made it, with what, when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from pydicom.dataset import Dataset

from processing.dicom.names import from_person_name, moment_of


@dataclass(frozen=True, slots=True)
class Said:
    """Of an object as a whole."""

    sop_uid: str
    author: str
    maker: str
    at: datetime


def said_of(dataset: Dataset) -> Said:
    """Errors: AttributeError where it is no object at all."""
    creator = dataset.get("ContentCreatorName") or ""
    model = str(dataset.get("ManufacturerModelName", "") or "")
    maker = model or str(dataset.get("Manufacturer", "") or "")
    at = moment_of(dataset.get("ContentDate"), dataset.get("ContentTime"))
    return Said(
        str(dataset.SOPInstanceUID), from_person_name(creator), maker, at or datetime.now(UTC)
    )
