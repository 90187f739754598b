"""The simulated scanner against the real application: all it knows is HTTP and its token."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from flows.ingest import read_in
from flows.matching import Outcome, match_slide
from flows.scanner_simulator import MEAN_SECONDS, MEDIAN_SECONDS, Options
from flows.scanner_simulator_http import Scanner
from flows.services import Services
from flows.supervisor import free_port
from flows.watch import WatchFolder
from processing.label import read_barcodes
from storage import cases, intake, leases, people, scanning, work_items
from storage.records.case_words import SlideState
from storage.records.intake import IntakeState, Source
from storage.records.people import Role
from storage.records.work import WorkKind, WorkState
from tests.storage.lab import order
from viewers.app import create_app

QUICK = Options(speed=1e6, failures=0.0, size=(300, 200), poll=0.05)


class Opens:
    def opens(self, path: Path, limit: float) -> bool:
        return True


@contextmanager
def serving(services: Services) -> Iterator[str]:
    config = uvicorn.Config(create_app(services.settings), port=free_port(), log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{config.port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def token(services: Services) -> str:
    people.ensure_person(services.database, "s1", Role.DEVICE)
    return people.create_token(services.database, "s1", Role.DEVICE, 1)


@pytest.fixture
def client(services: Services, token: str) -> Iterator[httpx.Client]:
    with serving(services) as url:
        head = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=url, headers=head, timeout=20) as made:
            yield made


def scanner(client: httpx.Client, told: list[dict[str, Any]], **about: Any) -> Scanner:  # noqa: ANN401
    options, chance = replace(QUICK, **about), random.Random(7)
    return Scanner(options, told.append, chance, client=client)


def asked_for(services: Services, *barcodes: str) -> None:
    order(services.database, "P1", *barcodes)
    for barcode in barcodes:
        scanning.queue_scan(services.database, barcode, "tech")


def arrive(services: Services, folder: Path, source: Source) -> list[Outcome]:
    """What has been handed in is read in and finds its glass."""
    watch = WatchFolder(services, folder, source, Opens())
    settled = time.monotonic() + 10
    while not watch.look() and time.monotonic() < settled:
        time.sleep(0.1)
    found = []
    while row := leases.claim(services.database, "t", 60, (IntakeState.RECEIVED,)):
        read_in(services, row.intake_id)
        found.append(match_slide(services, row.slide_id, read_barcodes))
    return found


def glass(services: Services, barcode: str) -> SlideState:
    return cases.get(services.database, "P1").slides[barcode].state


def test_a_glass_is_scanned_uploaded_and_found(services: Services, client: httpx.Client) -> None:
    asked_for(services, "P1-A1")
    told: list[dict[str, Any]] = []
    machine = scanner(client, told)
    assert machine.once()
    assert not machine.once()
    assert glass(services, "P1-A1") is SlideState.SCANNED
    folder = services.layout.uploads / "done"
    assert arrive(services, folder, Source.UPLOAD) == [Outcome.ATTACHED]
    assert glass(services, "P1-A1") is SlideState.AVAILABLE
    assert [at["event"] for at in told] == ["started", "delivered"]
    (row,) = intake.listing(services.database)
    assert told[-1]["fingerprint"] == row.fingerprint
    (scan,) = cases.get(services.database, "P1").slides["P1-A1"].scans
    assert (scan.scanner, scan.slide_id) == ("S1", row.slide_id)


def test_by_the_watch_folder(services: Services, client: httpx.Client) -> None:
    asked_for(services, "P1-A1", "P1-A2")
    machine = scanner(client, [], watch=services.layout.incoming)
    assert machine.once()
    assert machine.once()
    assert len(list(services.layout.incoming.iterdir())) == 2
    assert arrive(services, services.layout.incoming, Source.WATCH) == [Outcome.ATTACHED] * 2
    assert len(cases.get(services.database, "P1").ready_times) == 1


def test_the_wrong_glass_is_noticed(services: Services, client: httpx.Client) -> None:
    asked_for(services, "P1-A1")
    told: list[dict[str, Any]] = []
    scanner(client, told, watch=services.layout.incoming, mistakes=1.0).once()
    assert told[-1]["wrong_glass"] == "P1-A1-X"
    assert arrive(services, services.layout.incoming, Source.WATCH) == [Outcome.MISMATCH]
    assert glass(services, "P1-A1") is SlideState.QUEUED
    (alarm,) = work_items.listing(services.database, [WorkKind.UNKNOWN_SLIDE])
    assert alarm.data["why"] == "mismatch"


def test_failures_are_told_and_end(services: Services, client: httpx.Client) -> None:
    asked_for(services, "P1-A1")
    told: list[dict[str, Any]] = []
    machine = scanner(client, told, failures=1.0)
    assert [machine.once() for _ in range(4)] == [True, True, True, False]
    assert glass(services, "P1-A1") is SlideState.FAILED
    assert [at["event"] for at in told].count("failed") == 3


def test_a_scan_that_was_taken_away_is_let_go(services: Services, client: httpx.Client) -> None:
    asked_for(services, "P1-A1")
    told: list[dict[str, Any]] = []
    machine = scanner(client, told)
    tell = machine.tell

    def meanwhile(event: dict[str, Any]) -> None:
        tell(event)
        if event["event"] == "started":
            scanning.fail(services.database, event["item_id"], "tech", "jammed", anyone=True)

    machine.tell = meanwhile
    assert machine.once()
    assert told[-1]["event"] == "taken_away"
    assert glass(services, "P1-A1") is SlideState.QUEUED


def test_a_disk_that_is_full_is_a_failed_scan(services: Services, client: httpx.Client) -> None:
    asked_for(services, "P1-A1")
    told: list[dict[str, Any]] = []
    scanner(client, told, watch=services.layout.incoming / "gone").once()
    assert told[-1] | {"item_id": ""} == {
        "event": "failed", "item_id": "", "barcode": "P1-A1", "reason": "FileNotFoundError",
    }  # fmt: skip
    assert glass(services, "P1-A1") is SlideState.QUEUED


def test_an_upload_goes_on_where_it_broke(
    services: Services, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.scanner_simulator_http._CHUNK", 8000)
    asked_for(services, "P1-A1")
    machine, breaks = scanner(client, []), [3, 5]
    send = Scanner._sent

    def breaking(self: Scanner, method: str, *rest: Any) -> httpx.Response:  # noqa: ANN401
        answer = send(self, method, *rest)  # it arrives; the answer does not
        breaks[:] = [at - (method == "PATCH") for at in breaks]
        if method == "PATCH" and 0 in breaks:
            raise httpx.ReadError("the line broke")
        return answer

    monkeypatch.setattr(Scanner, "_sent", breaking)
    assert machine.once()
    folder = services.layout.uploads / "done"
    assert arrive(services, folder, Source.UPLOAD) == [Outcome.ATTACHED]


def test_scans_take_as_long_as_they_do() -> None:
    chance = random.Random(1)
    machine = Scanner(QUICK, print, chance, client=httpx.Client())
    drawn = sorted(machine.draw_seconds() for _ in range(20_000))
    assert abs(drawn[10_000] / MEDIAN_SECONDS - 1) < 0.03
    assert abs(sum(drawn) / len(drawn) / MEAN_SECONDS - 1) < 0.03


def test_the_command_scans_and_stops_in_good_order(services: Services, token: str) -> None:
    asked_for(services, "P1-A1", "P1-A2")
    with serving(services) as url:
        command = [Path(sys.executable).parent / "svartid", "scanner", "--url", url, "--json"]
        command += ["--deliver", f"watch:{services.layout.incoming}", "--failures", "0"]
        known = os.environ | {"SVARTID_TOKEN": token}
        quick = ["--once", "--speed", "1e6", "--width", "300", "--height", "200"]
        once = subprocess.run([*command, *quick], env=known, capture_output=True, check=True)
        events = [json.loads(line)["event"] for line in once.stdout.splitlines()]
        assert events == ["started", "delivered"]
        slow = subprocess.Popen(command, env=known, stdout=subprocess.PIPE, text=True)
        assert slow.stdout is not None
        assert json.loads(slow.stdout.readline())["event"] == "started"
        slow.send_signal(signal.SIGTERM)
        told = json.loads(slow.communicate(timeout=20)[0])
        assert (slow.returncode, told["event"], told["reason"]) == (0, "failed", "stopped")
        (left,) = work_items.listing(services.database, [WorkKind.SCAN], [WorkState.OFFERED])
        assert left.barcode == told["barcode"]
        wrong = subprocess.run(
            [*command, "--once"], env=known | {"SVARTID_TOKEN": "svt_" + "x" * 40},
            capture_output=True, text=True,
        )  # fmt: skip
        assert wrong.returncode == 1
        assert "token" in wrong.stderr
