"""What happens to annotations, and how their state follows from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from storage.records.annotation import BY_HAND, Annotation, Content, Origin


@dataclass(frozen=True, slots=True)
class AnnotationDrawn:
    """A new one."""

    slide_id: str
    content: Content
    author: str
    drawn_at: datetime
    origin: Origin = BY_HAND


@dataclass(frozen=True, slots=True)
class AnnotationChanged:
    """It looks, or says, otherwise now."""

    content: Content


@dataclass(frozen=True, slots=True)
class AnnotationRemoved:
    """It is not shown any more; nothing of it is lost."""


@dataclass(frozen=True, slots=True)
class AnnotationRestored:
    """It is shown again."""


AnnotationFact = AnnotationDrawn | AnnotationChanged | AnnotationRemoved | AnnotationRestored
FACTS: dict[str, type[AnnotationFact]] = {
    kind.__name__: kind
    for kind in (AnnotationDrawn, AnnotationChanged, AnnotationRemoved, AnnotationRestored)
}


@dataclass(frozen=True, slots=True)
class Happened:
    """A fact with who said it and when."""

    fact: AnnotationFact
    by: str
    at: datetime


def drawn(annotation_id: str, fact: AnnotationDrawn) -> Annotation:
    """The state after the first event."""
    return Annotation(annotation_id, fact.content, fact.author, fact.drawn_at, fact.origin)


def refusal(state: Annotation, fact: AnnotationFact) -> str:
    """Why the fact cannot follow, in a word; empty when it can."""
    match fact:
        case AnnotationChanged(content):
            if state.removed:
                return "annotation_removed"
            return "annotation_locked" if state.content.locked and content.locked else ""
        case AnnotationRemoved():
            if state.removed:
                return "annotation_removed"
            return "annotation_locked" if state.content.locked else ""
        case AnnotationRestored():
            return "" if state.removed else "annotation_there"
        case AnnotationDrawn():
            return "annotation_there"


def after(state: Annotation, happened: Happened) -> Annotation:
    """The state after one more event."""
    changed = replace(
        state, version=state.version + 1, changed_by=happened.by, changed_at=happened.at
    )
    match happened.fact:
        case AnnotationChanged(content):
            return replace(changed, content=content)
        case AnnotationRemoved():
            return replace(changed, removed=True)
        case _:
            return replace(changed, removed=False)
