"""One picture of a recorded run: dots on logarithmic scales, readable on screen and in print.

`python -m benchmarks.plot` draws the newest run beside its JSON.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.conversion import COMPLETE, READY
from benchmarks.figures import (
    PAINTED,
    REAL,
    Document,
    newest,
    picture_of,
    recorded_elsewhere,
    served,
    wall,
    warm,
)

_OURS, _THEIRS, _ELSEWHERE = "#0b5394", "#595959", "#a0a0a0"
_LOOK = {
    "svg.hashsalt": "svartid",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
}
Point = tuple[str, float, str, bool]
"""A line of a panel: name, value, colour, filled."""


def main() -> int:
    """Draw the newest run."""
    path = newest("bench")
    if path is None:
        print("nothing is recorded yet")
        return 1
    draw(json.loads(path.read_text()), picture_of(path))
    print(picture_of(path))
    return 0


def draw(run: Document, target: Path) -> None:
    """Write the picture as SVG; parts that failed are left out."""
    panels = [panel for panel in _panels(run) if panel[1]]
    heights = [len(points) + 1.5 for _, points, _ in panels]
    with mpl.rc_context(_LOOK):
        figure = Figure(figsize=(8, 0.24 * sum(heights) + 0.6 * len(panels)), layout="constrained")
        figure.set_facecolor("white")
        axes = figure.subplots(len(panels), 1, height_ratios=heights, squeeze=False)[:, 0]
        for axis, (title, points, label) in zip(axes, panels, strict=True):
            _panel(axis, title, points, label)
        figure.savefig(target, metadata={"Date": None})


def _panels(run: Document) -> list[tuple[str, list[Point], str]]:
    panels = []
    for role in (REAL, PAINTED):
        slide = run["slides"].get(role, {"failed": ""})
        if "failed" not in slide:
            gigapixels = slide["pixels"][0] * slide["pixels"][1] / 1e9
            title = f"Reading in {slide['name']}, {gigapixels:.1f} Gpx"
            panels.append((title, _conversion(run, role), "wall seconds, less is better"))
    if "failed" not in run["serving"]:
        panels.append(("Serving level-0 tiles", _servers(run), "requests a second, more is better"))
    return panels


def _conversion(run: Document, role: str) -> list[Point]:
    points: list[Point] = [("svartid, ready in a warm process", warm(run, role), _OURS, True)]
    for name, job in run["slides"][role]["conversion"].items():
        whole = job.get("megapixels") == round(_megapixels(run, role), 1)
        if "missing" not in job and whole:
            ours = name in (READY, COMPLETE)
            points.append((name, wall(run, role, name), _OURS if ours else _THEIRS, ours))
    return sorted(points, key=lambda point: point[1])


def _megapixels(run: Document, role: str) -> float:
    width, height = run["slides"][role]["pixels"]
    return float(width * height / 1e6)


def _servers(run: Document) -> list[Point]:
    key = "requests_per_s"
    points: list[Point] = []
    for name in run["serving"]["servers"]:
        ours = name.startswith("svartid")
        points.append((name, served(run, name, key), _OURS if ours else _THEIRS, ours))
    for name, one in recorded_elsewhere()["serving"].items():
        points.append((f"{name} (recorded elsewhere)", float(one[key]), _ELSEWHERE, False))
    return sorted(points, key=lambda point: -point[1])


def _panel(axis: Any, title: str, points: list[Point], label: str) -> None:  # noqa: ANN401
    """Best at the top; svartid is blue and filled, so that it is told apart without colour."""
    places = range(len(points), 0, -1)
    for place, (_, value, colour, filled) in zip(places, points, strict=True):
        axis.plot(value, place, "o", color=colour, markerfacecolor=colour if filled else "white")
        axis.annotate(
            f"{value:,.3g}" if value < 100 else f"{value:,.0f}",
            (value, place),
            (6, -3),
            textcoords="offset points",
            color="black",
        )
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter("{x:,g}")
    axis.margins(x=0.12)
    axis.set_ylim(0.2, len(points) + 0.8)
    axis.set_yticks(list(places), [point[0] for point in points])
    axis.set_title(title, loc="left", fontweight="bold")
    axis.set_xlabel(label)
    axis.grid(axis="x", which="major", color="#dddddd")
    axis.set_axisbelow(True)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


if __name__ == "__main__":
    raise SystemExit(main())
