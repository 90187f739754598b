"""Danish SNOMED codes: an axis letter and five digits.

The pathologists' own code set, grown out of SNOMED's second edition, and not SNOMED CT. Every
report has at least a topography and a morphology. Source: Patobanken's code book.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_CODE = re.compile(r"(AE|[TMÆFSP])([0-9]{5})")


class Axis(StrEnum):
    """What a code is about."""

    TOPOGRAPHY = "T"
    MORPHOLOGY = "M"
    AETIOLOGY = "Æ"
    FUNCTION = "F"
    DISEASE = "S"
    PROCEDURE = "P"


DEMANDED = (Axis.TOPOGRAPHY, Axis.MORPHOLOGY)
"""Of every report."""


class NotACode(ValueError):
    """What was typed is no Danish SNOMED code."""


class Incomplete(ValueError):
    """A report's codes lack an axis that every report has."""

    def __init__(self, missing: tuple[Axis, ...]) -> None:
        super().__init__(f"no code of axis {', '.join(missing)}")
        self.missing = missing


@dataclass(frozen=True, slots=True)
class SnomedCode:
    """A code; its text is T28000."""

    axis: Axis
    digits: str

    def __str__(self) -> str:
        return f"{self.axis.value}{self.digits}"


def parse_code(text: str) -> SnomedCode:
    """A code as typed: any case, spaces anywhere, AE for Æ. Errors: NotACode."""
    match = _CODE.fullmatch("".join(text.split()).upper())
    if match is None:
        raise NotACode(f"not an axis letter ({''.join(Axis)}) and five digits: {text[:20]!r}")
    letter = match[1].replace("AE", "Æ")
    return SnomedCode(Axis(letter), match[2])


def missing_axes(codes: Iterable[SnomedCode]) -> tuple[Axis, ...]:
    """The axes of which a report has to have a code, and has none: of T and M, in that order."""
    there = {code.axis for code in codes}
    return tuple(axis for axis in DEMANDED if axis not in there)


def complete(codes: Iterable[SnomedCode]) -> tuple[SnomedCode, ...]:
    """The codes, each once and in the order given. Errors: Incomplete, with what is missing."""
    each = tuple(dict.fromkeys(codes))
    missing = missing_axes(each)
    if missing:
        raise Incomplete(missing)
    return each
