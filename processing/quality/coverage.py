"""Tissue on the glass that was not scanned: the overview camera's picture against the scan.

Exact as far as the picture goes: once the scan's tissue is found on it, what is there beyond is
counted. What is smaller than 0.25 mm2, or within 0.3 mm of tissue that was scanned, is not.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.quality import registration
from processing.quality.check import Measured, NotEvaluated
from processing.quality.overview import SMALLEST_MM2, Overview, decode_picture, read_overview
from processing.quality.registration import Mask, Placed
from processing.quality.slide_view import SlideView
from storage.records.quality import Basis, Spot

_SCALES = np.geomspace(0.78, 1.18, 22)
"""Of the pixels along a millimetre that the glass's short side lets expect."""
_FITTING = np.geomspace(0.08, 1.0, 60)
"""Where the scan's pixel size is unknown: its longer side as a part of the overview's."""
_NEAR_MM = 0.3
_CLEAR_OD = 0.08
"""Of a piece's densest quarter: less is a shadow or a stain of glue."""


class Coverage:
    """`coverage.missing`."""

    id, version, basis, unit = "coverage.missing", "1", Basis.RULE, "%"

    def begin(self, slide: SlideView) -> CoverageLook:
        """Begin to look. Errors: NotEvaluated."""
        data = slide.read_associated("overview")
        pixels = None if data is None else decode_picture(data)
        if pixels is None or min(pixels.shape[:2]) < 32:
            raise NotEvaluated("no_overview")
        return CoverageLook(slide, read_overview(pixels))


class CoverageLook:
    """Of one slide."""

    def __init__(self, slide: SlideView, overview: Overview) -> None:
        self._slide, self._overview = slide, overview

    def end(self) -> Measured:
        """How much of the overview's tissue the scan lacks. Errors: NotEvaluated."""
        scan, seen = self._slide.tissue.mask, self._overview.tissue
        if not seen.any():
            raise NotEvaluated("overview_without_tissue")
        placed = registration.place(scan, seen, self._scales()) if scan.any() else None
        if placed is None or not placed.is_sure:
            raise NotEvaluated("overview_not_registered")
        per_mm = self._per_mm(placed)
        covered = registration.laid(scan, placed, (seen.shape[0], seen.shape[1]))
        near = max(_NEAR_MM * per_mm, 1.5 * placed.scale)
        missing, boxes = _missing(self._overview, covered, per_mm, near)
        share = 100 * float(missing.sum()) / float(seen.sum())
        figures = {
            "missing_pct": round(share, 2),
            "missing_mm2": round(float(missing.sum()) / per_mm**2, 3),
            "islands": len(boxes),
            "overview_mm2": round(float(seen.sum()) / per_mm**2, 2),
            "fit": round(placed.agreement, 3),
        }
        return Measured(figures, spots=tuple(self._spots(boxes, placed, per_mm)))

    def _scales(self) -> list[float]:
        tissue, seen = self._slide.tissue, self._overview
        if tissue.um is not None:
            return [float(part) * seen.per_mm * tissue.um / 1000 for part in _SCALES]
        whole = max(seen.tissue.shape) / max(tissue.mask.shape)
        return [float(part) * whole for part in _FITTING]

    def _per_mm(self, placed: Placed) -> float:
        """Pixels along a millimetre, from the scan where it knows its own."""
        um = self._slide.tissue.um
        return self._overview.per_mm if um is None else placed.scale * 1000 / um

    def _spots(
        self, boxes: list[tuple[int, int, int, int, int]], placed: Placed, per_mm: float
    ) -> list[Spot]:
        """Those that lie in the scan's frame; what lies beside it has no place on the slide."""
        size, level = self._slide.size, self._slide.tissue.level
        spots = []
        for x, y, width, height, area in boxes:
            left, top = (round((at - zero) / placed.scale * 2**level) for at, zero in
                         ((x, placed.x), (y, placed.y)))  # fmt: skip
            right = left + round(width / placed.scale * 2**level)
            bottom = top + round(height / placed.scale * 2**level)
            left, top = max(left, 0), max(top, 0)
            right, bottom = min(right, size.width), min(bottom, size.height)
            if left < right and top < bottom:
                spots.append(Spot((left, top, right - left, bottom - top), area / per_mm**2))
        return spots


def _missing(
    overview: Overview, covered: Mask, per_mm: float, near: float
) -> tuple[Mask, list[tuple[int, int, int, int, int]]]:
    """Tissue more than `near` pixels beyond what is covered; of each piece its box and pixels."""
    side = max(3, 2 * round(near) + 1)
    reach = cv2.dilate(
        covered.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    )
    rest: NDArray[np.uint8] = (overview.tissue & (reach == 0)).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(rest, connectivity=8)
    kept = np.zeros(rest.shape, bool)
    boxes = []
    for number in range(1, len(stats)):
        x, y, width, height, area = (int(at) for at in stats[number])
        piece = labels == number
        if area < SMALLEST_MM2 / 2 * per_mm**2:
            continue
        if np.percentile(overview.density[piece], 75) < _CLEAR_OD:
            continue
        kept |= piece
        boxes.append((x, y, width, height, area))
    return kept, boxes
