"""A patient's identifier as people type it: understood, told of, or refused with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel

from processing.turnaround.working_days import local_date
from storage.database import now
from storage.records.cpr import (
    NotAPatientId,
    PatientId,
    PatientIdKind,
    Sex,
    parse_cpr,
    parse_patient_id,
)
from viewers.acts import Line, Word
from viewers.case_rows import age_of


class Unusable(ValueError):
    """What was typed is no identifier; `reason` is why, in a word. Answered with 422."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Named(BaseModel):
    """Who is treated; the kind left out is a CPR, or with letters a replacement number."""

    identifier: Word
    kind: PatientIdKind | None = None
    name: Line = ""
    birth_date: date | None = None
    sex: Sex | None = None


@dataclass(frozen=True, slots=True)
class Understood:
    """What an identifier says."""

    patient_id: PatientId
    name: str
    birth_date: date | None
    sex: str
    warnings: tuple[str, ...]

    @property
    def entered(self) -> tuple[str, str, str, date | None, str]:
        """As `patients.enter` takes it."""
        kind, value = self.patient_id.kind.value, self.patient_id.value
        return kind, value, self.name, self.birth_date, self.sex

    def document(self) -> dict[str, Any]:
        """For the screen, while it is being typed."""
        return {
            "kind": self.patient_id.kind.value,
            "identifier": self.patient_id.written,
            "birth_date": self.birth_date.isoformat() if self.birth_date else None,
            "sex": self.sex,
            "age": age_of(self.birth_date, local_date(now())),
            "warnings": list(self.warnings),
        }


def understood(named: Named) -> Understood:
    """A number that fails modulus 11 is told of, never refused. Errors: Unusable."""
    kind = named.kind or _kind(named.identifier)
    try:
        if kind is not PatientIdKind.CPR:
            found = parse_patient_id(kind, named.identifier)
            sex = named.sex.value if named.sex else ""
            return Understood(found, named.name, named.birth_date, sex, ())
        cpr = parse_cpr(named.identifier)
    except NotAPatientId as error:
        raise Unusable(f"identifier_{error.fault.value}") from None
    warnings = [f"cpr_{cpr.notice.value}"] if cpr.notice else []
    if named.birth_date and named.birth_date != cpr.born:
        warnings.append("birth_date_differs")
    return Understood(cpr.patient_id, named.name, cpr.born, cpr.sex.value, tuple(warnings))


def _kind(identifier: str) -> PatientIdKind:
    letters = any(at.isalpha() for at in identifier)
    return PatientIdKind.X_ECPR if letters else PatientIdKind.CPR
