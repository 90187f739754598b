"""All annotations of one author on a slide, as they are now: what goes into one DICOM object."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from storage.annotations_codec import Block
from storage.records.annotation import Annotation, AnnotationGroup, Origin


@dataclass(frozen=True, slots=True)
class Creator:
    """Whose annotations they are."""

    author: str
    """As signed in with, or as a file says."""
    shown: str
    """The name people know them by."""
    origin: Origin


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one creator has on a slide."""

    creator: Creator
    number: int
    """Of the creator among those of the slide, from 1; it never changes."""
    revision: int
    """The newest event about any of them."""
    at: datetime
    """When that was."""
    single: tuple[Annotation, ...]
    groups: tuple[tuple[AnnotationGroup, Callable[[], Iterator[Block]]], ...] = ()
    """With what gives their blocks."""

    @property
    def count(self) -> int:
        """Annotations on it."""
        return len(self.single) + sum(group.count for group, _ in self.groups)
