"""What happened to a case as JSON: the kind's name and its fields, in log and API."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from storage.errors import Malformed
from storage.exchange.plain import MOST_TEXT, from_plain, is_moment, is_text, to_plain
from storage.records.case_events import FACTS, CaseFact

LONGEST: Final = {
    "barcode": 64, "slide_id": 32, "item_id": 32, "order_id": 64, "consultation_id": 64,
    "pause_id": 64, "patient_id": 32, "requester": 80, "site": 40, "unit": 40,
    "pathologist": 80, "consultant": 80, "asked": 80,
}  # fmt: skip
"""Characters that a name or number may have: as many as the columns it is looked up by."""


def check(fact: CaseFact) -> CaseFact:
    """The fact as it will be read again, times in UTC. Errors: Malformed, which names the field."""
    for at in dataclasses.fields(fact):
        value = getattr(fact, at.name)
        if isinstance(value, datetime) and not is_moment(value):
            raise Malformed(f"{type(fact).__name__}: does not fit @ $.{at.name}")
        texts = value if isinstance(value, tuple) else (value,)
        most = LONGEST.get(at.name, MOST_TEXT)
        if not all(is_text(text, most) for text in texts if isinstance(text, str)):
            raise Malformed(f"{type(fact).__name__}: does not fit @ $.{at.name}")
    return fact_from_json(type(fact).__name__, fact_json(fact))


def fact_json(fact: CaseFact) -> dict[str, Any]:
    """The fields of a fact, those that say nothing left out."""
    return to_plain(fact)


def fact_from_json(kind: str, data: Mapping[str, Any]) -> CaseFact:
    """A fact out of its kind and fields; Malformed names what does not fit, never its value."""
    found = FACTS.get(kind)
    if found is None:
        raise Malformed(f"there is no event {kind[:60]!r}; see docs/events.md")
    return from_plain(found, data)
