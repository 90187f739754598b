"""A scanner that speaks DICOM alone, against the installed service: from asked for to readable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.dicom import ACCESSION, HOST, PERSON, SCANNED, UNIT, make_case, person, studies
from tests.journeys.running import Running, free_port, wait_for

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Running]:
    folder, quick = tmp_path_factory.mktemp("scanning"), {"SVARTID_DICOM_SETTLE_SECONDS": "1"}
    with Running(folder, "--dicom-port", str(port), **quick) as running:
        running.command("peer", "add", "gt450", "--ae-title", "GT450", "--host", HOST,
                        "--unit", UNIT, "--may", "store", "--may", "worklist")  # fmt: skip
        make_case(running)
        yield running


def test_from_asked_for_to_readable(up: Running, port: int, tmp_path: Path) -> None:
    tina, pia = person(up, "tina", "technician"), person(up, "pia", "pathologist")
    with up.client(None) as client:
        wait_for(lambda: studies(up, pia, AccessionNumber=ACCESSION) == [], 30, "nothing yet")
        asked = client.post(
            "/api/v1/lab/scan", json={"barcode": SCANNED},
            headers={"Authorization": f"Bearer {tina}"},
        )  # fmt: skip
        assert asked.is_success, asked.text

    def scan() -> list[dict[str, Any]] | None:
        words = ["--dicom", f"{HOST}:{port}", "--title", "GT450", "--once", "--json"]
        words += ["--speed", "1000", "--failures", "0", "--width", "600", "--height", "400"]
        done = up.run("scanner", *words)
        assert not done.stderr, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()] or None

    events = wait_for(scan, 30, "the worklist has the scan")
    assert [at["event"] for at in events] == ["started", "delivered"]
    assert events[0]["barcode"] == SCANNED

    def state() -> str:
        with up.client(None) as client:
            answer = client.get(
                f"/api/v1/cases/{ACCESSION}", headers={"Authorization": f"Bearer {pia}"}
            ).json()
        slides = answer.get("case", answer)["slides"]
        items = slides.values() if isinstance(slides, dict) else slides
        return str(next(at["state"] for at in items if at["barcode"] == SCANNED))

    wait_for(lambda: state() == "available", 60, "the image is readable")
    (study,) = studies(up, pia, AccessionNumber=ACCESSION)
    assert study["00100010"]["Value"] == [{"Alphabetic": PERSON}]
    log = up.log.read_text()
    assert PERSON.split("^")[0] not in log
    assert ACCESSION not in log
