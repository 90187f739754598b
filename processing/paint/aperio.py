"""Write a painting as Aperio's scanner software would: a BigTIFF named `.svs`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np

from .encoding import Encoder, Photometric
from .frames import DOWNSAMPLES, TILE, Level, Pass, Progress, levels_of
from .glass import label, overview, scan_area
from .painting import Painting
from .pixels import Pixels, shrunk
from .srgb import icc_profile
from .tiff import LONG, LONG8, SHORT, BigTiff, Page

LIBRARY = "Aperio Image Library v12.0.15 "
_STRIP = 16
_JPEG, _LZW = 7, 5
_RGB, _YCBCR = 2, 6
_COVERED: dict[Photometric, int] = {"rgb": _RGB, "ycbcr": _YCBCR}


def write_svs(
    painting: Painting,
    path: Path,
    *,
    quality: int = 80,
    photometric: Photometric = "ycbcr",
    progress: Progress | None = None,
) -> None:
    """Write `path` whole or not at all; the same painting gives the same bytes."""
    encoder = Encoder(quality, photometric)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            _Scan(painting, encoder, BigTiff(file)).write(progress)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@dataclass
class _Scan:
    painting: Painting
    encoder: Encoder
    tiff: BigTiff

    def write(self, progress: Progress | None) -> None:
        """Tiles first, as they are painted; then the small pictures; then the directories."""
        levels = levels_of(self.painting)
        places: list[list[tuple[int, int]]] = [[] for _ in levels]
        walk = Pass(self.painting, lambda pixels: self.encoder.abbreviated(pixels).tile, progress)
        for frame in walk.frames():
            places[frame.level].append((self.tiff.append(frame.data), len(frame.data)))
        tiled = [self._tiled(n, level, places[n]) for n, level in enumerate(levels)]
        small = self._thumbnail(walk.overview)
        pages = [tiled[0], small, *tiled[1:], self._label(), self._macro(walk.overview)]
        self.tiff.finish(pages)

    def _tiled(self, number: int, level: Level, places: list[tuple[int, int]]) -> Page:
        page = self._page(level.width, level.height, 0)
        page.numbers(322, SHORT, TILE)
        page.numbers(323, SHORT, TILE)
        page.numbers(324, LONG8, *(offset for offset, _ in places))
        page.numbers(325, LONG, *(length for _, length in places))
        page.text(270, self._described(number, level))
        self._compressed(page)
        if number == 0:
            page.blob(34675, icc_profile())
        return page

    def _described(self, number: int, level: Level) -> str:
        wide, high = self.painting.width, self.painting.height
        size = f"{wide}x{high} [0,0 {wide}x{high}] ({TILE}x{TILE})"
        if DOWNSAMPLES[number] > 1:
            size += f" -> {level.width}x{level.height}"
        head = f"{LIBRARY}\r\n{size} JPEG/RGB Q={self.encoder.quality}"
        return head + self._scanner()

    def _scanner(self) -> str:
        area = scan_area(self.painting)
        power = 40 if self.painting.mpp < 0.375 else 20
        said = {
            "AppMag": power,
            "MPP": f"{self.painting.mpp:g}",
            "ScanScope ID": "PAINTED",
            "Filename": f"painting-{self.painting.seed}",
            "Date": "01/02/26",
            "Time": "03:04:05",
            "Barcode": self.painting.barcode,
            "Left": f"{area.left:.6f}",
            "Top": f"{area.top:.6f}",
            "OriginalWidth": self.painting.width,
            "OriginalHeight": self.painting.height,
            "ICC Profile": "sRGB",
        }
        return "".join(f"|{name} = {value}" for name, value in said.items())

    def _thumbnail(self, scan: Pixels) -> Page:
        ratio = min(1024 / scan.shape[1], 768 / scan.shape[0], 1.0)
        size = max(1, round(scan.shape[1] * ratio)), max(1, round(scan.shape[0] * ratio))
        page = self._stripped(shrunk(scan, *size), 0)
        wide, high = self.painting.width, self.painting.height
        page.text(270, f"{LIBRARY}\r\n{wide}x{high} -> {size[0]}x{size[1]} - {self._scanner()}")
        return page

    def _macro(self, scan: Pixels) -> Page:
        pixels = overview(self.painting, scan)
        page = self._stripped(pixels, 9)
        page.text(270, f"{LIBRARY}\r\nmacro {pixels.shape[1]}x{pixels.shape[0]}")
        return page

    def _label(self) -> Page:
        """The label is kept without loss, so that its barcode is read as printed."""
        pixels = label(self.painting)
        page = self._page(pixels.shape[1], pixels.shape[0], 1)
        strips = []
        for top in range(0, pixels.shape[0], _STRIP):
            rows = pixels[top : top + _STRIP]
            apart = np.diff(rows, axis=1, prepend=np.uint8(0))
            strips.append(bytes(imagecodecs.lzw_encode(apart.tobytes())))
        self._strips(page, strips)
        page.numbers(259, SHORT, _LZW)
        page.numbers(262, SHORT, _RGB)
        page.numbers(317, SHORT, 2)
        page.text(270, f"{LIBRARY}\r\nlabel {pixels.shape[1]}x{pixels.shape[0]}")
        return page

    def _stripped(self, pixels: Pixels, kind: int) -> Page:
        page = self._page(pixels.shape[1], pixels.shape[0], kind)
        strips = [
            self.encoder.abbreviated(np.ascontiguousarray(pixels[top : top + _STRIP])).tile
            for top in range(0, pixels.shape[0], _STRIP)
        ]
        self._strips(page, strips)
        self._compressed(page)
        return page

    def _strips(self, page: Page, strips: list[bytes]) -> None:
        page.numbers(273, LONG8, *(self.tiff.append(strip) for strip in strips))
        page.numbers(278, SHORT, _STRIP)
        page.numbers(279, LONG, *(len(strip) for strip in strips))

    def _compressed(self, page: Page) -> None:
        page.numbers(259, SHORT, _JPEG)
        page.numbers(262, SHORT, _COVERED[self.encoder.photometric])
        # Aperio says 2, 2 even where the RGB stream is not subsampled.
        page.numbers(530, SHORT, 2, 2)
        blank = np.zeros((_STRIP, _STRIP, 3), np.uint8)
        page.blob(347, self.encoder.abbreviated(blank).tables)

    @staticmethod
    def _page(width: int, height: int, kind: int) -> Page:
        page = Page()
        page.numbers(254, LONG, kind)
        page.numbers(256, LONG, width)
        page.numbers(257, LONG, height)
        page.numbers(258, SHORT, 8, 8, 8)
        page.numbers(277, SHORT, 3)
        page.numbers(284, SHORT, 1)
        page.numbers(32997, LONG, 1)
        return page
