"""`make scale`: a slide of 200,000 x 100,000 pixels, read in, with its peak memory.

A smaller painting repeats until the slide is filled, so that painting is not what takes time.
`--width` and `--height` make it smaller; the tests run a small sample of the same. Needs about
four times the slide's size on disk (8 GB in full), which is given back.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.budgets import PEAK_MB
from benchmarks.measure import machine, record, remove, run_once, weight
from benchmarks.peers import BUILD
from benchmarks.rewrap import rewrap
from benchmarks.slides import paint

_BANK = (20480, 12288)
"""Whole tiles on every level, so that it repeats without a seam."""


def main() -> int:
    """Make, read in, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=200_000)
    parser.add_argument("--height", type=int, default=100_000)
    parser.add_argument("--scratch", type=Path, help="a folder with room")
    parser.add_argument("--record", action="store_true", help="write benchmarks/results")
    parser.add_argument("--note", default="", help="said beside the figures")
    args = parser.parse_args()
    bank = paint(*_BANK, print, BUILD / "painted")
    with tempfile.TemporaryDirectory(prefix="svartid-scale-", dir=args.scratch) as folder:
        document = measure(bank, Path(folder), args.width, args.height) | {"note": args.note}
    print(json.dumps(document, indent=1))
    if args.record:
        print(record("scale", document))
    return 0 if document["peak_mb"] <= PEAK_MB else 1


def measure(bank: Path, folder: Path, width: int, height: int) -> dict[str, Any]:
    """Figures of reading in a slide filled with `bank`: until it can be seen, and whole."""
    slide, before = folder / "large.svs", machine()
    began = time.perf_counter()
    rewrap(bank, slide, (width, height))
    document = {
        "machine": before,
        "pixels": [width, height],
        "bytes": slide.stat().st_size,
        "made_s": round(time.perf_counter() - began, 1),
    }
    for until in ("ready", "complete"):
        document |= _ingest(slide, folder / "data", until)
        remove(folder / "data")
    document["peak_mb"] = max(document["ready_peak_mb"], document["complete_peak_mb"])
    return document


def _ingest(slide: Path, data: Path, until: str) -> dict[str, Any]:
    svartid = str(Path(sys.executable).parent / "svartid")
    run = run_once([svartid, "ingest", str(slide), "--until", until, "--data", str(data)])
    if run.code:
        raise RuntimeError(f"the ingest failed: {run.complaint}")
    pyramid = weight(data / "pyramids")
    return {
        f"{until}_wall_s": round(run.wall, 2),
        f"{until}_cpu_s": round(run.cpu, 2),
        f"{until}_peak_mb": round(run.peak_mb, 1),
        f"{until}_files": pyramid["files"],
        f"{until}_mb": pyramid["mb"],
    }


if __name__ == "__main__":
    raise SystemExit(main())
