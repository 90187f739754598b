"""Tiles a second and latency of every server, asked the same random tiles of level 0 in turn.

wrk, 1 thread, 8 connections, 5 s a round; processor time of the server's whole process tree and
the time the hypervisor took (steal) stand beside each round.
"""

from __future__ import annotations

import fcntl
import json
import random
import re
import socket
import struct
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import simplejpeg

from benchmarks.installation import Installation, install
from benchmarks.measure import Missing, Say, attempt, stolen_seconds
from benchmarks.opened import first_tiles, memory_over_slides
from benchmarks.peers import environments
from benchmarks.processes import cpu_seconds, fetch, resident_mb, running, wait_for
from benchmarks.servers import Address, Bench, Server, in_own_network, servers

_SECONDS = 5
_TILES = 4000
_LOOKED_AT = 40
_ALIKE = 6.0
"""Mean difference of a tile's pixels from ours: peers encode again, none shows another place."""
LUA = """
local paths = {}
for line in io.lines("%s") do paths[#paths + 1] = line end
math.randomseed(7)
request = function() return wrk.format("GET", paths[math.random(#paths)]) end
"""


@dataclass(frozen=True)
class Round:
    """One round of one server."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_ms_per_request: float
    errors: int
    steal: float
    """Cores taken by the hypervisor."""


@dataclass(frozen=True)
class _Up:
    server: Server
    pids: list[int]
    script: Path
    difference: float


def measure_serving(slide: Path, folder: Path, rounds: int, say: Say) -> dict[str, Any]:
    """Everything about serving, in a network of its own where the machine allows one."""
    result = folder / "serving.json"
    command = [sys.executable, "-m", "benchmarks.serving", slide, folder, str(rounds), result]
    words = [str(word) for word in command]
    alone = in_own_network([*words, "alone"])
    if alone is None:
        say("no network of its own can be made: servers share this machine's")
    subprocess.run(alone or words, check=True)
    document: dict[str, Any] = json.loads(result.read_text())
    return document


def main() -> int:
    """SLIDE FOLDER ROUNDS RESULT [alone]"""
    slide, folder, rounds, result = Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:5]
    alone = sys.argv[5:] == ["alone"]
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    if alone:
        up_loopback()
    ours = install(slide, folder / "serving")
    bench = Bench(slide, folder, ours, environments(print), alone)
    document = {"tiles": "random tiles of level 0", "seconds": _SECONDS}
    document |= _all_rounds(bench, int(rounds), print)
    document["first_tile"] = attempt("first tile", lambda: first_tiles(ours, folder, print))
    document["memory"] = attempt("memory", lambda: memory_over_slides(ours, folder, print))
    Path(result).write_text(json.dumps(document))
    return 0


def _all_rounds(bench: Bench, count: int, say: Say) -> dict[str, Any]:
    """Start every server, then ask them in turn; those that cannot serve say why."""
    up: dict[str, _Up] = {}
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        for name, make in servers(bench):
            try:
                up[name] = _start(name, make(), bench, stack)
            except (Missing, OSError, ValueError, subprocess.SubprocessError) as error:
                missing[name] = str(error)
                say(f"missing: {name}, {error}")
        done: dict[str, list[Round]] = {name: [] for name in up}
        for number in range(count):
            for name, one in up.items():
                done[name].append(_one_round(one))
                say(f"round {number + 1}  {name:<36} {done[name][-1]}")
        memory = {name: resident_mb(one.pids) for name, one in up.items()}
    figures = {
        name: {
            "rounds": [asdict(r) for r in found],
            "resident_mb": memory[name],
            "difference": up[name].difference,
        }
        for name, found in done.items()
    }
    return {"servers": figures, "missing": missing}


def _start(name: str, server: Server, bench: Bench, stack: ExitStack) -> _Up:
    """A server that has shown the same picture as ours."""
    log = bench.folder / f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}.log"
    pids = stack.enter_context(running(server.commands, server.environment, log))
    wait_for(server.port, server.alive, server.header, log)
    tile = server.fill() if server.fill else server.tile
    places = _places(bench.installation)
    difference = _difference(server, tile, bench, places[:_LOOKED_AT])
    listing, script = log.with_suffix(".txt"), log.with_suffix(".lua")
    listing.write_text("\n".join(tile(column, row) for column, row in places))
    script.write_text(LUA % listing)
    _wrk(server, script, 1)
    return _Up(server, pids, script, difference)


def _places(ours: Installation) -> list[tuple[int, int]]:
    pick = random.Random(7)
    return [(pick.randrange(ours.columns), pick.randrange(ours.rows)) for _ in range(_TILES)]


def _difference(
    server: Server, tile: Address, bench: Bench, places: list[tuple[int, int]]
) -> float:
    """Mean difference from the slide's own pixels over some tiles; Missing when another picture."""
    worst = 0.0
    for column, row in places:
        status, body = fetch(server.port, tile(column, row), server.header)
        if status != 200:
            raise Missing(f"answered {status} for a tile")
        theirs = simplejpeg.decode_jpeg(body).astype(np.int16)
        own = _reference(bench, column, row)
        if theirs.shape != own.shape:
            raise Missing(f"sent a tile of {theirs.shape[1]} x {theirs.shape[0]} pixels")
        worst = max(worst, float(np.abs(theirs - own).mean()))
    if worst > _ALIKE:
        raise Missing(f"shows another picture: mean difference {worst:.1f}")
    return round(worst, 2)


def _reference(bench: Bench, column: int, row: int) -> Any:  # noqa: ANN401
    """The tile as OpenSlide reads it from the source."""
    with openslide.OpenSlide(bench.slide) as slide:
        region = slide.read_region((column * 256, row * 256), 0, (256, 256))
    return np.asarray(region.convert("RGB"), np.int16)


def _one_round(one: _Up) -> Round:
    stolen, cpu, began = stolen_seconds(), cpu_seconds(one.pids), time.perf_counter()
    text = _wrk(one.server, one.script, _SECONDS)
    spent, wall = cpu_seconds(one.pids) - cpu, time.perf_counter() - began
    requests = int(found(r"(\d+) requests in", text))
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return Round(
        round(requests / float(found(r"requests in ([\d.]+)s", text))),
        milliseconds(found(r"50%\s+([\d.]+\w+)", text)),
        milliseconds(found(r"99%\s+([\d.]+\w+)", text)),
        round(1000 * spent / max(requests, 1), 4),
        int(errors[1]) if errors else 0,
        round((stolen_seconds() - stolen) / wall, 2),
    )


def _wrk(server: Server, script: Path, seconds: int) -> str:
    command = ["wrk", "-t1", "-c8", f"-d{seconds}s", "--latency", "-s", str(script)]
    command += ["-H", server.header] if server.header else []
    command.append(f"http://127.0.0.1:{server.port}")
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise ValueError(f"wrk's report has no {pattern!r}")
    return match[1]


def milliseconds(duration: str) -> float:
    """Milliseconds of what wrk prints: 610.00us, 1.88ms, 1.02s."""
    match = re.fullmatch(r"([\d.]+)(us|ms|s|m)", duration)
    if match is None:
        raise ValueError(f"no duration: {duration}")
    return round(float(match[1]) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[match[2]], 3)


def up_loopback() -> None:
    """Switch loopback on in a fresh network (SIOCGIFFLAGS, SIOCSIFFLAGS)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(control, 0x8913, request))[1]
        fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))


if __name__ == "__main__":
    raise SystemExit(main())
