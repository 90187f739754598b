"""Reports as the checks would have entered them, with maps beside them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import numpy as np

from processing.quality.verdict import DEFAULT, conclude, judge, policy_ref
from storage import quality, quality_maps
from storage.database import Database
from storage.layout import Layout
from storage.quality import Run
from storage.quality_maps import MapToStore
from storage.records.quality import (
    Basis,
    Finding,
    ModelMode,
    ModelRef,
    QualityReport,
    QualityState,
    Spot,
)

SIZE = (4000, 3000)
"""Of the image that a report speaks of, unless it is told another."""
_NUMBERS = itertools.count(1)


def finding(
    check: str,
    figures: dict[str, float],
    spots: tuple[Spot, ...] = (),
    mode: ModelMode | None = None,
    basis: Basis = Basis.EXACT,
) -> Finding:
    """What a check measured, held against the policy that comes along."""
    model = ModelRef(check, "1", "0" * 64, mode) if mode else None
    unit = "µm" if check == "focus.radius" else "mm2"
    state = QualityState.PASS
    found = Finding(check, "1", basis, state, unit, figures, model=model, spots=spots)
    return judge(found, DEFAULT)


GOOD = (
    finding("tissue.area", {"tissue_mm2": 1.4}),
    finding("tiles.missing", {"missing": 0, "damaged": 0, "missing_mm2": 0.0}),
)
MISSING = (
    GOOD[0],
    finding(
        "tiles.missing",
        {"missing": 2, "damaged": 0, "missing_mm2": 0.0328},
        (Spot((1024, 512, 256, 256), 0.0164), Spot((1280, 512, 256, 256), 0.0164)),
    ),
)
BLURRED = (
    *GOOD,
    finding(
        "focus.radius",
        {"bad_area_pct": 22.0, "largest_bad_mm2": 0.4},
        (Spot((512, 256, 1024, 1024), 0.26, 3.2),),
        ModelMode.VISIBLE_QC,
        Basis.MODEL,
    ),
)


def radii() -> np.ndarray:
    """Blur of cells of 256 px in tenths of µm: sharp at the left, out of focus at the right."""
    stored = np.full((12, 16), 4, np.uint8)
    stored[:, 8:] = 32
    stored[0, :] = 255
    return stored


def enter(
    database: Database,
    layout: Layout,
    slide_id: str,
    findings: tuple[Finding, ...] = GOOD,
    size: tuple[int, int] = SIZE,
) -> Run:
    """A report on a slide; a check of focus or of tiles comes with its map."""
    number = next(_NUMBERS)
    run_id, found = f"{number:032x}", list(findings)
    maps = []
    for at in findings:
        if at.check == "focus.radius":
            maps.append(MapToStore(at.check, radii(), _cell(size), 0.1, 0.25, at.unit))
        elif at.spots:
            stored = np.zeros((12, 16), np.uint8)
            stored[2, 4:6] = 1
            kinds = ("missing", "damaged")
            maps.append(MapToStore(at.check, stored, _cell(size), 1.0, 0.25, at.unit, kinds))
    refs = quality_maps.write_run(layout, slide_id, run_id, maps)
    entered = tuple(at if at.check not in refs else _with_map(at, refs[at.check]) for at in found)
    report = QualityReport(
        slide_id, "f" * 64, None, run_id, datetime.now(UTC) + timedelta(milliseconds=number),
        "0.1", policy_ref(DEFAULT), size, 0.25, 1.4, 1.0, conclude(entered, DEFAULT, 1.0),
        entered, 0.4, 0.5,
    )  # fmt: skip
    return quality.enter(database, report, "svartid")


def _cell(size: tuple[int, int]) -> int:
    """Pixels along a cell, so that a map of 16 by 12 covers the image."""
    return 256 if size[0] > 16 * 128 else 128


def _with_map(at: Finding, ref: quality_maps.MapRef) -> Finding:
    return Finding(
        at.check, at.version, at.basis, at.state, at.unit, at.figures, at.reason, at.thresholds,
        at.model, ref, at.spots, at.limits, at.seconds,
    )  # fmt: skip
