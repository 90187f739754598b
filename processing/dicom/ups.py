"""A work item as a Unified Procedure Step: the dataset, made of our record and of what others said.

Source: PS3.3 B.26, C.30; PS3.4 Table CC.2.5-3. Of a patient it says something only where the step
is shown to whoever answers a question about the case; else the glass and UIDs, which tell nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID

from processing.dicom.codes import code, codes
from processing.dicom.instance import Instance
from processing.dicom.names import local, to_person_name
from storage.records.imaging import SeriesEntry
from storage.records.ups import FINAL, ShownStep, StepState
from storage.records.work import WorkKind

PUSH = UID("1.2.840.10008.5.1.4.34.6.1")
"""The SOP class of every step, whatever class it is asked for by."""
SCHEME = "99SVARTID"
CONCLUSION, AGREEMENT = "121077", "agreement"
"""Concepts of what a consultant concludes: DCM 121077, and ours beside the asker's own view."""
_PRIORITIES = ("LOW", "MEDIUM", "HIGH")
_CODES = {
    WorkKind.SCAN: ("scan", SCHEME, "Scan a slide"),
    WorkKind.ANALYSIS: ("110003", "DCM", "Computer Aided Diagnosis"),
    WorkKind.CONSULTATION: ("110005", "DCM", "Interpretation"),
}
_LISTS = {
    WorkKind.SCAN: "Scanning", WorkKind.ANALYSIS: "Analysis",
    WorkKind.CONSULTATION: "Second opinions",
}  # fmt: skip
_SEX = {"female": "F", "male": "M", "F": "F", "M": "M", "O": "O"}
_BARCODE = ("111700", "DCM", "Specimen Container Identifier")
_STAIN = ("127265001", "SCT", "Staining")
_DISCONTINUED = ("110513", "DCM", "Discontinued for unspecified reason")
_OURS = (0x00080016, 0x00080018, 0x00081195, 0x00741000, 0x00404010)
"""What nobody says but us: what it is, where it stands, since when."""


class Sources(Protocol):
    """What opens the series that a step is about; `processing.dicom.opening.Opener`."""

    def instances(self, entry: SeriesEntry) -> list[Instance]:
        """All instances of a series."""


def step_dataset(shown: ShownStep, sources: Sources, retrieve: str = "") -> Dataset:
    """All attributes of a step but its Transaction UID; `retrieve` is our DICOMweb root."""
    made = _scheduled(shown)
    _put_relation(made, shown)
    made.InputInformationSequence = Items(
        [_input(entry, sources, retrieve) for entry in shown.inputs]
    )
    made.ProcedureStepState = shown.step.state.value
    made.ProcedureStepProgressInformationSequence = Items()
    made.UnifiedProcedureStepPerformedProcedureSequence = Items()
    said = Dataset.from_json(dict(shown.step.said))
    made.update({at.tag: at for at in said if at.tag not in _OURS})
    if shown.step.state in FINAL:
        _put_end(made, shown)
    return made


def priority_rank(word: object) -> int:
    """A priority as the record of work ranks it; what is none is the least urgent."""
    text = str(word or "").strip()
    return _PRIORITIES.index(text) if text in _PRIORITIES else 0


def conclusion_of(dataset: Dataset) -> tuple[str, str]:
    """What the performer concludes, and how it agrees, in the parameters of what was performed."""
    found = {"": "", CONCLUSION: "", AGREEMENT: ""}
    for performed in dataset.get("UnifiedProcedureStepPerformedProcedureSequence") or []:
        for item in performed.get("PerformedProcessingParametersSequence") or []:
            names = item.get("ConceptNameCodeSequence") or [Dataset()]
            name = str(names[0].get("CodeValue") or "")
            if name in found:
                found[name] = str(item.get("TextValue") or "")
    return found[CONCLUSION], found[AGREEMENT]


