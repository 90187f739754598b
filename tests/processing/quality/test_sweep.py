"""All tissue is handed to the checks, whatever the size of the slide; decoded small and once."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.quality.check import CELL
from processing.quality.sweep import HALO, fields, tissue_cells
from storage.records.geometry import Region
from tests.processing.quality.slides import blank, slide_view, tissue


@settings(max_examples=25)
@given(st.integers(1, 2400), st.integers(1, 2400), st.sampled_from([0.25, 0.5, 1.0, 3.0]))
def test_all_tissue_is_examined_on_any_size(width: int, height: int, mpp: float) -> None:
    pixels = blank(height, width)
    pixels[height // 3 :, : width * 2 // 3 + 1] = (150, 60, 140)  # to the slide's very edges
    slide = slide_view(pixels, mpp)
    share = tissue_cells(slide)
    seen = np.zeros_like(share)
    for field in fields(slide):
        column, row = field.x // CELL, field.y // CELL
        part = seen[row : row + field.rows, column : column + field.columns]
        part += 1
        assert part.shape == (field.rows, field.columns)
        inner = field.pixels[field.top :, field.left :]
        size = slide.working_size
        assert inner.shape[0] >= min(field.rows * CELL, size.height - field.y)
        assert inner.shape[1] >= min(field.columns * CELL, size.width - field.x)
        assert field.left == min(HALO, field.x)
    assert seen.max(initial=0) <= 1
    assert (seen[share > 0] == 1).all()


@pytest.mark.parametrize(("mpp", "working"), [(0.25, 2), (0.5, 1), (1.0, 0), (0.2738, 2), (0.6, 0)])
def test_the_working_level_is_as_coarse_as_focus_allows(mpp: float, working: int) -> None:
    slide = slide_view(tissue(300, 300), mpp)
    assert slide.working == working
    assert slide.um is not None
    assert slide.um <= 1.15 or working == 0


def test_a_level_that_is_not_stored_looks_like_the_one_that_would_be() -> None:
    pixels = tissue(1088, 1280)
    slide = slide_view(pixels)
    slide.present = {0: slide.present[0]}
    for level in range(7):
        size = slide.size.at_level(level)
        made = slide.region(level, Region(0, 0, size.width, size.height))
        true = cv2.resize(pixels, (size.width, size.height), interpolation=cv2.INTER_AREA)
        assert np.abs(true.astype(int) - made.astype(int)).mean() < 2.5


def test_a_part_is_what_the_whole_has_there() -> None:
    slide = slide_view(tissue(900, 1000))
    slide.present = {0: slide.present[0]}
    whole = slide.region(2, Region(0, 0, 250, 225))
    part = slide.region(2, Region(33, 17, 80, 90))
    assert np.array_equal(part, whole[17:107, 33:113])
