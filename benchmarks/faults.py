"""Kill -9 at random moments of an ingest, start again, and look whether anything is amiss.

python -m benchmarks.faults --kills 50 --seed 1 [--record]   (what `make faults` runs)

Two variants: `svartid ingest` killed with its whole session; and `svartid up` killed, in turn
the supervisor alone (its children must end with it) or everything at once, while it reads in a
file that was delivered to the watch folder. Every time the same command is started again and
must end with exactly one slide, ready, verified, with no litter.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import machine, record

COMMAND = Path(sys.executable).with_name("svartid")
_PATIENCE = 60.0


class Fault(AssertionError):
    """Something was left broken by a kill."""


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill and what came of it."""

    variant: str
    at_seconds: float
    found: str
    """State of the intake row after the kill; `-` where it had none."""
    litter: int
    """Files and folders the killed processes left in staging."""
    recovered_seconds: float


def environment(data: Path) -> dict[str, str]:
    """What a user has, with nothing that would configure svartid from outside."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SVARTID_", "PREFECT_"))
    }
    return kept | {"SVARTID_DATA": str(data), "SVARTID_SETTLE_SECONDS": "0.3"}


def start(data: Path, *arguments: str | Path) -> subprocess.Popen[bytes]:
    """The installed command in a session of its own; its output is kept beside the data."""
    with (data.parent / "output.log").open("ab") as log:
        return subprocess.Popen(
            [COMMAND, *arguments],
            env=environment(data),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def svartid(data: Path, *arguments: str | Path) -> list[dict[str, Any]]:
    """Run the installed command to its end; its lines of JSON. Fault when it does not exit 0."""
    done = subprocess.run(
        [COMMAND, *arguments, "--json"],
        env=environment(data),
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    if done.returncode != 0:
        raise Fault(f"svartid {arguments[0]}: exit {done.returncode}: {done.stdout}{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def processes_of(data: Path) -> dict[int, str]:
    """Living processes that belong to a data folder, by what they were started with."""
    found, mark = {}, f"SVARTID_DATA={data}".encode()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                found[int(entry.name)] = (entry / "cmdline").read_bytes().decode().strip("\0")
        except OSError:
            continue
    return found


def wait_for(look: Callable[[], Any], what: str, within: float = _PATIENCE) -> None:
    """Until `look` says yes; Fault when it does not in time."""
    until = time.monotonic() + within
    while not look():
        if time.monotonic() > until:
            raise Fault(f"{what}: not within {within:.0f} s")
        time.sleep(0.02)


def row_state(data: Path) -> str:
    """The intake row's state as it lies in the database; `-` where there is none."""
    query = (
        "import sqlite3,sys; "
        "c=sqlite3.connect(sys.argv[1]); "
        "print(*[r[0] for r in c.execute('select state from intake')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", query, data / "svartid.sqlite"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "-"


def check(data: Path) -> None:
    """Exactly one slide, ready, equal to its original byte by byte, and no litter at all."""
    verified = svartid(data, "verify")  # a line for every slide in the catalogue
    if [each["status"] for each in verified] != ["ok"] or not verified[0]["tiles"]:
        raise Fault(f"verify: {verified}")
    litter = [path for room in ("staging", "made", "incoming", "quarantine")
              for path in (data / room).iterdir()]  # fmt: skip
    litter += data.rglob("*.part")
    if litter:
        raise Fault(f"litter: {[str(path.relative_to(data)) for path in litter]}")
    if len(list((data / "originals").iterdir())) != 1 or len(list(data.glob("pyramids/*"))) != 1:
        raise Fault("more than one original or pyramid")


def kill_ingest(folder: Path, slide: Path, after: float) -> Kill:
    """Kill `svartid ingest` `after` seconds from its start, then run it again."""
    data = folder / "data"
    process = start(data, "ingest", slide)
    time.sleep(after)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    found = row_state(data)
    left = sum(1 for _ in data.glob("staging/**/*"))
    began = time.monotonic()
    outcome = svartid(data, "ingest", slide)
    took = time.monotonic() - began
    if [each["status"] for each in outcome] not in (["ready"], ["present"]):
        raise Fault(f"ingest: {outcome}")
    check(data)
    return Kill("ingest", round(after, 3), found, left, round(took, 2))


def kill_up(folder: Path, slide: Path, after: float, *, alone: bool) -> Kill:
    """Kill `svartid up` `after` seconds from a delivery, then start it again.

    With `alone` only the supervisor is killed, and all it started must end by itself.
    """
    data = folder / "data"
    up = _up(data)
    _deliver(data, slide)
    time.sleep(after)
    if not alone:
        for pid in processes_of(data):
            _kill(pid)
    _kill(up.pid)
    up.wait()
    wait_for(lambda: not processes_of(data), f"survivors: {processes_of(data)}", within=5)
    found = row_state(data)
    left = sum(1 for _ in data.glob("staging/**/*"))
    began = time.monotonic()
    with running(data):
        wait_for(lambda: row_state(data) == "complete", "the slide is complete again")
        took = time.monotonic() - began
        wait_for(lambda: not any((data / "incoming").iterdir()), "incoming is empty")
        check(data)
    variant = "up, supervisor alone" if alone else "up, everything"
    return Kill(variant, round(after, 3), found, left, round(took, 2))


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@contextmanager
def running(data: Path) -> Iterator[None]:
    """A running `svartid up`, stopped in good order at the end; Fault when anything is left."""
    data.parent.mkdir(exist_ok=True)
    up = _up(data)
    try:
        yield
    finally:
        os.kill(up.pid, signal.SIGTERM)
        up.wait(timeout=_PATIENCE)
    wait_for(lambda: not processes_of(data), "all has ended", within=5)


def _up(data: Path) -> subprocess.Popen[bytes]:
    """A running `svartid up` whose dispatcher and watch folder are at work."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = data / "logs" / "svartid.log"
    before = _ready(log)
    process = start(data, "up", "--port", str(port))
    wait_for(lambda: _ready(log) >= before + 2, "dispatcher and watch folder are ready")
    return process


def _ready(log: Path) -> int:
    text = log.read_text() if log.exists() else ""
    return len(re.findall(r"(?:watch|dispatcher) +ready", text))


def _deliver(data: Path, slide: Path) -> None:
    """As a scanner does: written under another name, then renamed."""
    part = data / "incoming" / f"{slide.name}.part"
    shutil.copyfile(slide, part)
    time.sleep(0.7)  # seen unfinished once, so that the new name means: whole
    part.rename(part.with_suffix(""))


def run(slide: Path, kills: int, ups: int, seed: int) -> Iterator[Kill]:
    """`kills` of ingest at moments spread evenly by chance over its duration, `ups` of `up`."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="svartid-faults-") as root:
        first = Path(root) / "normal"
        first.mkdir()
        began = time.monotonic()
        svartid(first / "data", "ingest", slide)
        normal = time.monotonic() - began
        check(first / "data")
        shutil.rmtree(first)
        for number in range(kills + ups):
            folder = Path(root) / str(number)
            folder.mkdir()
            if number < kills:
                yield kill_ingest(folder, slide, chance.uniform(0, normal))
            else:
                yield kill_up(folder, slide, chance.uniform(0, normal), alone=number % 2 == 0)
            shutil.rmtree(folder)


def main() -> int:
    """Print a line a kill; exit 1 at the first fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slide", type=Path, help="default: painted, 12000x9000")
    parser.add_argument("--kills", type=int, default=50, help="kills of `svartid ingest`")
    parser.add_argument("--ups", type=int, default=6, help="kills of `svartid up`")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", action="store_true", help="write benchmarks/results/")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="svartid-painted-") as folder:
        slide = args.slide or _painted(Path(folder))
        done = []
        print(f"{'#':>3}  {'killed':<22} {'after s':>8}  {'found':<12} {'litter':>6}  recovered s")
        for kill in run(slide.absolute(), args.kills, args.ups, args.seed):
            done.append(kill)
            print(f"{len(done):>3}  {kill.variant:<22} {kill.at_seconds:>8.3f}  "
                  f"{kill.found:<12} {kill.litter:>6}  {kill.recovered_seconds:.2f}",
                  flush=True)  # fmt: skip
        print(f"{len(done)} kills, one ready slide each time, verify clean, no litter")
        if args.record:
            print(record("faults", _document(done, slide, args.seed)))
    return 0


def _painted(folder: Path) -> Path:
    path = folder / "painted.svs"
    paint = [COMMAND, "paint", path, "--width", "12000", "--height", "9000"]
    subprocess.run(paint, check=True, capture_output=True)
    return path


def _document(done: list[Kill], slide: Path, seed: int) -> dict[str, Any]:
    return {
        "machine": machine(),
        "slide": slide.name,
        "bytes": slide.stat().st_size,
        "seed": seed,
        "kills": [asdict(kill) for kill in done],
    }


if __name__ == "__main__":
    raise SystemExit(main())
