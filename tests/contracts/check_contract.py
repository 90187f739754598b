"""What every check of quality keeps, whatever it looks for: each test file of a check inherits it.

class TestBlank(CheckContract):
    check = Blank
"""

from __future__ import annotations

import json
from typing import ClassVar

import numpy as np
import pytest

from processing.quality.assess import assess
from processing.quality.check import Check
from processing.quality.checks import TABLE
from processing.quality.verdict import DEFAULT
from storage.records.quality import Finding, QualityState
from tests.processing.quality.slides import blank, noise, slide_view, tissue


class CheckContract:
    """Inherited by the tests of each check."""

    check: ClassVar[type[Check]]

    def found(self, pixels: np.ndarray, mpp: float | None = 0.5) -> Finding:
        """What the check says of a slide of these pixels."""
        return assess(slide_view(pixels, mpp), [self.check()], DEFAULT).findings[0]

    def test_it_is_named_and_in_the_table(self) -> None:
        assert TABLE[self.check.id].endswith(f":{self.check.__name__}")
        assert self.check.version
        assert self.check.unit

    @pytest.mark.parametrize("size", [(700, 900), (1025, 513), (64, 64), (1, 1)])
    def test_any_size_has_an_answer(self, size: tuple[int, int]) -> None:
        for pixels in (tissue(*size), blank(*size), noise(*size), np.zeros((*size, 3), np.uint8)):
            found = self.found(pixels)
            assert found.state is not QualityState.ERROR, found.reason
            json.dumps(dict(found.figures), allow_nan=False)

    def test_without_a_pixel_size_it_measures_or_says_why_not(self) -> None:
        found = self.found(tissue(700, 900), None)
        assert found.figures or found.reason
        assert found.state is not QualityState.ERROR

    def test_the_same_slide_gives_the_same_answer(self) -> None:
        first, second = (self.found(tissue(700, 900)) for _ in range(2))
        assert (first.figures, first.state, first.spots) == (
            second.figures,
            second.state,
            second.spots,
        )

    def test_spots_lie_on_the_slide(self) -> None:
        for spot in self.found(noise(700, 900)).spots:
            x, y, width, height = spot.box
            assert 0 <= x < 900
            assert 0 <= y < 700
            assert width > 0
            assert height > 0
