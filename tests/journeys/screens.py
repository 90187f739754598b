"""What a person does and sees in Chromium."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from tests.journeys.running import Running, wait_for

Pixels = NDArray[np.uint8]
_CORNER = """([x, y]) => {
  const { viewer } = window.svartid;
  const box = viewer.canvas.getBoundingClientRect();
  const size = viewer.world.getItemAt(0).getContentSize();
  const at = viewer.viewport.pixelFromPoint(new OpenSeadragon.Point(x / size.x, y / size.x), true);
  return [at.x + box.x, at.y + box.y];
}"""
_VIEW = """() => {
  const { viewport, world } = window.svartid.viewer;
  const centre = viewport.getCenter(true);
  const width = world.getItemAt(0).getContentSize().x;
  return {
    x: centre.x * width, y: centre.y * width, rotation: viewport.getRotation(true),
    downsample: width / (viewport.getZoom(true) * viewport.getContainerSize().x),
  };
}"""
_SETTLED = """() => {
  const viewer = window.svartid?.viewer;
  return !!viewer?.world.getItemAt(0)?.getFullyLoaded() && !viewer.isAnimating?.();
}"""


class Screen:
    """One browser window on a running svartid; remembers what went wrong in it."""

    def __init__(self, page: Page, url: str, shots: Path) -> None:
        self.page, self.url, self._shots = page, url, shots
        self.complaints: list[str] = []
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._watch)

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.type}: {message.text}")

    def _watch(self, request: Request) -> None:
        """A hospital's screens ask nobody outside."""
        here = urlparse(self.url).netloc
        if request.url.startswith("http") and urlparse(request.url).netloc != here:
            self.complaints.append(f"asks {request.url}")

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)

    def sign_in(self, name: str, password: str) -> None:
        self.page.fill("[name=name]", name)
        self.page.fill("[name=password]", password)
        self.page.click("form[action='/signin'] button[type=submit]")

    def shoot(self, name: str) -> None:
        """Keep a screenshot."""
        self.page.screenshot(path=self._shots / f"{name}.png")

    def ask(self, script: str, argument: object = None) -> Any:  # noqa: ANN401
        return self.page.evaluate(script, argument)

    def texts(self, selector: str) -> list[str]:
        return [text.strip() for text in self.page.locator(selector).all_inner_texts()]

    def wait_for_text(self, selector: str, text: str, within: float = 20) -> None:
        def look() -> bool:
            return any(text in found for found in self.texts(selector))

        wait_for(look, within, f"{text!r} in {selector}, which says {self.texts(selector)}")

    def wait_for_pictures(self, selector: str) -> int:
        """Until every picture has been drawn; how many."""
        script = f"""() => {{
          const pictures = [...document.querySelectorAll({selector!r})];
          return pictures.every((at) => at.complete && at.naturalWidth > 1) && pictures.length;
        }}"""
        return int(wait_for(lambda: self.ask(script), 20, f"pictures {selector}"))

    def settle(self) -> None:
        """Until the microscope stands still and every tile of the view is there."""
        wait_for(lambda: self.ask(_SETTLED), 30, "the microscope stands still")
        self.page.wait_for_timeout(400)

    def view(self) -> dict[str, float]:
        """Centre in level-0 pixels, downsample and rotation, as drawn now."""
        found: dict[str, float] = self.ask(_VIEW)
        return found

    def place_of(self, x: float, y: float) -> tuple[float, float]:
        """Where a level-0 pixel of the slide is on the page."""
        left, top = self.ask(_CORNER, [x, y])
        return left, top

    def pixels(self) -> Pixels:
        """The page as it is seen."""
        with Image.open(io.BytesIO(self.page.screenshot())) as picture:
            return np.asarray(picture.convert("RGB"))

    def width_overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        script = "() => document.documentElement.scrollWidth - window.innerWidth"
        return int(self.ask(script))


@contextmanager
def window(
    browser: Browser,
    running: Running,
    shots: Path,
    size: tuple[int, int] = (1280, 800),
    locale: str = "da-DK",
) -> Iterator[Screen]:
    """A fresh window, nobody signed in; nothing may have gone wrong in it when it is closed."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, locale=locale)
    screen = Screen(context.new_page(), running.url, shots)
    try:
        yield screen
    except BaseException:
        screen.shoot("failed")
        print(running.log_tail(), *screen.complaints, sep="\n")
        raise
    finally:
        context.close()
    assert not screen.complaints, screen.complaints


@contextmanager
def signed_in(
    browser: Browser,
    running: Running,
    shots: Path,
    size: tuple[int, int] = (1280, 800),
    locale: str = "da-DK",
) -> Iterator[Screen]:
    """A window of the administrator, at the worklist."""
    with window(browser, running, shots, size, locale) as screen:
        screen.open("/")
        screen.sign_in("admin", running.password)
        screen.page.wait_for_selector("#rows tr[data-key]")
        yield screen
