"""One recorded run read again: the figures that budgets, tables and the plot all need."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from benchmarks.measure import RESULTS

REAL, PAINTED = "real", "painted"
_ELSEWHERE = Path(__file__).parent / "recorded_elsewhere.json"

Document = dict[str, Any]


def newest(kind: str) -> Path | None:
    """The latest recorded result of a kind, by the date in its name."""
    return max(RESULTS.glob(f"*-{kind}.json"), default=None)


def picture_of(path: Path) -> Path:
    """Where the picture of a recorded run lies."""
    return path.with_suffix(".svg")


def recorded_elsewhere() -> Document:
    """Figures of peers that cannot be installed here, from another run."""
    document: Document = json.loads(_ELSEWHERE.read_text())
    return document


def wall(run: Document, slide: str, job: str) -> float:
    """Median wall seconds of a whole process; KeyError when it did not take part."""
    return float(run["slides"][slide]["conversion"][job]["wall_s"])


def cpu(run: Document, slide: str, job: str) -> float:
    """Median CPU seconds of a whole process; KeyError when it did not take part."""
    return float(run["slides"][slide]["conversion"][job]["cpu_s"])


def warm(run: Document, slide: str) -> float:
    """Median seconds from a complete file to ready inside a warm process."""
    return statistics.median(one["ready_s"] for one in run["slides"][slide]["warm"])


def served(run: Document, server: str, figure: str) -> float:
    """Median over the rounds of one server; KeyError when it did not take part."""
    rounds = run["serving"]["servers"][server]["rounds"]
    return statistics.median(float(one[figure]) for one in rounds)


def quietest(run: Document, server: str) -> Document:
    """The round in which the hypervisor took least."""
    rounds: list[Document] = run["serving"]["servers"][server]["rounds"]
    return min(rounds, key=lambda one: one["steal"])
