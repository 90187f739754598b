"""The pathologist's part of a department's day, by keyboard alone, and its clocks held to sums."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from tests.journeys.day import Day
from tests.journeys.running import wait_for
from tests.journeys.screens import Screen

TEXT, CODES = "Basocellulært karcinom, radikalt fjernet.", "T02530 M80903"
QUICK = 20
"""Seconds within which what happened elsewhere is on an open page."""


def read_and_sign(day: Day, reader: Screen, accession: str, case: dict[str, Any]) -> None:
    """The pathologist's part, by keyboard alone; another scan comes while the slide is open."""
    page, keys = reader.page, reader.page.keyboard
    reader.open("/")
    reader.sign_in("pia", day.passwords["pia"])
    page.wait_for_selector(f"#rows tr[data-key='{accession}']")
    reader.shoot("cases")
    for _ in range(10):
        if page.locator(f"#rows tr[data-key='{accession}'][aria-selected]").count():
            break
        keys.press("j")
    keys.press("Enter")
    page.wait_for_url(f"**/cases/{accession}")
    page.wait_for_selector("#glasses:not([hidden])")
    reader.shoot("case-page")
    keys.press("o")
    page.wait_for_url("**/slides/*")
    reader.settle()
    first = page.url.split("/slides/")[1][:20]
    assert first in {at["slide_id"] for at in case["slides"]}
    reader.wait_for_text("main", "Prøve Person", QUICK)
    reader.shoot("microscope-in-case")

    scan_again(day, reader, accession, case, first)
    write_and_sign(day, reader, accession)
    check_clocks(day, accession)


def scan_again(day: Day, reader: Screen, accession: str, case: dict[str, Any], first: str) -> None:
    """Another scan of the glass under the microscope comes, and takes over by itself."""
    page = reader.page
    barcode = next(at["barcode"] for at in case["slides"] if at["slide_id"] == first)
    wanted = {"reason": "out_of_focus", "note": "kant", "region": [0.4, 0.2, 0.3, 0.3]}
    day.post("tina", f"/api/v1/glasses/{barcode}/rescan", wanted)
    (item,) = [at for at in day.get("tina", "/api/v1/work?kind=scan&state=offered")["work"]
               if at["barcode"] == barcode]  # fmt: skip
    assert item["region"] == wanted["region"], "the scanner is told where"
    day.scan()
    page.wait_for_url(lambda url: first not in url, timeout=1000 * QUICK)  # by itself
    reader.settle()
    reader.wait_for_text("#scan-notice", "skannet igen", QUICK)
    reader.shoot("microscope-rescanned")
    scans = {at["barcode"]: at for at in day.case("pia", accession)["slides"]}[barcode]["scans"]
    assert [at["state"] for at in scans] == ["replaced", "available"], "nothing is deleted"
    assert day.client("pia").get(f"/slides/{first}_files/9/0_0.jpeg").status_code == 200


def write_and_sign(day: Day, reader: Screen, accession: str) -> None:
    """Back to the case, text and codes, a wrong password and the right one; sent."""
    page, keys = reader.page, reader.page.keyboard
    keys.press("Escape")
    page.wait_for_url(f"**/cases/{accession}")
    page.wait_for_selector("#glasses:not([hidden])")
    keys.press("w")
    page.wait_for_selector("#report-text:focus")
    keys.type(TEXT)
    keys.press("Tab")
    keys.type(CODES)
    reader.wait_for_text("#codes-read", "T02530", QUICK)
    reader.shoot("case-report")
    keys.press("Control+Enter")
    page.wait_for_selector("dialog[open] [name=password]")
    keys.type("not the password")
    keys.press("Enter")
    reader.wait_for_text("dialog[open] [role=alert]", "Adgangskoden", QUICK)
    reader.complaints.clear()  # Chromium notes the 403
    assert day.case("pia", accession)["state"] != "signed"
    page.fill("dialog[open] [name=password]", "")
    keys.type(day.passwords["pia"])
    reader.shoot("case-sign")
    keys.press("Enter")
    day.wait_for_state("pia", accession, "distributed")
    wait_for(lambda: not page.locator("dialog[open]").count(), QUICK, "the dialog closes")
    page.wait_for_timeout(1500)
    reader.shoot("case-signed")
    sent = [
        at for at in (day.running.data / "outbox").rglob("*.txt") if accession in at.read_text()
    ]
    assert [TEXT in at.read_text("utf-8") for at in sent] == [True]
    check_clocks(day, accession)


def check_clocks(day: Day, accession: str) -> None:
    """The command's clocks against sums made here from the events, the parts against the whole."""
    told = day.running.command("case", accession)[0]
    page = day.case("pia", accession)
    events = day.get("pia", f"/api/v1/cases/{accession}/events")["events"]

    def first(kind: str, **fields: object) -> datetime:
        fits = (at for at in events if at["kind"] == kind)
        found = (at for at in fits if fields.items() <= at["data"].items())
        return datetime.fromisoformat(next(found)["occurred_at"])

    received = first("SpecimenReceived")
    signed, sent = first("ReportSigned"), first("ReportDistributed")
    opened = first("CaseOpened")
    expected = {
        "K1": (received, sent),
        "K4": (received, max(datetime.fromisoformat(at["occurred_at"]) for at in events
                             if at["kind"] == "SlideStained")),
        "K7": (opened, signed),
        "K8": (signed, sent),
    }  # fmt: skip
    clocks = {at["key"]: at for at in told["clocks"] if at["key"] in expected}
    assert clocks.keys() == expected.keys()
    for key, (start, stop) in expected.items():
        seconds = (stop - start).total_seconds()
        assert clocks[key]["seconds"] == pytest.approx(seconds, abs=1e-3), key
        assert datetime.fromisoformat(clocks[key]["start"]) == start, key
        assert datetime.fromisoformat(clocks[key]["stop"]) == stop, key
    whole = (sent - received).total_seconds()
    assert sum(at["seconds"] for at in told["steps"]) == pytest.approx(whole, abs=1e-3)
    assert clocks["K1"]["in_time"] is True
    assert clocks["K1"]["working_days"] <= 1
    shown = {at["key"]: at["seconds"] for at in page["clocks"] if at["key"] in expected}
    assert shown == {key: at["seconds"] for key, at in clocks.items()}, "page and command agree"
    assert all(a["event_id"] < b["event_id"] for a, b in pairwise(events))
