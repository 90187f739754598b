"""Seams, bands and tissue that was not scanned: how often they are found, how often seen in vain.

    python -m benchmarks.quality.exact [--out FILE] [--rounds N] [--glasses N]

Faults are put into real tissue (SVARTID_TEST_SLIDES, else ../shared/slides) before it is
compressed, as a scanner would; a find counts when it lies within 8 µm of the fault. False is every
line on a field as it came, and every other line on one with a fault. Islands are painted, or
pieces on a genuine overview. Intervals are Wilson's, 95 %; trials of one field are not
independent, so that the true ones are wider.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.exact_glasses import Glass, genuine, painted
from benchmarks.quality.exact_slides import Source, sources
from processing.jpeg import Pixels
from processing.quality.assess import assess
from processing.quality.bands import Bands
from processing.quality.check import Check
from processing.quality.coverage import Coverage
from processing.quality.stitching import Stitching
from processing.quality.verdict import DEFAULT
from storage.records.proportion import wilson
from storage.records.quality import Finding, Spot
from tests.processing.quality.slides import slide_view

RESULTS = Path(__file__).parent.parent / "results"
SHIFTS = (1, 2, 3)
"""Pixels of level 0."""
STEPS = (0.03, 0.05, 0.08)
_QUALITY = 85
_NEAR_UM = 8.0


@dataclass(slots=True)
class Count:
    """Successes of trials."""

    found: int = 0
    of: int = 0

    def add(self, found: bool) -> None:
        """One more trial."""
        self.found, self.of = self.found + found, self.of + 1

    def told(self) -> dict[str, Any]:
        """With its interval."""
        share, low, high = wilson(self.found, self.of)
        told = share if self.of else None
        return {"found": self.found, "of": self.of, "share": told, "wilson95": [low, high]}


@dataclass(slots=True)
class Lines:
    """What was found of seams and bands, by slide and size."""

    counts: dict[str, Count] = field(default_factory=lambda: defaultdict(Count))
    fields: int = 0

    def try_field(self, source: Source, random: np.random.Generator, rounds: int) -> None:
        """A field as it is, then with faults, `rounds` times each way."""
        self.fields += 1
        for check in (Stitching(), Bands()):
            found = _run(check, source.clean, source.mpp)
            self.counts[f"{source.slide} {check.id} false, clean"].add(bool(found.spots))
        for vertical in (True, False) * rounds:
            for shift in SHIFTS:
                at = self._place(source, random)
                found = _run(Stitching(), source.seam(at, shift, vertical), source.mpp)
                self._count(f"{source.slide} stitch.shift", f"{shift} px", found, source.mpp,
                            (at, vertical))  # fmt: skip
            for step in STEPS:
                at = self._place(source, random)
                found = _run(Bands(), source.band(at, step, vertical), source.mpp)
                self._count(f"{source.slide} band.step", f"{step:.0%}", found, source.mpp,
                            (at, vertical))  # fmt: skip

    @staticmethod
    def _place(source: Source, random: np.random.Generator) -> int:
        size = source.clean.shape[0]
        return int(random.integers(size // 6, size - size // 6))

    def _count(
        self, name: str, size: str, found: Finding, mpp: float, fault: tuple[int, bool]
    ) -> None:
        there = [_is_at(spot, *fault, mpp) for spot in found.spots]
        self.counts[f"{name} {size}"].add(any(there))
        self.counts[f"{name} false, beside a fault"].add(not all(there))


def _run(check: Check, pixels: Pixels, mpp: float) -> Finding:
    return assess(slide_view(pixels, mpp, _QUALITY), [check], DEFAULT).findings[0]


def _is_at(spot: Spot, at: int, vertical: bool, mpp: float) -> bool:
    x, y, width, height = spot.box
    if vertical != (height > width):
        return False
    middle = x + width / 2 if vertical else y + height / 2
    return abs(middle - at) * mpp <= _NEAR_UM


def coverage(glasses: Iterable[Glass]) -> dict[str, Any]:
    """Islands found, glasses falsely accused, glasses that could not be laid on their overview."""
    islands, false, refused, area = Count(), Count(), Count(), []
    for glass in glasses:
        view = slide_view(glass.scan, glass.mpp, associated={"overview": glass.overview})
        found = assess(view, [Coverage()], DEFAULT).findings[0]
        refused.add(not found.figures)
        seen = int(found.figures.get("islands", 0))
        for number in range(glass.removed):
            islands.add(number < seen)
        if not glass.removed and found.figures:
            false.add(seen > 0)
        if glass.removed and found.figures:
            area.append(found.figures["missing_mm2"] / glass.removed_mm2)
    return {
        "islands": islands.told(),
        "false": false.told(),
        "not registered": refused.told(),
        "area found by area removed, 5/50/95 %": np.percentile(area, [5, 50, 95]).round(3).tolist(),
    }


def main() -> int:
    """Measure, and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rounds", type=int, default=10, help="faults of a kind in each field")
    parser.add_argument("--glasses", type=int, default=20, help="of each of six paintings")
    asked = parser.parse_args()
    folder = Path(os.environ.get("SVARTID_TEST_SLIDES") or "../shared/slides")
    began, random, lines = time.perf_counter(), np.random.default_rng(1), Lines()
    for source in sources(folder):
        lines.try_field(source, random, asked.rounds)
    at = datetime.now(UTC)
    told: dict[str, Any] = {
        "at": at.isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
        "synthetic": "faults put into real tissue; painted islands; no fault a scanner made",
        "fields": lines.fields,
        "lines": {name: count.told() for name, count in sorted(lines.counts.items())},
    }
    out = asked.out or RESULTS / f"{at:%Y-%m-%d}-quality-exact.json"
    _write(told, out)
    told["coverage, genuine overview"] = coverage(genuine(folder, 3))
    _write(told, out)
    glasses = (one for seed in range(1, 7) for one in painted(seed, asked.glasses))
    told["coverage, painted"] = coverage(glasses)
    told["seconds"] = round(time.perf_counter() - began, 1)
    _write(told, out)
    print(json.dumps(told, indent=1))
    return 0


def _write(told: dict[str, Any], out: Path) -> None:
    out.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
