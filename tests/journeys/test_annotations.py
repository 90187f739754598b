"""Annotations in the browser: drawn, changed, undone, seen by a colleague, very many at once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from storage import annotations_bulk, annotations_single
from storage.records.annotation import Annotation, Kind
from tests.journeys.axe import violations
from tests.journeys.running import wait_for
from tests.journeys.ward import Ward, opened

pytestmark = pytest.mark.journey
_FRAMES = """async (steps) => {
  const { viewport } = window.svartid.viewer;
  const times = [];
  let before = performance.now();
  for (let step = 0; step < steps; step += 1) {
    viewport.panBy(new OpenSeadragon.Point(0.002 * (step % 20 < 10 ? 1 : -1), 0.001), true);
    await new Promise(requestAnimationFrame);
    times.push(performance.now() - before);
    before = performance.now();
  }
  return times.sort((a, b) => a - b);
}"""
_PLACE = """([x, y]) => {
  const { viewport } = window.svartid.viewer;
  const at = viewport.pixelFromPoint(new OpenSeadragon.Point(x, y), true);
  const box = window.svartid.viewer.element.getBoundingClientRect();
  const width = viewport.getContainerSize().x;
  return [box.left + (viewport.getFlip() ? width - at.x : at.x), box.top + at.y];
}"""

_DEAF = """() => {
  const stop = (event) => event.stopImmediatePropagation();
  document.addEventListener("server-change", stop, true);
}"""


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    with opened(tmp_path_factory.mktemp("ward")) as found:
        for number in range(4):
            found.case(f"P26-20000{number}", number)
        yield found


@pytest.fixture
def shots() -> Path | None:
    named = os.environ.get("SVARTID_SCREENSHOTS")
    return Path(named) if named else None


def shoot(page: Page, shots: Path | None, name: str) -> None:
    if shots:
        page.screenshot(path=shots / f"annotations-{name}.png")


def at_slide(page: Page, ward: Ward, number: int) -> str:
    slide_id = ward.images[number]
    page.goto(f"{ward.url}/slides/{slide_id}")
    page.wait_for_selector("#identity .patient-line")
    page.wait_for_function("() => window.svartid?.viewer.world.getItemAt(0)?.getFullyLoaded()")
    page.wait_for_selector("#annotations-toggle[aria-busy=false]")
    return slide_id


def at_microscope(page: Page) -> None:
    page.locator("#canvas").focus()


def stored(ward: Ward, slide_id: str) -> list[Annotation]:
    return annotations_single.listing(ward.department.database, slide_id)


def wait_for_stored(ward: Ward, slide_id: str, count: int) -> list[Annotation]:
    found: list[Annotation] = wait_for(
        lambda: len(at := stored(ward, slide_id)) == count and (at or [()]), 10, f"{count} stored"
    )
    return found


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where on the page a share of the slide's width is."""
    left, top = page.evaluate(_PLACE, [x, y])
    return left, top


def click(page: Page, *at: tuple[float, float]) -> None:
    for x, y in at:
        page.mouse.click(*place(page, x, y))


CORNERS = ((0.45, 0.25), (0.6, 0.27), (0.62, 0.42), (0.5, 0.5))


