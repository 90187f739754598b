"""The casework process: it follows the log, misses nothing, and outlives what goes wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import cv2
import pytest

from flows import casework_duties, casework_images
from flows.casework import Duty, duties
from flows.casework_flows import OUTCOME
from flows.casework_images import Images
from flows.casework_report import FlowReport, Undone, unreported
from flows.label_process import LabelReader
from flows.parent import bound
from flows.services import Services
from processing.paint import Painting, write_svs
from processing.paint.glass import label
from storage import cases, matching, scanning, work_items
from storage.errors import Transient
from storage.records.case_words import SlideState
from storage.records.slide_events import SlideExpected
from storage.records.work import WorkKind, WorkState
from tests.flows.work import finish
from tests.storage.lab import complete, image, order, say


@pytest.fixture
def images(services: Services, monkeypatch: pytest.MonkeyPatch) -> Images:
    """The looking after of images, with labels that cannot be read."""
    monkeypatch.setattr("flows.matching._label", lambda *_: b"")
    return Images(services, unreported, lambda _: ())


def state(services: Services, barcode: str) -> SlideState:
    return cases.get(services.database, barcode.partition("-")[0]).slides[barcode].state


def test_what_came_before_the_start_and_after_it(services: Services, images: Images) -> None:
    order(services.database, "P1", "P1-A1", "P1-A2")
    image(services.database, "a", "P1-A1")
    assert images() == 1
    assert images() == 0
    image(services.database, "b", "P1-A2")
    assert images() == 1
    assert state(services, "P1-A2") is SlideState.AVAILABLE


def test_roots_follow_by_the_log_and_by_looking(services: Services, images: Images) -> None:
    order(services.database, "P1", "P1-A1", "P1-A2")
    one, two = (image(services.database, n, f"P1-A{i}") for i, n in ((1, "a"), (2, "b")))
    complete(services.database, one)
    assert images() == 2
    complete(services.database, two)
    assert images() == 1
    slides = cases.get(services.database, "P1").slides.values()
    assert all(at.scans[0].root for at in slides)
    assert Images(services, unreported, lambda _: ())() == 0  # a new process has nothing to do


def test_a_glass_expected_later_gets_its_image(services: Services, images: Images) -> None:
    order(services.database, "P1")
    image(services.database, "a", "P1-A1")
    assert images() == 1
    say(services.database, "P1", SlideExpected("P1-A1"))
    assert images() == 1
    assert state(services, "P1-A1") is SlideState.AVAILABLE


def test_a_store_without_cases_is_left_alone_at_once(services: Services) -> None:
    def never(*_: object) -> str:
        raise AssertionError

    for name in ("a", "b"):
        image(services.database, name, f"X-{name}")
    assert Images(services, never, never)() == 0  # type: ignore[arg-type]
    assert matching.unmatched(services.database) == []
    assert work_items.listing(services.database) == []


def test_one_image_that_breaks_stops_no_other(
    services: Services, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    order(services.database, "P1", "P1-A1", "P1-A2")
    broken = image(services.database, "a", "P1-A1").slide_id
    image(services.database, "b", "P1-A2")
    match = casework_images.match_slide

    def breaks(services: Services, slide_id: str, read: Callable[..., tuple[str, ...]]) -> object:
        if slide_id == broken:
            raise ZeroDivisionError("of Nancy Ann")
        return match(services, slide_id, read)

    monkeypatch.setattr(casework_images, "match_slide", breaks)
    assert images() == 1
    monkeypatch.setattr(casework_images, "match_slide", match)
    assert images() == 0
    monkeypatch.setattr(casework_images, "_ALL", 0)
    assert images() == 1  # found again by looking at everything


def test_what_the_world_was_not_ready_for_stays_waiting(
    services: Services, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    order(services.database, "P1", "P1-A1")
    image(services.database, "a", "P1-A1")
    match = casework_images.match_slide

    def away(*_: object) -> object:
        raise Transient("the database did not answer")

    monkeypatch.setattr(casework_images, "match_slide", away)
    with pytest.raises(Transient):
        images()
    monkeypatch.setattr(casework_images, "match_slide", match)
    assert images() == 1


def test_a_duty_that_fails_waits_longer_and_names_nobody(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr("flows.casework._LOG.propagate", True, raising=False)
    calls = []

    def fails() -> int:
        calls.append(clock[0])
        raise ValueError("Nancy Ann")

    duty = Duty("matching", 1.0, fails)
    for _ in range(300):
        duty.turn()
        clock[0] += 1
    assert calls[:5] == [0, 2, 6, 14, 30]
    assert calls[-1] - calls[-2] == 60
    assert "Nancy" not in caplog.text


def test_dead_scans_are_taken_back(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    order(services.database, "P1", "P1-A1")
    scanning.queue_scan(services.database, "P1-A1", "tech")
    item = scanning.next_scan(services.database, "s1", "S1")
    assert item is not None
    scanning.start(services.database, item.item_id, "s1")
    dead = casework_duties.DeadScans(services, unreported)
    assert dead() == 0
    monkeypatch.setattr(scanning, "NEWS_WITHIN", timedelta(0))
    assert dead() == 1
    (again,) = work_items.listing(services.database, [WorkKind.SCAN], [WorkState.OFFERED])
    assert (again.item_id, again.reason) == (item.item_id, "no_news")


def test_reports_come_behind_the_work_and_change_nothing() -> None:
    told = []

    def flow(work_id: str) -> None:
        try:
            told.append((work_id, OUTCOME.get()()))
        except Undone as error:
            told.append((work_id, str(error)))
            raise

    def fails() -> str:
        raise ValueError("Nancy Ann")

    report = FlowReport(lambda: True)
    assert report(flow, "a", lambda: "attached") == "attached"
    with pytest.raises(ValueError, match="Nancy"):
        report(flow, "b", fails)
    report._thread.shutdown(wait=True)
    assert told == [("a", "attached"), ("b", "ValueError")]
    away = FlowReport(lambda: False)
    assert away(flow, "c", lambda: "attached") == "attached"
    away.close()
    assert len(told) == 2


@pytest.fixture
def reader() -> Iterator[LabelReader]:
    made = LabelReader(limit=5)
    yield made
    made.stop()


def test_labels_are_read_by_a_process_that_may_die(reader: LabelReader) -> None:
    paper = cv2.imencode(".png", label(Painting(600, 400, barcode="P1-A1")))[1].tobytes()
    assert reader(b"") == ()
    assert reader(paper) == ("P1-A1",)
    assert reader(b"\x89PNG\r\n\x1a\nrubbish") == ()
    assert reader._process is not None
    os.kill(reader._process.pid, signal.SIGKILL)
    assert reader(paper) in [(), ("P1-A1",)]
    assert reader(paper) == ("P1-A1",)
    os.kill(reader._process.pid, signal.SIGSTOP)
    reader._limit = 0.2
    assert reader(paper) == ()
    reader._limit = 5
    assert reader(paper) == ("P1-A1",)


def test_the_process_matches_quickly_and_ends_in_good_order(
    services: Services, tmp_path: Path
) -> None:
    """As `svartid up` starts it, without Prefect."""
    order(services.database, "P1", "P1-A1", "P1-A2")
    write_svs(Painting(300, 200, seed=1, barcode="P1-A1"), tmp_path / "one.svs")
    write_svs(Painting(300, 200, seed=2, barcode="P1-A2"), tmp_path / "two.svs")
    finish(services, tmp_path / "one.svs")
    command = bound((sys.executable, "-m", "flows.casework"))
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: state(services, "P1-A1") is SlideState.AVAILABLE, 60)
        finish(services, tmp_path / "two.svs")
        waited = until(lambda: state(services, "P1-A2") is SlideState.AVAILABLE, 20)
        assert waited < 6  # half a second, where nothing else is going on
    finally:
        process.terminate()
        _, told = process.communicate(timeout=20)
    assert process.returncode == 0, told
    assert "P1" not in told
    assert len(duties(services, unreported, lambda _: ())) > 1


def until(true: Callable[[], bool], within: float) -> float:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < within
        time.sleep(0.05)
    return time.monotonic() - began
