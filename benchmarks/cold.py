"""The price of the cold tier: space saved, CPU to cool and thaw, milliseconds to serve a tile.

CPU times are the kernel's, of all threads, so that a busy machine changes them little; each tile
to serve is timed on its own, by its thread's CPU. Slides: `--slides`, by default the benchmark
slide and a crop with tissue everywhere. `--record` writes benchmarks/results.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import machine, record
from flows.bundles import bundles_at
from flows.cold import move_to
from flows.completion import complete
from flows.ingest import read_in
from flows.receive import receive
from flows.services import Services, prepare_services
from flows.verification import verify_slide
from storage import leases
from storage.catalogue import get_slide
from storage.records.intake import IntakeState, Source
from storage.records.slide import Slide, Tier
from storage.settings import read_settings
from storage.tiles import TileStore

_SLIDES = ("giardia-HE-20x.tif", "giardia-HE-40x-crop.tif")
_TILES = 2000


def main() -> int:
    """Every slide there and back."""
    folder = Path(os.environ.get("SVARTID_TEST_SLIDES", "../shared/slides")) / "pyramid-tiff"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slides", type=Path, nargs="*", default=[folder / at for at in _SLIDES])
    parser.add_argument("--record", action="store_true", help="write benchmarks/results")
    args = parser.parse_args()
    document: dict[str, Any] = {"machine": machine(), "slides": []}
    for path in args.slides:
        with tempfile.TemporaryDirectory(prefix="svartid-cold-") as data:
            document["slides"].append(measure(path, Path(data)))
    print(json.dumps(document, indent=1))
    if args.record:
        print(record("cold", document))
    return 0


def measure(path: Path, data: Path) -> dict[str, Any]:
    """Figures of one slide, there and back."""
    services = prepare_services(read_settings(data))
    slide = _read_in(services, path)
    warm = _tier(services, slide)
    cooled = _timed(lambda: move_to(services, slide.slide_id, Tier.COLD, "benchmark"))
    small = get_slide(services.database, slide.slide_id)
    cold = _tier(services, small)
    thawed = _timed(lambda: move_to(services, slide.slide_id, Tier.WARM, "benchmark"))
    megapixels = slide.size.width * slide.size.height / 1e6
    before = slide.stored_bytes or 0
    services.database.dispose()
    return {
        "slide": path.name,
        "source_bytes": slide.bytes,
        "level_0_mpx": round(megapixels, 1),
        "warm": warm,
        "cold": cold,
        "share_saved": round(1 - (small.stored_bytes or 0) / before, 4),
        "cool": _per(cooled, megapixels, before / 1e6),
        "thaw": _per(thawed, megapixels, before / 1e6),
    }


def _read_in(services: Services, path: Path) -> Slide:
    row, _ = receive(services, bundles_at(path)[0], Source.COMMAND, "benchmark")
    for state, stage in ((IntakeState.RECEIVED, read_in), (IntakeState.READY, complete)):
        leases.claim(services.database, "benchmark:1", 3600, (state,))
        stage(services, row.intake_id)
    return get_slide(services.database, row.slide_id)


def _tier(services: Services, slide: Slide) -> dict[str, Any]:
    verified = _timed(lambda: verify_slide(services, slide))
    folder = services.pyramids.path(slide.slide_id)
    shards = sum(file.stat().st_size for file in folder.glob("*/c/**/*") if file.is_file())
    return {
        "stored_bytes": slide.stored_bytes,
        "tile_bytes": shards,
        "verify_cpu_s": verified["cpu_s"],
        "tile": _tile_times(services, slide),
    }


def _tile_times(services: Services, slide: Slide) -> dict[str, float]:
    """CPU ms a level-0 tile, random, index and file known: what a server's thread spends."""
    store, pick = TileStore(services.pyramids), random.Random(7)
    pyramid, times = store.pyramid(slide.slide_id), list[float]()
    grid = slide.size.in_tiles(slide.tile_edge)
    for at in range(2 * _TILES):
        place = pick.randrange(grid.width), pick.randrange(grid.height)
        began = time.thread_time()
        store.stored(pyramid, 0, *place)
        if at >= _TILES:
            times.append(1000 * (time.thread_time() - began))
    times.sort()
    return {
        "cpu_ms_median": round(statistics.median(times), 3),
        "cpu_ms_p99": round(times[int(0.99 * len(times))], 3),
    }


def _timed(work: Callable[[], object]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {
        "wall_s": round(time.perf_counter() - wall, 3),
        "cpu_s": round(time.process_time() - cpu, 3),
    }


def _per(spent: dict[str, float], megapixels: float, megabytes: float) -> dict[str, float]:
    return {
        **spent,
        "cpu_ms_per_mpx": round(1000 * spent["cpu_s"] / megapixels, 1),
        "cpu_ms_per_mb": round(1000 * spent["cpu_s"] / megabytes, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
