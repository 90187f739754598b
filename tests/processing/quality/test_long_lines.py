"""Edges of the coverslip and scratches: painted on tissue, and real masks."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from processing.quality.coverslip import Coverslip, edges
from processing.quality.long_lines import LineRule, drawn_lines, find_lines
from processing.quality.scratch import Scratch
from processing.quality.tissue import find_tissue
from storage.records.quality import QualityState
from tests.contracts.check_contract import CheckContract
from tests.processing.quality.slides import tissue

MPP = 2.0
"""So that 1500 pixels are 3 mm, and the overview has 16 µm a pixel."""
SIZE = (1200, 1800)


@cache
def section(seed: int = 1) -> np.ndarray:
    """A section with nuclei, on glass."""
    return tissue(*SIZE, seed)


def darkened(pixels: np.ndarray, way: list[tuple[int, int]], width: int, passes: int) -> np.ndarray:
    """A line that lets `passes` of 255 through, of every colour alike."""
    light = np.full(pixels.shape[:2], 255, np.uint8)
    cv2.polylines(light, [np.array(way, np.int32)], False, passes, width, cv2.LINE_AA)
    return (pixels * (light[..., None] / 255.0)).astype(np.uint8)


def torn(pixels: np.ndarray, way: list[tuple[int, int]], width: int) -> np.ndarray:
    """A line through which the glass shows."""
    gone = np.zeros(pixels.shape[:2], np.uint8)
    cv2.polylines(gone, [np.array(way, np.int32)], False, 255, width, cv2.LINE_AA)
    share = gone[..., None] / 255.0
    return (pixels * (1 - share) + 243 * share).astype(np.uint8)


class TestCoverslip(CheckContract):
    check = Coverslip

    def test_an_edge_over_tissue_is_found_as_long_as_it_is(self) -> None:
        found = self.found(darkened(section(), [(0, 500), (1800, 650)], 24, 90), MPP)
        assert found.state is QualityState.REVIEW
        assert found.figures["length_mm"] == pytest.approx(3.6, abs=0.2)
        assert found.figures["over_tissue_mm"] == pytest.approx(0.84 * 3.6, rel=0.25)

    def test_an_edge_beside_the_tissue_is_told_and_does_no_harm(self) -> None:
        found = self.found(darkened(section(), [(0, 40), (1800, 30)], 24, 90), MPP)
        assert found.figures["lines"] == 1
        assert found.figures["over_tissue_mm"] == 0
        assert found.state is QualityState.PASS

    def test_tissue_and_its_rim_are_no_edge(self) -> None:
        assert self.found(section(), MPP).figures["lines"] == 0


class TestScratch(CheckContract):
    check = Scratch

    @pytest.mark.parametrize("width", [16, 28])
    def test_a_tear_across_the_tissue_is_found(self, width: int) -> None:
        way = [(350, 400), (800, 575), (1450, 750)]
        found = self.found(torn(section(), way, width), MPP)
        assert found.state is QualityState.REVIEW
        assert found.figures["over_tissue_mm"] == pytest.approx(2.3, rel=0.25)
        x, y, width, height = found.spots[0].box
        assert 250 < x < 500
        assert 325 < y < 550
        assert width > 750
        assert height < 500

    def test_clean_tissue_has_none(self) -> None:
        for seed in (1, 2):
            assert self.found(section(seed), MPP).figures["lines"] == 0

    def test_a_short_gap_is_no_scratch(self) -> None:
        found = self.found(torn(section(), [(750, 600), (1050, 625)], 16), MPP)
        assert found.state is QualityState.PASS


@pytest.mark.parametrize("angle", range(0, 180, 15))
def test_a_line_is_found_at_any_angle_and_noise_is_none(angle: int) -> None:
    noise = np.random.default_rng(angle).random((500, 500)) < 0.1
    assert find_lines(noise, 8.0, LineRule(1.5)) == []
    dx, dy = 190 * np.cos(np.radians(angle)), 190 * np.sin(np.radians(angle))
    line = np.zeros((500, 500), np.uint8)
    cv2.line(line, (round(250 - dx), round(250 - dy)), (round(250 + dx), round(250 + dy)), 1, 2)
    found = find_lines(noise | (line > 0), 8.0, LineRule(1.5))
    assert len(found) == 1
    assert found[0].pixels == pytest.approx(380, rel=0.1)


@pytest.mark.parametrize(("stain", "recall"), [("he", 0.9), ("ihc", 0.8)])
def test_real_edges_are_found_where_people_drew_them(
    slides_dir: Path, stain: str, recall: float
) -> None:
    name = str(slides_dir / "artefacts" / f"histoqc-coverslip_edge_{stain}-coverslip_edge")
    picture, mask = cv2.imread(f"{name}.png"), cv2.imread(f"{name}_mask.png", 0)
    assert picture is not None
    assert mask is not None
    found = edges(find_tissue(np.ascontiguousarray(picture[..., ::-1]), 3, 25.0), 25.0)
    ours, near = drawn_lines(found, mask.shape), np.ones((13, 13), np.uint8)
    ours_wide = cv2.dilate(ours.astype(np.uint8), near) > 0
    drawn_wide = cv2.dilate((mask > 0).astype(np.uint8), near) > 0
    assert (ours_wide & (mask > 0)).sum() > recall * (mask > 0).sum()
    assert (ours & drawn_wide).sum() > 0.9 * ours.sum()
