"""What others may say of a procedure step: attributes of the UPS IOD, and none of a patient.

Whose a step is svartid knows by its own records; a name that somebody sends along is not kept, and
they are told that the step was made, or changed, otherwise. Source: PS3.3 C.30, PS3.4 CC.2.5.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from processing.dicom.json_model import JsonModel, to_model, to_text
from storage.errors import Malformed

MOST_TEXT = 128 * 1024
_SCHEDULED = (
    "ScheduledProcedureStepPriority", "ProcedureStepLabel", "WorklistLabel",
    "ScheduledProcessingParametersSequence", "ScheduledStationNameCodeSequence",
    "ScheduledStationClassCodeSequence", "ScheduledStationGeographicLocationCodeSequence",
    "ScheduledHumanPerformersSequence", "ScheduledProcedureStepStartDateTime",
    "ExpectedCompletionDateTime", "ScheduledProcedureStepExpirationDateTime",
    "ScheduledWorkitemCodeSequence", "CommentsOnTheScheduledProcedureStep",
    "InputReadinessState", "InputInformationSequence", "StudyInstanceUID",
    "OutputDestinationSequence", "ReplacedProcedureStepSequence",
)  # fmt: skip
_PERFORMED = (
    "ProcedureStepProgressInformationSequence", "UnifiedProcedureStepPerformedProcedureSequence",
)  # fmt: skip
_FIXED = ("StudyInstanceUID", "ScheduledWorkitemCodeSequence", "ReplacedProcedureStepSequence")
"""Said when a step is made, and never again."""
_PASSED_BY = (
    "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "TransactionUID",
    "ProcedureStepState", "ScheduledProcedureStepModificationDateTime",
)  # fmt: skip
"""Known otherwise, or told by the request itself: to leave them out changes nothing."""


class Heard(NamedTuple):
    """What is kept of what was said, and whether something that had a value was left out."""

    model: JsonModel
    coerced: bool


def heard_new(dataset: Dataset) -> Heard:
    """Of a step that is to be made. Errors: Malformed."""
    return _heard(dataset, _SCHEDULED)


def heard_change(dataset: Dataset) -> Heard:
    """Of a step that is there. Errors: Malformed."""
    return _heard(dataset, [name for name in _SCHEDULED if name not in _FIXED] + list(_PERFORMED))


def references(dataset: Dataset) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Studies and series that a step is about; a study where no series of it is named."""
    studies, series = dict[str, None](), dict[str, None]()
    for item in dataset.get("InputInformationSequence") or []:
        if item.get("SeriesInstanceUID"):
            series[str(item.SeriesInstanceUID)] = None
        elif item.get("StudyInstanceUID"):
            studies[str(item.StudyInstanceUID)] = None
    return tuple(studies), tuple(series)


def _scratch() -> DicomBytesIO:
    made = DicomBytesIO()
    made.is_little_endian, made.is_implicit_VR = True, False
    return made


def _heard(dataset: Dataset, names: Iterable[str]) -> Heard:
    kept, tags = Dataset(), {tag_for_keyword(name) for name in names}
    passed_by = {tag_for_keyword(name) for name in _PASSED_BY}
    coerced = False
    try:
        for element in dataset:
            if int(element.tag) in tags:
                kept.add(element)
            elif int(element.tag) not in passed_by and not element.is_empty:
                coerced = True
        model: dict[str, Any] = to_model(kept)
        # What cannot be written would spoil the answer to everybody who asks for it.
        write_dataset(_scratch(), kept)
    except (Exception, RecursionError):
        # Whatever a parser raises is about what was said, and may quote it.
        raise Malformed("an attribute is not what it should be") from None
    if len(to_text(model)) > MOST_TEXT:
        raise Malformed("that is more than is kept of a step")
    return Heard(model, coerced)
