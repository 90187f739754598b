"""What the tests of direct tiles look with: a browser's window, a shard's index, the access log."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser

from tests.journeys.front import FrontDoor
from tests.journeys.running import Running
from tests.journeys.screens import Pixels, Screen

VIEWS = ("#x=1200&y=500&z=1", "#x=2200&y=550&z=2", "#x=4200&y=900&z=1")
"""Whole shards at two levels, and the right and bottom edge."""


class Window:
    """A browser's window on the slide; who asked for what, and what is seen."""

    def __init__(self, browser: Browser, door: FrontDoor, up: Running, shots: Path) -> None:
        self.context = browser.new_context(
            viewport={"width": 1280, "height": 800}, ignore_https_errors=True
        )
        self.screen = Screen(self.context.new_page(), door.url, shots)
        self.asked: list[str] = []
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.screen.open("/")
        self.screen.sign_in("admin", up.password)
        self.screen.page.wait_for_selector("#rows tr[data-key]")

    def see(self, slide_id: str, views: Sequence[str] = VIEWS) -> list[Pixels]:
        """The field at each of the views, the page opened once."""
        self.screen.open(f"/slides/{slide_id}")
        self.screen.settle()
        self.asked.clear()
        seen = []
        for view in views:
            self.screen.ask("(view) => { location.hash = view; }", view)
            self.screen.settle()
            seen.append(self.screen.pixels()[100:650, 300:900])
        assert self.screen.complaints == []
        return seen

    def count(self, part: str) -> int:
        return sum(part in url for url in self.asked)


def access_lines(up: Running, name: str) -> list[tuple[str, str]]:
    words = "SELECT action, slide_id FROM access_log WHERE name = ?"
    with sqlite3.connect(up.data / "svartid.sqlite") as connection:
        return connection.execute(words, (name,)).fetchall()


def starts_in(up: Running, slide_id: str, url: str, start: int, end: int) -> list[int]:
    """Where tiles begin in a range of a shard, as the test reads its index."""
    data = (up.pyramid(slide_id) / url.rpartition(f"{slide_id}/")[2]).read_bytes()
    index = np.frombuffer(data[-(16 * 16 * 16 + 4) : -4], "<u8").reshape(-1, 2)
    present = [(int(at), int(length)) for at, length in index if int(length) != 2**64 - 1]
    assert start in [at for at, _ in present]
    assert end + 1 in [at + length for at, length in present]
    return [at for at, _ in present if start <= at <= end]
