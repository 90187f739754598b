"""The first tile of slides the running server never opened, and its memory over very many."""

from __future__ import annotations

import os
import random
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.installation import Installation, web_app
from benchmarks.measure import Missing, Say
from benchmarks.processes import fetch, resident_mb, running, wait_for
from flows.supervisor import free_port

_SLIDES = 10
_MANY = 1000
_TILES_EACH = 3
_MARKS = (1, 10, 100, 250, 500, 750, 1000)


def first_tiles(ours: Installation, folder: Path, say: Say) -> dict[str, Any]:
    """Milliseconds of first and second requests, the files in the page cache and not.

    Ten copies of the slide each, after one to warm up; a new connection for each request.
    """
    ids = [_copy(ours, number, shutil.copy2) for number in range(2 * _SLIDES + 1)]
    port, log = free_port(), folder / "first.log"
    environment = {"SVARTID_DATA": str(ours.data)}
    with running((web_app(port),), environment, log) as _:
        wait_for(port, ours.tile(0, 0, ids[0]), ours.header, log)
        warm = _seen(ours, port, ids[1 : _SLIDES + 1], lambda _: None)
        evicted = _seen(ours, port, ids[_SLIDES + 1 :], lambda one: _evict(_pyramid(ours, one)))
    for one in ids:
        shutil.rmtree(_pyramid(ours, one))
    figures = {"warm": warm, "evicted": evicted}
    say(f"first tile {figures}")
    return figures


def memory_over_slides(ours: Installation, folder: Path, say: Say) -> dict[str, Any]:
    """Resident MB of the server after so many slides were looked at, some tiles of each."""
    ids = [_copy(ours, number, os.link) for number in range(_MANY)]
    pick = random.Random(11)
    port, log = free_port(), folder / "memory.log"
    environment = {"SVARTID_DATA": str(ours.data)}
    resident: dict[str, float] = {}
    with running((web_app(port),), environment, log) as pids:
        wait_for(port, ours.tile(0, 0), ours.header, log)
        for number, one in enumerate(ids, 1):
            for _ in range(_TILES_EACH):
                place = pick.randrange(ours.columns), pick.randrange(ours.rows)
                _ask(ours, port, one, place)
            if number in _MARKS:
                resident[str(number)] = resident_mb(pids)
        descriptors = len(list(Path(f"/proc/{pids[0]}/fd").iterdir()))
    for one in ids:
        shutil.rmtree(_pyramid(ours, one))
    figures = {"resident_mb": resident, "descriptors": descriptors, "tiles_each": _TILES_EACH}
    say(f"memory {figures}")
    return figures


def _pyramid(ours: Installation, slide_id: str) -> Path:
    return ours.pyramid.with_name(ours.pyramid.name.replace(ours.slide_id, slide_id))


def _copy(ours: Installation, number: int, copy: Callable[[Any, Any], Any]) -> str:
    """The pyramid again under an id of its own; its zarr.json is rewritten, never linked."""
    slide_id = f"{number:020x}"
    target = _pyramid(ours, slide_id)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(ours.pyramid, target, copy_function=copy)
    document = (ours.pyramid / "zarr.json").read_text().replace(ours.slide_id, slide_id)
    (target / "zarr.json").unlink()
    (target / "zarr.json").write_text(document)
    return slide_id


def _seen(
    ours: Installation, port: int, ids: list[str], before: Callable[[str], None]
) -> dict[str, float]:
    place = ours.columns // 2, ours.rows // 2
    first, second = [], []
    for one in ids:
        before(one)
        first.append(_ask(ours, port, one, place))
        second.append(_ask(ours, port, one, place))
    return {
        "median_ms": round(statistics.median(first), 2),
        "min_ms": round(min(first), 2),
        "max_ms": round(max(first), 2),
        "second_ms": round(statistics.median(second), 2),
    }


def _ask(ours: Installation, port: int, slide_id: str, place: tuple[int, int]) -> float:
    began = time.perf_counter()
    status, body = fetch(port, ours.tile(*place, slide_id), ours.header)
    spent = time.perf_counter() - began
    if status != 200 or not body:
        raise Missing(f"answered {status} for a tile of a fresh slide")
    return 1000 * spent


def _evict(pyramid: Path) -> None:
    """Ask the kernel to forget the files' pages; they must be on disk for that."""
    for file in pyramid.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            try:
                os.fsync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)
