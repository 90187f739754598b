"""A thousand slides in one web process: what it keeps of them, and how soon a new one shows."""

from __future__ import annotations

import http.client
import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.direct_servers import (
    Ground,
    Tile,
    copies,
    memory,
    nginx,
    tiles_of,
    trusting,
    web,
)

_EACH = 6
"""Tiles asked for of every slide, of shards as random as the tiles."""
_FIRST = 150
"""Slides whose first tile is timed, for each case."""


def many_slides(ground: Ground, folder: Path, count: int) -> dict[str, Any]:
    """Memory and descriptors before and after, then first tiles of slides not asked for yet."""
    names = copies(ground, count + 5 * _FIRST)
    opened, fresh = names[:count], names[count:]
    with web(ground) as (port, (pid,)), nginx(ground, port, folder / "nginx", 1) as (tls, _):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        marks, steps = {}, sorted({10, count // 4, count // 2, count})
        for number, name in enumerate(opened, 1):
            for tile in tiles_of(ground, _EACH, name):
                _get(connection, ground, tile.ordinary)
            if number in steps:
                marks[f"{number} slides"] = memory(pid)
                print(f"{number} slides: {marks[f'{number} slides']}")
        first = {"fsync of 4 KiB alone": _summary(_fsync_alone(folder))}
        print(first)
        first |= _first_tiles(ground, fresh, port, tls)
    return {"open_slides": marks, "first_tile_ms": first}


def _first_tiles(ground: Ground, fresh: Sequence[str], port: int, tls: int) -> dict[str, Any]:
    """By case: in the page cache or out of it, on a connection that is there or a new one."""
    kept = http.client.HTTPConnection("127.0.0.1", port)
    secure = http.client.HTTPSConnection("127.0.0.1", tls, context=trusting())
    _get(kept, ground, "/api/v1/me"), _get(secure, ground, "/api/v1/me")

    def ordinary(tile: Tile) -> None:
        _get(kept, ground, tile.ordinary)

    def anew(tile: Tile) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        _get(connection, ground, tile.ordinary)
        connection.close()

    def direct(tile: Tile) -> None:
        _get(secure, ground, f"/direct/{tile.shard}", "bytes=-4100")
        _get(secure, ground, f"/direct/{tile.shard}", f"bytes={tile.first}-{tile.last}")

    cases: dict[str, tuple[Callable[[Tile], None], bool]] = {
        "in the page cache": (ordinary, False),
        "not in the page cache": (ordinary, True),
        "not in the page cache, new connection": (anew, True),
        "direct over TLS (index and tile), in the page cache": (direct, False),
        "direct over TLS (index and tile), not in the page cache": (direct, True),
    }
    results = {}
    for number, (case, (ask, evicted)) in enumerate(cases.items()):
        names = fresh[number * _FIRST : (number + 1) * _FIRST]
        results[case] = _timed(ground, names, ask, evicted)
        print(f"first tile, {case}: {results[case]}")
    return results


def _timed(
    ground: Ground, names: Sequence[str], ask: Callable[[Tile], None], evicted: bool
) -> dict[str, float]:
    times = []
    for number, name in enumerate(names):
        tile = tiles_of(ground, number + 1, name)[-1]
        shard = ground.services.layout.pyramids / tile.shard.replace(name, f"{name}.ome.zarr", 1)
        for file in (shard, ground.services.pyramids.path(name) / "zarr.json"):
            _evict(file) if evicted else file.read_bytes()
        began = time.perf_counter()
        ask(tile)
        times.append(1000 * (time.perf_counter() - began))
    return _summary(times)


def _summary(times: Sequence[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "median": round(statistics.median(ordered), 2),
        "p95": round(ordered[int(0.95 * len(ordered))], 2),
        "largest": round(ordered[-1], 2),
    }


def _fsync_alone(folder: Path) -> list[float]:
    """Milliseconds to put 4 KiB on this disk, in these minutes: every viewing's line pays it."""
    times = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(_FIRST):
            file.write(bytes(4096))
            began = time.perf_counter()
            os.fsync(file.fileno())
            times.append(1000 * (time.perf_counter() - began))
    return times


def _evict(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _get(
    connection: http.client.HTTPConnection, ground: Ground, path: str, span: str | None = None
) -> None:
    headers = {"Authorization": f"Bearer {ground.token}"}
    connection.request("GET", path, headers=headers | ({"Range": span} if span else {}))
    answer = connection.getresponse()
    data = answer.read()
    if answer.status not in {200, 206} or not data:
        raise RuntimeError(f"{path}: {answer.status} {data[:200]!r}")
