"""The UPS service: one for DIMSE and for UPS-RS, so that both answer alike (PS3.4 CC.1).

What is asked for is judged by `ups_rules` and done by the record of work; the answer is a status of
DIMSE and, where there is one, a dataset. Errors: Malformed, Transient; all else is a status.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.valuerep import DT

from processing.dicom import ups_rules as rules
from processing.dicom.json_model import to_model
from processing.dicom.matching import matches
from processing.dicom.names import COPENHAGEN
from processing.dicom.ups import (
    Sources,
    conclusion_of,
    moment,
    priority_rank,
    reason_of,
    step_dataset,
)
from processing.dicom.ups_record import Record
from processing.dicom.ups_said import heard_change, heard_new, references
from storage.errors import Illegal, NotFound
from storage.records.case_words import Agreement
from storage.records.people import Principal
from storage.records.ups import (
    NewAnalysis,
    ShownStep,
    StepEvent,
    StepResult,
    StepState,
    StepsWanted,
)

_UID = re.compile(r"[0-9]+(?:\.[0-9]+)+")
_PAGE = 200
_REFUSALS = {
    "uid_known": rules.KNOWN, "not_allowed": rules.NOT_ALLOWED, "not_owner": rules.NOT_ALLOWED,
    "claimed_by_another": rules.NOT_ALLOWED, "work_ended": rules.ENDED,
    "has_begun": rules.WRONG_KEY,
    "conclusion_missing": rules.NOT_FINAL, "not_subscribed": rules.NOT_FITTING,
}  # fmt: skip
_CANCEL_WORDS = (
    "ReasonForCancellation", "ProcedureStepDiscontinuationReasonCodeSequence", "ContactURI",
    "ContactDisplayName",
)  # fmt: skip
_PROGRESS = "ProcedureStepProgressInformationSequence"
_ASSIGNED = ("ScheduledStationNameCodeSequence", "ScheduledHumanPerformersSequence")


class Answer(NamedTuple):
    """A status of DIMSE; the dataset and the step's UID where there are such; why, in words."""

    status: int
    dataset: Dataset | None = None
    uid: str = ""
    why: str = ""

    @property
    def is_done(self) -> bool:
        """Also with a warning."""
        return self.status == rules.SUCCESS or rules.is_warning(self.status)


