"""What a simulated scanner asks and tells over DICOM, and writes into its images.

Source: PS3.4 K.6.1.2.2 (worklist), F.7.2 (performed procedure step), PS3.3 C.7.3.1 (request).
"""

from __future__ import annotations

import uuid
from datetime import datetime

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import VLWholeSlideMicroscopyImageStorage

from flows.scanner_simulator import Item
from processing.dicom.names import COPENHAGEN

STEP_CLASS = "1.2.840.10008.3.1.2.3.3"
"""Modality Performed Procedure Step."""
_PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")


def question(title: str) -> Dataset:
    """All keys a scanner wants to know."""
    asked, step, glass = Dataset(), Dataset(), Dataset()
    names = ("AccessionNumber", "StudyInstanceUID", "RequestedProcedureID")
    for name in (*_PATIENT, *names, "RequestedProcedureDescription", "RequestedProcedurePriority"):
        setattr(asked, name, None)
    for name in ("ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime",
                 "ScheduledProcedureStepID", "ScheduledProcedureStepDescription",
                 "ScheduledProcedureStepStatus"):  # fmt: skip
        setattr(step, name, None)
    step.ScheduledStationAETitle, step.Modality = title, "SM"
    glass.ContainerIdentifier = None
    glass.SpecimenDescriptionSequence = Sequence()
    step.ScheduledSpecimenSequence = Sequence([glass])
    asked.ScheduledProcedureStepSequence = Sequence([step])
    return asked


def step_of(answer: Dataset) -> Dataset:
    """The scheduled procedure step of a worklist's answer."""
    step: Dataset = answer.ScheduledProcedureStepSequence[0]
    return step


def item_of(answer: Dataset) -> Item:
    """A scan that waits, with an identity for the step that will perform it."""
    step = step_of(answer)
    glass = step.ScheduledSpecimenSequence[0]
    words = str(glass.SpecimenDescriptionSequence[0].get("SpecimenShortDescription") or "")
    return {
        "item_id": str(step.ScheduledProcedureStepID), "barcode": str(glass.ContainerIdentifier),
        "stain": words.rpartition(" ")[2], "answer": answer, "step": f"2.25.{uuid.uuid4().int}",
    }  # fmt: skip


def begun(answer: Dataset, title: str) -> Dataset:
    """The first word of a step (PS3.4 Table F.7.2-1)."""
    step, planned, at = step_of(answer), Dataset(), datetime.now(COPENHAGEN)
    planned.StudyInstanceUID = answer.StudyInstanceUID
    planned.AccessionNumber = answer.AccessionNumber
    planned.RequestedProcedureID = answer.get("RequestedProcedureID")
    planned.RequestedProcedureDescription = answer.get("RequestedProcedureDescription")
    planned.ScheduledProcedureStepID = step.ScheduledProcedureStepID
    planned.ScheduledProcedureStepDescription = step.get("ScheduledProcedureStepDescription")
    planned.ReferencedStudySequence = planned.ScheduledProtocolCodeSequence = Sequence()
    made = Dataset()
    made.SpecificCharacterSet = answer.get("SpecificCharacterSet", "ISO_IR 192")
    made.ScheduledStepAttributesSequence = Sequence([planned])
    for name in _PATIENT:
        setattr(made, name, answer.get(name))
    made.ReferencedPatientSequence = Sequence()
    made.PerformedProcedureStepID = step.ScheduledProcedureStepID
    made.PerformedStationAETitle = title
    made.PerformedStationName = made.PerformedLocation = ""
    made.PerformedProcedureStepStartDate = at.strftime("%Y%m%d")
    made.PerformedProcedureStepStartTime = at.strftime("%H%M%S")
    made.PerformedProcedureStepStatus = "IN PROGRESS"
    made.PerformedProcedureStepDescription = made.PerformedProcedureTypeDescription = ""
    made.PerformedProcedureStepEndDate = made.PerformedProcedureStepEndTime = ""
    made.ProcedureCodeSequence = made.PerformedProtocolCodeSequence = Sequence()
    made.PerformedSeriesSequence = Sequence()
    made.Modality, made.StudyID = "SM", ""
    return made


def put_end(news: Dataset) -> None:
    """The step is over now."""
    at = datetime.now(COPENHAGEN)
    news.PerformedProcedureStepEndDate = at.strftime("%Y%m%d")
    news.PerformedProcedureStepEndTime = at.strftime("%H%M%S")


def put_order(image: Dataset, item: Item, station: str) -> None:
    """What the worklist said, into an image that has only been painted."""
    answer = item["answer"]
    step, at = step_of(answer), datetime.now(COPENHAGEN)
    image.SpecificCharacterSet = answer.get("SpecificCharacterSet", "ISO_IR 192")
    for name in (*_PATIENT, "StudyInstanceUID", "AccessionNumber"):
        image[name] = answer[name]
    image.StudyID = str(answer.AccessionNumber)[:16]
    image.StationName = image.DeviceSerialNumber = station
    for level in ("Study", "Series", "Acquisition", "Content"):
        setattr(image, f"{level}Date", at.strftime("%Y%m%d"))
        setattr(image, f"{level}Time", at.strftime("%H%M%S"))
    image.AcquisitionDateTime = at.strftime("%Y%m%d%H%M%S%z")
    glass = step.ScheduledSpecimenSequence[0]
    if image.ContainerIdentifier == glass.ContainerIdentifier:
        image.SpecimenDescriptionSequence = glass.SpecimenDescriptionSequence
    told, request = Dataset(), Dataset()
    told.ReferencedSOPClassUID = STEP_CLASS
    told.ReferencedSOPInstanceUID = item["step"]
    image.ReferencedPerformedProcedureStepSequence = Sequence([told])
    request.RequestedProcedureID = answer.get("RequestedProcedureID")
    request.ScheduledProcedureStepID = step.ScheduledProcedureStepID
    image.RequestAttributesSequence = Sequence([request])


def performed(stored: list[tuple[str, str]], station: str) -> Dataset:
    """The series of a step and its images."""
    series, images = Dataset(), []
    for uid, _ in stored:
        image = Dataset()
        image.ReferencedSOPClassUID = VLWholeSlideMicroscopyImageStorage
        image.ReferencedSOPInstanceUID = uid
        images.append(image)
    series.PerformingPhysicianName = series.OperatorsName = ""
    series.ProtocolName = f"Whole slide scan {station}"
    series.SeriesInstanceUID = stored[0][1]
    series.SeriesDescription = series.RetrieveAETitle = ""
    series.ReferencedImageSequence = Sequence(images)
    series.ReferencedNonImageCompositeSOPInstanceSequence = Sequence()
    return series
