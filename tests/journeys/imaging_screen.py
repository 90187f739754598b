"""The radiology page as a person has it: series, keys, and what is seen."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

from tests.journeys.imaging_files import STUDY, Made
from tests.journeys.running import wait_for

_SHOWN = """(series) => {
  const { player, stage } = window.svartid?.imaging ?? {};
  return player?.loader?.series === series && stage.frame !== null && !stage.waiting
    && !document.querySelector("#stage-state").hasChildNodes();
}"""
_STORED = """() => {
  const { stored } = window.svartid.imaging.stage.pixels;
  let text = "";
  for (const byte of new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength)) {
    text += String.fromCharCode(byte);
  }
  return [stored.constructor.name, btoa(text)];
}"""
_PLACE = """() => {
  const { stage } = window.svartid.imaging;
  const box = stage.canvas.getBoundingClientRect();
  const [a, b, c, d, e, f] = stage.matrix;
  return [a, b, c, d, e + box.x, f + box.y];
}"""
_MARKS = """() => {
  const { canvas, context } = window.svartid.imaging.marks;
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const box = canvas.getBoundingClientRect();
  const alpha = Array.from({ length: data.length / 4 }, (_, at) => (data[at * 4 + 3] ? "1" : "0"));
  return [canvas.width, canvas.height, box.x, box.y, alpha.join("")];
}"""
_TYPES = {
    "Int8Array": "i1", "Uint8Array": "u1", "Int16Array": "<i2", "Uint16Array": "<u2",
    "Int32Array": "<i4", "Uint32Array": "<u4", "Float32Array": "<f4",
}  # fmt: skip
Pixels = NDArray[Any]


@dataclass
class Imaging:
    """A window of somebody signed in, and the series that can be opened in it."""

    page: Page
    url: str
    made: Mapping[str, Made]
    complaints: list[str] = field(default_factory=list)

    def asked_outside(self, address: str) -> None:
        """A hospital's screens ask nobody outside."""
        if not address.startswith((self.url, "blob:")):
            self.complaints.append(f"asks {address}")

    def start(self, query: str = "") -> None:
        """Open the study's page."""
        self.page.goto(f"{self.url}/imaging/{STUDY}{query}")
        self.page.wait_for_selector("#tray a[aria-current]")

    def open(self, name: str) -> None:
        """Open a series from the tray, until its picture is seen."""
        self.page.click(f'#tray a[data-series="{self.made[name].series_uid}"]')
        self.wait_shown(name)

    def wait_shown(self, name: str) -> None:
        """Until a picture of the series is drawn."""
        uid = self.made[name].series_uid
        wait_for(lambda: self.page.evaluate(_SHOWN, uid), 20, f"{name} is shown")

    def press(self, *keys: str) -> None:
        """Keys, then a moment to draw."""
        for key in keys:
            self.page.keyboard.press(key)
        self.settle()

    def settle(self) -> None:
        """Until what was asked for is drawn."""
        drawn = "() => window.svartid.imaging.stage.waiting === false"
        wait_for(lambda: self.page.evaluate(drawn), 10, "the stage stands still")
        self.page.wait_for_timeout(60)

    def stored(self) -> Pixels:
        """The decoded values, in the order of rows."""
        kind, text = self.page.evaluate(_STORED)
        return np.frombuffer(base64.b64decode(text), _TYPES[kind])

    def place(self) -> tuple[float, ...]:
        """The way from the image's pixels to the window's, as canvas takes it."""
        return tuple(self.page.evaluate(_PLACE))

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Where a place of the image is in the window."""
        a, b, c, d, e, f = self.place()
        return a * x + c * y + e, b * x + d * y + f

    def seen(self, rows: int, columns: int) -> Pixels:
        """The picture as it stands on the screen, one to one, RGB."""
        self.page.mouse.move(0, 0)
        self.press("x")
        a, b, _, d, e, f = self.place()
        assert (a, b, d) == (1, 0, 1), "the picture is not seen one to one"
        with Image.open(io.BytesIO(self.page.screenshot())) as picture:
            whole = np.asarray(picture.convert("RGB"))
        return whole[int(f) : int(f) + rows, int(e) : int(e) + columns]

    def marks(self, rows: int, columns: int) -> Pixels:
        """Where something is drawn over the picture, one to one."""
        self.press("x")
        width, height, x, y, text = self.page.evaluate(_MARKS)
        drawn = np.frombuffer(text.encode(), "u1").reshape(height, width) == ord("1")
        *_, e, f = self.place()
        return drawn[int(f - y) : int(f - y) + rows, int(e - x) : int(e - x) + columns]

    def measure(self, start: tuple[float, float], end: tuple[float, float]) -> float:
        """Draw a length with the mouse; what is written beside it, as a number."""
        self.press("m")
        self.page.mouse.move(*self.point(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.point(*end), steps=3)
        self.page.mouse.up()
        return self.length()[0]

    def length(self) -> tuple[float, str]:
        """The newest length on the picture: its figure and the words after it."""
        words = self.page.evaluate(
            """async () => {
              const { lengthWords } = await import(
                document.querySelector('[href*="/imaging_measure.js"]').href);
              const { lengths, stage } = window.svartid.imaging;
              return lengthWords(lengths.on(stage.frame).at(-1), stage.frame);
            }"""
        )
        figure, _, unit = words.partition(" ")
        return float(figure.replace(".", "").replace(",", ".")), unit

    def words(self, selector: str) -> str:
        """What stands there, spaces as one."""
        return re.sub(r"\s+", " ", self.page.inner_text(selector)).strip()

    def sides(self) -> str:
        """The letters at the edges: top, right, bottom, left."""
        return " ".join(
            self.page.inner_text(f"#side-{at}") or "-" for at in ("top", "right", "bottom", "left")
        )
