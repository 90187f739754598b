"""Rules of forwarding and series on their way, as JSON: nothing of a patient."""

from __future__ import annotations

from typing import Any

from storage.records.forwarding import Forward, ForwardRule, ForwardState, ForwardWhat

_CONDITIONS = tuple(name for name in ForwardWhat.__slots__ if name != "on")


def forward_json(at: Forward) -> dict[str, Any]:
    """A series on its way to a node."""
    waits = at.state is ForwardState.WAITING
    return {
        "forward_id": at.forward_id,
        "peer": at.peer,
        "series_uid": at.series_uid,
        "modality": at.modality,
        "slide_id": at.slide_id,
        "state": at.state.value,
        "attempts": at.attempts,
        "reason": at.reason,
        "failed": at.failed,
        "objects": at.objects,
        "done": len(at.done),
        "created_at": at.created_at.isoformat(),
        "next_at": at.next_at.isoformat() if waits else None,
        "sent_at": at.sent_at.isoformat() if at.sent_at else None,
    }


def rule_json(at: ForwardRule) -> dict[str, Any]:
    """A rule with its conditions; an empty list is any."""
    conditions = {name: list(getattr(at.what, name)) for name in _CONDITIONS}
    about = {"rule_id": at.rule_id, "peer": at.peer, "on": at.what.on.value, "active": at.active}
    made = {"created_at": at.created_at.isoformat(), "created_by": at.created_by}
    return about | conditions | made
