"""What a program that judges pictures may tell of a case: that it is more urgent, or a note.

It never lowers a priority, hides, withdraws, asks for anything, or signs: whatever else is told by
an actor `ai:...` is refused where facts are recorded, in whichever way they come.
"""

from __future__ import annotations

from typing import Final

from storage.records.case import Case
from storage.records.case_events import Happened, PriorityChanged
from storage.records.case_words import Severity
from storage.records.reading_events import FlagRaised

PREFIX: Final = "ai:"
REFUSED: Final = "ai_may_not"
KINDS: Final = (PriorityChanged.__name__, FlagRaised.__name__)
"""All that is ever in the log by such an actor."""
_MOST = 80


def ai_actor(name: str, version: str) -> str:
    """`ai:NAME@VERSION`: a model, or a check that works by rules. Errors: ValueError, too long."""
    actor = f"{PREFIX}{name}@{version}"
    if len(actor) > _MOST:
        raise ValueError(f"name and version of a model have at most {_MOST - 4} letters")
    return actor


def is_ai(actor: str) -> bool:
    """Whether such a program speaks, however it writes its name."""
    return actor.strip().lower().startswith(PREFIX)


def ai_refusal(case: Case, told: Happened) -> str:
    """Why it may not tell this of the case; empty when it may, or when somebody else tells."""
    if not is_ai(told.actor):
        return ""
    if told.occurred_at > told.received_at:
        return REFUSED  # what a person says until then would count as said before it
    match told.fact:
        case PriorityChanged(priority=priority):
            return "" if priority.rank > case.priority.rank else REFUSED
        case FlagRaised(severity=Severity.NOTE):
            return ""
    return REFUSED
