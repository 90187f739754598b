"""Air under the coverslip: a refracting rim, and what lies inside is out of focus.

A model (docs/quality.md): it may ask for a look, never for another scan, until a site validates it.
"""

from __future__ import annotations

from processing.quality.artefact_map import ArtefactLook
from processing.quality.slide_view import SlideView
from storage.records.quality import Basis


class Bubble:
    """`bubble.area`."""

    id, version, basis, unit = "bubble.area", "1", Basis.MODEL, "%"

    def begin(self, slide: SlideView) -> ArtefactLook:
        """Begin to look. Errors: NotEvaluated."""
        return ArtefactLook(slide, "bubble")
