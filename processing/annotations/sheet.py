"""What goes into one object: the annotations of one author, under UIDs that say which state it is.

An object is never changed: with each change to an author's annotations comes a new one, whose UID
ends in the number of the event that made it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from importlib.metadata import version
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.uid import UID

from processing.dicom.header import IMPLEMENTATION
from processing.dicom.names import local
from storage.annotations_sheet import Sheet

MAKER: Final = "svartid"


class Form(IntEnum):
    """The kinds of objects, by their numbers below a slide's `R.9`."""

    ANN = 1
    SR = 2
    SEG = 3


@dataclass(frozen=True, slots=True)
class Numbers:
    """What an object is called."""

    series_uid: str
    sop_uid: str
    series_number: int
    instance_number: int


def numbers_of(sheet: Sheet, root: str, form: Form) -> Numbers:
    """The UIDs of the object that a sheet of a slide with root UID `root` is."""
    series = f"{root}.9.{form.value}"
    sop = f"{series}.{sheet.number}.{sheet.revision}"
    return Numbers(series, sop, 90 + form.value, sheet.number)


def common(numbers: Numbers) -> dict[str, Any]:
    """What highdicom asks of every object."""
    return {
        "series_instance_uid": numbers.series_uid,
        "sop_instance_uid": numbers.sop_uid,
        "series_number": numbers.series_number,
        "instance_number": numbers.instance_number,
        "manufacturer": MAKER,
        "manufacturer_model_name": MAKER,
        "software_versions": version("svartid"),
        "device_serial_number": MAKER,
    }


def finish(made: Dataset, sheet: Sheet, description: str) -> Dataset:
    """The same bytes for the same state: times are those of the state, not of the writing."""
    at = local(sheet.at)
    day, time = at.strftime("%Y%m%d"), at.strftime("%H%M%S")
    made.InstanceCreationDate = made.ContentDate = made.SeriesDate = day
    made.InstanceCreationTime = made.ContentTime = made.SeriesTime = time
    made.TimezoneOffsetFromUTC = at.strftime("%z")
    for equipment in made.get("ContributingEquipmentSequence", []):
        if equipment.get("ContributionDateTime"):
            equipment.ContributionDateTime = f"{day}{time}"
    made.SeriesDescription = description
    made.SpecificCharacterSet = "ISO_IR 192"
    meta = made.file_meta
    meta.ImplementationClassUID = UID(IMPLEMENTATION)
    meta.ImplementationVersionName = f"SVARTID {version('svartid')}"[:16]
    return made
