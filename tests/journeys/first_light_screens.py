"""First light on the screen: sign in, worklist, open, pan, zoom, deep link, edges, ops.

The second half of `test_first_light.py`, which collects these tests.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import httpx
import numpy as np
import pytest
import zarr
from playwright.sync_api import Browser, Route

from processing.paint import Painting, write_svs
from tests.journeys import foreign
from tests.journeys.delivery import Delivered
from tests.journeys.running import Running, wait_for
from tests.journeys.screens import Screen, signed_in, window

WORDS = {
    "da-DK": (
        "Glas",
        "Drift",
        "I karantæne",
        "Filen er ikke et skannet glas.",
        "Indlæs glas",
    ),
    "en-GB": (
        "Slides",
        "Operations",
        "In quarantine",
        "The file is not a slide image.",
        "Read in slide",
    ),
}
SIZES = ((1280, 800), (2560, 1440))
FRAME = (10, 12, 15)
"""The microscope's ground: what lies beside the slide."""


def test_a_pathologist_signs_in_reads_and_sees_what_arrives(
    browser: Browser,
    running: Running,
    delivered: dict[str, Delivered],
    screenshots: Path,
    tmp_path: Path,
) -> None:
    made = running.run("user", "add", "lise", "--role", "pathologist")
    password = made.stdout.split()[1]
    with window(browser, running, screenshots) as screen:
        page = screen.page
        screen.open("/")
        assert urlparse(page.url).path == "/signin"
        screen.shoot("sign-in")
        screen.sign_in("lise", "not the password")
        screen.wait_for_text("[role=alert]", "Navn eller adgangskode er forkert.")
        screen.shoot("sign-in-wrong")
        assert page.input_value("[name=name]") == "lise"
        screen.complaints.clear()  # Chromium notes the 401
        screen.sign_in("lise", password)
        page.wait_for_url("**/cases")
        screen.open("/")
        page.wait_for_selector("#rows tr[data-key]")
        assert screen.texts("h1")[0].startswith("Glas")
        rows = {row.get_attribute("data-key") for row in page.locator("#rows tr").all()}
        assert rows >= {slide.slide_id for slide in delivered.values()}
        assert screen.wait_for_pictures("#rows img") == len(rows)
        assert not page.locator("a[href='/ops']").count()

        write_svs(Painting(1400, 1000, seed=5, barcode="SVT-0007-A1-1"), tmp_path / "new.svs")
        page.mouse.move(5, 5)
        screen.ask("() => { window.notReloaded = true; }")
        running.drop(tmp_path / "new.svs", "arrives-now.svs")
        screen.wait_for_text("#rows .slide-name", "SVT-0007-A1-1")
        assert screen.ask("() => window.notReloaded") is True
        screen.shoot("worklist-arrived")

        page.get_by_role("link", name="SVT-0007-A1-1").click()
        screen.settle()
        assert screen.wait_for_pictures("#label img, #macro img") >= 2
        assert page.locator("#overview").is_visible()
        assert "µm" in screen.texts("#scale-bar")[0]
        screen.shoot("microscope-painted")

        page.keyboard.press("Escape")
        page.wait_for_selector("#rows tr[data-key]")
        answer = page.goto(f"{running.url}/ops")
        assert answer is not None
        assert answer.status == 403
        screen.complaints.clear()  # Chromium notes the 403
        page.goto(running.url)
        page.click("form[action='/signout'] button")
        screen.open("/")
        assert urlparse(page.url).path == "/signin"


