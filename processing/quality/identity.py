"""Is this the glass it is said to be: the barcode on its label and its colours against the order.

Only a clear contradiction counts: a label that can be read and says another barcode; a slide
ordered as H&E without a trace of pink, or as immunohistochemistry and pink all over. A chromogen
that is red looks like eosin.
"""

from __future__ import annotations

import re

from processing.label import read_barcodes
from processing.quality.check import Measured, NotEvaluated
from processing.quality.colours import Dyes, dyes_of
from processing.quality.slide_view import Order, SlideView
from storage.records.quality import Basis, Figure

_NO_PINK, _PINK = 0.01, 0.15
"""Shares of the dense tissue: below the first there is no eosin, from the second on there is."""
_HE = re.compile(r"(T-)?(H\W?&?\W?E|HES|H(A?E)MATOXYLIN\W.*EOSIN.*|HAE)(\W?\d*)?")
_IMMUNO = re.compile(
    r"(IHC|IMMUNO|CD\W?\d|CK\W?\d|CK\W?(PAN|AE)|KI\W?67|MIB\W?1|ER$|PR$|HER\W?2|P(16|40|53|63)|S\W?100"
    r"|SOX\W?\d|MELAN|TTF|SMA$|ACTIN|DESMIN|VIMENTIN|SYNAPTO|CHROMOGRANIN|PSA$|PAX|GATA|ALK|PD\W?L1"
    r"|MLH|MSH|PMS|BCL|CDX)"
)
AGREES, DIFFERS, UNKNOWN = "agrees", "differs", "unknown"


class Identity:
    """`identity`."""

    id, version, basis, unit = "identity", "1", Basis.RULE, "count"

    def begin(self, slide: SlideView) -> IdentityLook:
        """Begin to look. Errors: NotEvaluated."""
        if not slide.order.barcode and not slide.order.stain:
            raise NotEvaluated("no_order")
        return IdentityLook(slide)


class IdentityLook:
    """Of one slide."""

    def __init__(self, slide: SlideView) -> None:
        self._slide = slide

    def end(self) -> Measured:
        """How many things contradict the order. Errors: NotEvaluated."""
        order = self._slide.order
        told: dict[str, Figure] = {
            "label": self._label(order.barcode),
            "stain": stain_agrees(order, dyes_of(self._slide.tissue)),
        }
        if set(told.values()) == {UNKNOWN}:
            raise NotEvaluated("nothing_to_compare")
        return Measured({"mismatches": list(told.values()).count(DIFFERS)} | told)

    def _label(self, barcode: str) -> str:
        image = self._slide.read_associated("label")
        printed = read_barcodes(image) if image is not None else ()
        if not printed or not barcode:
            return UNKNOWN
        return AGREES if barcode in printed else DIFFERS


def class_of(order: Order) -> str:
    """`he`, `ihc`, or empty for what looks like neither or is not known."""
    if order.stain_class:
        return order.stain_class
    code = order.stain.strip().upper()
    if _HE.fullmatch(code):
        return "he"
    return "ihc" if _IMMUNO.match(code) else ""


def stain_agrees(order: Order, dyes: Dyes | None) -> str:
    """The order against the colours: agrees, differs, or unknown where nothing is clear."""
    ordered = class_of(order)
    if dyes is None or ordered not in ("he", "ihc"):
        return UNKNOWN
    if _NO_PINK <= dyes.pink < _PINK:
        return UNKNOWN
    return AGREES if (ordered == "he") == (dyes.pink >= _PINK) else DIFFERS
