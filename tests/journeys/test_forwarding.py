"""What leaves a running svartid by itself, and its work as others see it.

Orthanc is the archive, Chromium looks at it with the administrator, curl and a foreign WebSocket
client do the work.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid
from websockets.sync.client import connect

from tests.journeys.axe import violations
from tests.journeys.dicom import ACCESSION, HOST, SCANNED, VIRTUAL, make_case, person, studies
from tests.journeys.running import Running, free_port, wait_for
from tests.journeys.screens import Screen, window
from tests.orthanc import Orthanc, an_orthanc
from tests.steps import new_step, performed

pytestmark = pytest.mark.journey
SIZE = "1400", "1000"
_STATE, _TRANSACTION = "00741000", "00081195"


@dataclass
class Department:
    """A laboratory that hands on what it has scanned."""

    up: Running
    folder: Path
    archive: Orthanc
    technician: str
    """Their token."""

    def scans(self, barcode: str, seed: str) -> str:
        """A glass of the case is read in; its slide id."""
        svs = self.folder / f"{barcode}.svs"
        painted = self.up.run("paint", svs, "--width", SIZE[0], "--height", SIZE[1], "--barcode",
                              barcode, "--accession", ACCESSION, "--seed", seed)  # fmt: skip
        assert painted.returncode == 0, painted.stderr
        (line,) = self.up.command("ingest", svs)
        return str(line["slide_id"])

    def forwarded(self, slide_id: str, to: str) -> dict[str, Any]:
        """The one row of that slide and node; empty while there is none."""
        rows = self.up.command("forward", "list", "--to", to)
        mine = [row for row in rows if row["slide_id"] == slide_id]
        assert len(mine) <= 1, mine
        return mine[0] if mine else {}

    def wait_until(self, slide_id: str, to: str, state: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            row = self.forwarded(slide_id, to)
            return row if row.get("state") == state else None

        return wait_for(look, 90, f"{slide_id} is {state} at {to}\n{self.up.log_tail()}")


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Department]:
    folder = tmp_path_factory.mktemp("forwarding")
    port = free_port()
    with (
        an_orthanc(folder / "orthanc", modalities={"svartid": ["SVARTID", HOST, port]}) as archive,
        Running(folder, "--dicom-port", str(port), SVARTID_SETTLE_SECONDS="0.5") as up,
    ):
        up.command("peer", "add", "archive", "--ae-title", "ARCHIVE", "--host", HOST,
                   "--port", str(archive.dicom_port), "--may", "retrieve")  # fmt: skip
        up.command("peer", "add", "web", "--ae-title", "WEB", "--url", archive.web_url)
        up.command("peer", "add", "elsewhere", "--ae-title", "ELSEWHERE", "--host", HOST,
                   "--port", str(archive.dicom_port), "--unit", "elsewhere")  # fmt: skip
        for to in ("archive", "elsewhere"):
            up.command("forward", "rule", "add", "--to", to, "--on", "slide_complete")
        make_case(up)
        yield Department(up, folder, archive, person(up, "tina", "technician"))


def test_a_slide_that_is_complete_is_kept_by_the_archive(department: Department) -> None:
    """By C-STORE; the archive then calls back that it keeps every object."""
    slide_id = department.scans(VIRTUAL, "3")
    row = department.wait_until(slide_id, "archive", "kept")
    assert row["done"] == row["objects"] == len(department.archive.instances()) > 1
    assert department.up.command("forward", "list", "--to", "elsewhere") == []


def test_the_same_by_hand_over_the_web_is_the_same_pixels(department: Department) -> None:
    before = department.archive.pixels()
    study = _study(department)
    for name in department.archive.get("/studies"):
        subprocess.run(
            ["curl", "-sfX", "DELETE", f"{department.archive.url}/studies/{name}"], check=True
        )
    assert department.archive.instances() == {}
    *_, last = department.up.command("send", study, "--to", "web")
    assert last["sent"] == len(before), last
    assert department.archive.pixels() == before


def test_killed_while_the_archive_is_away_it_arrives_once(
    department: Department, browser: Browser, screenshots: Path
) -> None:
    department.archive.stop()
    slide_id = department.scans(SCANNED, "4")

    def delayed() -> bool:
        return department.forwarded(slide_id, "archive").get("reason") == "peer_away"

    wait_for(delayed, 60, "the archive is known to be away")
    for locale in ("da-DK", "en-GB"):
        with window(browser, department.up, screenshots, locale=locale) as screen:
            _looks_at_the_panel(screen, department, f"forwarding-{locale}")
    before = department.up.processes()
    subprocess.run(["kill", "-9", *map(str, before)], check=False)
    department.up.stop()
    department.archive.start()
    department.up.start()
    row = department.wait_until(slide_id, "archive", "kept")
    held = department.archive.instances()
    assert row["done"] == row["objects"]
    series = department.archive.get("/series?expand")
    mine = [at for at in series if at["MainDicomTags"]["SeriesInstanceUID"] == row["series_uid"]]
    assert [len(at["Instances"]) for at in mine] == [row["objects"]]
    assert len(held) > row["objects"]


def _looks_at_the_panel(screen: Screen, department: Department, shot: str) -> None:
    screen.open("/ops")
    screen.sign_in("admin", department.up.password)
    screen.open("/ops")
    screen.page.wait_for_selector("#forwarding-rows tr")
    screen.page.locator("#forwarding-panel").scroll_into_view_if_needed()
    screen.page.wait_for_timeout(300)
    assert screen.page.locator("#forwarding-rows tr").count() == 2
    assert screen.page.locator("#forwarding-rules li").count() == 2
    assert violations(screen.page) == []
    assert screen.width_overflow() <= 0
    screen.shoot(shot)


def test_a_program_takes_an_analysis_and_a_watcher_hears_of_it(department: Department) -> None:
    """Two foreign programs: curl works, a WebSocket client is told what happens."""
    token = person(department.up, "mitoses", "device")
    study = _study(department)
    source = _item(StudyInstanceUID=study, TypeOfInstances="DICOM")
    step, transaction = generate_uid(), generate_uid()
    curl = _Curl(f"{department.up.url}/dicom-web/workitems", token)
    curl.ask("POST", "/1.2.840.10008.5.1.4.34.5/subscribers/WATCHER")
    address = department.up.url.replace("http", "ws") + "/dicom-web/ws/subscribers/WATCHER"
    headers = {"Authorization": f"Bearer {token}"}
    with connect(address, additional_headers=headers) as channel:
        curl.ask("POST", f"?{step}", [new_step(InputInformationSequence=source).to_json_dict()])
        begin = {_TRANSACTION: {"vr": "UI", "Value": [transaction]}}
        curl.ask("PUT", f"/{step}/state", [begin | _state("IN PROGRESS")])
        said = performed().to_json_dict() | begin
        curl.ask("POST", f"/{step}?transaction-uid={transaction}", [said])
        curl.ask("PUT", f"/{step}/state", [begin | _state("COMPLETED")])
        heard = []
        while "COMPLETED" not in heard:
            event = json.loads(channel.recv(timeout=30))
            assert event["00001000"]["Value"] == [step], event
            heard += event.get(_STATE, {}).get("Value", [])
    assert list(dict.fromkeys(heard)) == ["SCHEDULED", "IN PROGRESS", "COMPLETED"]
    (kept,) = json.loads(curl.ask("GET", f"/{step}"))
    assert kept[_STATE]["Value"] == ["COMPLETED"]
    assert transaction not in json.dumps(kept)


@dataclass
class _Curl:
    url: str
    token: str

    def ask(self, method: str, path: str, body: object = None) -> str:
        words = ["curl", "-sS", "--fail-with-body", "-X", method, f"{self.url}{path}",
                 "-H", f"Authorization: Bearer {self.token}"]  # fmt: skip
        if body is not None:
            words += ["-H", "Content-Type: application/dicom+json", "-d", json.dumps(body)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{method} {path}: {done.stdout}{done.stderr}"
        return done.stdout


def _state(word: str) -> dict[str, Any]:
    return {_STATE: {"vr": "CS", "Value": [word]}}


def _item(**about: str) -> Sequence:
    """Input Information of one item."""
    made = new_step()
    made.clear()
    for name, value in about.items():
        setattr(made, name, value)
    return Sequence([made])


def _study(department: Department) -> str:
    """The case's, as its technician finds it."""
    found: list[dict[str, Any]] = [
        dict(at) for at in studies(department.up, department.technician, AccessionNumber=ACCESSION)
    ]
    (study,) = found
    return str(study["0020000D"]["Value"][0])
