"""How white the glass is, and how strong the dyes: the colours a cohort is made of."""

from __future__ import annotations

from processing.quality.check import Measured, NotEvaluated
from processing.quality.colours import dyes_of, glass_of
from processing.quality.slide_view import SlideView
from storage.records.quality import Basis


class Background:
    """`stain.background`: the lowest colour of the glass, in grey levels."""

    id, version, basis, unit = "stain.background", "1", Basis.RULE, "DN"

    def begin(self, slide: SlideView) -> BackgroundLook:
        """Begin to look."""
        return BackgroundLook(slide)


class BackgroundLook:
    """Of one slide."""

    def __init__(self, slide: SlideView) -> None:
        self._slide = slide

    def end(self) -> Measured:
        """The glass, and beside it the dyes where there is tissue. Errors: NotEvaluated."""
        glass, dyes = glass_of(self._slide.tissue), dyes_of(self._slide.tissue)
        if glass is None:
            raise NotEvaluated("no_glass")
        figures: dict[str, float] = {
            "white": glass.white,
            "red": glass.red,
            "green": glass.green,
            "blue": glass.blue,
            "uneven_pct": round(glass.uneven, 2),
        }
        if dyes is not None:
            figures |= {
                "od_h": round(dyes.haematoxylin, 3),
                "od_e": round(dyes.eosin, 3),
                "od_dab": round(dyes.dab, 3),
            }
        return Measured(figures)
