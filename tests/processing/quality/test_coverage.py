"""Tissue on the overview that the scan lacks: pieces left out, labels, edges, glasses apart."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from processing import jpeg
from processing.jpeg import Pixels
from processing.quality.assess import assess
from processing.quality.coverage import Coverage
from processing.quality.verdict import DEFAULT
from storage.records.quality import Finding, QualityState
from storage.records.slide import JpegEncoding
from tests.contracts.check_contract import CheckContract
from tests.processing.quality.slides import slide_view

PER_MM = 17
MPP = 20.0
"""Of the scan: 1000 x 700 pixels are 20 x 14 mm, tissue is looked for at 160 µm."""
LEFT_MM, TOP_MM = 40, 5
PIECES = ((250, 200, 190, 120, 25), (700, 250, 150, 170, 140), (420, 530, 260, 90, 5))
"""On the scan: x, y, half axes, degrees."""
ISLAND = (870, 590, 45, 40, 0)
PINK = (206, 150, 188)


def scan(*pieces: tuple[int, int, int, int, int]) -> Pixels:
    """Pieces of tissue on glass, [700, 1000, 3]."""
    out = np.full((700, 1000, 3), 243, np.uint8)
    for x, y, wide, high, turn in pieces:
        cv2.ellipse(out, (x, y), (wide, high), turn, 0, 360, PINK, -1, cv2.LINE_AA)
    noise = np.random.default_rng(1).normal(0, 2, out.shape)
    return np.clip(out + noise, 0, 255).astype(np.uint8)


def overview(whole: Pixels, upright: bool = False) -> bytes:
    """A glass with label and dark edges, the tissue of `whole` on it."""
    out = np.full((25 * PER_MM, 75 * PER_MM, 3), (221, 224, 225), np.uint8)
    small = cv2.resize(whole, (20 * PER_MM, 14 * PER_MM), interpolation=cv2.INTER_AREA)
    at = (
        slice(TOP_MM * PER_MM, (TOP_MM + 14) * PER_MM),
        slice(LEFT_MM * PER_MM, (LEFT_MM + 20) * PER_MM),
    )
    out[at] = np.minimum(out[at] / 243.0 * small, 255).astype(np.uint8)
    out[10:-10, 8 : 23 * PER_MM] = (250, 249, 244)
    cv2.putText(out, "A1 HE", (40, 200), cv2.FONT_HERSHEY_SIMPLEX, 2.5, (30, 30, 40), 8)
    out[10:80, 8 : 23 * PER_MM] = (233, 196, 208)
    cv2.line(out, (66 * PER_MM, 0), (66 * PER_MM, 25 * PER_MM), (120, 122, 120), 5)
    cv2.rectangle(out, (0, 0), (out.shape[1] - 1, out.shape[0] - 1), (90, 90, 90), 4)
    picture = np.ascontiguousarray(np.rot90(out)) if upright else out
    return jpeg.encode(picture, JpegEncoding(80))


def found(shown: bytes, scanned: Pixels, mpp: float | None = MPP) -> Finding:
    """What is said of a scan and an overview."""
    view = slide_view(scanned, mpp, associated={"overview": shown})
    return assess(view, [Coverage()], DEFAULT).findings[0]


class TestCoverage(CheckContract):
    check = Coverage

    @pytest.mark.parametrize("mpp", [MPP, None])
    def test_all_that_is_on_the_glass_was_scanned(self, mpp: float | None) -> None:
        whole = scan(*PIECES, ISLAND)
        scanned = whole if mpp else cv2.resize(whole, None, fx=4, fy=4)
        told = found(overview(whole), np.asarray(scanned, np.uint8), mpp)
        assert told.state is QualityState.PASS, told
        assert told.figures["missing_pct"] == 0

    def test_an_island_that_was_skipped_is_found_at_its_place(self) -> None:
        told = found(overview(scan(*PIECES, ISLAND)), scan(*PIECES))
        assert told.figures["islands"] == 1
        area = 3.14159 * ISLAND[2] * ISLAND[3] * (MPP / 1000) ** 2
        assert told.figures["missing_mm2"] == pytest.approx(area, rel=0.25)
        (spot,) = told.spots
        x, y, width, height = spot.box
        assert x < ISLAND[0] < x + width
        assert y < ISLAND[1] < y + height

    def test_a_piece_beside_the_frame_asks_for_a_look(self) -> None:
        whole = scan(*PIECES)
        told = found(overview(whole), np.ascontiguousarray(whole[:, :520]))
        assert told.state is QualityState.REVIEW
        assert told.figures["missing_pct"] > 25

    def test_another_glass_is_not_compared(self) -> None:
        other = scan((500, 350, 90, 300, 80), (120, 600, 60, 80, 0))
        assert found(overview(scan(*PIECES)), other).reason == "overview_not_registered"

    def test_a_part_too_small_to_have_a_shape_is_not_placed(self) -> None:
        whole = scan(*PIECES)
        told = found(overview(whole), np.ascontiguousarray(whole[180:250, 80:180]))
        assert told.reason == "overview_not_registered"

    def test_without_an_overview_nothing_is_said(self) -> None:
        whole = scan(*PIECES)
        assert found(b"no picture", whole).reason == "no_overview"
        assert self.found(whole).reason == "no_overview"
