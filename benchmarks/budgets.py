"""What the figures of a run must reach, judged after it; nothing here measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.conversion import COMPLETE, DICOMIZER, DICOMIZER_2, DZSAVE, READY, TIFFSAVE
from benchmarks.figures import (
    PAINTED,
    REAL,
    Document,
    cpu,
    recorded_elsewhere,
    served,
    wall,
    warm,
)
from benchmarks.servers import DEEP_ZOOM, ORTHANC, SVARTID

PEAK_MB = 300
"""Peak memory of reading in, whatever the slide's size."""


@dataclass(frozen=True)
class Budget:
    """A figure and its bound."""

    name: str
    bound: float
    unit: str
    at_least: bool
    figure: Callable[[Document], float]


def judge(run: Document) -> list[dict[str, Any]]:
    """Every budget with its figure and whether it is met; None where a part is missing."""
    return [_judged(budget, run) for budget in _budgets()]


def _judged(budget: Budget, run: Document) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": budget.name,
        "budget": budget.bound,
        "unit": budget.unit,
        "at_least": budget.at_least,
    }
    try:
        value = budget.figure(run)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        return entry | {"is": None, "met": None, "why": f"missing: {error}"}
    met = value >= budget.bound if budget.at_least else value <= budget.bound
    return entry | {"is": round(value, 3), "met": met}


def _budgets() -> list[Budget]:
    return [*_whole_process(), *_warm_process(), *_complete(), *_serving(), *_others()]


def _at_least(name: str, bound: float, figure: Callable[[Document], float]) -> Budget:
    return Budget(name, bound, "x", True, figure)


def _at_most(name: str, bound: float, unit: str, figure: Callable[[Document], float]) -> Budget:
    return Budget(name, bound, unit, False, figure)


def _dicomizer(run: Document, slide: str) -> float:
    """The quicker of its two ways."""
    conversion = run["slides"][slide]["conversion"]
    return min(
        float(conversion[name]["wall_s"])
        for name in (DICOMIZER, DICOMIZER_2)
        if "wall_s" in conversion[name]
    )


_PEERS: dict[str, Callable[[Document, str], float]] = {
    "vips tiffsave": lambda run, slide: wall(run, slide, TIFFSAVE),
    "vips dzsave": lambda run, slide: wall(run, slide, DZSAVE),
    "OrthancWSIDicomizer": _dicomizer,
}


def _whole_process() -> list[Budget]:
    bounds = {REAL: (8, 17, 2.5), PAINTED: (15, 40, 8)}
    return [
        _at_least(
            f"ready, whole process, {slide} slide, wall against {peer}",
            bound,
            lambda run, slide=slide, their=their: their(run, slide) / wall(run, slide, READY),
        )
        for slide in bounds
        for (peer, their), bound in zip(_PEERS.items(), bounds[slide], strict=True)
    ]


def _warm_process() -> list[Budget]:
    ratios = [
        _at_least(
            f"ready, warm process, real slide, wall against {peer}",
            bound,
            lambda run, their=their: their(run, REAL) / warm(run, REAL),
        )
        for (peer, their), bound in zip(_PEERS.items(), (25, 60, 8), strict=True)
    ]
    return [
        *ratios,
        _at_most("ready and first tile answered, warm, painted slide", 1, "s", _answered),
        _at_most("ready grows, against cp", 1, "x", _growth),
    ]


def _answered(run: Document) -> float:
    """From the complete file to its first tile; what has just been written is in the page cache."""
    return warm(run, PAINTED) + float(run["serving"]["first_tile"]["warm"]["median_ms"]) / 1000


def _growth(run: Document) -> float:
    """How many times more a larger slide takes, over the same for cp."""
    copied = wall(run, PAINTED, "cp") / wall(run, REAL, "cp")
    return warm(run, PAINTED) / warm(run, REAL) / copied


def _complete() -> list[Budget]:
    ratios = [
        _at_least(
            f"complete, {slide} slide, CPU against {peer}",
            bound,
            lambda run, slide=slide, peer=peer: cpu(run, slide, peer) / cpu(run, slide, COMPLETE),
        )
        for slide in (REAL, PAINTED)
        for peer, bound in ((TIFFSAVE, 2), (DZSAVE, 6))
    ]
    memory = [
        _at_most(
            f"peak memory, {slide} slide",
            PEAK_MB,
            "MB",
            lambda run, slide=slide: max(
                run["slides"][slide]["conversion"][job]["peak_mb"] for job in (READY, COMPLETE)
            ),
        )
        for slide in (REAL, PAINTED)
    ]
    return ratios + memory


def _serving() -> list[Budget]:
    def against(peer: str) -> Callable[[Document], float]:
        key = "requests_per_s"
        return lambda run: served(run, SVARTID, key) / served(run, peer, key)

    recorded = "Orthanc 1.12.7, WSI 3.2, /wsi/tiles"
    theirs = recorded_elsewhere()["serving"][recorded]["requests_per_s"]
    return [
        _at_least("tiles a second against DeepZoomGenerator", 15, against(DEEP_ZOOM)),
        _at_least("tiles a second against Orthanc here", 1, against(ORTHANC)),
        _at_least(
            f"tiles a second against {recorded} (recorded elsewhere)",
            1,
            lambda run: served(run, SVARTID, "requests_per_s") / theirs,
        ),
        _at_most("CPU a tile", 0.15, "ms", lambda run: served(run, SVARTID, "cpu_ms_per_request")),
        _at_most("p99 at 8 connections", 5, "ms", lambda run: served(run, SVARTID, "p99_ms")),
    ]


def _others() -> list[Budget]:
    def first(state: str) -> Callable[[Document], float]:
        return lambda run: float(run["serving"]["first_tile"][state]["median_ms"])

    return [
        _at_most("first tile of a slide never opened, page cache warm", 5, "ms", first("warm")),
        _at_most("first tile of a slide never opened, evicted", 5, "ms", first("evicted")),
        _at_most("memory gained from slide 500 to slide 1,000", 5, "MB", _gained),
        _at_most("svartid --help", 0.3, "s", lambda run: run["startup"]["help"]["wall_s"]),
        _at_most("libraries of pandas-like weight imported", 0, "", _heavy),
    ]


def _gained(run: Document) -> float:
    resident = run["serving"]["memory"]["resident_mb"]
    return float(resident["1000"] - resident["500"])


def _heavy(run: Document) -> float:
    imported = run["startup"]["imports"].values()
    return len({name for entry in imported for name in entry["heavy"]})
