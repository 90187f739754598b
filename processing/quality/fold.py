"""Tissue that lies double or threefold: dark bands, out of focus at their edges.

A model (docs/quality.md): it may ask for a look, never for another scan, until a site validates it.
"""

from __future__ import annotations

from processing.quality.artefact_map import ArtefactLook
from processing.quality.slide_view import SlideView
from storage.records.quality import Basis


class Fold:
    """`fold.area`."""

    id, version, basis, unit = "fold.area", "1", Basis.MODEL, "%"

    def begin(self, slide: SlideView) -> ArtefactLook:
        """Begin to look. Errors: NotEvaluated."""
        return ArtefactLook(slide, "fold")
