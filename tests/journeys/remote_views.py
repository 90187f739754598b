"""What a reader far away waits for: a slide opened, changed, and the next field, in Chromium.

A view counts as drawn when every tile of the level meant for it lies on the screen and nothing
moves any more; as covered when each place has that level or the next coarser one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, StorageState

SIZE = (1920, 1080)
_PROBE = Path(__file__).with_name("remote_probe.js").read_text()
_PATIENCE_MS = 60_000


@dataclass(frozen=True)
class View:
    """One view: milliseconds until anything, half the detail, and all of it was drawn."""

    first: float
    covered: float
    drawn: float
    requests: int
    kilobytes: float

    def document(self) -> dict[str, float]:
        """For the record."""
        return {name: round(value, 1) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Walk:
    """A serpentine: fields to look at, row by row, and how long one is looked at."""

    x: float
    y: float
    downsample: float
    columns: int
    rows: int
    dwell: float
    """Seconds from a field drawn until the next move."""

    def moves(self) -> Iterator[tuple[int, int]]:
        """Each step in fields, right and down."""
        for row in range(self.rows):
            yield from [(-1 if row % 2 else 1, 0)] * (self.columns - 1)
            if row < self.rows - 1:
                yield (0, 1)


class Reader:
    """A signed-in reader with an empty cache, at `url`."""

    def __init__(self, browser: Browser, url: str, state: StorageState, query: str = "") -> None:
        width, height = SIZE
        self._context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": height}, locale="da-DK", storage_state=state
        )
        self._context.add_init_script(_PROBE)
        self.page: Page = self._context.new_page()
        self._url, self._query = url, query

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._context.close()

    def open(self, slide_id: str, fragment: str = "") -> View:
        """From the navigation to the whole view; the cache is as the reader left it."""
        self.page.goto(f"{self._url}/slides/{slide_id}{self._query}{fragment}", wait_until="commit")
        return self._opened()

    def change(self, slide_id: str) -> View:
        """From a click on another slide of the tray to its whole view."""
        self.page.wait_for_selector(f"#tray a[href$='{slide_id}']", timeout=_PATIENCE_MS)
        self.page.evaluate("(id) => window.remote.leave(id)", slide_id)
        self.page.wait_for_function(
            "(id) => location.pathname.endsWith(id) && window.remote", arg=slide_id
        )
        return self._opened()

    def walk(self, walk: Walk) -> list[View]:
        """The next field, again and again."""
        here = [walk.x, walk.y, walk.downsample]
        self.page.evaluate("(at) => window.remote.goTo(...at)", here)
        views = []
        for move in walk.moves():
            self.page.wait_for_timeout(walk.dwell * 1000)
            views.append(View(**self.page.evaluate("(by) => window.remote.nextField(...by)", move)))
        return views

    def kilobytes(self) -> float:
        """All that has come over the line for this page so far."""
        return float(self.page.evaluate("() => window.remote.kilobytes()"))

    def _opened(self) -> View:
        self.page.wait_for_function("() => window.remote.opened", timeout=_PATIENCE_MS)
        return View(**self.page.evaluate("() => window.remote.opened"))


def sign_in(browser: Browser, url: str, name: str, password: str) -> StorageState:
    """The cookies of somebody who has signed in; they hold for every port of the host."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{url}/signin")
    page.fill("[name=name]", name)
    page.fill("[name=password]", password)
    page.click("form[action='/signin'] button[type=submit]")
    page.wait_for_url(f"{url}/")
    state = context.storage_state()
    context.close()
    return state