@dataclass(frozen=True, slots=True)
class UpsService:
    """Answers about steps; one a process."""

    record: Record
    sources: Sources
    retrieve: str = ""
    """Root of our DICOMweb service, told where images can be had."""

    def create(self, who: Principal, uid: str, dataset: Dataset) -> Answer:
        """N-CREATE: work for a program."""
        uid = uid or f"2.25.{uuid.uuid4().int}"
        if not _UID.fullmatch(uid) or len(uid) > 64:
            return Answer(rules.BAD_VALUE, why="the UID is none")
        if str(dataset.get("ProcedureStepState") or "") != StepState.SCHEDULED:
            return Answer(rules.NOT_SCHEDULED)
        if dataset.get("TransactionUID"):
            return Answer(rules.BAD_VALUE, why="a new step has no Transaction UID")
        heard = heard_new(dataset)
        studies, series = references(dataset)
        label = str(dataset.get("ProcedureStepLabel") or "")[:64]
        due = _moment(dataset.get("ExpectedCompletionDateTime"))
        rank = priority_rank(dataset.get("ScheduledProcedureStepPriority"))
        new = NewAnalysis(heard.model, label, rank, studies, series, due)
        try:
            made = self.record.create(who, uid, new)
        except Illegal as error:
            return refusal(error, uid)
        status = rules.CREATED_OTHERWISE if heard.coerced else rules.SUCCESS
        return Answer(status, self._dataset(made), uid)

    def get(self, who: Principal, uid: str) -> Answer:
        """N-GET: everything but the Transaction UID."""
        try:
            return Answer(rules.SUCCESS, self._dataset(self.record.find(who, uid)), uid)
        except NotFound:
            return Answer(rules.UNKNOWN, uid=uid)

    def change(self, who: Principal, uid: str, dataset: Dataset, transaction: str = "") -> Answer:
        """N-SET: what was done so far, and the like."""
        transaction = transaction or str(dataset.get("TransactionUID") or "")
        if dataset.get("ProcedureStepState"):
            scheduled = dataset.ProcedureStepState == StepState.SCHEDULED
            return Answer(rules.NEVER_SCHEDULED if scheduled else rules.BAD_VALUE, uid=uid)
        heard = heard_change(dataset)
        try:
            status = rules.may_change(self.record.find(who, uid).step, transaction)
            if status != rules.SUCCESS:
                return Answer(status, uid=uid)
            self.record.note(who, uid, heard.model, _news_of(heard.model))
        except NotFound:
            return Answer(rules.UNKNOWN, uid=uid)
        except Illegal as error:
            return refusal(error, uid)
        return Answer(rules.COERCED if heard.coerced else rules.SUCCESS, uid=uid)

    def turn(self, who: Principal, uid: str, information: Dataset) -> Answer:
        """N-ACTION 1: begin, complete, cancel."""
        wanted = str(information.get("ProcedureStepState") or "")
        transaction = str(information.get("TransactionUID") or "")
        try:
            shown = self.record.find(who, uid)
            status = rules.may_turn(shown.step, wanted, transaction)
            if status != rules.SUCCESS:
                return Answer(status, uid=uid)
            if wanted == StepState.IN_PROGRESS:
                self.record.claim(who, uid, transaction)
                return Answer(rules.SUCCESS, uid=uid)
            return self._end(who, shown, wanted)
        except NotFound:
            return Answer(rules.UNKNOWN, uid=uid)
        except Illegal as error:
            return refusal(error, uid)

    def cancel(self, who: Principal, uid: str, information: Dataset, requester: str) -> Answer:
        """N-ACTION 2: somebody else wants it stopped."""
        try:
            step = self.record.find(who, uid).step
            if step.state is StepState.COMPLETED:
                return Answer(rules.IS_COMPLETED, uid=uid)
            if step.state is StepState.CANCELED:
                return Answer(rules.ALREADY_CANCELED, uid=uid)
            if step.state is StepState.SCHEDULED:
                reason = str(information.get("ReasonForCancellation") or "requested")
                self.record.call_off(who, uid, reason)
            elif not self.record.is_anybody_told(uid):
                return Answer(rules.NOBODY_TO_ASK, uid=uid)
            else:
                self.record.ask_to_stop(who, uid, _request(information, requester))
        except NotFound:
            return Answer(rules.UNKNOWN, uid=uid)
        except Illegal as error:
            return refusal(error, uid)
        return Answer(rules.SUCCESS, uid=uid)

    def search(self, who: Principal, keys: Dataset) -> Iterator[Dataset]:
        """C-FIND: steps that match, most urgent first; page by page."""
        wanted, offset = _wanted(keys), 0
        while page := self.record.search(who, wanted, _PAGE, offset):
            for shown in page:
                dataset = self._dataset(shown)
                if matches(keys, dataset):
                    yield dataset
            offset += _PAGE

    def _end(self, who: Principal, shown: ShownStep, wanted: str) -> Answer:
        uid, dataset = shown.step.uid, self._dataset(shown)
        missing = rules.missing_for(dataset, wanted)
        if missing:
            return Answer(rules.NOT_FINAL, uid=uid, why=f"missing: {', '.join(missing)}")
        if wanted == StepState.CANCELED:
            progress = dataset.get(_PROGRESS)[0]
            if not progress.get("ProcedureStepCancellationDateTime"):
                progress.ProcedureStepCancellationDateTime = moment(datetime.now(UTC))
                kept = Dataset()
                kept.ProcedureStepProgressInformationSequence = Items([progress])
                self.record.note(who, uid, to_model(kept), [])
            self.record.give_up(who, uid, reason_of(dataset)[:200] or "canceled")
            return Answer(rules.SUCCESS, uid=uid)
        conclusion, agreement = conclusion_of(dataset)
        known = agreement if agreement in list(Agreement) else None
        self.record.finish(who, uid, StepResult(conclusion, Agreement(known) if known else None))
        return Answer(rules.SUCCESS, uid=uid)

    def _dataset(self, shown: ShownStep) -> Dataset:
        return step_dataset(shown, self.sources, self.retrieve)


def refusal(error: Illegal, uid: str) -> Answer:
    """What the record of work does not allow; beyond the known words, as not possible now."""
    return Answer(_REFUSALS.get(error.reason, rules.NOT_FITTING), uid=uid, why=str(error))


def _news_of(model: Mapping[str, Any]) -> list[tuple[StepEvent, Mapping[str, Any]]]:
    """What subscribers hear of a change: how far it is, and who is to do it."""
    told: list[tuple[StepEvent, Mapping[str, Any]]] = []
    progress = _part(model, (_PROGRESS,))
    if progress:
        told.append((StepEvent.PROGRESS, progress))
    assigned = _part(model, _ASSIGNED)
    if assigned:
        told.append((StepEvent.ASSIGNED, assigned))
    return told


def _part(model: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    tags = [f"{tag_for_keyword(name):08X}" for name in names]
    return {tag: model[tag] for tag in tags if tag in model}


def _request(information: Dataset, requester: str) -> dict[str, Any]:
    made = Dataset()
    for name in _CANCEL_WORDS:
        if information.get(name):
            setattr(made, name, information.get(name))
    made.RequestingAE = requester
    return to_model(made)


def _wanted(keys: Dataset) -> StepsWanted:
    """What of the keys a database can narrow by; the rest is for `matches`."""
    uid, state = str(keys.get("SOPInstanceUID") or ""), str(keys.get("ProcedureStepState") or "")
    uids = tuple(at for at in re.split(r"[,\\]", uid) if at)
    states = (StepState(state),) if state in list(StepState) else ()
    return StepsWanted(uids, states)


def _moment(value: object) -> datetime | None:
    """A DT, by the clock on the wall here where it names no zone; None when it is none."""
    try:
        at = DT(str(value)) if value else None
    except (ValueError, TypeError):
        return None
    if at is None:
        return None
    return at if at.tzinfo else at.replace(tzinfo=COPENHAGEN)
