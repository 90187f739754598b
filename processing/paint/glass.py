"""The slide as an object: its paper label, and the overview camera's picture of the whole glass."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from .painting import Painting
from .pixels import Pixels, shrunk

PER_MM = 17
"""Resolution of label and overview, pixels per millimetre."""

GLASS_MM = (75.0, 25.0)
LABEL_MM = 24.0
LABEL_SIZE = 576
_INK = (38, 34, 44)


class ScanArea(NamedTuple):
    """Where on the glass the scan lies: left, top, width, height in millimetres."""

    left: float
    top: float
    width: float
    height: float


def scan_area(painting: Painting) -> ScanArea:
    """In the middle of the glass right of the label; a painting too big for glass is shrunk."""
    width, height = painting.width * painting.mpp / 1000, painting.height * painting.mpp / 1000
    room = GLASS_MM[0] - LABEL_MM - 4, GLASS_MM[1] - 2
    shrink = min(1.0, room[0] / width, room[1] / height)
    width, height = width * shrink, height * shrink
    left = LABEL_MM + 2 + (room[0] - width) / 2
    return ScanArea(left, (GLASS_MM[1] - height) / 2, width, height)


def label(painting: Painting) -> Pixels:
    """The paper label, [LABEL_SIZE, LABEL_SIZE, 3]: accession, barcode in words and in squares."""
    paper = np.full((LABEL_SIZE, LABEL_SIZE, 3), (250, 249, 244), np.uint8)
    cv2.rectangle(paper, (0, 0), (LABEL_SIZE, 78), (233, 196, 208), -1)
    _write(paper, "SVARTID PATHOLOGY", (24, 52), 1.0, 2)
    _write(paper, painting.accession, (24, 140), 1.5, 3)
    _write(paper, painting.barcode, (24, 196), 1.15, 2)
    _write(paper, painting.stain, (24, 300), 2.2, 5)
    _write(paper, "PAINTED", (24, 490), 0.8, 2)
    _write(paper, "NOT A PATIENT", (24, 526), 0.8, 2)
    code = _squares(painting.barcode)
    edge = code.shape[0]
    paper[-edge - 20 : -20, -edge - 20 : -20] = code[..., None]
    return paper


def overview(painting: Painting, scan: Pixels) -> Pixels:
    """The whole glass, label left, with the small picture `scan` laid where it was scanned."""
    wide, high = (round(side * PER_MM) for side in GLASS_MM)
    shade = np.linspace(0, 1, wide, dtype=np.float32)[None, :, None]
    glass = np.full((high, wide, 3), (222, 225, 226), np.float32) - 7 * np.abs(shade - 0.6)
    _lay(glass, scan, scan_area(painting))
    grain = np.random.default_rng((painting.seed, 71)).normal(0, 0.9, glass.shape)
    pixels: Pixels = np.clip(glass + grain, 0, 255).astype(np.uint8)
    edge = round((LABEL_MM - 1) * PER_MM)
    paper = shrunk(label(painting), edge, edge)
    top = (high - edge) // 2
    pixels[top : top + edge, 8 : 8 + edge] = paper
    cv2.rectangle(pixels, (0, 0), (wide - 1, high - 1), (150, 156, 158), 2)
    return pixels


def _lay(glass: NDArray[np.float32], scan: Pixels, area: ScanArea) -> None:
    """Multiply the scan into the glass: dye takes light away, bare glass takes none."""
    size = max(1, round(area.width * PER_MM)), max(1, round(area.height * PER_MM))
    small = shrunk(scan, *size).astype(np.float32)
    left, top = round(area.left * PER_MM), round(area.top * PER_MM)
    small /= np.float32(243)
    glass[top : top + size[1], left : left + size[0]] *= np.minimum(small, 1)


def _write(paper: Pixels, text: str, at: tuple[int, int], size: float, weight: int) -> None:
    """A line of print, made narrower when it would run off the label."""
    (wide, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, weight)
    size *= min(1.0, (LABEL_SIZE - 2 * at[0]) / max(wide, 1))
    cv2.putText(paper, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, _INK, weight, cv2.LINE_AA)


def _squares(text: str) -> NDArray[np.uint8]:
    """The barcode as Data Matrix, uint8 [n, n], in whole pixels per module."""
    kind = zxingcpp.BarcodeFormat.DataMatrix  # which for some lengths of text may be oblong
    barcode = zxingcpp.create_barcode(text, kind, force_square=True)
    code = np.asarray(zxingcpp.write_barcode_to_image(barcode))
    if code.ndim == 3:
        code = code[..., 0]
    module = max(2, 300 // code.shape[0])
    return np.asarray(np.kron(code, np.ones((module, module), np.uint8)), dtype=np.uint8)