def test_the_microscope_moves_by_mouse_and_keys(
    browser: Browser, running: Running, delivered: dict[str, Delivered], screenshots: Path
) -> None:
    with signed_in(browser, running, screenshots) as screen:
        page, slide = screen.page, delivered["giardia"]
        screen.open(f"/slides/{slide.slide_id}")
        screen.settle()
        screen.shoot("microscope-home")

        page.keyboard.press("5")  # 20x: 0.5 µm in a pixel of the screen
        screen.settle()
        mpp = slide.document["mpp"]
        assert screen.view()["downsample"] == pytest.approx(0.5 / mpp, rel=1e-3)
        assert page.locator("#objectives [aria-pressed=true]").inner_text() == "20×"
        page.get_by_role("button", name="4×", exact=True).click()
        screen.settle()
        assert screen.view()["downsample"] == pytest.approx(2.5 / mpp, rel=1e-3)

        number, unit = screen.texts("#scale-bar span")[0].split()
        drawn = screen.ask(
            "() => document.querySelector('.bar-line').getBoundingClientRect().width"
        )
        assert unit == "µm"
        assert drawn * screen.view()["downsample"] * mpp == pytest.approx(float(number), rel=0.01)

        before = screen.view()
        page.mouse.move(700, 400)
        page.mouse.down()
        page.mouse.move(500, 300, steps=8)
        page.mouse.up()
        screen.settle()
        dragged = screen.view()
        assert dragged["x"] - before["x"] == pytest.approx(200 * before["downsample"], rel=0.1)
        assert dragged["y"] - before["y"] == pytest.approx(100 * before["downsample"], rel=0.1)

        page.keyboard.press("ArrowRight")
        screen.settle()
        assert screen.view()["x"] > dragged["x"] + 50
        page.mouse.move(600, 400)
        page.mouse.wheel(0, -300)
        screen.settle()
        assert screen.view()["downsample"] < dragged["downsample"] / 1.1
        page.keyboard.press("r")
        screen.settle()
        assert screen.view()["rotation"] == 90
        page.keyboard.press("0")
        screen.settle()
        screen.shoot("microscope-turned")


def test_an_upload_survives_a_broken_line(
    browser: Browser,
    running: Running,
    delivered: dict[str, Delivered],
    screenshots: Path,
    tmp_path: Path,
) -> None:
    write_svs(Painting(900, 700, seed=11, barcode="SVT-0008-A1-1"), tmp_path / "sent.svs")
    asked: list[str] = []

    def on_the_line(route: Route) -> None:
        asked.append(route.request.method)
        route.abort() if asked == ["PATCH"] else route.continue_()

    with signed_in(browser, running, screenshots) as screen:
        screen.page.route("**/api/v1/uploads/*", on_the_line)
        screen.page.set_input_files("#upload-files", tmp_path / "sent.svs")
        screen.wait_for_text("#uploads", "Modtaget")
        assert asked == ["PATCH", "HEAD", "PATCH"]
        screen.complaints.clear()  # Chromium notes the broken line
        screen.wait_for_text("#rows .slide-name", "SVT-0008-A1-1")
        screen.shoot("worklist-uploaded")
    row = running.wait_for_state("sent.svs", "complete")
    assert row["source"] == "upload"
    assert not any((running.data / "uploads" / "done").iterdir())


def test_a_deep_link_shows_a_colleague_the_same_field(
    browser: Browser, running: Running, delivered: dict[str, Delivered], screenshots: Path
) -> None:
    path = f"/slides/{delivered['giardia'].slide_id}"
    with signed_in(browser, running, screenshots) as screen:
        screen.open(f"{path}#x=9000&y=6000.5&z=2.5&r=90")
        screen.settle()
        view = screen.view()
        assert view == pytest.approx({"x": 9000, "y": 6000.5, "downsample": 2.5, "rotation": 90})
        screen.page.keyboard.press("ArrowDown")
        screen.page.keyboard.press("+")
        screen.settle()
        wait_for(lambda: "x=9000.00" not in screen.page.url, 5, "the address follows the view")
        screen.page.wait_for_timeout(400)
        seen, address = screen.view(), screen.page.url
        picture = screen.pixels()
    with signed_in(browser, running, screenshots) as other:
        other.open(address.removeprefix(running.url))
        other.settle()
        assert other.view() == pytest.approx(seen, rel=1e-5)
        seen_there = other.pixels()[60:700, 150:1000].astype(int)
        one_pixel = np.abs(picture[60:700, 150:1000].astype(int) - picture[60:700, 151:1001])
        assert one_pixel.mean() > 3, "there is tissue in the field"
        apart = np.abs(seen_there - picture[60:700, 150:1000])
        assert apart.mean() < one_pixel.mean(), "less than a pixel apart"
        other.shoot("microscope-deep-link")


