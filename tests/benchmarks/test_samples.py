"""A small sample of what `make bench` and `make scale` run in full, so that they cannot rot."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.budgets import PEAK_MB
from benchmarks.installation import install
from benchmarks.measure import Missing
from benchmarks.opened import first_tiles
from benchmarks.processes import running, wait_for
from benchmarks.scale import measure
from benchmarks.servers import Bench, servers
from benchmarks.slides import paint
from benchmarks.startup import measure_startup
from benchmarks.warm import warm_seconds


def test_a_sample_of_scale_stays_within_its_memory(tmp_path: Path) -> None:
    figures = measure(paint(4096, 4096, print, tmp_path), tmp_path, 9000, 6000)
    assert figures["pixels"] == [9000, 6000]
    assert 50 < figures["peak_mb"] <= PEAK_MB
    assert figures["complete_mb"] > figures["ready_mb"] > 0


def test_warm_figures_come_one_a_run_and_count_the_taking_over(
    painted_svs: Path, tmp_path: Path
) -> None:
    figures = warm_seconds(painted_svs, tmp_path, 2)
    assert len(figures) == 2
    for one in figures:
        assert 0 < one["take_over_s"] < one["ready_s"] < 60
        assert one["ready_s"] == pytest.approx(one["take_over_s"] + one["read_in_s"], abs=0.001)


def test_first_tiles_of_slides_the_server_never_opened(painted_svs: Path, tmp_path: Path) -> None:
    ours = install(painted_svs, tmp_path / "data")
    figures = first_tiles(ours, tmp_path, print)
    for state in ("warm", "evicted"):
        assert 0 < figures[state]["min_ms"] <= figures[state]["median_ms"] < 5000
    assert list(ours.pyramid.parent.iterdir()) == [ours.pyramid]


def test_a_server_that_is_not_there_says_so(painted_svs: Path, tmp_path: Path) -> None:
    ours = install(painted_svs, tmp_path / "data")
    made = dict(servers(Bench(painted_svs, tmp_path, ours, {}, alone=False)))
    with pytest.raises(Missing, match=r"listens on every address|not both installed"):
        made["Orthanc /wsi/tiles"]()
    with pytest.raises(Missing, match=r"left no tiles|not installed"):
        made["nginx, Deep Zoom files"]()
    with (
        running([("sh", "-c", "echo no such slide >&2")], {}, tmp_path / "log"),
        pytest.raises(Missing, match="no such slide"),
    ):
        wait_for(1, "/", "", tmp_path / "log", patience=1)


def test_help_is_quick_and_nothing_heavy_comes_along() -> None:
    figures = measure_startup(1)
    assert 0 < figures["help"]["wall_s"] < 5
    assert all(one["heavy"] == [] for one in figures["imports"].values())
