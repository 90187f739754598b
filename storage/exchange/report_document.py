"""A report as it leaves: text for people, fields for programs. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from storage.records.case import Case
from storage.records.case_words import ReportKind

_COPENHAGEN = ZoneInfo("Europe/Copenhagen")
_WORDS = {
    "da": {
        "title": "Patologisvar",
        ReportKind.PRELIMINARY: "Foreløbigt svar",
        ReportKind.FINAL: "Endeligt svar",
        ReportKind.SUPPLEMENTARY: "Supplerende svar",
        ReportKind.CORRECTED: "Rettet svar",
        "accession": "Rekvisition",
        "patient": "Patient",
        "requester": "Rekvirent",
        "received": "Modtaget",
        "signed": "Underskrevet",
        "sent": "Afgivet",
        "reason": "Årsag",
        "expected": "Endeligt svar ventes",
        "codes": "Koder",
    },
    "en": {
        "title": "Pathology report",
        ReportKind.PRELIMINARY: "Preliminary report",
        ReportKind.FINAL: "Final report",
        ReportKind.SUPPLEMENTARY: "Supplementary report",
        ReportKind.CORRECTED: "Corrected report",
        "accession": "Accession",
        "patient": "Patient",
        "requester": "Requested by",
        "received": "Received",
        "signed": "Signed",
        "sent": "Given",
        "reason": "Reason",
        "expected": "Final report expected",
        "codes": "Codes",
    },
}


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a report with all that stands on it; `version` counts from 1 within its kind
    of answer: signed reports, or preliminary answers."""

    accession: str
    kind: ReportKind
    version: int
    language: str
    patient_identifier: str
    patient_name: str
    requester: str
    text: str
    by: str
    at: datetime
    codes: tuple[str, ...] = ()
    received_at: datetime | None = None
    reason: str = ""
    """Why only preliminary."""
    expected_at: datetime | None = None


def document_of(
    case: Case, patient: tuple[str, str], kind: ReportKind, version: int
) -> Document | None:
    """The document of a version for a patient (identifier, name); None when there is none."""
    known: dict[str, Any] = {
        "accession": case.accession,
        "kind": kind,
        "version": version,
        "language": case.language if case.language in _WORDS else "en",
        "patient_identifier": patient[0],
        "patient_name": patient[1],
        "requester": case.requester,
        "received_at": case.received_at,
    }
    if kind is ReportKind.PRELIMINARY:
        if not 1 <= version <= len(case.preliminaries):
            return None
        sent = case.preliminaries[version - 1]
        more: dict[str, Any] = {"reason": sent.reason, "expected_at": sent.expected_at}
        return Document(**known, **more, text=sent.text, by=sent.by, at=sent.at)
    report = next((at for at in case.reports if (at.version, at.kind) == (version, kind)), None)
    if report is None:
        return None
    return Document(
        **known, text=report.text, by=report.signed_by, at=report.signed_at, codes=report.codes
    )


def as_text(document: Document) -> str:
    """For people: UTF-8 text, times in Copenhagen."""
    words = _WORDS[document.language]
    patient = f"{document.patient_identifier}  {document.patient_name}".strip()
    head = [
        ("accession", document.accession),
        ("patient", patient),
        ("requester", document.requester),
        ("received", _local(document.received_at)),
        ("reason", document.reason),
        ("expected", _local(document.expected_at)),
    ]
    label = "sent" if document.kind is ReportKind.PRELIMINARY else "signed"
    title = f"{words['title']} - {words[document.kind]} ({document.version})"
    lines = [title, "=" * len(title), ""]
    lines += [f"{words[name]}: {value}" for name, value in head if value]
    lines += ["", document.text.strip(), ""]
    if document.codes:
        lines.append(f"{words['codes']}: {' '.join(document.codes)}")
    lines.append(f"{words[label]}: {_local(document.at)}, {document.by}")
    return "\n".join(lines) + "\n"


def as_json(document: Document) -> dict[str, Any]:
    """For programs: every field, times in ISO 8601 UTC."""
    return {
        "accession": document.accession,
        "kind": document.kind.value,
        "version": document.version,
        "language": document.language,
        "patient": {
            "identifier": document.patient_identifier,
            "name": document.patient_name,
        },
        "requester": document.requester,
        "received_at": _iso(document.received_at),
        "text": document.text,
        "codes": list(document.codes),
        "by": document.by,
        "at": _iso(document.at),
        "reason": document.reason,
        "expected_at": _iso(document.expected_at),
    }


def _local(moment: datetime | None) -> str:
    return moment.astimezone(_COPENHAGEN).strftime("%Y-%m-%d %H:%M") if moment else ""


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
