"""Measuring whole processes: the figures, and runs that go on when a job does not."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import Job, medians, remove, rounds, run_once, weight


def _job(name: str, output: Path, *command: str, most: int | None = None) -> Job:
    return Job(name, "test", command, output, 1.0, most=most)


def test_a_small_process_is_seen_small_beside_a_large_parent() -> None:
    ballast = bytearray(200 * 2**20)
    run = run_once(["true"])
    assert run.code == 0
    assert run.peak_mb < 50 < len(ballast) / 2**20
    assert medians([run])["peak_mb"] == round(run.peak_mb, 1)


def test_time_on_the_processor_is_told_from_time_waited() -> None:
    waited = run_once(["sleep", "0.5"])
    assert waited.wall > 0.5 > 0.2 > waited.cpu
    busy = run_once(["sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"])
    assert busy.cpu > 0.05


def test_a_job_that_fails_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    jobs = [
        _job("fails", tmp_path / "a", "sh", "-c", "echo broken >&2; exit 3"),
        _job("is no program", tmp_path / "b", "svartid-no-such-program"),
        _job("works", tmp_path / "c", "cp", "/proc/version", str(tmp_path / "c")),
    ]
    figures = rounds(jobs, 2, print)
    assert figures["fails"] == {"missing": "exit 3: broken"}
    assert "No such file" in figures["is no program"]["missing"]
    assert figures["works"]["runs"] == 2
    assert figures["works"]["files"] == 1


def test_each_run_starts_without_the_last_ones_output(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    job = _job("mkdir", folder, "mkdir", str(folder), most=3)
    assert rounds([job], 5, print)["mkdir"]["runs"] == 3


def test_weight_is_of_files_and_of_whole_folders(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "one").write_bytes(bytes(1_000_000))
    (tmp_path / "below" / "two").write_bytes(bytes(500_000))
    assert weight(tmp_path) == {"files": 2, "mb": 1.5}
    assert weight(tmp_path / "one") == {"files": 1, "mb": 1.0}
    remove(tmp_path / "one")
    remove(tmp_path / "below")
    assert weight(tmp_path) == {"files": 0, "mb": 0}
