"""A case as a JSON document: what its events have made it, without whose it is and without clocks.

The same for the API and for commands; the patient and the times are added by those who may.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from storage.exchange.facts import fact_json
from storage.records.case import Case, CaseSlide, Scan, Specimen
from storage.records.case_events import Happened
from storage.records.case_fold import is_backdated
from storage.records.case_state import state_of
from storage.records.case_words import AssignedBy
from storage.records.reading_events import ReportDrafted
from storage.records.reading_rules import standing_in_the_way


def case_json(case: Case) -> dict[str, Any]:
    """All of a case but patient, standing, clocks and steps."""
    return {
        "accession": case.accession,
        "site": case.site,
        "unit": case.unit,
        "state": state_of(case).value,
        "assignee": case.assignee,
        "assigned_by": case.assigned_by.value if case.assigned_by else None,
        "assigned_at": moment_json(case.assigned_at),
        "why": why_json(case.why, by_rules=case.assigned_by is AssignedBy.RULES),
        "priority": case.priority.value,
        "specimen_class": case.specimen_class.value,
        "subspecialty": case.subspecialty,
        "requester": case.requester,
        "clinical_information": case.clinical_information,
        "language": case.language,
        "closing_reason": case.closing_reason,
        "ordered_at": moment_json(case.ordered_at),
        "received_at": moment_json(case.received_at),
        "accessioned_at": moment_json(case.accessioned_at),
        "opened_at": moment_json(case.opened_at),
        "specimens": [_specimen(at) for at in case.specimens.values()],
        "slides": [_slide(at) for at in case.slides.values()],
        "orders": plain_list(case.orders.values()),
        "consultations": plain_list(case.consultations.values()),
        "flags": plain_list(case.flags.values()),
        "pauses": plain_list(case.pauses.values()),
        "reports": plain_list(case.reports),
        "draft": plain(case.draft) if case.draft else None,
        "preliminaries": plain_list(case.preliminaries),
        "standing_in_the_way": list(standing_in_the_way(case)),
        "oddities": plain_list(case.oddities),
        "version": case.version,
    }


def happened_json(happened: Happened) -> dict[str, Any]:
    """One event of the history; of a draft only that it was saved, the case has the newest."""
    data = fact_json(happened.fact)
    if isinstance(happened.fact, ReportDrafted):
        data = {"kind": data["kind"]}
    return {
        "event_id": happened.event_id,
        "kind": type(happened.fact).__name__,
        "data": data,
        "occurred_at": moment_json(happened.occurred_at),
        "received_at": moment_json(happened.received_at),
        "actor": happened.actor,
        "source": happened.source,
        "backdated": is_backdated(happened),
    }


def why_json(why: str, *, by_rules: bool) -> list[dict[str, Any]]:
    """Why that pathologist, as codes with their values; what a person wrote is `said`.

    The rules' own reasons come first, each with how many cases it told; then `other` for those
    who were passed over, and `left_out` for how many more there were.
    """
    if not why:
        return []
    told = _told(why) if by_rules else None
    if isinstance(told, list) and all(isinstance(at, dict) and "code" in at for at in told):
        return told
    if isinstance(told, dict) and "why" in told:
        return [
            *({"code": rule, "by": by} for rule, by in told["why"]),
            *({"code": "other", "name": at, "rule": r, "by": by} for at, r, by in told["others"]),
            *([{"code": "left_out", "count": told["left_out"]}] if told["left_out"] else []),
        ]
    return [{"code": "said", "text": why}]


def _told(why: str) -> object:
    """What the rules kept; None for a person's words."""
    try:
        return json.loads(why) if why[0] in "[{" else None
    except ValueError:
        return None


def plain_list(records: Iterable[Any]) -> list[dict[str, Any]]:
    """Several records, every field by its name."""
    return [plain(at) for at in records]


def plain(record: Any) -> dict[str, Any]:  # noqa: ANN401 - any record
    """Every field of a record as JSON values, also those that hold their default."""
    return {at.name: _value(getattr(record, at.name)) for at in fields(record)}


def moment_json(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC."""
    return moment.astimezone(UTC).isoformat() if moment else None


def _value(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, datetime):
        return moment_json(value)
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _value(at) for key, at in value.items()}
    if isinstance(value, tuple | list):
        return [_value(at) for at in value]
    return value


def _specimen(specimen: Specimen) -> dict[str, Any]:
    return plain(specimen)


def _slide(slide: CaseSlide) -> dict[str, Any]:
    shown = slide.shown
    document = plain(slide) | {
        "slide_id": shown.slide_id if shown else None,
        "readable": slide.is_readable,
        "waited_for": slide.is_waited_for,
        "scans": [_scan(at) for at in slide.scans],
    }
    del document["rescans"]
    return document | {"rescans": len(slide.rescans)}


def _scan(scan: Scan) -> dict[str, Any]:
    return plain(scan) | {"slide_id": scan.slide_id or None}