def reason_of(dataset: Dataset) -> str:
    """Why it was discontinued: in words, else by the code's meaning."""
    progress = dataset.get("ProcedureStepProgressInformationSequence") or [Dataset()]
    text = str(progress[0].get("ReasonForCancellation") or "").strip()
    if text:
        return text
    coded = progress[0].get("ProcedureStepDiscontinuationReasonCodeSequence") or [Dataset()]
    return str(coded[0].get("CodeMeaning") or coded[0].get("CodeValue") or "").strip()


def moment(at: datetime) -> str:
    """A moment as DT, by the clock on the wall here, with its zone."""
    return local(at).strftime("%Y%m%d%H%M%S%z")


def _scheduled(shown: ShownStep) -> Dataset:
    step, item = shown.step, shown.item
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID, made.SOPInstanceUID = PUSH, UID(step.uid)
    made.ScheduledProcedureStepPriority = _PRIORITIES[min(max(item.rank, 0), 2)]
    made.ScheduledProcedureStepModificationDateTime = moment(step.changed_at)
    made.ProcedureStepLabel, made.WorklistLabel = _label(shown)[:64], _LISTS[item.kind]
    made.ScheduledProcessingParametersSequence = Items(_parameters(shown))
    made.ScheduledStationNameCodeSequence = Items()
    made.ScheduledStationClassCodeSequence = Items()
    site = [code(item.site[:16], SCHEME, item.site[:64])] if item.site else []
    made.ScheduledStationGeographicLocationCodeSequence = Items(site)
    made.ScheduledHumanPerformersSequence = Items(_performers(shown))
    made.ScheduledProcedureStepStartDateTime = moment(step.created_at)
    if item.due_at is not None:
        made.ExpectedCompletionDateTime = moment(item.due_at)
    made.ScheduledWorkitemCodeSequence = codes(*_CODES[item.kind])
    made.CommentsOnTheScheduledProcedureStep = ""
    made.InputReadinessState = "READY"
    if shown.study_uid:
        made.StudyInstanceUID = shown.study_uid
    return made


def _label(shown: ShownStep) -> str:
    item = shown.item
    if item.kind is WorkKind.SCAN:
        again = "Rescan" if item.data.get("rescan") else "Scan"
        return f"{again} {item.barcode or ''}"
    if item.kind is WorkKind.CONSULTATION:
        return "Second opinion"
    return str(item.data.get("label") or "Analysis")


def _parameters(shown: ShownStep) -> list[Dataset]:
    """The glass, how it is stained and where it lies; which part of it is wanted again."""
    item = shown.item
    region = item.data.get("region") or []
    words = (
        (_BARCODE, item.barcode), (_STAIN, shown.stain),
        (("rack", SCHEME, "Rack"), item.rack), (("slot", SCHEME, "Slot"), item.slot),
        (("rescan", SCHEME, "Reason to scan again"), item.data.get("rescan")),
        (("region", SCHEME, "Part of the glass: left, top, width, height"),
         ", ".join(f"{part:g}" for part in region)),
    )  # fmt: skip
    return [_text(concept, str(text)) for concept, text in words if text]


def _text(concept: tuple[str, str, str], text: str) -> Dataset:
    made = Dataset()
    made.ValueType, made.ConceptNameCodeSequence = "TEXT", codes(*concept)
    made.TextValue = text
    return made


def _performers(shown: ShownStep) -> list[Dataset]:
    """Whom a question asks: a person or a unit."""
    name = shown.item.performer
    if shown.item.kind is not WorkKind.CONSULTATION or not name:
        return []
    made = Dataset()
    made.HumanPerformerCodeSequence = codes(name[:16], SCHEME, name[:64])
    made.HumanPerformerName, made.HumanPerformerOrganization = to_person_name(name), ""
    return [made]


