"""Labels, units and colours as DICOM codes them: our words are the meaning of codes of our own."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from highdicom.color import CIELabColor
from highdicom.sr.coding import CodedConcept
from pydicom.dataset import Dataset

SCHEME: Final = "99SVARTID"
_MEANING, _VALUE = 64, 16
NO_LABEL: Final = CodedConcept("111030", "DCM", "Image Region")
CATEGORY: Final = CodedConcept("309825002", "SCT", "Spatial and Relational Concept")
_NO_UNIT: Final = "1"


def concept(words: str) -> CodedConcept:
    """Words of ours as a code; what is longer than a meaning may be is cut."""
    value = hashlib.sha256(words.encode()).hexdigest()[:_VALUE].upper()
    return CodedConcept(value, SCHEME, short(words))


def unit_concept(unit: str) -> CodedConcept:
    """A UCUM unit; none is a pure number."""
    shown = short(unit) if unit else "no units"
    value = unit or _NO_UNIT
    # Others' words for units may be too long, or have what a code may not have.
    if len(value) > _VALUE or any(letter in value for letter in "\\ \t\r\n"):
        return concept(unit)
    return CodedConcept(value, "UCUM", shown)


def unit_of(code: Any) -> str:  # noqa: ANN401 - a code sequence item, read
    """The unit as we write it."""
    if str(code.get("CodingSchemeDesignator", "")) == SCHEME:
        return meaning_of(code)
    value = str(code.get("CodeValue", "") or code.get("LongCodeValue", ""))
    return "" if value == _NO_UNIT else value


def meaning_of(code: Dataset) -> str:
    """What a code means, in its own words."""
    return str(code.get("CodeMeaning", "") or "")


def short(words: str) -> str:
    """Fit for LO: one line, no backslash, sixty-four characters, never empty."""
    plain = " ".join(words.replace("\\", "/").split())
    printable = "".join(letter for letter in plain if letter.isprintable())
    return printable[:_MEANING].strip() or "-"


def lab_of(colour: str) -> CIELabColor | None:
    """RRGGBB as a recommended display colour."""
    return CIELabColor.from_rgb(*bytes.fromhex(colour)) if colour else None


def colour_of(value: Any) -> str:  # noqa: ANN401 - three unsigned shorts, or nothing
    """A recommended display colour as RRGGBB; empty for none, or for one that is no colour."""
    try:
        red, green, blue = CIELabColor.from_dicom_value([int(at) for at in value]).to_rgb(clip=True)
    except (TypeError, ValueError):
        return ""
    return f"{red:02X}{green:02X}{blue:02X}"
