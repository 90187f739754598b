"""What happened to a case as JSON: the kind's name and its fields, in log and API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storage.errors import Malformed
from storage.exchange.plain import from_plain, to_plain
from storage.records.case_events import FACTS, CaseFact


def fact_json(fact: CaseFact) -> dict[str, Any]:
    """The fields of a fact, those that say nothing left out."""
    return to_plain(fact)


def fact_from_json(kind: str, data: Mapping[str, Any]) -> CaseFact:
    """A fact out of its kind and fields; Malformed names what does not fit, never its value."""
    found = FACTS.get(kind)
    if found is None:
        raise Malformed(f"there is no event {kind[:60]!r}; see docs/events.md")
    return from_plain(found, data)
