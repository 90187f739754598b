"""A simulated scanner that speaks DICOM brings glasses to their images, or says why not."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows.dicom_series import ReceivedSeries
from flows.ingest import read_in
from flows.matching import Outcome, match_slide
from flows.scanner_simulator_dicom import DicomScanner, Place
from flows.services import Services
from processing.label import read_barcodes
from storage import imaging, leases, scanning
from storage.dicom_uids import CASE, known_root
from storage.records.case_words import SlideState
from storage.records.imaging import Wanted
from storage.records.intake import IntakeState
from storage.records.people import SVARTID
from tests.flows.dicom_lab import ACCESSION, GLASS, Lab, a_lab
from tests.flows.dicom_nodes import HOST, SOEREN
from tests.flows.test_scanner import QUICK


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with a_lab(tmp_path) as made:
        yield made


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
