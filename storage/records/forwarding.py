"""What goes to another node by itself: the rules of it, and how far each series is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ForwardOn(StrEnum):
    """What has to happen before a series is sent."""

    SLIDE_COMPLETE = "slide_complete"
    """Every level is stored and proven, and the slide has found its glass."""
    FINAL_REPORT = "final_report"
    """Its case is answered; what comes to an answered case goes as well."""
    SERIES_RECEIVED = "series_received"
    """Another node has sent it, and it is whole."""


@dataclass(frozen=True, slots=True)
class ForwardWhat:
    """Which series a rule means: what happened, and conditions that all hold; empty is any."""

    on: ForwardOn
    modalities: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    stains: tuple[str, ...] = ()
    received_from: tuple[str, ...] = ()
    """Who handed it in: a node, a scanner, a person."""


@dataclass(frozen=True, slots=True)
class ForwardRule:
    """Series of that kind go to that node."""

    rule_id: str
    peer: str
    what: ForwardWhat
    active: bool
    created_at: datetime
    created_by: str
    seen: int = 0
    """How far the rule has read the log: what is older than the rule is not sent."""


class ForwardState(StrEnum):
    """How far a series is on its way to a node."""

    WAITING = "waiting"
    SENT = "sent"
    """The node has said of every object that it is stored."""
    KEPT = "kept"
    """The node has taken over the keeping of every object (storage commitment)."""
    REFUSED = "refused"
    """It will not be sent, and trying again would not help; a person may send it again."""


@dataclass(frozen=True, slots=True)
class Forward:
    """One series on its way to one node, without anything of a patient."""

    forward_id: str
    peer: str
    series_uid: str
    modality: str
    slide_id: str | None
    state: ForwardState
    attempts: int
    reason: str
    """Why it waits or was refused, in a word."""
    failed: str
    """The object it failed at, by SOPInstanceUID; empty where it was not an object's fault."""
    objects: int
    done: tuple[str, ...]
    """SOPInstanceUIDs of those the node has said are stored."""
    created_at: datetime
    next_at: datetime
    sent_at: datetime | None
