"""How much tissue there is; a slide without any has been scanned in vain."""

from __future__ import annotations

from processing.quality.check import Measured, NotEvaluated
from processing.quality.slide_view import SlideView
from storage.records.quality import Basis


class Blank:
    """`tissue.area`: the area of all that takes light away."""

    id, version, basis, unit = "tissue.area", "1", Basis.EXACT, "mm2"

    def begin(self, slide: SlideView) -> BlankLook:
        """Begin to look."""
        return BlankLook(slide)


class BlankLook:
    """Of one slide."""

    def __init__(self, slide: SlideView) -> None:
        self._slide = slide

    def end(self) -> Measured:
        """The area. Errors: NotEvaluated."""
        area = self._slide.tissue.mm2
        if area is None:
            raise NotEvaluated("mpp_unknown")
        share = 100 * float(self._slide.tissue.mask.mean())
        return Measured({"tissue_mm2": round(area, 3), "tissue_pct": round(share, 2)})
