"""`make scale`: a painted slide of 200,000 x 100,000 pixels, read in, with its peak memory.

`--width` and `--height` make it smaller; the tests run a small sample of the same.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import machine, record, run_once
from processing.paint import Painting, write_svs

PEAK_BUDGET_MB = 300
"""Peak memory of a whole ingest, whatever the slide's size."""


def main() -> int:
    """Paint, read in, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=200_000)
    parser.add_argument("--height", type=int, default=100_000)
    parser.add_argument("--record", action="store_true", help="write benchmarks/results")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="svartid-scale-") as folder:
        document = measure(Path(folder), args.width, args.height)
    print(json.dumps(document, indent=1))
    if args.record:
        print(record("scale", document))
    return 0 if document["peak_mb"] <= PEAK_BUDGET_MB else 1


def measure(folder: Path, width: int, height: int) -> dict[str, object]:
    """Figures of one ingest of a painted slide."""
    slide = folder / "large.svs"
    began = time.perf_counter()
    write_svs(Painting(width, height, seed=5), slide)
    painted = time.perf_counter() - began
    svartid = str(Path(sys.executable).parent / "svartid")
    run = run_once([svartid, "ingest", str(slide), "--data", str(folder / "data")])
    if run.code:
        raise RuntimeError("the ingest failed")
    return {
        "machine": machine(),
        "pixels": [width, height],
        "bytes": slide.stat().st_size,
        "paint_s": round(painted, 1),
        "complete_wall_s": round(run.wall, 2),
        "complete_cpu_s": round(run.cpu, 2),
        "peak_mb": round(run.peak_mb, 1),
    }


if __name__ == "__main__":
    raise SystemExit(main())
