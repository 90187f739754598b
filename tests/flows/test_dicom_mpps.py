"""What scanners tell by MPPS moves the case; a simulated one brings it to its image by DICOM."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid
from pynetdicom import AE
from pynetdicom.sop_class import (
    ModalityPerformedProcedureStep as Step,  # type: ignore[attr-defined]
)

from flows.dicom_series import ReceivedSeries
from flows.ingest import read_in
from flows.matching import Outcome, match_slide
from flows.scanner_simulator_dicom import DicomScanner, Place
from flows.services import Services
from processing.label import read_barcodes
from storage import cases, imaging, leases, scan_steps, scanning, work_items
from storage.dicom_uids import CASE, known_root
from storage.records.case_words import SlideState
from storage.records.imaging import PeerMay, Wanted
from storage.records.intake import IntakeState
from storage.records.people import SVARTID
from storage.records.scans import step_id_of
from storage.records.work import WorkItem, WorkKind, WorkState
from tests.flows.dicom_nodes import (
    HOST,
    NORTH,
    SOEREN,
    SOUTH,
    a_node,
    case,
    let_in,
    services_in,
)
from tests.flows.test_scanner import QUICK

ACCESSION, GLASS = "P26-1", "P26-1-A1"


@dataclass
class Lab:
    services: Services
    port: int

    def glass(self, barcode: str = GLASS) -> SlideState:
        return cases.get(self.services.database, ACCESSION).slides[barcode].state

    def item(self) -> WorkItem:
        (item,) = work_items.listing(self.services.database, [WorkKind.SCAN], list(WorkState))
        return item


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    services = services_in(tmp_path)
    case(services, ACCESSION, SOEREN, GLASS, "P26-1-A2", unit=NORTH)
    scanning.queue_scan(services.database, GLASS, "tech")
    for title in ("GT450", "S360"):
        let_in(services, title)
    let_in(services, "SOUTH", SOUTH)
    let_in(services, "STORER", may=frozenset({PeerMay.STORE}))
    with a_node(services) as port:
        yield Lab(services, port)
    services.database.dispose()


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


def scanner(
    lab: Lab,
    told: list[dict[str, Any]],
    title: str = "GT450",
    **about: Any,  # noqa: ANN401
) -> DicomScanner:
    place = Place(HOST, lab.port, "SVARTID", title)
    return DicomScanner(replace(QUICK, **about), told.append, random.Random(7), place=place)


def take_in(services: Services) -> list[Outcome]:
    """What the flows do with series that have come."""
    look, found = ReceivedSeries(replace_settle(services)), []
    ends = time.monotonic() + 10
    while not look() and time.monotonic() < ends:
        time.sleep(0.1)
    while row := leases.claim(services.database, "t", 60, (IntakeState.RECEIVED,)):
        read_in(services, row.intake_id)
        found.append(match_slide(services, row.slide_id, read_barcodes))
    return found


def replace_settle(services: Services) -> Services:
    return replace(services, settings=replace(services.settings, dicom_settle_seconds=0.3))


def test_the_scanner_brings_a_glass_to_its_image(lab: Lab) -> None:
    told: list[dict[str, Any]] = []
    machine = scanner(lab, told)
    assert machine.once()
    assert [at["event"] for at in told] == ["started", "delivered"]
    assert lab.glass() is SlideState.SCANNED
    assert not machine.once(), "nothing else waits"
    assert take_in(lab.services) == [Outcome.ATTACHED]
    assert lab.glass() is SlideState.AVAILABLE
    study = known_root(lab.services.database, CASE, ACCESSION)
    (entry,) = imaging.series(lab.services.database, SVARTID, Wanted(accession=ACCESSION))
    assert (entry.study_uid, entry.series_uid) == (study, told[-1]["series"])
    assert entry.whose.patient_id, "the images are Søren's, by number and name"
    assert (entry.whose.identifier, entry.received) == (SOEREN[0], True)


def test_two_scanners_share_the_work(lab: Lab) -> None:
    scanning.queue_scan(lab.services.database, "P26-1-A2", "tech")
    heard: list[dict[str, Any]] = []
    first, second = scanner(lab, heard), scanner(lab, heard, "S360")
    taken = first.ask()
    assert second.once()
    assert not second.once()
    assert taken is not None
    assert {taken["barcode"], heard[-1]["barcode"]} == {GLASS, "P26-1-A2"}


def test_the_wrong_glass_is_noticed(lab: Lab) -> None:
    told: list[dict[str, Any]] = []
    assert scanner(lab, told, mistakes=1.0).once()
    assert told[-1]["wrong_glass"] == f"{GLASS}-X"
    assert take_in(lab.services) == [Outcome.MISMATCH]
    assert lab.glass() is SlideState.QUEUED


def test_failures_are_told_and_end(lab: Lab) -> None:
    told: list[dict[str, Any]] = []
    machine = scanner(lab, told, failures=1.0)
    assert [machine.once() for _ in range(4)] == [True, True, True, False]
    assert lab.glass() is SlideState.FAILED


def test_the_command_scans_and_stops_in_good_order(lab: Lab) -> None:
    command = [Path(sys.executable).parent / "svartid", "scanner", "--json", "--failures", "0"]
    command += ["--dicom", f"{HOST}:{lab.port}", "--title", "GT450"]
    quick = ["--once", "--speed", "1e6", "--width", "300", "--height", "200"]
    once = subprocess.run([*command, *quick], capture_output=True, text=True)
    assert once.returncode == 0, once.stderr
    assert [json.loads(line)["event"] for line in once.stdout.splitlines()] == [
        "started", "delivered",
    ]  # fmt: skip
    scanning.queue_scan(lab.services.database, "P26-1-A2", "tech")
    slow = subprocess.Popen(command, env=os.environ, stdout=subprocess.PIPE, text=True)
    assert slow.stdout is not None
    assert json.loads(slow.stdout.readline())["event"] == "started"
    slow.send_signal(signal.SIGTERM)
    told = json.loads(slow.communicate(timeout=20)[0])
    assert (slow.returncode, told["event"], told["reason"]) == (0, "failed", "stopped")
    assert lab.glass("P26-1-A2") is SlideState.QUEUED
    for words, said in (
        (["--title", "STRANGER"], "nobody lets STRANGER in"),
        (["--title", "STORER"], "not allowed"),
        (["--dicom", "nowhere"], "HOST:PORT"),
        (["--title", "X" * 17], "AE title"),
    ):
        done = subprocess.run([*command, "--once", *words], capture_output=True, text=True)
        assert done.returncode in (1, 2)
        assert said in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
