"""Ink of felt tips: painted strokes of colours nobody tuned for, and real masks."""

from __future__ import annotations

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


def inked(pixels: np.ndarray, colour: str, way: list[tuple[int, int]], width: int) -> np.ndarray:
    """With a stroke that takes its share of the light, as ink does."""
    passes = np.full(pixels.shape, 255, np.uint8)
    cv2.polylines(passes, [np.array(way, np.int32)], False, INKS[colour], width, cv2.LINE_AA)
    return (pixels * (passes / 255.0)).astype(np.uint8)


class TestPen(CheckContract):
    check = Pen

    @pytest.mark.parametrize("colour", INKS)
    def test_a_stroke_across_the_tissue_is_found_with_its_colour(self, colour: str) -> None:
        slide = inked(tissue(1800, 2400), colour, [(100, 1300), (2300, 500)], 200)
        found = self.found(slide, 2.0)
        assert found.state is QualityState.REVIEW
        assert colour in str(found.figures["colours"]).split()
        assert found.figures["pen_mm2"] == pytest.approx(2340 * 200 * 4e-6, rel=0.2)
        assert 12 < found.figures["area_pct"] < 22

    def test_a_stroke_beside_the_tissue_is_told_but_covers_none(self) -> None:
        slide = np.hstack([tissue(1600, 1600), blank(1600, 1600)])
        found = self.found(inked(slide, "green", [(2400, 200), (2400, 1400)], 200), 2.0)
        assert found.figures["pen_mm2"] == pytest.approx(1200 * 200 * 4e-6, rel=0.3)
        assert found.figures["area_pct"] < 0.2
        assert found.state is QualityState.PASS
        x, y, width, height = found.spots[0].box
        assert 2200 < x < x + width < 2600
        assert y < 300
        assert height > 1000

    @pytest.mark.parametrize("seed", [1, 2])
    def test_stained_tissue_is_no_ink(self, seed: int) -> None:
        assert self.found(tissue(1800, 2400, seed), 2.0).figures["pen_mm2"] == 0

    def test_what_the_scanner_left_black_is_no_ink(self) -> None:
        slide = tissue(1800, 2400)
        slide[:, 2000:] = 0
        assert self.found(slide, 2.0).figures["pen_mm2"] == 0


@pytest.mark.parametrize(
    ("colour", "um", "least"), [("black", 8.0, 0.95), ("green", 25.0, 0.9), ("red", 25.0, 0.8)]
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
