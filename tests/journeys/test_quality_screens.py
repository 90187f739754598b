"""Quality on the screen: the panel, a map exactly over the slide, the tray, the lab's list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from storage import cases
from storage.records.case_words import SlideState
from storage.records.quality import Spot
from tests.journeys.axe import violations
from tests.journeys.ward import SIZES, Ward, opened
from tests.viewers.quality_reports import BLURRED, GOOD, enter, finding

pytestmark = pytest.mark.timeout(120)
CASE, CELL = "P26-300001", 128
SPOT = (4 * CELL, 2 * CELL, 2 * CELL, CELL)
TWO_TILES = (
    GOOD[0],
    finding("tiles.missing", {"missing": 2, "damaged": 0, "missing_mm2": 0.0041}, (Spot(SPOT),)),
)
INK_AT = """([x, y]) => {
  const layer = document.querySelector('.quality-layer');
  const at = [x, y].map((each) => Math.round(each * window.devicePixelRatio));
  return [...layer.getContext('2d').getImageData(...at, 1, 1).data];
}"""
SCREEN_OF = """([x, y]) => {
  const viewer = window.svartid.viewer, width = viewer.world.getItemAt(0).getContentSize().x;
  const at = viewer.viewport.pixelFromPoint(new OpenSeadragon.Point(x / width, y / width), true);
  return [viewer.viewport.getFlip() ? viewer.viewport.getContainerSize().x - at.x : at.x, at.y];
}"""


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    with opened(tmp_path_factory.mktemp("quality")) as found:
        found.case(CASE, 0, 1, 3)
        settings, database = found.department.settings, found.department.database
        enter(database, settings.layout, found.images[0], TWO_TILES, SIZES[0])
        enter(database, settings.layout, found.images[1], BLURRED, SIZES[1])
        yield found


def microscope(page: Page, ward: Ward, number: int = 0) -> None:
    page.goto(f"{ward.url}/slides/{ward.images[number]}")
    expect(page.locator("#quality-toggle")).to_be_visible(timeout=20_000)
    page.locator(".tray-quality").first.wait_for()


def still(page: Page) -> None:
    """Until the slide has come to rest."""
    page.wait_for_function(
        "() => { const v = window.svartid.viewer.viewport;"
        " return Math.abs(v.getZoom(true) / v.getZoom(false) - 1) < 1e-4"
        " && Math.abs(v.getRotation(true) - v.getRotation(false)) < 1e-3"
        " && v.getCenter(true).distanceTo(v.getCenter(false)) < 1e-5; }"
    )


def ink(page: Page, x: float, y: float) -> list[int]:
    """What the map has drawn over a place of the slide, in level-0 pixels."""
    found: list[int] = page.evaluate(INK_AT, page.evaluate(SCREEN_OF, [x, y]))
    return found


def test_the_map_lies_exactly_over_the_slide(
    ward: Ward, browser: Browser, screenshots: Path
) -> None:
    with ward.window(browser, "pia") as page:
        microscope(page, ward)
        page.keyboard.press("q")
        panel = page.locator("#quality")
        expect(panel).to_contain_text("Manglende dele af billedet")
        expect(panel.locator("[data-check='tiles.missing']")).to_contain_text("0,004")
        page.locator(".quality-spots button").first.focus()
        page.keyboard.press("Enter")
        still(page)
        expect(panel.locator(".quality-legend")).to_contain_text("mangler")
        page.screenshot(path=screenshots / "quality-panel.png")
        left, top, width, height = SPOT
        for key in ("", "f", "r", "+"):
            page.keyboard.press(key or "Shift")
            still(page)
            margin = 10  # level-0 pixels, about three on the screen; the frame is two wide
            inside = (left + margin, top + margin), (left + width - margin, top + height - margin)
            outside = (left - margin, top + margin), (left + width + margin, top + height - margin)
            assert [ink(page, *at)[3] > 0 for at in inside] == [True, True], key
            assert [ink(page, *at)[3] for at in outside] == [0, 0], key
        assert violations(page) == []
        page.keyboard.press("m")
        expect(page.locator(".quality-legend")).to_have_count(0)
        page.keyboard.press("q")
        expect(panel).to_be_hidden()


def test_the_tray_says_how_each_slide_stands(ward: Ward, browser: Browser) -> None:
    with ward.window(browser, "pia") as page:
        microscope(page, ward)
        expect(page.locator(".tray-quality")).to_have_text(
            ["Skannes igen?", "Skal ses på", "Ikke tjekket"]
        )
        enter(ward.department.database, ward.department.settings.layout, ward.images[3])
        expect(page.locator(".tray-quality").nth(2)).to_have_text("Bestået", timeout=10_000)


def card(page: Page, image: str) -> Any:  # noqa: ANN401
    return page.locator(f"#quality-list li[data-slide='{image}']")


def test_the_laboratory_releases_one_and_scans_another_again(
    ward: Ward, browser: Browser, screenshots: Path
) -> None:
    with ward.window(browser, "tina") as page:
        page.goto(f"{ward.url}/lab")
        blurred, missing = card(page, ward.images[1]), card(page, ward.images[0])
        expect(blurred).to_contain_text("Fokus: ude af fokus 22 % af vævet, over 2 %")
        expect(page.locator("#quality-count")).to_have_text("2")
        page.wait_for_function(
            "() => [...document.querySelectorAll('#quality-list img')].every(at => at.naturalWidth)"
        )
        page.screenshot(path=screenshots / "quality-lab.png")
        assert violations(page) == []
        missing.locator("[data-act=rescan]").click()
        dialog = page.locator("dialog.form")
        expect(dialog.locator("[name=reason]")).to_have_value("missing_tissue")
        expect(dialog.locator("[name=note]")).to_have_value(
            "Manglende dele af billedet: mangler 0,0041 mm²"
        )
        expect(dialog.locator(".region")).to_be_visible()
        page.screenshot(path=screenshots / "quality-rescan.png")
        assert violations(page) == []
        page.keyboard.press("Control+Enter")
        expect(missing).to_have_count(0)
        blurred.locator("[data-act=release]").click()
        page.fill("dialog [name=note]", "Kun fedt ved randen")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#quality-list")).to_contain_text("Kontrollen beder ikke om noget")
    first = cases.get(ward.department.database, CASE).slides[f"{CASE}-0"]
    assert first.state is SlideState.QUEUED
    assert first.region is not None
    sizes = (*SIZES[0], *SIZES[0])
    place = [at / size for at, size in zip(SPOT, sizes, strict=True)]
    assert first.region == pytest.approx(place, abs=1e-4)


def test_the_pathologist_sees_who_released_it_and_how_far_out_of_focus_it_is(
    ward: Ward, browser: Browser, screenshots: Path
) -> None:
    with ward.window(browser, "pia") as page:
        microscope(page, ward, 1)
        page.keyboard.press("q")
        human = page.locator(".quality-human")
        expect(human).to_contain_text("Godt nok: Kun fedt ved randen")
        expect(page.locator("#quality-release")).to_have_count(0)
        page.keyboard.press("m")
        steps = ["1 til 1,5 µm", "1,5 til 2,5 µm", "2,5 til 4 µm", "4 µm og derover"]
        expect(page.locator(".quality-legend li")).to_have_text(steps)
        page.wait_for_function("() => !document.querySelector('.quality-layer').hidden")
        sharp, blurred = ink(page, 2 * CELL, 3 * CELL), ink(page, 9.5 * CELL, 3 * CELL)
        assert (sharp[3], blurred[3] > 0) == (0, True)
        page.screenshot(path=screenshots / "quality-focus.png")
        page.set_viewport_size({"width": 1024, "height": 768})
        assert violations(page) == []
        page.screenshot(path=screenshots / "quality-narrow.png")
