"""A scan that waits, as a modality worklist tells it. Source: PS3.4 K.6.1.2.2, PS3.3 C.4.10.

A scanner writes what it gets here into its images: so they come back with the case's study, the
patient, the accession number and the barcode of the glass.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from processing.dicom.names import local, to_person_name
from processing.dicom.specimen import put_specimen
from storage.records.scans import ScheduledScan, step_id_of

_SEX = {"female": "F", "male": "M", "F": "F", "M": "M", "O": "O"}
_PRIORITIES = ("ROUTINE", "HIGH", "STAT")
_SPECIMENS = uuid.UUID("b1f0c4a2-6f0e-4a27-9d5b-6a3f2f8f7c11")
_EMPTY = (
    "ReferringPhysicianName", "RequestingPhysician", "AdmissionID", "CurrentPatientLocation",
    "PatientTransportArrangements", "PatientWeight", "PatientState", "MedicalAlerts", "Allergies",
    "SpecialNeeds", "ConfidentialityConstraintOnPatientDataDescription",
    "PlacerOrderNumberImagingServiceRequest", "FillerOrderNumberImagingServiceRequest",
)  # fmt: skip
"""Demanded, and nothing we know or would tell a scanner."""


def worklist_answer(scan: ScheduledScan, station: str, now: datetime) -> Dataset:
    """All attributes of one scheduled procedure step; `station` is the AE title it is for."""
    made = Dataset()
    for name in _EMPTY:
        setattr(made, name, None)
    made.PregnancyStatus = None
    made.ReferencedStudySequence = Sequence()
    made.ReferencedPatientSequence = Sequence()
    _put_patient(made, scan)
    made.AccessionNumber, made.StudyInstanceUID = scan.accession, scan.study_uid
    made.RequestedProcedureID = scan.accession[:16]
    made.RequestedProcedureDescription = _description(scan)
    made.RequestedProcedurePriority = _PRIORITIES[max(0, min(scan.rank, len(_PRIORITIES) - 1))]
    made.ScheduledProcedureStepSequence = Sequence([_step(scan, station, now)])
    made.TimezoneOffsetFromUTC = local(now).strftime("%z")
    _put_glass(made, scan)  # where scanners of before supplement 122 look for it
    return made


def _put_patient(made: Dataset, scan: ScheduledScan) -> None:
    whose = scan.whose
    made.PatientName, made.PatientID = to_person_name(whose.name), whose.identifier
    made.PatientBirthDate = whose.birth_date.strftime("%Y%m%d") if whose.birth_date else ""
    made.PatientSex = _SEX.get(whose.sex, "")


def _step(scan: ScheduledScan, station: str, now: datetime) -> Dataset:
    step = Dataset()
    at = _due(scan, now)
    step.Modality = "SM"
    step.ScheduledStationAETitle = station
    step.ScheduledStationName = ""
    step.ScheduledProcedureStepStartDate = at.strftime("%Y%m%d")
    step.ScheduledProcedureStepStartTime = at.strftime("%H%M%S")
    step.ScheduledPerformingPhysicianName = ""
    step.ScheduledProcedureStepDescription = _description(scan)
    step.ScheduledProcedureStepID = step_id_of(scan.item_id)
    step.ScheduledProcedureStepStatus = "STARTED" if scan.is_begun else "SCHEDULED"
    step.ScheduledProcedureStepLocation = scan.site[:16]
    step.CommentsOnTheScheduledProcedureStep = scan.place
    step.PreMedication = step.RequestedContrastAgent = ""
    glass = Dataset()
    _put_glass(glass, scan)
    step.ScheduledSpecimenSequence = Sequence([glass])
    return step


def _due(scan: ScheduledScan, now: datetime) -> datetime:
    """When it was asked for; what has waited since yesterday is due today, and asked for by it."""
    today, asked = local(now), local(scan.asked_at)
    if asked.date() >= today.date():
        return asked
    return today.replace(hour=0, minute=0, second=0, microsecond=0)


def _description(scan: ScheduledScan) -> str:
    return " ".join(at for at in ("Whole slide scan", scan.glass.stain) if at)[:64]


def _put_glass(made: Dataset, scan: ScheduledScan) -> None:
    """The glass by its barcode, and the section on it."""
    barcode = scan.glass.barcode
    uid = f"2.25.{uuid.uuid5(_SPECIMENS, scan.study_uid + barcode).int}"
    put_specimen(made, scan.glass, barcode, uid)
