"""What a query may be told of a study, a series, an instance: the same for C-FIND and QIDO-RS.

Source: PS3.4 C.6.2.1 (study root), PS3.18 10.6.3.3 (QIDO-RS).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydicom.dataset import Dataset

from processing.dicom.instance import Instance
from processing.dicom.names import local, to_person_name
from storage.records.imaging import SeriesEntry

_SEX = {"female": "F", "male": "M", "F": "F", "M": "M", "O": "O"}
_OF_INSTANCE = (
    "InstanceNumber", "ImageType", "Rows", "Columns", "BitsAllocated", "NumberOfFrames",
    "ContentDate", "ContentTime", "TotalPixelMatrixColumns", "TotalPixelMatrixRows",
    "ContainerIdentifier", "SpecimenDescriptionSequence", "ContentLabel", "ContentDescription",
    "ConceptNameCodeSequence", "CompletionFlag", "VerificationFlag", "DocumentTitle",
)  # fmt: skip


def study_answer(entries: Sequence[SeriesEntry], instances: int | None = None) -> Dataset:
    """Study and patient; `entries` are all its series within reach, at least one."""
    first = entries[0]
    answer = Dataset()
    answer.SpecificCharacterSet = "ISO_IR 192"
    answer.StudyInstanceUID = first.study_uid
    _put_patient(answer, first)
    moments = [entry.study_at for entry in entries if entry.study_at]
    _put_moment(answer, "Study", min(moments, default=None))
    answer.AccessionNumber = first.accession
    answer.StudyID = first.accession[:16]
    answer.StudyDescription = first.study_description
    answer.ReferringPhysicianName = ""
    answer.ModalitiesInStudy = sorted({entry.modality for entry in entries})
    answer.NumberOfStudyRelatedSeries = len(entries)
    if instances is not None:
        answer.NumberOfStudyRelatedInstances = instances
    answer.InstanceAvailability = "ONLINE"
    return answer


def series_answer(entry: SeriesEntry, instances: int | None = None) -> Dataset:
    """A series, with its study and patient."""
    answer = study_answer([entry])
    del answer.NumberOfStudyRelatedSeries, answer.ModalitiesInStudy
    answer.SeriesInstanceUID = entry.series_uid
    answer.Modality = entry.modality
    answer.SeriesNumber = entry.series_number
    answer.SeriesDescription = entry.series_description
    answer.BodyPartExamined = entry.body_part
    _put_moment(answer, "Series", entry.series_at)
    if entry.glass.barcode:
        answer.ContainerIdentifier = entry.glass.barcode
    if instances is not None:
        answer.NumberOfSeriesRelatedInstances = instances
    return answer


def instance_answer(entry: SeriesEntry, instance: Instance, header: Dataset) -> Dataset:
    """An instance, with its series, study and patient; `header` is the instance's own."""
    answer = series_answer(entry)
    answer.SOPClassUID, answer.SOPInstanceUID = instance.sop_class, instance.sop_uid
    for name in _OF_INSTANCE:
        if name in header:
            answer[name] = header[name]
    answer.AvailableTransferSyntaxUID = instance.transfer_syntax
    if "InstanceNumber" not in answer:
        answer.InstanceNumber = None
    return answer


def _put_patient(answer: Dataset, entry: SeriesEntry) -> None:
    whose = entry.whose
    answer.PatientName = to_person_name(whose.name)
    answer.PatientID = whose.identifier
    answer.PatientBirthDate = whose.birth_date.strftime("%Y%m%d") if whose.birth_date else ""
    answer.PatientSex = _SEX.get(whose.sex, "")


def _put_moment(answer: Dataset, level: str, moment: datetime | None) -> None:
    at = local(moment) if moment else None
    setattr(answer, f"{level}Date", at.strftime("%Y%m%d") if at else "")
    setattr(answer, f"{level}Time", at.strftime("%H%M%S") if at else "")
    if at is not None:
        answer.TimezoneOffsetFromUTC = at.strftime("%z")
