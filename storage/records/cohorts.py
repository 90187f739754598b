"""Research sets: slides chosen by a query, each under a name that tells nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class CohortQuery:
    """Which slides; empty asks for any."""

    stain: str = ""
    scanner: str = ""
    verdict: str = ""
    """Of the newest run of the checks."""
    since: date | None = None
    """Received on this day (UTC) or later; an export tells the range, and no other day."""
    until: date | None = None
    most: int = 10_000


@dataclass(frozen=True, slots=True)
class CohortMember:
    """One slide of a set."""

    pseudonym: str
    """Random; the slide's own id stands beside it in our database, and nowhere else."""
    slide_id: str
    root: str
    stain: str
    scanner: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Cohort:
    """A version of a set; never changed."""

    name: str
    version: int
    query: CohortQuery
    members: tuple[CohortMember, ...]
    sha256: str
    """Of the query and of pseudonyms with what is told of each."""
    at: datetime
    by: str

    def counts(self, what: str) -> Mapping[str, int]:
        """How many members by `stain`, `scanner` or `verdict`."""
        words = [str(getattr(at, what)) or "unknown" for at in self.members]
        return {word: words.count(word) for word in sorted(set(words))}
