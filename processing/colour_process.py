"""Profiles come from outside: LittleCMS meets them in a process of its own, within limits.

A profile that breaks the process, or takes too long, is one that cannot be used; whoever asked
goes on. `python -m processing.colour_process` takes one from standard input.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from processing.colour import measure_colour
from processing.icc import LARGEST
from storage.errors import ProfileUnusable

_SECONDS, _MEMORY = 20, 2**30


@dataclass(frozen=True)
class Measured:
    """What a profile does, as words for the screen (ΔE2000), and its table as bytes."""

    name: str
    is_srgb: bool
    nodes: int
    error: float
    change: float
    most_change: float
    table: bytes


def measure_apart(profile: bytes) -> Measured:
    """`measure_colour` in a process of its own, half a second. Errors: ProfileUnusable."""
    if len(profile) > LARGEST:
        raise ProfileUnusable("too_large")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "processing.colour_process"],
            input=profile, capture_output=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ProfileUnusable("damaged") from None
    line, _, table = done.stdout.partition(b"\n")
    if done.returncode != 0 or not line:
        raise ProfileUnusable("damaged")
    words: dict[str, Any] = json.loads(line)
    if "unusable" in words:
        raise ProfileUnusable(words["unusable"])
    return Measured(**words, table=table)


def main() -> int:
    """Answer with a line of JSON, and the table behind it."""
    _limit()
    try:
        colour = measure_colour(sys.stdin.buffer.read())
    except ProfileUnusable as error:
        sys.stdout.write(json.dumps({"unusable": str(error)}) + "\n")
        return 0
    words = {
        "name": colour.name,
        "is_srgb": colour.is_srgb,
        "nodes": colour.table.nodes,
        "error": round(colour.error, 3),
        "change": round(colour.change, 2),
        "most_change": round(colour.most_change, 2),
    }
    sys.stdout.buffer.write(json.dumps(words).encode() + b"\n" + colour.table.to_bytes())
    return 0


def _limit() -> None:
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()  # noqa: SIM115
    resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    raise SystemExit(main())