@pytest.mark.timeout(240)
def test_everything_is_drawn_changed_and_undone(
    ward: Ward, browser: Browser, shots: Path | None
) -> None:
    width = 1800
    with ward.window(browser) as page:
        slide_id = at_slide(page, ward, 0)
        page.keyboard.press("n")
        page.wait_for_selector("#annotations:has-text('Der er ikke tegnet noget')")
        page.keyboard.press("g")
        click(page, *CORNERS)
        page.keyboard.press("Enter")
        (polygon,) = wait_for_stored(ward, slide_id, 1)
        assert polygon.author == "pia"
        ((ring,),) = polygon.content.geometry.parts
        for (x, y), (u, v) in zip(ring, CORNERS, strict=True):
            assert abs(x - u * width) < 4
            assert abs(y - v * width) < 4

        page.fill(".annotation-form [name=label]", "Tumor")
        page.keyboard.press("Tab")
        page.fill(".annotation-form [name=text]", "Infiltrativ rand")
        page.keyboard.press("Tab")
        wait_for(lambda: stored(ward, slide_id)[0].content.text, 10, "the text is stored")
        page.wait_for_selector(".annotation-state:has-text('Gemt')")
        assert "mm²" in page.inner_text(".annotation-facts") or "µm²" in page.inner_text(
            ".annotation-facts"
        )
        shoot(page, shots, "polygon")

        # A corner is dragged, another one taken away.
        before = stored(ward, slide_id)[0].content.geometry
        page.mouse.move(*place(page, *CORNERS[0]))
        page.mouse.down()
        page.mouse.move(*place(page, 0.42, 0.22), steps=6)
        page.mouse.up()
        moved = wait_for(
            lambda: (at := stored(ward, slide_id)[0].content.geometry) != before and at, 10, "moved"
        )
        assert abs(moved.parts[0][0][0][0] - 0.42 * width) < 4
        click(page, CORNERS[2])
        page.keyboard.press("Delete")
        wait_for(
            lambda: len(stored(ward, slide_id)[0].content.geometry.parts[0][0]) == 3, 10, "a corner"
        )

        at_microscope(page)
        page.keyboard.press("b")
        page.mouse.move(*place(page, 0.3, 0.5))
        page.mouse.down()
        page.mouse.move(*place(page, 0.35, 0.56), steps=5)
        page.mouse.up()
        wait_for_stored(ward, slide_id, 2)
        at_microscope(page)
        page.keyboard.press("k")
        click(page, (0.7, 0.3), (0.72, 0.32))
        wait_for_stored(ward, slide_id, 4)
        page.keyboard.press("Escape")
        page.keyboard.press("l")
        click(page, (0.7, 0.45))
        page.wait_for_selector("dialog.form textarea")
        page.keyboard.type("Se her: mitose")
        page.keyboard.press("Control+Enter")
        found = wait_for_stored(ward, slide_id, 5)
        kinds = [at.content.geometry.kind for at in found]
        assert kinds == [Kind.POLYGON, Kind.RECTANGLE, Kind.POINT, Kind.POINT, Kind.TEXT]
        assert violations(page) == []
        shoot(page, shots, "all")

        at_microscope(page)
        click(page, (0.325, 0.53))
        page.wait_for_selector(".annotation-form h3:has-text('Rektangel')")
        page.keyboard.press("Delete")
        wait_for_stored(ward, slide_id, 4)
        page.get_by_role("button", name="Fortryd").last.click()
        wait_for_stored(ward, slide_id, 5)
        page.get_by_role("button", name="Tumor").click()
        page.get_by_role("button", name="Historik").click()
        page.wait_for_selector(".annotation-history li")
        told = page.locator(".annotation-history li b").all_inner_texts()
        assert told == ["Ændret", "Ændret", "Ændret", "Ændret", "Tegnet"]
        shoot(page, shots, "history")
        page.keyboard.press("Escape")

        at_microscope(page)
        page.keyboard.press("h")
        page.wait_for_selector("#annotation-notice:has-text('Annoteringerne er skjult')")
        page.keyboard.press("h")
        page.keyboard.press("Escape")  # puts the chosen one away; the slide stays
        assert page.url.startswith(f"{ward.url}/slides/")


@pytest.mark.timeout(240)
def test_without_a_mouse_and_on_a_turned_slide(ward: Ward, browser: Browser) -> None:
    with ward.window(browser) as page:
        slide_id = at_slide(page, ward, 1)
        page.keyboard.press("r")
        page.keyboard.press("f")
        page.wait_for_timeout(400)
        page.keyboard.press("b")
        page.keyboard.press("Space")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(400)
        page.keyboard.press("Space")
        (box,) = wait_for_stored(ward, slide_id, 1)
        left, top, right, bottom = box.content.geometry.bounds
        assert right - left > 20
        assert bottom - top > 20
        page.keyboard.press("k")
        click(page, (0.5, 0.3))
        (_, point) = wait_for_stored(ward, slide_id, 2)
        ((x, y),) = point.content.geometry.points
        assert abs(x - 0.5 * 1500) < 4
        assert abs(y - 0.3 * 1500) < 4
        page.keyboard.press("Escape")  # out of the tool; once more would leave the slide
        for count in (1, 0):
            page.keyboard.press("z")
            wait_for_stored(ward, slide_id, count)
        assert f"/slides/{slide_id}" in page.url


@pytest.mark.timeout(240)
def test_a_colleague_sees_it_and_nobody_writes_over(ward: Ward, browser: Browser) -> None:
    with ward.window(browser) as pia, ward.window(browser, "poul") as poul:
        slide_id = at_slide(pia, ward, 2)
        at_slide(poul, ward, 2)
        pia.keyboard.press("k")
        click(pia, (0.5, 0.3))
        (first,) = wait_for_stored(ward, slide_id, 1)
        poul.keyboard.press("n")
        poul.wait_for_selector(".annotation-line:has-text('Pia Patolog')")
        poul.locator(".annotation-line").click()
        poul.wait_for_selector(".annotation-form [name=label]")
        # Poul's window does not hear of it, and he types on.
        poul.evaluate(_DEAF)
        pia.keyboard.press("Escape")
        pia.fill(".annotation-form [name=label]", "Mitose")
        pia.keyboard.press("Tab")
        wait_for(lambda: stored(ward, slide_id)[0].content.label == "Mitose", 10, "pia's label")
        held = dict[str, Any]()

        def old_version(route: Route) -> None:
            body = route.request.post_data_json
            held.update(body)
            route.continue_(post_data=json.dumps(body | {"version": first.version}))

        poul.route("**/annotations/*", old_version)
        poul.fill(".annotation-form [name=label]", "Apoptose")
        poul.keyboard.press("Tab")
        poul.wait_for_selector(".annotation-state.failed:has-text('En anden har ændret')")
        assert held["label"] == "Apoptose"
        assert stored(ward, slide_id)[0].content.label == "Mitose"
        poul.wait_for_selector(".annotation-line:has-text('Mitose')")
        assert poul.input_value(".annotation-form [name=label]") == "Mitose"


