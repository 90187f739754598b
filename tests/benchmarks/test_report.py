"""Budgets, tables and picture of a recorded run."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.budgets import judge
from benchmarks.conversion import READY, TIFFSAVE
from benchmarks.figures import PAINTED, REAL, newest, picture_of
from benchmarks.report import README, bench_text


@pytest.fixture
def recorded() -> tuple[dict[str, Any], Path]:
    path = newest("bench")
    assert path is not None
    return json.loads(path.read_text()), path


def _verdict(run: dict[str, Any], start: str) -> dict[str, Any]:
    return next(one for one in judge(run) if one["name"].startswith(start))


def test_the_recorded_verdicts_follow_from_the_recorded_figures(
    recorded: tuple[dict[str, Any], Path],
) -> None:
    run, _ = recorded
    assert judge(run) == run["budgets"]


def test_a_budget_is_met_missed_or_not_judged(recorded: tuple[dict[str, Any], Path]) -> None:
    run = copy.deepcopy(recorded[0])
    conversion = run["slides"][REAL]["conversion"]
    name = "ready, whole process, real slide, wall against vips tiffsave"
    for seconds, met in ((8.1, True), (7.9, False)):
        conversion[TIFFSAVE], conversion[READY] = {"wall_s": seconds}, {"wall_s": 1.0}
        assert _verdict(run, name)["met"] is met
        assert _verdict(run, name)["is"] == seconds
    conversion[TIFFSAVE] = {"missing": "vips is not installed"}
    assert _verdict(run, name)["met"] is None


def test_no_peer_is_left_out_of_the_tables(recorded: tuple[dict[str, Any], Path]) -> None:
    run, path = copy.deepcopy(recorded[0]), recorded[1]
    run["slides"][REAL]["conversion"]["wsidicomizer"] = {"missing": "not installed: no network"}
    run["serving"]["missing"]["some server"] = "answered 500"
    text = bench_text(run, path)
    assert "| `wsidicomizer` | missing: not installed: no network |" in text
    assert "| some server | missing: answered 500 |" in text
    for role in (REAL, PAINTED):
        for job in run["slides"][role]["conversion"]:
            assert f"| `{job}` |" in text
    for server in run["serving"]["servers"]:
        assert f"| {server} |" in text
    for budget in run["budgets"]:
        assert f"| {budget['name']} |" in text
    assert run["note"] in text


def test_parts_that_failed_say_so(recorded: tuple[dict[str, Any], Path]) -> None:
    run = copy.deepcopy(recorded[0])
    run["serving"] = run["slides"][PAINTED] = run["startup"] = {"failed": "OSError: disk full"}
    run["budgets"] = judge(run)
    assert bench_text(run, recorded[1]).count("Failed: OSError: disk full") == 5
    assert _verdict(run, "CPU a tile")["met"] is None


def test_the_readme_shows_the_newest_run(recorded: tuple[dict[str, Any], Path]) -> None:
    assert bench_text(*recorded) in README.read_text()
    assert picture_of(recorded[1]).read_text().startswith("<?xml")