@pytest.mark.parametrize("drawer", ["canvas", "webgl"])
def test_right_and_bottom_edge_are_drawn_without_squeezing(
    drawer: str,
    browser: Browser,
    running: Running,
    delivered: dict[str, Delivered],
    screenshots: Path,
) -> None:
    """At 1:1 the corner is OpenSlide's to the last bit, with both drawers. Coarser levels are
    ours, rounded up, so their last row or column is a part of a pixel: mean below 0.3."""
    slide = delivered["cmu-svs"]
    pyramid = zarr.open_group(slide.pyramid, mode="r")
    with foreign.by_openslide(slide.source) as other:
        corner = other.read((2220 - 300, 2967 - 200, 300, 200))
    expected = {1: corner}
    for level, z in ((1, 2), (2, 4)):
        expected[z] = pyramid[str(level)][:, -200:, -300:].transpose(1, 2, 0)
    with signed_in(browser, running, screenshots) as screen:
        for z, wanted in expected.items():
            screen.open("/ops")  # a fragment alone would not load the page anew
            screen.open(f"/slides/{slide.slide_id}?drawer={drawer}#x=2000&y=2700&z={z}&r=0")
            screen.settle()
            screen.page.keyboard.press("o")
            screen.settle()
            left, top = screen.place_of(0, 0)
            right, bottom = screen.place_of(2220, 2967)
            assert (left, top) == pytest.approx((round(left), round(top)), abs=1e-6)
            column, row = round(left) + -(-2220 // z), round(top) + -(-2967 // z)
            seen = screen.pixels()
            screen.shoot(f"edge-{drawer}-{z}")
            shown = seen[row - 200 : row, column - 300 : column].astype(int)
            whole = slice(0, 199 if bottom % 1 else 200), slice(0, 299 if right % 1 else 300)
            apart = np.abs(shown - wanted)[whole]
            shifted = np.abs(wanted[whole][:, :-8].astype(int) - wanted[whole][:, 8:])
            assert apart.mean() < (0.3 if z > 1 else 1e-9), f"1:{z}"
            assert apart.mean() < shifted.mean() / 20, "there is structure to see a shift by"
            assert tuple(seen[row + 2, column - 40]) == FRAME
            assert tuple(seen[row - 40, column + 2]) == FRAME


@pytest.mark.parametrize("locale", WORDS)
@pytest.mark.parametrize("size", SIZES)
def test_every_page_in_danish_and_english_small_and_wide(
    size: tuple[int, int],
    locale: str,
    browser: Browser,
    running: Running,
    delivered: dict[str, Delivered],
    screenshots: Path,
) -> None:
    worklist, ops, quarantined, reason, flow = WORDS[locale]
    name = f"{locale[:2]}-{size[0]}"
    with signed_in(browser, running, screenshots, size, locale) as screen:
        page = screen.page
        assert page.locator("html").get_attribute("lang") == locale[:2]
        assert screen.texts("h1")[0].startswith(worklist)
        screen.wait_for_pictures("#rows img")
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(400)
        screen.shoot(f"worklist-{name}")
        assert screen.width_overflow() == 0

        screen.open(f"/slides/{delivered['cmu-svs'].slide_id}")
        screen.settle()
        screen.wait_for_pictures("#label .label-picture img, #macro img, #tray img")
        screen.shoot(f"microscope-{name}")
        assert screen.width_overflow() == 0

        screen.open("/ops")
        screen.wait_for_text("#intake-rows", reason)
        screen.wait_for_text("#runs", flow)
        assert screen.texts("h1") == [ops]
        assert any(quarantined in text for text in screen.texts("#intake-rows .state"))
        states = screen.texts("#runs .state")
        assert states
        assert not {"Ukendt", "Unknown"} & set(states)
        assert len(screen.texts("#processes tr")) == 6
        shown = " ".join(screen.texts("main"))
        assert not re.search(r"\b[0-9a-f]{20}\b", shown), "an id is nothing to read"
        screen.shoot(f"ops-{name}")
        assert screen.width_overflow() == 0


def test_ops_release_and_retry_a_quarantined_file(
    browser: Browser, running: Running, delivered: dict[str, Delivered], screenshots: Path
) -> None:
    with signed_in(browser, running, screenshots) as screen:
        page = screen.page
        screen.open("/ops")
        screen.wait_for_text("#intake-rows", "Filen er ikke et skannet glas.")
        for button, dialog in (("Frigiv", True), ("Prøv igen", False)):
            before = running.intake_of("broken.svs")
            page.locator("#intake-rows").get_by_role("button", name=button).click()
            if dialog:
                screen.shoot("ops-release")
                page.locator("dialog").get_by_role("button", name="Frigiv").click()
            assert before is not None
            row = wait_for(lambda old=before: _tried_again(running, old), 20, "it is tried again")
            assert (row["state"], row["reason"]) == ("quarantined", before["reason"])
            screen.wait_for_text("#intake-rows .state", "I karantæne")


def _tried_again(running: Running, before: dict[str, object]) -> dict[str, object] | None:
    row = running.intake_of("broken.svs")
    if row is None or row["received_at"] == before["received_at"]:
        return None
    return dict(row) if row["state"] == "quarantined" else None


def test_prefects_own_screens_are_for_ops_only(
    browser: Browser, running: Running, delivered: dict[str, Delivered], screenshots: Path
) -> None:
    for path in ("/ops/prefect/", "/ops/prefect/api/flow_runs/filter", "/ops/prefect/api/health"):
        assert httpx.get(running.url + path).status_code == 401
        with running.client("pathologist") as client:
            assert client.get(path).status_code == 403
    with running.client("ops") as client:
        runs = client.post("/ops/prefect/api/flow_runs/filter", json={"limit": 200}).json()
        artifacts = client.post("/ops/prefect/api/artifacts/filter", json={"limit": 200}).json()
    reported = {run["parameters"]["slide_id"] for run in runs}
    assert reported >= {slide.slide_id for slide in delivered.values()}
    ends = {"Ready", "Completing", "Complete", "Quarantined"}
    assert {run["state_name"] for run in runs} <= ends
    _tells_operators_and_hides_names(artifacts, delivered)
    with signed_in(browser, running, screenshots) as screen:
        _prefect_page(screen)


def _tells_operators_and_hides_names(
    artifacts: list[dict[str, Any]], delivered: dict[str, Delivered]
) -> None:
    told = {artifact["key"]: artifact for artifact in artifacts}
    for slide in delivered.values():
        artifact = told[f"slide-{slide.slide_id}"]
        (facts,) = json.loads(artifact["data"])
        assert {"slide", "state", "levels", "MB", "MB/s"} <= set(facts)
        assert f"/slides/{slide.slide_id}" in artifact["description"]
        assert Path(slide.document["name"]).stem not in json.dumps(artifact)


def _prefect_page(screen: Screen) -> None:
    screen.open("/ops")
    screen.page.get_by_role("link", name="Prefect").click()
    screen.wait_for_text("main", "Flow Runs", within=30)
    screen.page.wait_for_timeout(1500)
    screen.shoot("prefect")
    # Prefect's page would tell its maker about itself; our policy keeps it from that.
    blocked = [text for text in screen.complaints if "Content Security Policy" in text]
    assert not [text for text in screen.complaints if text.startswith("asks") and not blocked]
    screen.complaints.clear()
