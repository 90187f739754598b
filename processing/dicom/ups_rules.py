"""What may become of a procedure step, and how that is answered. Source: PS3.4 CC.1.1, CC.2.

Statuses are those of DIMSE; UPS-RS answers the same in HTTP's words.
"""

from __future__ import annotations

from pydicom.dataset import Dataset

from storage.records.ups import FINAL, Step, StepState

SUCCESS = 0x0000
BAD_VALUE, KNOWN, NOT_ALLOWED, NO_SUCH_ACTION = 0x0106, 0x0111, 0x0124, 0x0123
NO_SUCH_ARGUMENT, FAILED, NO_RESOURCES = 0x0114, 0x0110, 0x0213
CREATED_OTHERWISE, ALREADY_CANCELED, COERCED, ALREADY_COMPLETED = 0xB300, 0xB304, 0xB305, 0xB306
ENDED, WRONG_KEY, HAS_BEGUN, NEVER_SCHEDULED = 0xC300, 0xC301, 0xC302, 0xC303
NOT_FINAL, UNKNOWN, UNKNOWN_AET, NOT_SCHEDULED = 0xC304, 0xC307, 0xC308, 0xC309
NOT_BEGUN, IS_COMPLETED, NOBODY_TO_ASK, NOT_FITTING = 0xC310, 0xC311, 0xC312, 0xC314
WORDS = {
    BAD_VALUE: "An attribute's value is not one it can have.",
    KNOWN: "The UID is that of another UPS.",
    NOT_ALLOWED: "Not authorized.",
    NO_SUCH_ACTION: "There is no such action.",
    NO_SUCH_ARGUMENT: "An argument is missing.",
    FAILED: "The request could not be carried out.",
    NO_RESOURCES: "Try again later.",
    CREATED_OTHERWISE: "The UPS was created with modifications.",
    ALREADY_CANCELED: "The UPS is already in the requested state of CANCELED.",
    COERCED: "Requested modifications were coerced.",
    ALREADY_COMPLETED: "The UPS is already in the requested state of COMPLETED.",
    ENDED: "The UPS may no longer be updated.",
    WRONG_KEY: "The correct Transaction UID was not provided.",
    HAS_BEGUN: "The UPS is already IN PROGRESS.",
    NEVER_SCHEDULED: "The UPS may only become SCHEDULED when it is created.",
    NOT_FINAL: "The UPS has not met final state requirements for the requested state change.",
    UNKNOWN: "There is no such UPS here.",
    UNKNOWN_AET: "The receiving AE title is unknown.",
    NOT_SCHEDULED: "The provided value of UPS State was not SCHEDULED.",
    NOT_BEGUN: "The UPS is not yet in the IN PROGRESS state.",
    IS_COMPLETED: "The UPS is already COMPLETED.",
    NOBODY_TO_ASK: "The performer cannot be contacted.",
    NOT_FITTING: "The action is not appropriate for that instance.",
}
_PERFORMED, _PROGRESS = (
    "UnifiedProcedureStepPerformedProcedureSequence",
    "ProcedureStepProgressInformationSequence",
)
_VALUED = (
    "PerformedProcedureStepStartDateTime",
    "PerformedProcedureStepEndDateTime",
    "PerformedWorkitemCodeSequence",
)
_PRESENT = ("PerformedStationNameCodeSequence", "OutputInformationSequence")
_REASON = "ProcedureStepDiscontinuationReasonCodeSequence"


def is_warning(status: int) -> bool:
    """It was done, but."""
    return status & 0xF000 == 0xB000


def may_turn(step: Step, wanted: str, transaction_uid: str) -> int:
    """Whether a step may turn to a state by somebody with that key (Table CC.1.1-2)."""
    if wanted == StepState.SCHEDULED:
        return NEVER_SCHEDULED
    if wanted not in list(StepState):
        return BAD_VALUE
    if not transaction_uid:
        return WRONG_KEY
    has_key = transaction_uid == step.transaction_uid
    if wanted == StepState.IN_PROGRESS:
        if step.state is StepState.SCHEDULED:
            return SUCCESS
        if not has_key:
            return WRONG_KEY
        return ENDED if step.state in FINAL else HAS_BEGUN
    if step.state is StepState.SCHEDULED:
        return NOT_BEGUN
    if not has_key:
        return WRONG_KEY
    if step.state is StepState.IN_PROGRESS:
        return SUCCESS
    if step.state != wanted:
        return ENDED
    return ALREADY_CANCELED if wanted == StepState.CANCELED else ALREADY_COMPLETED


def may_change(step: Step, transaction_uid: str) -> int:
    """Whether a step's attributes may be changed by somebody with that key (CC.2.6)."""
    if step.state in FINAL:
        return ENDED
    if step.state is StepState.SCHEDULED:
        return NOT_BEGUN if transaction_uid else SUCCESS
    return SUCCESS if transaction_uid and transaction_uid == step.transaction_uid else WRONG_KEY


def missing_for(dataset: Dataset, wanted: str) -> list[str]:
    """What a step lacks to be completed or canceled (Table CC.2.5-3, codes P and X).

    When it was canceled need not be said: it is filled in.
    """
    if wanted == StepState.CANCELED:
        progress = _first(dataset, _PROGRESS)
        return [] if progress is not None and progress.get(_REASON) else [_REASON]
    performed = _first(dataset, _PERFORMED)
    if performed is None:
        return [_PERFORMED]
    lacks = [name for name in _VALUED if not performed.get(name)]
    return lacks + [name for name in _PRESENT if name not in performed]


def _first(dataset: Dataset, name: str) -> Dataset | None:
    items = dataset.get(name)
    return items[0] if items else None
