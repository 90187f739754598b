"""Procedure steps as others say them: new, performed, given up."""

from __future__ import annotations

from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence


def coded(value: str, scheme: str = "99TEST", meaning: str = "test") -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return Sequence([item])


def new_step(**more: Any) -> Dataset:  # noqa: ANN401
    made = Dataset()
    made.ProcedureStepState = "SCHEDULED"
    made.ScheduledProcedureStepPriority, made.ProcedureStepLabel = "HIGH", "Mitosis count"
    made.WorklistLabel, made.InputReadinessState = "AI", "READY"
    made.ScheduledWorkitemCodeSequence = coded("110004", "DCM", "Computer Aided Detection")
    made.ScheduledProcedureStepStartDateTime = "20261124120000"
    for name, value in more.items():
        setattr(made, name, value)
    return made


def performed() -> Dataset:
    """What a step needs to be completed."""
    step = Dataset()
    step.PerformedStationNameCodeSequence = coded("AI1")
    step.PerformedProcedureStepStartDateTime = "20261124120100"
    step.PerformedProcedureStepEndDateTime = "20261124120200"
    step.PerformedWorkitemCodeSequence = coded("110004", "DCM", "Computer Aided Detection")
    step.OutputInformationSequence = Sequence()
    made = Dataset()
    made.UnifiedProcedureStepPerformedProcedureSequence = Sequence([step])
    return made


def discontinued(reason: str = "no focus") -> Dataset:
    progress = Dataset()
    progress.ReasonForCancellation = reason
    progress.ProcedureStepDiscontinuationReasonCodeSequence = coded("110501", "DCM", "Equipment")
    made = Dataset()
    made.ProcedureStepProgressInformationSequence = Sequence([progress])
    return made
