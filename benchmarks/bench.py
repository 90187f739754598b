"""`make bench`: reading in and serving, side by side with peers on the same slide.

Budgets (ratios of medians in the same run) are checked at the end; exit 1 when one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import Run, machine, record, rounds, run_once
from benchmarks.serving import measure_serving
from processing.paint import Painting, write_svs

BUDGETS = {
    "ready, wall against vips tiffsave": (8.0, "tiffsave", "ready"),
    "ready, wall against vips dzsave": (17.0, "dzsave", "ready"),
}
CPU_BUDGETS = {
    "complete, CPU against vips tiffsave": (2.0, "tiffsave", "complete"),
    "complete, CPU against vips dzsave": (6.0, "dzsave", "complete"),
}
WARM_BUDGETS = {
    "ready in a warm process, wall against vips tiffsave": (25.0, "tiffsave"),
    "ready in a warm process, wall against vips dzsave": (60.0, "dzsave"),
}
SERVING_BUDGET = 15.0
"""Requests a second against openslide-python's DeepZoomGenerator."""


def main() -> int:
    """Measure, print, record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slide", type=Path, default=None, help="default: giardia-HE-20x.tif")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--record", action="store_true", help="write benchmarks/results")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="svartid-bench-") as folder:
        slide = args.slide or _default_slide(Path(folder))
        conversion = rounds(_jobs(slide, Path(folder)), args.rounds, print)
        warm = _warm_seconds(slide, Path(folder), args.rounds)
        serving = measure_serving(slide, Path(folder), print)
    document = {
        "machine": machine(),
        "slide": slide.name,
        "bytes": slide.stat().st_size if slide.exists() else None,
        "conversion": conversion,
        "warm_ready_s": warm,
        "serving": serving,
    }
    missed = _judge(conversion, serving) + _judge_warm(conversion, warm)
    print(json.dumps(document, indent=1))
    if args.record:
        print(record("bench", document))
    return 1 if missed else 0


def _default_slide(folder: Path) -> Path:
    shared = Path(os.environ.get("SVARTID_TEST_SLIDES") or "../shared/slides")
    slide = shared / "pyramid-tiff" / "giardia-HE-20x.tif"
    if slide.is_file():
        return slide
    painted = folder / "painted.svs"
    write_svs(Painting(39646, 15555, seed=1), painted)
    return painted


def _jobs(slide: Path, folder: Path) -> dict[str, Callable[[], Run]]:
    svartid = str(Path(sys.executable).parent / "svartid")
    jobs: dict[str, Callable[[], Run]] = {
        "cp": lambda: run_once(["cp", str(slide), str(folder / "copy")]),
        "ready": lambda: _ingest(svartid, slide, folder, "ready"),
        "complete": lambda: _ingest(svartid, slide, folder, "complete"),
    }
    if shutil.which("vips") is None:
        print("vips is not installed: tiffsave and dzsave are missing from this run")
        return jobs
    tiff, deep = str(folder / "v.tif"), folder / "v"
    pyramid = ["--tile", "--pyramid", "--compression", "jpeg", "--Q", "80"]
    size = ["--tile-width", "256", "--tile-height", "256"]
    jobs["tiffsave"] = lambda: run_once(["vips", "tiffsave", str(slide), tiff, *pyramid, *size])

    def dzsave() -> Run:
        shutil.rmtree(f"{deep}_files", ignore_errors=True)
        return run_once(["vips", "dzsave", str(slide), str(deep), "--suffix", ".jpg[Q=80]"])

    jobs["dzsave"] = dzsave
    return jobs


def _ingest(svartid: str, slide: Path, folder: Path, until: str) -> Run:
    data = folder / f"data-{until}"
    shutil.rmtree(data, ignore_errors=True)
    run_once([svartid, "slides", "--data", str(data)])  # an installation has its tables
    return run_once([svartid, "ingest", str(slide), "--until", until, "--data", str(data)])


def _warm_seconds(slide: Path, folder: Path, count: int) -> list[float]:
    """Seconds to ready inside one process that has read a slide before."""
    program = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from benchmarks.warm import warm_seconds\n"
        "print(json.dumps(warm_seconds(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))\n"
    )
    command = [sys.executable, "-c", program, str(slide), str(folder), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds: list[float] = json.loads(done.stdout)
    return seconds


def _judge(conversion: dict[str, dict[str, float]], serving: dict[str, Any]) -> list[str]:
    missed = []
    for figure, budgets in (("wall_s", BUDGETS), ("cpu_s", CPU_BUDGETS)):
        for name, (least, peer, ours) in budgets.items():
            if peer not in conversion:
                print(f"not judged  {name}: {peer} is missing")
                continue
            ratio = conversion[peer][figure] / conversion[ours][figure]
            missed += _verdict(name, ratio, least)
    ours, peer = serving.get("svartid"), serving.get("DeepZoomGenerator")
    if ours and peer:
        ratio = ours["requests_per_s"] / peer["requests_per_s"]
        missed += _verdict("serving, requests a second against DeepZoom", ratio, SERVING_BUDGET)
    return missed


def _judge_warm(conversion: dict[str, dict[str, float]], warm: list[float]) -> list[str]:
    missed = []
    for name, (least, peer) in WARM_BUDGETS.items():
        if peer in conversion:
            ratio = conversion[peer]["wall_s"] / statistics.median(warm)
            missed += _verdict(name, ratio, least)
    return missed


def _verdict(name: str, ratio: float, least: float) -> list[str]:
    met = ratio >= least
    print(f"{'met   ' if met else 'MISSED'}  {name}: {ratio:.1f}x, budget {least:g}x")
    return [] if met else [name]


if __name__ == "__main__":
    raise SystemExit(main())
