"""Danish personal numbers (CPR), and what stands in for one.

Since 2007 numbers are issued that fail modulus 11, and nobody is turned away for having one: it
is told, never refused. Sources: cpr.dk, *Opbygning af CPR-nummeret* and *Personnumre uden
kontrolciffer*; HL7 Denmark's dk-core for the identifier systems.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

_CPR = re.compile(r"([0-9]{6})[- ]?([0-9]{4})", re.ASCII)
_REPLACEMENT = re.compile(r"[0-9A-Z]{1,10}", re.ASCII)
_WEIGHTS = (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
_HIDDEN = 4
"""Characters at the end that are not shown: the serial number."""


class PatientIdKind(StrEnum):
    """Who issued it."""

    CPR = "cpr"
    X_ECPR = "x_ecpr"
    """National replacement number."""
    D_ECPR = "d_ecpr"
    """A region's own replacement number."""


SYSTEMS = {
    PatientIdKind.CPR: "urn:oid:1.2.208.176.1.2",
    PatientIdKind.X_ECPR: "urn:oid:1.2.208.176.1.6.1.1",
    PatientIdKind.D_ECPR: "urn:oid:1.2.208.176.1.6.1.3.177",
}
"""Identifier systems; D-eCPR is Region Sjælland's (Region Hovedstaden's ends in 187)."""


class Sex(StrEnum):
    """By the last digit of a CPR."""

    FEMALE = "female"
    MALE = "male"


class CprNotice(StrEnum):
    """What is told of a number that fails modulus 11."""

    WARNING = "modulus_11"
    """Seldom, but genuine numbers do: worth a second look."""
    INFO = "modulus_11_first_of_january"
    """To be expected: so many were born on 1 January that the numbers ran out."""


class Fault(StrEnum):
    """Why something is not an identifier of a patient."""

    SHAPE = "shape"
    """Not ten digits, with or without a hyphen; or not up to ten letters and digits."""
    DATE = "date"
    """The first six digits are no day of the century that the seventh says."""


class NotAPatientId(ValueError):
    """What was given cannot be an identifier of that kind; it is never quoted in the message."""

    def __init__(self, kind: PatientIdKind, fault: Fault) -> None:
        super().__init__(f"not a {kind.value}: {fault.value}")
        self.kind = kind
        self.fault = fault


@dataclass(frozen=True, slots=True)
class PatientId:
    """An identifier as it is stored: ten digits, or up to ten letters and digits."""

    kind: PatientIdKind
    value: str

    @property
    def masked(self) -> str:
        """For screens and logs: `010190-****`."""
        shown = self.value[:-_HIDDEN]
        hyphen = "-" if self.kind is PatientIdKind.CPR else ""
        return f"{shown}{hyphen}{'*' * min(_HIDDEN, len(self.value))}"

    @property
    def written(self) -> str:
        """In full, as people write it: a CPR with its hyphen."""
        if self.kind is not PatientIdKind.CPR:
            return self.value
        return f"{self.value[:-_HIDDEN]}-{self.value[-_HIDDEN:]}"

    def __repr__(self) -> str:
        """Masked: records end up in logs and tracebacks."""
        return f"PatientId({self.kind.value}, {self.masked})"


@dataclass(frozen=True, slots=True)
class Cpr:
    """What a CPR says."""

    patient_id: PatientId
    born: date
    sex: Sex
    notice: CprNotice | None


def parse_cpr(text: str) -> Cpr:
    """Ten digits, with or without a hyphen. Errors: NotAPatientId.

    A number can be well-formed and belong to nobody.
    """
    match = _CPR.fullmatch(text.strip())
    if match is None:
        raise NotAPatientId(PatientIdKind.CPR, Fault.SHAPE)
    digits = match[1] + match[2]
    day, month, year, seventh = (int(digits[at : at + 2]) for at in (0, 2, 4, 6))
    try:
        born = date(_century(seventh // 10, year) + year, month, day)
    except ValueError:
        raise NotAPatientId(PatientIdKind.CPR, Fault.DATE) from None
    sex = Sex.MALE if int(digits[9]) % 2 else Sex.FEMALE
    return Cpr(PatientId(PatientIdKind.CPR, digits), born, sex, _notice(digits, born))


def parse_patient_id(kind: PatientIdKind, text: str) -> PatientId:
    """An identifier of the kind. Errors: NotAPatientId.

    Of a replacement number no more is known than that it has at most ten letters and digits.
    """
    if kind is PatientIdKind.CPR:
        return parse_cpr(text).patient_id
    value = text.strip().replace("-", "").upper()
    if not _REPLACEMENT.fullmatch(value):
        raise NotAPatientId(kind, Fault.SHAPE)
    return PatientId(kind, value)


def _century(seventh: int, year: int) -> int:
    if seventh <= 3:
        return 1900
    if seventh in (4, 9):
        return 2000 if year <= 36 else 1900
    return 2000 if year <= 57 else 1800


def _notice(digits: str, born: date) -> CprNotice | None:
    if sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 11 == 0:
        return None
    return CprNotice.INFO if (born.month, born.day) == (1, 1) else CprNotice.WARNING
