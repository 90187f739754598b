"""Whole processes measured from outside: wall, CPU and peak memory by the kernel's accounting."""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Run:
    """One finished process."""

    wall: float
    cpu: float
    peak_mb: float
    code: int


def run_once(command: Sequence[str]) -> Run:
    """Run to the end, output thrown away; figures from wait4."""
    spawn = [sys.executable, "-I", "-S", str(Path(__file__).parent / "spawn.py")]
    done = subprocess.run([*spawn, *command], stdout=subprocess.PIPE, check=True)
    return Run(**json.loads(done.stdout))


def medians(runs: Sequence[Run]) -> dict[str, float]:
    """Median of each figure, and the range of the wall."""
    walls = [run.wall for run in runs]
    return {
        "wall_s": round(statistics.median(walls), 3),
        "wall_min_s": round(min(walls), 3),
        "wall_max_s": round(max(walls), 3),
        "cpu_s": round(statistics.median(run.cpu for run in runs), 3),
        "peak_mb": round(max(run.peak_mb for run in runs), 1),
    }


def rounds(
    jobs: Mapping[str, Callable[[], Run]], count: int, say: Callable[[str], None]
) -> dict[str, dict[str, float]]:
    """Every job once a round, so that a slow minute of the machine hits all alike."""
    runs: dict[str, list[Run]] = {name: [] for name in jobs}
    for number in range(count):
        for name, job in jobs.items():
            run = job()
            say(f"round {number + 1}  {name:<34} {run.wall:7.2f} s wall  {run.cpu:7.2f} s CPU")
            if run.code == 0:
                runs[name].append(run)
    return {name: medians(done) for name, done in runs.items() if done}


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": model,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "vips": _version("vips", "--version"),
    }


def _version(*command: str) -> str | None:
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip().splitlines()[0] if done.stdout else None


def record(name: str, document: Mapping[str, Any]) -> Path:
    """Write a result beside the others, named by kind and day."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}-{datetime.now(UTC):%Y-%m-%d}.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path
