"""Seams and bands: found at their place, across every offset, and not where there are none."""

from __future__ import annotations

import numpy as np
import pytest

from processing.jpeg import Pixels
from processing.paint import Painting
from processing.quality.assess import assess
from processing.quality.bands import Bands
from processing.quality.stitching import Stitching
from processing.quality.verdict import DEFAULT
from storage.records.quality import Finding, QualityState
from tests.contracts.check_contract import CheckContract
from tests.processing.quality.slides import slide_view, tissue

SIZE = 1300
WHOLE = tissue(SIZE + 8, SIZE + 8)
CLEAN = WHOLE[4:-4, 4:-4]


def turned(pixels: Pixels, vertical: bool) -> Pixels:
    """The same with rows for columns, unless the line is to be vertical."""
    return pixels if vertical else np.ascontiguousarray(pixels.transpose(1, 0, 2))


def of_one(check: type[Stitching] | type[Bands], pixels: Pixels, mpp: float = 1.0) -> Finding:
    """What a check says."""
    return assess(slide_view(pixels, mpp), [check()], DEFAULT).findings[0]


def lies_at(found: Finding, at: int, vertical: bool) -> bool:
    """True if the first spot lies along a line within 4 pixels of `at`."""
    x, y, width, height = found.spots[0].box
    middle = x + width / 2 if vertical else y + height / 2
    return abs(middle - at) <= 4 and vertical == (height > width)


class TestStitching(CheckContract):
    check = Stitching

    @pytest.mark.parametrize(("at", "shift", "vertical"), [(640, 2, True), (701, 3, False)])
    def test_a_seam_is_found_at_its_place(self, at: int, shift: int, vertical: bool) -> None:
        pixels = CLEAN.copy()
        pixels[:, at:] = WHOLE[4 - shift : SIZE + 4 - shift, 4:-4][:, at:]
        found = of_one(Stitching, turned(pixels, vertical))
        assert found.figures["seams"] == 1
        assert found.figures["largest_px"] == pytest.approx(shift, rel=0.4)
        assert lies_at(found, at, vertical)
        assert found.state is QualityState.REVIEW

    def test_tissue_as_it_is_has_none(self) -> None:
        assert of_one(Stitching, CLEAN).figures == {"seams": 0, "largest_px": 0.0}

    def test_a_step_of_brightness_is_no_seam(self) -> None:
        pixels = CLEAN.copy()
        pixels[:, 650:] = np.rint(pixels[:, 650:] * 0.92).astype(np.uint8)
        assert of_one(Stitching, pixels).figures["seams"] == 0


class TestBands(CheckContract):
    check = Bands

    @pytest.mark.parametrize(("at", "step", "vertical"), [(640, 0.05, True), (701, 0.1, False)])
    def test_a_step_is_found_at_its_place(self, at: int, step: float, vertical: bool) -> None:
        pixels = CLEAN.copy()
        pixels[:, at:] = np.rint(pixels[:, at:] * (1 - step)).astype(np.uint8)
        found = of_one(Bands, turned(pixels, vertical))
        assert found.figures["steps"] == 1
        assert found.figures["largest_pct"] == pytest.approx(100 * step, rel=0.3)
        assert lies_at(found, at, vertical)

    def test_tissue_as_it_is_has_none(self) -> None:
        assert of_one(Bands, CLEAN).state is QualityState.PASS

    def test_a_slow_fall_of_light_is_no_step(self) -> None:
        light = np.linspace(1, 0.8, SIZE)[None, :, None]
        assert of_one(Bands, (CLEAN * light).astype(np.uint8)).figures["steps"] == 0

    @pytest.mark.parametrize("vertical", [True, False])
    def test_a_row_that_the_scanners_level_lacks_is_no_step(self, vertical: bool) -> None:
        pixels = CLEAN[200:1100, 200:1100].copy()  # tissue up to every edge
        (pixels[:, -1:] if vertical else pixels[-1:])[:] = 255
        assert of_one(Bands, pixels).figures["steps"] == 0


MUSCLE = (
    (Stitching, Painting(9000, 11000, seed=3), (768, 7168, 7424, 1024)),
    (Bands, Painting(16000, 12000, seed=1), (9216, 8960, 6144, 768)),
)
"""Places of painted slides with fibres that lie nearly level: both checks saw a line there."""


@pytest.mark.parametrize(("check", "painting", "place"), MUSCLE)
def test_fibres_that_lie_along_a_line_are_none(
    check: type[Stitching] | type[Bands], painting: Painting, place: tuple[int, int, int, int]
) -> None:
    found = of_one(check, painting.region(*place), painting.mpp)
    assert [found.figures.get("seams", 0), found.figures.get("steps", 0)] == [0, 0]
