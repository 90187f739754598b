"""Coded words of the WSI header. Sources: PS3.16 CID 8112, 8122, 8123, TID 8001; SNOMED CT."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

_DYES = {
    "he": (("12710003", "hematoxylin stain"), ("36879007", "water soluble eosin stain")),
    "pas": (("104210008", "periodic acid Schiff stain"),),
}
_CONCEPT = ("424361007", "SCT", "Using substance")


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """One item of a code sequence."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def codes(value: str, scheme: str, meaning: str) -> Sequence:
    """A code sequence of one item."""
    return Sequence([code(value, scheme, meaning)])


def staining(stain: str) -> Sequence:
    """SpecimenPreparationSequence: stained with what, in codes where there are such, else text."""
    if not stain:
        return Sequence()
    kind = _item("CODE", ("111701", "DCM", "Processing type"))
    kind.ConceptCodeSequence = codes("127265001", "SCT", "Staining")
    plain = stain.lower().replace("&", "").replace("-", "").replace(" ", "")
    steps = [kind]
    for value, meaning in _DYES.get(plain, ()):
        dye = _item("CODE", _CONCEPT)
        dye.ConceptCodeSequence = codes(value, "SCT", meaning)
        steps.append(dye)
    if len(steps) == 1:
        text = _item("TEXT", _CONCEPT)
        text.TextValue = stain
        steps.append(text)
    step = Dataset()
    step.SpecimenPreparationStepContentItemSequence = Sequence(steps)
    return Sequence([step])


def _item(kind: str, concept: tuple[str, str, str]) -> Dataset:
    item = Dataset()
    item.ValueType = kind
    item.ConceptNameCodeSequence = codes(*concept)
    return item
