"""Killed half-way, and two at once: five of the fifty moments of `make faults`."""

from __future__ import annotations

import json
import random
import subprocess
import time
from pathlib import Path

import pytest

from benchmarks import faults
from tests.conftest import slides_folder

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def slide(painted_svs: Path) -> Path:
    """A real slide where there are some: it takes long enough to be killed in the middle."""
    real = slides_folder() / "pyramid-tiff" / "giardia-HE-20x.tif"
    return real if real.is_file() else painted_svs


@pytest.fixture(scope="module")
def normal(slide: Path, tmp_path_factory: pytest.TempPathFactory) -> float:
    """Seconds an ingest takes that nobody kills."""
    folder = tmp_path_factory.mktemp("normal")
    began = time.monotonic()
    faults.svartid(folder / "data", "ingest", slide)
    took = time.monotonic() - began
    faults.check(folder / "data")
    return took


@pytest.mark.parametrize("part", range(5))
def test_an_ingest_that_is_killed(part: int, slide: Path, normal: float, tmp_path: Path) -> None:
    """One moment in each fifth of its duration."""
    moment = (part + random.Random(part).random()) / 5 * normal
    faults.kill_ingest(tmp_path, slide, moment)


def test_everything_ends_with_the_supervisor(slide: Path, tmp_path: Path) -> None:
    faults.kill_up(tmp_path, slide, 0.3, alone=True)


def results(processes: list[subprocess.Popen[str]]) -> list[str]:
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), said
    return sorted(json.loads(line)["status"] for text in said for line in text.splitlines())


def ingest_at_once(data: Path, slide: Path, count: int) -> list[str]:
    return results(
        [
            subprocess.Popen(
                [faults.COMMAND, "ingest", slide, "--json"],
                env=faults.environment(data),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for _ in range(count)
        ]
    )


def test_several_ingests_of_one_file_at_once(slide: Path, tmp_path: Path) -> None:
    assert ingest_at_once(tmp_path / "data", slide, 4) == ["present"] * 3 + ["ready"]
    faults.check(tmp_path / "data")


def test_two_ingests_beside_a_running_up(slide: Path, tmp_path: Path) -> None:
    with faults.running(tmp_path / "data"):
        assert ingest_at_once(tmp_path / "data", slide, 2) == ["present", "ready"]
        faults.check(tmp_path / "data")
