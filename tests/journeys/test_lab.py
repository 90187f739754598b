"""The laboratory's day in Chromium: a barcode reader, an unknown slide, a scan asked for again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from flows.matching import match_slide
from flows.services import prepare_services
from processing.turnaround.working_days import local_date, midnight
from storage import cases, scanning
from storage.case_log import Said
from storage.records import slide_events as slides
from storage.records.case_words import SlideState
from tests.journeys.axe import violations
from tests.journeys.running import wait_for
from tests.journeys.ward import Ward, opened

pytestmark = pytest.mark.timeout(120)
READABLE, WAITING, STRANGE = "P26-200001", "P26-200002", "P26-200003"
CORNERS = ((0.25, 0.2), (0.75, 0.8))


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    with opened(tmp_path_factory.mktemp("lab")) as found:
        for accession in (READABLE, WAITING, STRANGE):
            found.case(accession)
            for number in (1, 2, 3):
                glass(found, accession, number)
        found.show(READABLE, f"{READABLE}-1", 0)
        yield found


def glass(ward: Ward, accession: str, number: int) -> str:
    """One of today that is stained and waits to be scanned."""
    today, barcode = midnight(local_date(datetime.now(UTC))), f"{accession}-{number}"
    at = max(today, datetime.now(UTC) - timedelta(minutes=30))
    ward.department.say(accession, slides.SlideExpected(barcode, "A", "A1", "HE"), at=at)
    ward.department.say(accession, slides.SlideStained(barcode), at=at)
    return barcode


def state(ward: Ward, barcode: str) -> SlideState:
    accession = barcode.rpartition("-")[0]
    return cases.get(ward.department.database, accession).slides[barcode].state


def to_lab(page: Page, ward: Ward) -> None:
    page.goto(f"{ward.url}/lab")
    page.wait_for_selector(f'tr[data-key="{WAITING}-1"]')


def row(page: Page, barcode: str) -> Any:  # noqa: ANN401
    return page.locator(f'tr[data-key="{barcode}"]')


def read(page: Page, *codes: str) -> None:
    """As a barcode reader does: it types, and ends with Enter."""
    for code in codes:
        page.keyboard.type(code)
        page.keyboard.press("Enter")


def test_a_reader_queues_glass_after_glass(ward: Ward, browser: Browser) -> None:
    with ward.window(browser, "tina") as page:
        to_lab(page, ward)
        expect(page.locator("#scan-barcode")).to_be_focused()
        page.fill("#search", "P25-999999-1")
        expect(page.locator("#list-state a")).to_have_attribute("href", "/cases")
        page.fill("#search", f"{READABLE}-1")  # what can be read is found, though it waits no more
        expect(row(page, f"{READABLE}-1")).to_contain_text("Kan læses")
        page.fill("#search", "")
        page.fill("#scan-rack", "R7")
        page.fill("#scan-slot", "A9")
        page.focus("#scan-barcode")
        read(page, f"{WAITING}-1", f"{WAITING}-2")
        expect(row(page, f"{WAITING}-2")).to_contain_text("R7")
        assert page.input_value("#scan-slot") == "A11"
        read(page, "no such glass")
        expect(page.locator("#scan-said")).to_contain_text("no such glass")
        assert page.input_value("#scan-barcode") == "no such glass"
        assert violations(page) == []
    assert {state(ward, f"{WAITING}-{at}") for at in (1, 2)} == {SlideState.QUEUED}


def test_what_the_scanner_says_is_seen_at_once(ward: Ward, browser: Browser) -> None:
    barcode, database = f"{WAITING}-3", ward.department.database
    with ward.window(browser, "tina") as page:
        to_lab(page, ward)
        item = scanning.queue_scan(database, barcode, "tina").item_id
        scanning.start(database, item, "scanner", "GT450-1")
        expect(row(page, barcode)).to_contain_text("Skannes")
        expect(page.locator("#scanners")).to_contain_text("GT450-1")
        scanning.fail(database, item, "scanner", "tissue_not_found")
        expect(row(page, barcode)).to_contain_text("mislykket én gang")


def test_scanned_again_for_a_reason_and_a_place(ward: Ward, browser: Browser) -> None:
    barcode = f"{READABLE}-1"
    with ward.window(browser, "tina") as page:
        to_lab(page, ward)
        page.fill("#search", barcode)
        row(page, barcode).locator("td").first.click()
        page.keyboard.press("r")
        page.wait_for_function(
            "() => document.querySelector('.region-glass img')?.naturalWidth > 1"
        )
        box = page.locator(".region-glass").bounding_box()
        assert box is not None
        at = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in CORNERS]
        page.mouse.move(*at[0])
        page.mouse.down()
        page.mouse.move(*at[1], steps=4)
        page.mouse.up()
        page.fill("dialog [name=note]", "øverste kant")
        assert violations(page) == []
        page.keyboard.press("Control+Enter")
        page.wait_for_selector("dialog.form", state="detached")
        expect(row(page, barcode)).to_contain_text("Ude af fokus: øverste kant")
    found = cases.get(ward.department.database, READABLE).slides[barcode]
    assert found.state is SlideState.QUEUED
    assert found.region == pytest.approx((0.25, 0.2, 0.5, 0.6), abs=0.02)


def test_an_unknown_slide_takes_two_identifiers(ward: Ward, browser: Browser) -> None:
    image, barcode = ward.images[3], f"{STRANGE}-1"
    with ward.window(browser, "tina") as page:
        to_lab(page, ward)
        services = prepare_services(ward.department.settings)
        match_slide(services, image, lambda _: ("P26-20O003-1",))
        card = page.locator("#unknown-list li")
        expect(card).to_contain_text("P26-20O003-1")
        card.get_by_role("button", name="Find glasset").click()
        expect(page.locator("dialog .alike")).to_contain_text(barcode)
        page.fill("dialog [name=barcode]", barcode)
        page.select_option("dialog [name=kind]", "cpr")
        page.fill("dialog [name=value]", "020202-1111")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector("dialog .message:not([hidden])")
        assert violations(page) == []
        page.fill("dialog [name=value]", "010190-1234")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector("dialog.form", state="detached")
        expect(page.locator("#unknown-list li")).to_have_count(0)
    assert state(ward, barcode) is SlideState.AVAILABLE


def test_the_repair_list_is_emptied_by_people(ward: Ward, browser: Browser) -> None:
    database, moment = ward.department.database, datetime.now(UTC) + timedelta(seconds=1)
    later, never = f"{STRANGE}-8", f"{STRANGE}-9"
    with ward.window(browser, "tina") as page:
        page.goto(f"{ward.url}/repairs")
        page.wait_for_selector("#filters button")
        for barcode in (later, never):
            said = Said("lis", "hl7", moment)
            cases.record(database, STRANGE, slides.SlideStained(barcode), said, strict=False)
        first, second = (page.locator("#rows tr", has_text=at) for at in (later, never))
        expect(second).to_contain_text("lis · hl7")
        assert violations(page) == []
        first.locator(".first-act").click()
        expect(first.locator(".said")).to_be_visible()
        glass = slides.SlideExpected(later, "A", "A1", "HE")
        ward.department.say(STRANGE, glass, at=moment - timedelta(seconds=1))
        first.locator(".first-act").click()
        expect(first).to_have_class(
            re.compile(r"\bgone\b")
        )  # it stays under the pointer, with nothing to press
        expect(first.locator(".first-act")).to_be_hidden()
        page.mouse.move(4, 4)
        expect(first).to_have_count(0)
        second.locator("td").first.click()
        page.keyboard.press("x")
        page.fill("dialog.form [name=reason]", "Glasset findes ikke")
        page.keyboard.press("Control+Enter")
        page.mouse.move(4, 4)
        expect(second).to_have_count(0)
    assert wait_for(lambda: state(ward, later) is SlideState.STAINED, 5, "the glass")