def _put_relation(made: Dataset, shown: ShownStep) -> None:
    """Patient and request, for those who may know; empty, as they have to be there, for others."""
    whose, step = shown.whose, shown.step
    made.PatientName = to_person_name(whose.name) if whose else ""
    made.PatientID = whose.identifier if whose else ""
    made.IssuerOfPatientID = ""
    born = whose.birth_date if whose else None
    made.PatientBirthDate = born.strftime("%Y%m%d") if born else ""
    made.PatientSex = _SEX.get(whose.sex, "") if whose else ""
    made.AdmissionID = ""
    made.IssuerOfAdmissionIDSequence = Items()
    made.AdmittingDiagnosesDescription = ""
    made.AdmittingDiagnosesCodeSequence = Items()
    request = Dataset()
    if shown.study_uid:
        accession = shown.item.accession or ""
        request.StudyInstanceUID = shown.study_uid
        request.AccessionNumber = accession if whose else ""
        request.IssuerOfAccessionNumberSequence = Items()
        request.OrderPlacerIdentifierSequence = Items()
        request.OrderFillerIdentifierSequence = Items()
        request.RequestedProcedureID = accession[:16] if whose else ""
        request.RequestedProcedureDescription = ""
        request.RequestedProcedureCodeSequence = Items()
    made.ReferencedRequestSequence = Items([request] if shown.study_uid else [])
    if step.replaces:
        before = Dataset()
        before.ReferencedSOPClassUID, before.ReferencedSOPInstanceUID = PUSH, step.replaces
        made.ReplacedProcedureStepSequence = Items([before])


def _input(entry: SeriesEntry, sources: Sources, retrieve: str) -> Dataset:
    """A series to look at, and where it can be had (PS3.3 10.3, Table 10-3b)."""
    made = Dataset()
    made.TypeOfInstances = "DICOM"
    made.StudyInstanceUID, made.SeriesInstanceUID = entry.study_uid, entry.series_uid
    made.ReferencedSOPSequence = Items([_reference(at) for at in sources.instances(entry)])
    if retrieve:
        where = Dataset()
        where.RetrieveURL = f"{retrieve}/studies/{entry.study_uid}/series/{entry.series_uid}"
        made.WADORSRetrievalSequence = Items([where])
    return made


def _reference(instance: Instance) -> Dataset:
    made = Dataset()
    made.ReferencedSOPClassUID = instance.sop_class
    made.ReferencedSOPInstanceUID = instance.sop_uid
    return made


def _put_end(made: Dataset, shown: ShownStep) -> None:
    """What a step that has ended has to say, where nobody else has said it."""
    step, item = shown.step, shown.item
    ended = moment(step.ended_at or step.changed_at)
    if step.state is StepState.CANCELED:
        progress = _first(made, "ProcedureStepProgressInformationSequence")
        _unless(progress, "ProcedureStepCancellationDateTime", ended)
        _unless(progress, "ReasonForCancellation", step.reason[:10240])
        coded = codes(*_DISCONTINUED)
        _unless(progress, "ProcedureStepDiscontinuationReasonCodeSequence", coded)
        return
    performed = _first(made, "UnifiedProcedureStepPerformedProcedureSequence")
    station = str(item.data.get("station") or item.performer)
    named: Sequence[Dataset] = [code(station[:16], SCHEME, station[:64])] if station else []
    begun = moment(item.claimed_at or step.created_at)
    _unless(performed, "PerformedStationNameCodeSequence", Items(named))
    _unless(performed, "PerformedProcedureStepStartDateTime", begun)
    _unless(performed, "PerformedProcedureStepEndDateTime", ended)
    _unless(performed, "PerformedWorkitemCodeSequence", codes(*_CODES[item.kind]))
    if "OutputInformationSequence" not in performed:
        performed.OutputInformationSequence = Items()


def _first(made: Dataset, name: str) -> Dataset:
    items = getattr(made, name)
    if not items:
        setattr(made, name, Items([Dataset()]))
    first: Dataset = getattr(made, name)[0]
    return first


def _unless(made: Dataset, name: str, value: object) -> None:
    if not made.get(name):
        setattr(made, name, value)
