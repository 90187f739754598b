"""Specks and fibres on or under the coverslip: dark, of no stain's colour, sharp or not.

A model (docs/quality.md): it may ask for a look, never for another scan, until a site validates it.
"""

from __future__ import annotations

from processing.quality.artefact_map import ArtefactLook
from processing.quality.slide_view import SlideView
from storage.records.quality import Basis


class Dust:
    """`dust.area`."""

    id, version, basis, unit = "dust.area", "1", Basis.MODEL, "%"

    def begin(self, slide: SlideView) -> ArtefactLook:
        """Begin to look. Errors: NotEvaluated."""
        return ArtefactLook(slide, "dust")
