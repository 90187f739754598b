"""The same tiles in another file: judged by OpenSlide."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openslide
import pytest

from benchmarks.rewrap import rewrap
from benchmarks.slides import paint


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return paint(4096, 4096, print, tmp_path_factory.mktemp("bank"))


def _region(path: Path, at: tuple[int, int], level: int) -> np.ndarray:
    with openslide.OpenSlide(path) as slide:
        return np.asarray(slide.read_region(at, level, (300, 200)))


def test_the_picture_is_the_same_in_aperio_layout(bank: Path, tmp_path: Path) -> None:
    rewrap(bank, tmp_path / "same.svs")
    with openslide.OpenSlide(tmp_path / "same.svs") as slide:
        assert slide.properties["openslide.vendor"] == "aperio"
        assert slide.level_dimensions == ((4096, 4096), (1024, 1024), (256, 256))
    for level in range(2):
        own = _region(tmp_path / "same.svs", (2000, 1500), level)
        assert np.array_equal(own, _region(bank, (2000, 1500), level))


def test_the_picture_repeats_to_the_size_asked_for(bank: Path, tmp_path: Path) -> None:
    rewrap(bank, tmp_path / "large.svs", (10000, 6000))
    with openslide.OpenSlide(tmp_path / "large.svs") as slide:
        assert slide.level_dimensions == ((10000, 6000), (2500, 1500), (625, 375))
    for level in range(2):
        first = _region(bank, (500, 700), level)
        assert first.std() > 0
        again = _region(tmp_path / "large.svs", (4096 + 500, 700), level)
        assert np.array_equal(first, again)
    below = _region(tmp_path / "large.svs", (8192 + 500, 4096 + 700), 0)
    assert np.array_equal(_region(bank, (500, 700), 0), below)
