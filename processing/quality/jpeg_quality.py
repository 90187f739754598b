"""How hard the scanner's JPEGs were squeezed: read from their quantisation tables.

Exact for tables made as libjpeg makes them; for a vendor's own the nearest is an estimate.
Source: ITU-T T.81 Annex K; IJG `jpeg_set_quality`.
"""

from __future__ import annotations

import numpy as np

from processing import jpeg
from processing.quality.check import Measured, NotEvaluated
from processing.quality.slide_view import SlideView
from storage.records.quality import Basis
from storage.records.slide import JpegEncoding

_SAMPLES = 24


class JpegQuality:
    """`jpeg.quality`, 1 to 100."""

    id, version, basis, unit = "jpeg.quality", "1", Basis.EXACT, "Q"

    def begin(self, slide: SlideView) -> JpegQualityLook:
        """Begin to look. Errors: NotEvaluated."""
        level = min(slide.present)
        if not isinstance(slide.present[level].encoding, JpegEncoding):
            raise NotEvaluated("no_jpeg")
        return JpegQualityLook(slide, level)


class JpegQualityLook:
    """Of one slide."""

    def __init__(self, slide: SlideView, level: int) -> None:
        self._slide, self._level = slide, level

    def end(self) -> Measured:
        """The lowest and the usual quality of some tiles all over level 0. Errors: NotEvaluated."""
        grid = self._slide.present[self._level].size.in_tiles(self._slide.edge)
        at = np.linspace(0, grid.area - 1, min(grid.area, _SAMPLES)).astype(int)
        data = (self._slide.read_tile(self._level, k % grid.width, k // grid.width) for k in at)
        found = sorted(jpeg.estimate_quality(one) for one in data if one is not None)
        if not found:
            raise NotEvaluated("no_jpeg")
        return Measured({"quality": found[0], "usual": found[len(found) // 2]})
