"""Ink of felt tips: painted strokes of colours nobody tuned for, and real masks."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from processing.quality.pen import Pen
from processing.quality.pen_rule import CLASSES, find_pen
from storage.records.quality import QualityState
from tests.contracts.check_contract import CheckContract
from tests.processing.quality.slides import blank, tissue

INKS = {"red": (225, 30, 60), "green": (20, 140, 110), "blue": (20, 60, 190), "black": (22, 20, 18)}
GLASS = (243.0, 243.0, 243.0)


@cache
def section(seed: int = 1) -> np.ndarray:
    """A section with nuclei, on glass."""
    return tissue(900, 1200, seed)


def inked(pixels: np.ndarray, colour: str, way: list[tuple[int, int]], width: int) -> np.ndarray:
    """With a stroke that takes its share of the light, as ink does."""
    passes = np.full(pixels.shape, 255, np.uint8)
    cv2.polylines(passes, [np.array(way, np.int32)], False, INKS[colour], width, cv2.LINE_AA)
    return (pixels * (passes / 255.0)).astype(np.uint8)


class TestPen(CheckContract):
    check = Pen

    @pytest.mark.parametrize("colour", INKS)
    def test_a_stroke_across_the_tissue_is_found_with_its_colour(self, colour: str) -> None:
        slide = inked(section(), colour, [(50, 650), (1150, 250)], 100)
        found = self.found(slide, 4.0)
        assert found.state is QualityState.REVIEW
        assert colour in str(found.figures["colours"]).split()
        # The rim of a stroke counts, at 32 µm a pixel a tenth of its width on either side.
        assert found.figures["pen_mm2"] == pytest.approx(1.2 * 1170 * 100 * 16e-6, rel=0.2)
        assert 12 < found.figures["area_pct"] < 22

    def test_a_stroke_beside_the_tissue_is_told_but_covers_none(self) -> None:
        slide = np.hstack([section(), blank(900, 900)])
        found = self.found(inked(slide, "green", [(1700, 100), (1700, 800)], 100), 4.0)
        assert found.figures["pen_mm2"] == pytest.approx(800 * 100 * 16e-6, rel=0.3)
        assert found.figures["area_pct"] < 0.2
        assert found.state is QualityState.PASS
        x, y, width, height = found.spots[0].box
        assert 1600 < x < x + width < 1800
        assert y < 150
        assert height > 600

    @pytest.mark.parametrize("seed", [1, 2])
    def test_stained_tissue_is_no_ink(self, seed: int) -> None:
        assert self.found(section(seed), 4.0).figures["pen_mm2"] == 0

    def test_what_the_scanner_left_black_is_no_ink(self) -> None:
        slide = section().copy()
        slide[:, 1000:] = 0
        assert self.found(slide, 4.0).figures["pen_mm2"] == 0


@pytest.mark.parametrize(
    ("colour", "um", "least"), [("black", 8.0, 0.95), ("green", 25.0, 0.9), ("red", 25.0, 0.85)]
)
def test_real_ink_is_found_where_people_drew_it(
    slides_dir: Path, colour: str, um: float, least: float
) -> None:
    picture = cv2.imread(str(slides_dir / "artefacts" / f"histoqc-pen_{colour}.png"))
    mask = cv2.imread(str(slides_dir / "artefacts" / f"histoqc-pen_{colour}_mask.png"), 0)
    assert picture is not None
    assert mask is not None
    pen = find_pen(np.ascontiguousarray(picture[..., ::-1]), GLASS, um) == CLASSES.index(colour) + 1
    dice = 2 * float((pen & (mask > 0)).sum()) / float(pen.sum() + (mask > 0).sum())
    assert dice > least
