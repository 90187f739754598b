"""A slide's colours against those of slides from the same scanner in the same stain.

A laboratory's own slides are the measure: nothing is right or wrong in itself. How far a figure
lies from the cohort's median is told in standard deviations, as estimated from the median of the
absolute deviations, which a tenth of odd slides does not move.
"""

from __future__ import annotations

import numpy as np

from processing.quality.check import Measured, NotEvaluated
from processing.quality.colours import dyes_of, glass_of
from processing.quality.slide_view import SlideView
from storage.records.quality import Basis, Figure

LEAST = 20
"""Slides that make a cohort."""
FIGURES = {"white": 2.0, "od_h": 0.02, "od_e": 0.02, "od_dab": 0.02}
"""Names in `stain.background`, and the least deviation that is believed: a cohort that happens to
agree to the last digit must not make an outlier of every other slide."""
_SIGMA = 1.4826


class StainCohort:
    """`stain.cohort`, in standard deviations."""

    id, version, basis, unit = "stain.cohort", "1", Basis.RULE, "sigma"

    def begin(self, slide: SlideView) -> StainCohortLook:
        """Begin to look. Errors: NotEvaluated."""
        if len(slide.cohort.slides) < LEAST:
            raise NotEvaluated("cohort_too_small")
        return StainCohortLook(slide)


class StainCohortLook:
    """Of one slide."""

    def __init__(self, slide: SlideView) -> None:
        self._slide = slide

    def end(self) -> Measured:
        """The farthest of its colours from the cohort's. Errors: NotEvaluated."""
        apart = {
            name: round((value - middle) / deviation, 2)
            for name, value in self._own().items()
            for middle, deviation in [self._usual(name)]
            if deviation > 0
        }
        if not apart:
            raise NotEvaluated("no_tissue")
        farthest = max(apart, key=lambda name: abs(apart[name]))
        figures: dict[str, Figure] = {
            "deviations": abs(apart[farthest]),
            "farthest": farthest,
            "cohort": len(self._slide.cohort.slides),
        }
        return Measured(figures | {f"{name}_sigma": value for name, value in apart.items()})

    def _own(self) -> dict[str, float]:
        glass, dyes = glass_of(self._slide.tissue), dyes_of(self._slide.tissue)
        own = {} if glass is None else {"white": glass.white}
        if dyes is not None:
            own |= {
                "od_h": dyes.haematoxylin,
                "od_e": dyes.eosin,
                "od_dab": dyes.dab,
            }
        return own

    def _usual(self, name: str) -> tuple[float, float]:
        """Median and deviation of the cohort; deviation 0 where too few slides have the figure."""
        values = [at[name] for at in self._slide.cohort.slides if name in at]
        if len(values) < LEAST:
            return 0.0, 0.0
        middle = float(np.median(values))
        spread = _SIGMA * float(np.median(np.abs(np.array(values) - middle)))
        return middle, max(spread, FIGURES[name])
