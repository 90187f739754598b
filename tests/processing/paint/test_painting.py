"""The painting itself: pure, seamless, and tissue-like enough to be told from glass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.paint import Painting
from processing.paint.painting import tissue_of
from processing.paint.tissue import Tissue

BIG = Painting(200_000, 100_000, seed=1)


@settings(max_examples=6, deadline=None)
@given(
    x=st.integers(60_000, 140_000),
    y=st.integers(30_000, 70_000),
    dx=st.integers(0, 400),
    dy=st.integers(0, 400),
)
def test_region_is_crop_of_a_larger_region(x: int, y: int, dx: int, dy: int) -> None:
    larger = BIG.region(x, y, 700, 600)
    assert np.array_equal(BIG.region(x + dx, y + dy, 300, 200), larger[dy:, dx:][:200, :300])


def test_same_seed_same_pixels_after_starting_afresh() -> None:
    one = Tissue(1, 3000, 2300).block(1, 1)
    assert np.array_equal(one, Tissue(1, 3000, 2300).block(1, 1))


def test_other_seed_other_outline_and_hue() -> None:
    first = Painting(3000, 2300, seed=1)
    second = replace(first, seed=2)
    ours, theirs = (p.region(0, 0, 3000, 2300) for p in (first, second))
    tissue = [pixels[::8, ::8, 1] < 225 for pixels in (ours, theirs)]
    assert (tissue[0] != tissue[1]).mean() > 0.05
    hues = [
        pixels[::8, ::8][mask].mean(axis=0)
        for pixels, mask in zip((ours, theirs), tissue, strict=True)
    ]
    assert np.abs(hues[0] - hues[1]).max() > 3


def test_no_seam_between_blocks() -> None:
    """Across a block's edge pixels differ no more than elsewhere."""
    painting = Painting(6000, 4500, seed=2)
    pixels = painting.region(1024, 1024, 3072, 2048).astype(int)
    steps = np.abs(np.diff(pixels, axis=1)).mean(axis=(0, 2))
    assert steps[[1023, 2047]].max() < np.percentile(steps, 99.5) * 1.3


def test_glass_is_white_tissue_is_not_and_both_are_there(painting: Painting) -> None:
    pixels = painting.region(0, 0, painting.width, painting.height)[::4, ::4]
    bare = pixels.min(axis=2) > 230
    assert 0.3 < bare.mean() < 0.9
    red, green, blue = pixels[~bare].mean(axis=0)
    assert green < min(red, blue)


def test_bare_glass_is_one_shared_block() -> None:
    tissue = tissue_of(BIG)
    assert tissue.block(0, 0) is tissue.block(190, 95)


@pytest.mark.parametrize(
    "wrong",
    [
        {"width": 10},
        {"height": 1 << 21},
        {"seed": -1},
        {"mpp": 0},
        {"barcode": ""},
        {"barcode": "æ"},
        {"barcode": "a|b"},
        {"accession": "x" * 17},
    ],
)
def test_impossible_paintings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        replace(BIG, **wrong)  # type: ignore[arg-type]
