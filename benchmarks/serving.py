"""Tiles a second: our web app, signed in and audited, beside openslide-python's DeepZoomGenerator.

wrk, 1 thread, 8 connections, the same random level-0 tiles for both.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import openslide

from flows.bundles import bundles_at
from flows.completion import complete
from flows.ingest import read_in
from flows.receive import receive
from flows.services import prepare_services
from storage import leases, people
from storage.records.intake import IntakeState, Source
from storage.records.people import Role
from storage.settings import read_settings

_SECONDS = 5
_TILES = 4000
_LUA = """
local paths = {}
for line in io.lines("%s") do paths[#paths + 1] = line end
math.randomseed(7)
request = function() return wrk.format("GET", paths[math.random(#paths)]) end
"""


def measure_serving(
    slide: Path, folder: Path, say: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Requests a second, latency and CPU a request for each server; missing ones are named."""
    if shutil.which("wrk") is None:
        say("wrk is not installed: serving is not measured")
        return {}
    data = folder / "serving"
    services = prepare_services(read_settings(data))
    row, _ = receive(services, bundles_at(slide)[0], Source.COMMAND, "benchmark")
    for state, stage in ((IntakeState.RECEIVED, read_in), (IntakeState.READY, complete)):
        leases.claim(services.database, "bench:1", 600, (state,))
        stage(services, row.intake_id)
    people.ensure_person(services.database, "bench", Role.PATHOLOGIST)
    token = people.create_token(services.database, "bench", Role.PATHOLOGIST, 1)
    paths = _paths(services.pyramids.describe(row.slide_id)[0].plan.size, row.slide_id)
    header = f"Authorization: Bearer {token}"
    ours = [sys.executable, "-m", "uvicorn", "viewers.app:create_app", "--factory"]
    ours += ["--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    environment = os.environ | {"SVARTID_DATA": str(data), "SLIDE": str(slide)}
    results = {"svartid": _serve(ours, environment, paths, folder, header)}
    if openslide.OpenSlide.detect_format(slide):
        peer = [sys.executable, "-m", "uvicorn", "benchmarks.deep_zoom_peer:app"]
        peer += ["--loop", "uvloop", "--http", "httptools", "--no-access-log"]
        results["DeepZoomGenerator"] = _serve(peer, environment, paths, folder, header)
    for name, figures in results.items():
        say(f"{name:<20} {figures}")
    return results


def _paths(size: Any, slide_id: str) -> list[str]:  # noqa: ANN401
    level = (max(size.width, size.height) - 1).bit_length()
    pick = random.Random(7)
    columns, rows = size.width // 256, size.height // 256
    return [
        f"/slides/{slide_id}_files/{level}/{pick.randrange(columns)}_{pick.randrange(rows)}.jpeg"
        for _ in range(_TILES)
    ]


def _serve(
    command: list[str], environment: dict[str, str], paths: list[str], folder: Path, header: str
) -> dict[str, Any]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    listing, script = folder / "paths.txt", folder / "wrk.lua"
    listing.write_text("\n".join(paths))
    script.write_text(_LUA % listing)
    server = subprocess.Popen(
        [*command, "--port", str(port), "--log-level", "error"], env=environment
    )
    try:
        _wait(port)
        _wrk(port, script, header, 1)
        before = _cpu(server.pid)
        text = _wrk(port, script, header, _SECONDS)
        cpu = _cpu(server.pid) - before
    finally:
        server.kill()
        server.wait()
    requests = int(re.search(r"(\d+) requests in", text)[1])  # type: ignore[index]
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return {
        "requests_per_s": round(requests / _SECONDS),
        "p50": re.search(r"50%\s+([\d.]+\w+)", text)[1],  # type: ignore[index]
        "p99": re.search(r"99%\s+([\d.]+\w+)", text)[1],  # type: ignore[index]
        "cpu_ms_per_request": round(1000 * cpu / max(requests, 1), 3),
        "errors": int(errors[1]) if errors else 0,
    }


def _wrk(port: int, script: Path, header: str, seconds: int) -> str:
    command = ["wrk", "-t1", "-c8", f"-d{seconds}s", "--latency", "-s", str(script)]
    command += ["-H", header, f"http://127.0.0.1:{port}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1)
            return
        except URLError:
            time.sleep(0.1)
        except OSError:
            return
    raise RuntimeError("the server did not start")


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
