"""Whole processes measured from outside: wall, CPU and peak memory by the kernel's accounting."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
LONGEST = 1800
"""Seconds after which a process is given up."""

Say = Callable[[str], None]


class Missing(Exception):
    """A peer that cannot take part; the text says why."""


@dataclass(frozen=True)
class Run:
    """One finished process."""

    wall: float
    cpu: float
    peak_mb: float
    code: int
    complaint: str = ""
    """The last line it wrote to its standard error."""


@dataclass(frozen=True)
class Job:
    """A process to measure; `output` is removed before each run and counted after it."""

    name: str
    work: str
    command: tuple[str, ...]
    output: Path
    megapixels: float
    prepare: Callable[[], object] = lambda: None
    most: int | None = None
    """At most so many runs, for those that take minutes."""


def run_once(command: Sequence[str]) -> Run:
    """Run to the end, output thrown away; figures from wait4."""
    spawn = [sys.executable, "-I", "-S", str(Path(__file__).parent / "spawn.py")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*spawn, *command], **pipes, start_new_session=True) as process:
        try:
            told, errors = process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            return Run(LONGEST, 0, 0, -signal.SIGKILL, "took too long")
        finally:  # too slow, or the measurement was broken off: it goes with all it started
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    complaint = errors.strip().splitlines()[-1:] or [""]
    if process.returncode:
        return Run(0, 0, 0, process.returncode, complaint[0])
    return Run(**json.loads(told), complaint=complaint[0])


def medians(runs: Sequence[Run]) -> dict[str, float]:
    """Median of each figure, and the range of the wall."""
    walls = [run.wall for run in runs]
    return {
        "wall_s": round(statistics.median(walls), 3),
        "wall_min_s": round(min(walls), 3),
        "wall_max_s": round(max(walls), 3),
        "cpu_s": round(statistics.median(run.cpu for run in runs), 3),
        "peak_mb": round(max(run.peak_mb for run in runs), 1),
        "runs": len(runs),
    }


def rounds(jobs: Sequence[Job], count: int, say: Say) -> dict[str, dict[str, Any]]:
    """Every job once a round, so that a slow minute of the machine hits all alike.

    A job that fails is reported as missing with its reason, and the others go on.
    """
    runs: dict[str, list[Run]] = {job.name: [] for job in jobs}
    sizes: dict[str, dict[str, float]] = {}
    failed: dict[str, dict[str, Any]] = {}
    for number in range(count):
        for job in jobs:
            if job.name in failed or number >= (job.most or count):
                continue
            try:
                run = _run_job(job)
            except (OSError, subprocess.SubprocessError) as error:
                run = Run(0, 0, 0, 1, str(error))
            say(f"round {number + 1}  {job.name:<34} {run.wall:7.2f} s wall  {run.cpu:7.2f} s CPU")
            if run.code:
                failed[job.name] = {"missing": f"exit {run.code}: {run.complaint}"}
                say(f"  failed, {failed[job.name]['missing']}")
            else:
                runs[job.name].append(run)
                sizes[job.name] = weight(job.output)
    done = {
        job.name: medians(runs[job.name])
        | sizes[job.name]
        | {"work": job.work, "megapixels": round(job.megapixels, 1)}
        for job in jobs
        if job.name not in failed
    }
    return done | failed


def _run_job(job: Job) -> Run:
    remove(job.output)
    job.prepare()
    os.sync()  # what others left to be written is not this job's time
    return run_once(job.command)


def remove(path: Path) -> None:
    """Take a file or a folder away, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def weight(path: Path) -> dict[str, float]:
    """Files and megabytes of a file or of everything below a folder."""
    files = [path] if path.is_file() else [f for f in path.rglob("*") if f.is_file()]
    return {"files": len(files), "mb": round(sum(f.stat().st_size for f in files) / 1e6, 1)}


def attempt(name: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """One part of a run; when it fails, the others go on and the failure is recorded."""
    try:
        return measure()
    except Exception as error:
        traceback.print_exc()
        print(f"{name} failed: {error}")
        return {"failed": f"{type(error).__name__}: {error}"}


def stolen_seconds() -> float:
    """Seconds of all cores that the hypervisor gave to others, since the machine began."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return int(fields[8]) / os.sysconf("SC_CLK_TCK")


def record(name: str, document: Mapping[str, Any]) -> Path:
    """Write a result beside the others, named by day and kind."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-{name}.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


def machine() -> dict[str, Any]:
    """Date, processor, memory, load, Python."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _line("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory_gb": round(int(_line("/proc/meminfo", "MemTotal").split()[0]) / 2**20, 1),
        "system": platform.platform(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
    }


def _line(file: str, name: str) -> str:
    for line in Path(file).read_text().splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return ""
