"""The table of checks: every one is named here once, and loaded when it is first run."""

from __future__ import annotations

from collections.abc import Collection

from processing.quality.check import Check
from storage.on_demand import load

TABLE = {
    "tissue.area": "processing.quality.blank:Blank",
    "coverage.missing": "processing.quality.coverage:Coverage",
    "tiles.missing": "processing.quality.missing_tiles:MissingTiles",
    "focus.radius": "processing.quality.focus:Focus",
    "stitch.shift": "processing.quality.stitching:Stitching",
    "band.step": "processing.quality.bands:Bands",
    "pen.area": "processing.quality.pen:Pen",
    "fold.area": "processing.quality.fold:Fold",
    "bubble.area": "processing.quality.bubble:Bubble",
    "dust.area": "processing.quality.dust:Dust",
    "edge.coverslip": "processing.quality.coverslip:Coverslip",
    "edge.scratch": "processing.quality.scratch:Scratch",
    "stain.background": "processing.quality.background:Background",
    "stain.cohort": "processing.quality.cohort:StainCohort",
    "clip": "processing.quality.clipping:Clipping",
    "jpeg.quality": "processing.quality.jpeg_quality:JpegQuality",
    "identity": "processing.quality.identity:Identity",
}
"""Name to class, in the order of the report."""


def checks(names: Collection[str] = ()) -> list[Check]:
    """One of each, or of those that are named."""
    return [load(TABLE[name])() for name in TABLE if not names or name in names]
