"""A slide with a profile of its own: as scanned, corrected, and back, judged by LittleCMS."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import simplejpeg
import tifffile
from playwright.sync_api import Browser
from skimage.color import deltaE_ciede2000, rgb2lab

from processing.paint import Painting, write_svs
from storage.records.geometry import Size, deep_zoom_top
from tests.journeys.axe import violations
from tests.journeys.running import Running, wait_for
from tests.journeys.screens import Pixels, Screen, signed_in
from tests.processing import colour_profiles

pytestmark = pytest.mark.journey
EDGE = 256
"""The painted slide's tiles."""
BADGE = "#colour .badge"
UNCORRECTED = """() => {
  const { viewer } = window.svartid;
  const drawn = (at) => at.world.getItemAt(0)._lastDrawn.map(({ tile }) => tile);
  const plain = (at) => drawn(at).some((tile) => tile.cacheKey === tile.originalCacheKey);
  return [...(plain(viewer) ? ["main"] : []), ...(plain(viewer.navigator) ? ["navigator"] : [])];
}"""
PROFILE = colour_profiles.lut(name="Skæv skanner")


@dataclass(frozen=True)
class Slides:
    """By their profiles."""

    profiled: str
    srgb: str
    broken: str
    none: str


@pytest.fixture(scope="module")
def slides(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Slides:
    folder = tmp_path_factory.mktemp("colour")
    paths = [folder / f"{name}.svs" for name in ("profiled", "srgb", "broken")]
    for seed, (path, profile) in enumerate(zip(paths, (PROFILE, None, PROFILE[:700]), strict=True)):
        write_svs(Painting(2100, 1500, seed=11 + seed, barcode=f"SVT-COL-{seed}"), path)
        if profile is not None:
            with tifffile.TiffFile(path, mode="r+") as file:
                file.pages[0].tags[34675].overwrite(profile)
    paths.append(folder / "none.tif")
    pixels = np.full((600, 600, 3), 200, np.uint8)
    tifffile.imwrite(paths[-1], pixels, tile=(256, 256), photometric="rgb", compression="jpeg")
    return Slides(*(line["slide_id"] for line in running.command("ingest", *paths)))


def delta_e(first: Pixels, second: Pixels) -> np.ndarray:
    return np.asarray(deltaE_ciede2000(rgb2lab(first / 255), rgb2lab(second / 255)))


def by_littlecms(pixels: Pixels) -> np.ndarray:
    """Not rounded to a screen's steps."""
    line = np.ascontiguousarray(pixels.reshape(1, -1, 3) / np.float32(255), np.float32)
    made = imagecodecs.cms_transform(
        line, PROFILE, colour_profiles.srgb(), colorspace="rgb", outcolorspace="rgb",
        outdtype="f4", intent=1, flags=256 | 64,
    )  # fmt: skip
    return np.clip(np.asarray(made).reshape(pixels.shape), 0, 1) * 255


def tile_on_screen(screen: Screen, column: int, row: int) -> Pixels:
    """A tile of level 0 as it is seen at 1:1."""
    left, top = screen.place_of(column * EDGE, row * EDGE)
    x, y = round(left), round(top)
    return screen.pixels()[y : y + EDGE, x : x + EDGE]


def press(screen: Screen, pressed: str) -> None:
    """The key, until the badge and the tiles have followed."""
    screen.page.keyboard.press("i")
    screen.page.wait_for_selector(f"{BADGE}[aria-pressed={pressed}][aria-busy=false]")
    screen.settle()


@pytest.mark.parametrize("drawer", ["canvas", "webgl"])
def test_corrected_and_back(
    drawer: str, browser: Browser, running: Running, slides: Slides, screenshots: Path
) -> None:
    """Pixels on the screen are LittleCMS's, nothing is fetched for it, nothing stored changes."""
    top, fetched = deep_zoom_top(Size(2100, 1500)), list[str]()
    tile = f"/slides/{slides.profiled}_files/{top}/3_2.jpeg"
    served = (
        fingerprint(running, tile),
        fingerprint(running, f"/slides/{slides.profiled}/profile.icc"),
    )
    assert served[1] == hashlib.sha256(PROFILE).hexdigest()
    stored = files(running.pyramid(slides.profiled))
    with signed_in(browser, running, screenshots) as screen:
        screen.page.on("request", lambda at: "_files/" in at.url and fetched.append(at.url))
        screen.open(f"/slides/{slides.profiled}?drawer={drawer}&prefetch=off#x=1000&y=700&z=1&r=0")
        screen.settle()
        screen.wait_for_text(BADGE, "Farver: som skannet")
        screen.page.keyboard.press("o")
        before = tile_on_screen(screen, 3, 2)
        screen.shoot(f"colour-{drawer}-as-scanned")
        count = len(fetched)
        press(screen, pressed="true")
        screen.wait_for_text(BADGE, "Farver: korrigeret")
        screen.wait_for_text(BADGE, "(Skæv skanner)")
        after = tile_on_screen(screen, 3, 2)
        screen.shoot(f"colour-{drawer}-corrected")
        press(screen, pressed="false")
        screen.wait_for_text(BADGE, "Farver: som skannet")
        wait_for(
            lambda: np.array_equal(before, tile_on_screen(screen, 3, 2)),
            20,
            "the tile is as it was",
        )
        assert fetched[count:] == []
    with running.client("pathologist") as client:
        decoded = simplejpeg.decode_jpeg(client.get(tile).content)
    assert np.abs(decoded.astype(int) - before).mean() < 0.5, "it is that tile which was looked at"
    assert delta_e(before, after).mean() > 5, "the profile changes a lot"
    assert delta_e(after, by_littlecms(before)).max() < 1
    assert served == (
        fingerprint(running, tile),
        fingerprint(running, f"/slides/{slides.profiled}/profile.icc"),
    )
    assert files(running.pyramid(slides.profiled)) == stored


def fingerprint(running: Running, path: str) -> str:
    with running.client("pathologist") as client:
        answer = client.get(path)
    assert answer.status_code == 200, path
    return hashlib.sha256(answer.content).hexdigest()


def files(folder: Path) -> dict[Path, bytes]:
    return {at: at.read_bytes() for at in folder.rglob("*") if at.is_file()}


def test_the_choice_holds_for_the_next_slide_and_new_tiles(
    browser: Browser, running: Running, slides: Slides, screenshots: Path
) -> None:
    """By the button, in English; tiles that come later come corrected, the overview as well."""
    address = f"/slides/{slides.profiled}?drawer=canvas"
    with signed_in(browser, running, screenshots, (1024, 768), "en-GB") as screen:
        screen.open(f"{address}#x=400&y=300&z=1&r=0")
        screen.settle()
        screen.wait_for_text(BADGE, "Colour: as scanned")
        assert violations(screen.page) == []
        screen.page.click(BADGE)
        screen.page.wait_for_selector(f"{BADGE}[aria-pressed=true]")
        screen.settle()
        screen.open("/")
        screen.page.wait_for_selector("#rows tr[data-key]")
        screen.open(f"{address}#x=400&y=300&z=1&r=0")
        screen.page.wait_for_selector(f"{BADGE}[aria-pressed=true][aria-busy=false]")
        screen.settle()
        for _ in range(8):
            screen.page.keyboard.press("d")
        screen.settle()
        assert screen.ask(UNCORRECTED) == []
        assert violations(screen.page) == []
        screen.shoot("colour-remembered")
        press(screen, pressed="false")
        assert set(screen.ask(UNCORRECTED)) == {"main", "navigator"}


def test_slides_there_is_nothing_to_correct_in(
    browser: Browser, running: Running, slides: Slides, screenshots: Path
) -> None:
    with signed_in(browser, running, screenshots) as screen:
        for slide_id, words in (
            (slides.srgb, "Farver: sRGB"),
            (slides.broken, "Farver: profil ubrugelig"),
        ):
            screen.open(f"/slides/{slide_id}")
            screen.settle()
            screen.wait_for_text(BADGE, words)
            assert screen.page.locator("#colour button").count() == 0
            screen.page.keyboard.press("i")
            screen.page.wait_for_timeout(200)
            assert screen.texts(BADGE) == [words]
            screen.shoot(f"colour-{'srgb' if slide_id == slides.srgb else 'broken'}")
        assert "beskadiget" in str(screen.page.locator(BADGE).get_attribute("title"))
        screen.open(f"/slides/{slides.none}")
        screen.settle()
        assert screen.page.locator(BADGE).count() == 0


def test_a_table_that_does_not_come_can_be_asked_for_again(
    browser: Browser, running: Running, slides: Slides, screenshots: Path
) -> None:
    with signed_in(browser, running, screenshots) as screen:
        screen.page.route("**/colour-table*", lambda route: route.abort(), times=1)
        screen.open(f"/slides/{slides.profiled}?drawer=canvas")
        screen.settle()
        screen.page.keyboard.press("i")
        screen.page.wait_for_selector(f"{BADGE}.attention[aria-pressed=false]")
        screen.complaints.clear()  # Chromium notes the broken line
        press(screen, pressed="true")
        assert screen.page.locator(f"{BADGE}.attention").count() == 0
