"""What scanners tell by MPPS moves the case."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid
from pynetdicom import AE
from pynetdicom.sop_class import (
    ModalityPerformedProcedureStep as Step,  # type: ignore[attr-defined]
)

from storage import cases, scan_steps, scanning
from storage.dicom_uids import CASE, known_root
from storage.records.case_words import SlideState
from storage.records.scans import step_id_of
from storage.records.work import WorkState
from tests.flows.dicom_lab import ACCESSION, GLASS, Lab, a_lab
from tests.flows.dicom_nodes import HOST


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with a_lab(tmp_path) as made:
        yield made


def planned(lab: Lab, step_id: str = "") -> Dataset:
    """The first word of a step."""
    made, scheduled = Dataset(), Dataset()
    scheduled.AccessionNumber = ACCESSION
    scheduled.ScheduledProcedureStepID = step_id or step_id_of(lab.item().item_id)
    scheduled.StudyInstanceUID = known_root(lab.services.database, CASE, ACCESSION)
    made.ScheduledStepAttributesSequence = Sequence([scheduled])
    made.PerformedProcedureStepStatus = "IN PROGRESS"
    made.PerformedStationAETitle = "GT450"
    made.PatientName = "Ågård^Søren Ærø"
    made.SpecificCharacterSet = "ISO_IR 100"
    made.PerformedProcedureStepStartDate = "20261124"
    return made


def news(state: str = "", **words: object) -> Dataset:
    made = Dataset()
    if state:
        made.PerformedProcedureStepStatus = state
    for name, value in words.items():
        setattr(made, name, value)
    return made


def tell(lab: Lab, uid: str, told: Dataset, *, first: bool = False, title: str = "GT450") -> int:
    entity = AE(title)
    entity.add_requested_context(Step)
    association = entity.associate(HOST, lab.port, ae_title="SVARTID")
    assert association.accepted_contexts
    send = association.send_n_create if first else association.send_n_set
    status, _ = send(told, Step, uid)
    association.release()
    return int(status.Status)


def test_a_scan_is_begun_goes_on_and_ends(lab: Lab) -> None:
    uid = generate_uid()
    assert tell(lab, uid, planned(lab), first=True) == 0
    assert lab.glass() is SlideState.SCANNING
    item = lab.item()
    assert (item.state, item.performer, item.data["station"]) == (
        WorkState.CLAIMED, "gt450", "GT450",
    )  # fmt: skip
    heard = item.data["news_at"]
    assert tell(lab, uid, news("IN PROGRESS")) == 0
    assert lab.item().data["news_at"] > heard
    done = news("COMPLETED", PerformedProcedureStepEndDate="20261124")
    assert tell(lab, uid, done) == 0
    assert lab.glass() is SlideState.SCANNED
    assert lab.item().state is WorkState.DONE
    step = scan_steps.get(lab.services.database, uid)
    assert (step.state, step.accession, step.peer) == ("COMPLETED", ACCESSION, "gt450")
    told = Dataset.from_json(step.dataset)
    assert str(told.PatientName) == "Ågård^Søren Ærø"
    assert (told.PerformedProcedureStepStartDate, told.PerformedProcedureStepEndDate) == (
        "20261124", "20261124",
    )  # fmt: skip
    assert step.ended_at


def test_words_said_again_change_nothing(lab: Lab) -> None:
    uid = generate_uid()
    assert tell(lab, uid, planned(lab), first=True) == 0
    assert tell(lab, uid, planned(lab), first=True) == 0x0111
    assert [tell(lab, uid, news("COMPLETED")) for _ in range(2)] == [0, 0]
    assert tell(lab, uid, news("DISCONTINUED")) == 0x0110, "what has ended stays as it is"
    assert lab.glass() is SlideState.SCANNED
    (scan,) = cases.get(lab.services.database, ACCESSION).slides[GLASS].scans
    assert scan.scanner == "GT450"


def test_the_second_scanner_is_told_that_another_has_it(lab: Lab) -> None:
    planning = planned(lab)
    assert tell(lab, generate_uid(), planning, first=True) == 0
    late = generate_uid()
    assert tell(lab, late, planning, first=True, title="S360") == 0x0110
    assert tell(lab, late, news("COMPLETED"), title="S360") == 0x0112, "it never began"
    assert lab.glass() is SlideState.SCANNING


def test_given_up_it_waits_again_and_says_why(lab: Lab) -> None:
    for code, meaning, expected in (
        ("110501", "Equipment failure", "equipment_failure"),
        ("X1", "Glass jammed", "glass_jammed"),
    ):
        uid, why = generate_uid(), Dataset()
        why.CodeValue, why.CodingSchemeDesignator, why.CodeMeaning = code, "DCM", meaning
        assert tell(lab, uid, planned(lab), first=True) == 0
        given_up = news(
            "DISCONTINUED", PerformedProcedureStepDiscontinuationReasonCodeSequence=Sequence([why])
        )
        assert tell(lab, uid, given_up) == 0
        assert (lab.glass(), lab.item().state) == (SlideState.QUEUED, WorkState.OFFERED)
        assert lab.item().reason == expected


def test_nobody_tells_of_another_ones_step_or_unit(lab: Lab) -> None:
    uid = generate_uid()
    assert tell(lab, uid, planned(lab), first=True, title="SOUTH") == 0
    assert lab.glass() is SlideState.QUEUED, "the scan is another unit's: it is only written down"
    mine = generate_uid()
    assert tell(lab, mine, planned(lab), first=True) == 0
    assert tell(lab, mine, news("DISCONTINUED"), title="S360") == 0x0112
    assert lab.glass() is SlideState.SCANNING


def test_a_scan_that_was_taken_back_meanwhile(lab: Lab) -> None:
    uid = generate_uid()
    assert tell(lab, uid, planned(lab), first=True) == 0
    scanning.fail(lab.services.database, lab.item().item_id, "tech", "jammed", anyone=True)
    assert tell(lab, uid, news("COMPLETED")) == 0, "the step has been performed all the same"
    assert lab.glass() is SlideState.QUEUED


def test_unscheduled_and_odd_steps(lab: Lab) -> None:
    unscheduled = planned(lab)
    del unscheduled.ScheduledStepAttributesSequence
    assert tell(lab, generate_uid(), unscheduled, first=True) == 0
    for step_id in ("%", "no-such-step", "0" * 16):
        assert tell(lab, generate_uid(), planned(lab, step_id), first=True) == 0
    assert lab.glass() is SlideState.QUEUED
    done = planned(lab)
    done.PerformedProcedureStepStatus = "COMPLETED"
    assert tell(lab, generate_uid(), done, first=True) == 0x0106
    assert tell(lab, "1.2.3.404", news("COMPLETED")) == 0x0112
    uid = generate_uid()
    assert tell(lab, uid, planned(lab), first=True) == 0
    assert tell(lab, uid, news("PAUSED")) == 0x0106


def test_who_may_only_store_tells_nothing(lab: Lab) -> None:
    entity = AE("STORER")
    entity.add_requested_context(Step)
    association = entity.associate(HOST, lab.port, ae_title="SVARTID")
    assert not association.accepted_contexts
    association.abort()
