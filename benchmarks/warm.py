"""Seconds from a complete file to a readable slide in a process that is warm, as the service is.

The file lies in a watched folder on the same disk: it is linked, hashed, entered and read in.
`python -m benchmarks.warm SLIDE FOLDER COUNT` prints the figures as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path

from flows.bundles import bundles_at
from flows.ingest import read_in
from flows.receive import receive
from flows.services import prepare_services
from storage import leases
from storage.records.intake import IntakeState, Source
from storage.settings import read_settings


def warm_seconds(slide: Path, folder: Path, count: int) -> list[dict[str, float]]:
    """Each run on an empty data folder: `ready_s` whole, and its parts `take_over_s`, `read_in_s`.

    The first run of the process is not counted.
    """
    return [_once(slide, folder / f"warm-{number}") for number in range(count + 1)][1:]


def _once(slide: Path, data: Path) -> dict[str, float]:
    services = prepare_services(read_settings(data))
    delivered = services.layout.incoming / slide.name
    shutil.copy(slide, delivered)
    os.sync()  # the copy is the scanner's work, not ours
    began = time.perf_counter()
    row, _ = receive(services, bundles_at(delivered)[0], Source.COMMAND, "benchmark", move=True)
    taken = time.perf_counter()
    leases.claim(services.database, "bench:1", 600, (IntakeState.RECEIVED,))
    read_in(services, row.intake_id)
    ready = time.perf_counter()
    services.database.dispose()
    shutil.rmtree(data)
    return {
        "ready_s": round(ready - began, 4),
        "take_over_s": round(taken - began, 4),
        "read_in_s": round(ready - taken, 4),
    }


if __name__ == "__main__":
    print(json.dumps(warm_seconds(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))
