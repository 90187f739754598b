"""A small sample of what `make scale` runs in full, so that the full run cannot rot."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import medians, run_once
from benchmarks.scale import PEAK_BUDGET_MB, measure
from benchmarks.warm import warm_seconds


def test_a_sample_of_scale_stays_within_its_memory(tmp_path: Path) -> None:
    figures = measure(tmp_path, 9000, 6000)
    assert figures["pixels"] == [9000, 6000]
    assert 50 < float(str(figures["peak_mb"])) <= PEAK_BUDGET_MB


def test_a_small_process_is_seen_small_beside_a_large_parent() -> None:
    ballast = bytearray(200 * 2**20)
    run = run_once(["true"])
    assert run.code == 0
    assert run.peak_mb < 50 < len(ballast) / 2**20
    assert medians([run])["peak_mb"] == round(run.peak_mb, 1)


def test_warm_figures_come_one_a_run(painted_svs: Path, tmp_path: Path) -> None:
    figures = warm_seconds(painted_svs, tmp_path, 2)
    assert len(figures) == 2
    assert all(0 < figure < 60 for figure in figures)
