"""Tiles as byte ranges from nginx behind our rule, beside plain files and the application.

Throughput, many small tiles at once over HTTP/1.1 and HTTP/2, memory over 1,000 open slides, and
the first tile of a slide never opened, in the page cache and out of it. wrk, h2load, nginx.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.bench import _default_slide
from benchmarks.direct_servers import (
    Ground,
    Tile,
    nginx,
    prepare,
    signed,
    tiles_of,
    web,
)
from benchmarks.direct_slides import many_slides
from benchmarks.measure import machine, record
from benchmarks.slow_line import slow_line

SECONDS, CONNECTIONS, ROUNDS = 2, 8, 5
SLIDES = 1000
AT_ONCE = 64
PROTOCOLS = {"HTTP/1.1": ("--h1", "-c6", "-m1"), "HTTP/2": ("-c1", "-m100")}
LINE = (0.120, 20e6)
"""Round trip in seconds, bits a second."""
_LUA = """
local paths, ranges = {}, {}
for line in io.lines("%s") do
  local path, range = line:match("(%%S+) (%%S+)")
  paths[#paths + 1], ranges[#ranges + 1] = path, range
end
math.randomseed(7)
request = function()
  local at = math.random(#paths)
  local headers = {["Authorization"] = "Bearer %s"}
  if ranges[at] ~= "-" then headers["Range"] = "bytes=" .. ranges[at] end
  return wrk.format("GET", paths[at], headers)
end
"""


def main() -> int:
    """Measure, print, record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slide", type=Path, default=None, help="default: giardia-HE-20x.tif")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--slides", type=int, default=SLIDES)
    parser.add_argument("--record", action="store_true", help="write benchmarks/results")
    args = parser.parse_args()
    missing = [name for name in ("nginx", "wrk", "h2load") if shutil.which(name) is None]
    if missing:
        print(f"not installed: {', '.join(missing)}; nothing is measured")
        return 1
    with tempfile.TemporaryDirectory(prefix="svartid-direct-") as name:
        folder = Path(name)
        ground = prepare(args.slide or _default_slide(folder), folder)
        document = {
            "machine": machine(),
            "throughput": throughput(ground, folder, args.rounds),
            "at_once": at_once(ground, folder, args.rounds),
            **many_slides(ground, folder, args.slides),
        }
    print(json.dumps(document, indent=1))
    if args.record:
        print(record("direct", document))
    return 0


def throughput(ground: Ground, folder: Path, rounds: int) -> dict[str, Any]:
    """Requests a second of random level-0 tiles by each way, in turn each round."""
    tiles = tiles_of(ground, 4000)
    runs: dict[str, list[dict[str, float]]] = {}
    with (
        web(ground) as (one, _),
        web(ground, 2) as (two, _),
        nginx(ground, one, folder / "nginx", 1) as (tls, plain),
    ):
        ways = {
            "nginx, plain files": (f"http://127.0.0.1:{plain}", "/plain/"),
            "nginx, our rule by cached subrequest": (f"http://127.0.0.1:{plain}", "/direct/"),
            "nginx, secure_link": (f"http://127.0.0.1:{plain}", signed(ground)),
            "nginx, plain files, TLS": (f"https://127.0.0.1:{tls}", "/plain/"),
            "nginx, our rule, TLS": (f"https://127.0.0.1:{tls}", "/direct/"),
            "application, one process": (f"http://127.0.0.1:{one}", None),
            "application, two processes": (f"http://127.0.0.1:{two}", None),
            "application behind nginx, TLS": (f"https://127.0.0.1:{tls}", None),
        }
        for number in range(rounds):
            for name, (server, base) in ways.items():
                figures = _wrk(ground, folder, server, base, tiles)
                print(f"round {number + 1}  {name:<38} {figures}")
                runs.setdefault(name, []).append(figures)
    return {name: _medians(figures) for name, figures in runs.items()}


def _wrk(
    ground: Ground, folder: Path, server: str, base: str | None, tiles: list[Tile]
) -> dict[str, float]:
    listing, script = folder / "wrk.txt", folder / "wrk.lua"
    lines = [
        f"{tile.ordinary} -" if base is None else f"{base}{tile.shard} {tile.first}-{tile.last}"
        for tile in tiles
    ]
    listing.write_text("\n".join(lines))
    script.write_text(_LUA % (listing, ground.token))
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-s", str(script)]
    text = subprocess.run([*command, server], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text:
        raise RuntimeError(text)
    found = {name: re.search(rf"{name}%\s+([\d.]+)(us|ms|s)", text) for name in ("50", "99")}
    units = {"us": 1e-3, "ms": 1.0, "s": 1e3}
    return {
        "requests_per_s": float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),  # type: ignore[index]
        **{f"p{name}_ms": float(at[1]) * units[at[2]] for name, at in found.items() if at},
    }


def _medians(runs: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(statistics.median(run[name] for run in runs), 3) for name in runs[0]}


def at_once(ground: Ground, folder: Path, rounds: int) -> dict[str, Any]:
    """Milliseconds until 64 small tiles are there, handshakes included: 6 connections of HTTP/1.1
    as a browser has them, or one of HTTP/2; on loopback and over a slow line."""
    tiles = tiles_of(ground, AT_ONCE)
    size = round(statistics.mean(tile.last - tile.first + 1 for tile in tiles))
    results: dict[str, Any] = {"tiles": AT_ONCE, "mean_bytes": size}
    range_header = f"Range: bytes=0-{size - 1}"
    ways = {
        "application": ([tile.ordinary for tile in tiles], "Accept: image/jpeg"),
        "direct": ([f"/direct/{tile.shard}" for tile in tiles], range_header),
    }
    with (
        web(ground) as (app, _),
        nginx(ground, app, folder / "nginx", 1) as (tls, _),
        slow_line(tls, *LINE) as slow,
    ):
        for place, port in (("loopback", tls), ("120 ms, 20 Mbit/s", slow)):
            for way, (addresses, header) in ways.items():
                listing = folder / "h2load.txt"
                listing.write_text("".join(f"https://127.0.0.1:{port}{at}\n" for at in addresses))
                for protocol, words in PROTOCOLS.items():
                    times = [_h2load(ground, listing, header, words) for _ in range(rounds)]
                    name = f"{place}, {way}, {protocol}"
                    results[name] = round(statistics.median(times), 1)
                    print(f"{name:<48} {results[name]} ms")
    return results


def _h2load(ground: Ground, listing: Path, header: str, words: tuple[str, ...]) -> float:
    command = ["h2load", "-n", str(AT_ONCE), *words, "-i", str(listing), "-H", header]
    command += ["-H", f"Authorization: Bearer {ground.token}"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if f" {AT_ONCE} succeeded" not in text:
        raise RuntimeError(text)
    found = re.search(r"finished in ([\d.]+)(us|ms|s),", text)
    assert found, text
    return float(found[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[found[2]]


if __name__ == "__main__":
    raise SystemExit(main())
