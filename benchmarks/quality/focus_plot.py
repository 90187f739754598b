"""One picture: how each measure ranks blur, and what svartid says in µm, scanner by scanner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

_OURS, _THEIRS = "#0b5394", "#7f7f7f"
_LOOK = {"svg.hashsalt": "svartid", "svg.fonttype": "none", "font.size": 9}


def draw(document: dict[str, Any], target: Path) -> None:
    """Write the picture as SVG."""
    with mpl.rc_context(_LOOK):
        figure = Figure(figsize=(10, 5), layout="constrained")
        figure.set_facecolor("white")
        left, right = figure.subplots(1, 2)
        _measures(left, document["disk"]["measures"])
        _radii(right, document["disk"]["scanners"])
        figure.suptitle("Blur of unseen scanners, unseen radii; synthetic defocus of real tissue")
        figure.savefig(target, metadata={"Date": None})


def _measures(axis: Any, measures: dict[str, Any]) -> None:  # noqa: ANN401 - a matplotlib axis
    names = [name for name in measures if measures[name].get("cells")]
    names.sort(key=lambda name: measures[name]["srcc"])
    for place, name in enumerate(names):
        low, high = measures[name]["interval"]["srcc"]
        colour = _OURS if name.startswith("svartid") else _THEIRS
        axis.plot([low, high], [place, place], color=colour, lw=2)
        axis.plot(measures[name]["srcc"], place, "o", color=colour)
    axis.set_yticks(
        range(len(names)), [f"{name} µm/px" if name[-1].isdigit() else name for name in names]
    )
    axis.set_xlabel("rank correlation with the radius, all slides together (95 % interval)")


def _radii(axis: Any, scanners: dict[str, Any]) -> None:  # noqa: ANN401 - a matplotlib axis
    for name, found in scanners.items():
        median = found["um"]["median"]
        axis.plot([float(at) for at in median], list(median.values()), "o-", label=name, ms=3)
    axis.plot([0, 7], [0, 7], color="#c0c0c0", lw=1)
    axis.set_xlabel("radius that was made, µm")
    axis.set_ylabel("median of what the model says, µm")
    axis.legend(frameon=False)