@pytest.mark.timeout(240)
def test_what_is_not_saved_says_so_until_it_is(ward: Ward, browser: Browser) -> None:
    with ward.window(browser) as page:
        slide_id = at_slide(page, ward, 3)
        page.keyboard.press("n")
        page.route("**/annotations", lambda route: route.abort())
        page.keyboard.press("k")
        click(page, (0.5, 0.3))
        page.wait_for_selector("#annotation-notice:has-text('ikke gemt')")
        page.wait_for_selector(".annotation-state.failed:has-text('Ikke gemt')")
        assert stored(ward, slide_id) == []
        page.unroute("**/annotations")
        page.locator("#annotation-notice button").click()
        (kept,) = wait_for_stored(ward, slide_id, 1)
        page.wait_for_selector("#annotation-notice", state="hidden")
        page.reload()
        page.wait_for_selector(".annotation-line")
        assert kept.author == "pia"


def cells(count: int, width: int, height: int) -> str:
    columns = int((count * width / height) ** 0.5) + 1
    step = width / columns
    features = []
    for number in range(count):
        x, y = round(step * (number % columns) + 2, 2), round(step * (number // columns) + 2, 2)
        side = round(step * 0.6, 2)
        ring = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
        features.append(
            {
                "type": "Feature",
                "geometry": {"type": "Polygon", "coordinates": [ring]},
                "properties": {
                    "objectType": "detection",
                    "classification": {"name": "Tumor", "color": [200, 0, 0]},
                },
            }
        )
    return json.dumps({"type": "FeatureCollection", "features": features})


@pytest.mark.timeout(300)
def test_a_hundred_thousand_stay_fluid_and_say_when_thinned(
    ward: Ward, browser: Browser, tmp_path: Path, shots: Path | None
) -> None:
    path = tmp_path / "celler.geojson"
    path.write_text(cells(100_000, 1800, 1300))
    with ward.window(browser) as page:
        slide_id = at_slide(page, ward, 0)
        if page.locator("#annotations").is_hidden():
            page.keyboard.press("n")
        page.set_input_files(".annotation-files input[type=file]", path)
        page.wait_for_selector(".annotation-said:has-text('100.000 nye')", timeout=120_000)
        (group,) = annotations_bulk.groups(ward.department.database, slide_id)
        assert group.count == 100_000
        page.wait_for_selector(".annotation-list h3:has-text('Fundet af algoritmer')")
        share = page.locator("#annotation-share")
        wait_for(lambda: "Udtyndet" in share.inner_text(), 20, "thinning is told")
        assert "af 100.000" in share.inner_text()
        shoot(page, shots, "thinned")
        times = page.evaluate(_FRAMES, 60)
        thinned = times[len(times) // 2]
        page.set_viewport_size({"width": 1000, "height": 640})
        at_microscope(page)
        for _ in range(8):
            page.keyboard.press("+")
        page.wait_for_timeout(1500)
        wait_for(lambda: share.is_hidden(), 20, "all are shown as they are")
        shoot(page, shots, "outlined")
        times = page.evaluate(_FRAMES, 60)
        outlined = times[len(times) // 2]
        print(f"median frame: {thinned:.0f} ms thinned out, {outlined:.0f} ms with outlines")
        assert thinned < 120
        assert outlined < 200
        assert violations(page) == []
        page.get_by_role("button", name="Slet gruppen Tumor").click()
        wait_for(
            lambda: not annotations_bulk.groups(ward.department.database, slide_id), 10, "deleted"
        )


@pytest.mark.timeout(240)
def test_a_technician_sees_and_takes_files_but_draws_nothing(
    ward: Ward, browser: Browser, tmp_path: Path
) -> None:
    with ward.window(browser, "tina") as page:
        at_slide(page, ward, 3)
        page.keyboard.press("n")
        page.wait_for_selector(".annotation-line")
        page.keyboard.press("k")
        assert page.locator(".annotation-tools").is_hidden()
        page.locator(".annotation-line").first.click()
        assert page.locator(".annotation-form [name=label]").is_disabled()
        page.get_by_role("button", name="Gem som fil").click()
        with page.expect_download() as made:
            page.get_by_role("button", name="GeoJSON (QuPath)").click()
        made.value.save_as(tmp_path / "out.geojson")
        told = json.loads((tmp_path / "out.geojson").read_text())
        assert told["features"][0]["properties"]["svartid"]["author"] == "pia"
        page.get_by_role("button", name="Gem som fil").click()
        page.get_by_role("button", name="DICOM-masker").click()
        page.wait_for_selector(".annotation-said.failed:has-text('Masker laves af arealer')")
