"""What a model has to have shown before it may be heard by those who treat: counts of slides.

Slides that people had judged, in silent mode, by scanner and stain. Pure. The interval is Wilson's
(https://doi.org/10.1080/01621459.1927.10502953).
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.records.proportion import wilson

LEAST_SLIDES, LEAST_FAILURES = 300, 30
MOST_WORSE = 0.05
"""As much worse than what is active now the model may be for any scanner and stain."""


@dataclass(frozen=True, slots=True)
class EvidenceGroup:
    """Counts for one scanner and stain, and what is active there now, where anything is."""

    scanner: str
    stain: str
    slides: int
    failures: int
    """Slides that people found bad, or with the finding that the model looks for."""
    found: int
    """Of these, those that the model found."""
    false_alarms: int
    """Others that it named."""
    active_sensitivity: float | None = None
    active_specificity: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All groups, and where the slides came from and who judged them."""

    source: str
    groups: tuple[EvidenceGroup, ...]

    def total(self, what: str) -> int:
        """A count over all groups."""
        return sum(int(getattr(at, what)) for at in self.groups)

    @property
    def sensitivity(self) -> tuple[float, float, float]:
        """Share, lower and upper end of the 95 % interval."""
        return wilson(self.total("found"), self.total("failures"))

    @property
    def specificity(self) -> tuple[float, float, float]:
        """The same of slides without the finding that were left alone."""
        good = self.total("slides") - self.total("failures")
        return wilson(good - self.total("false_alarms"), good)


def lacking(evidence: Evidence) -> str:
    """Why it is not enough, in words; empty where it is."""
    if not evidence.source.strip():
        return "source says where the slides came from and who judged them"
    for at in evidence.groups:
        good = at.slides - at.failures
        if not (0 <= at.found <= at.failures <= at.slides and 0 <= at.false_alarms <= good):
            return f"the counts of {at.scanner} {at.stain} contradict each other"
    if evidence.total("slides") < LEAST_SLIDES or evidence.total("failures") < LEAST_FAILURES:
        return f"it takes {LEAST_SLIDES} slides, {LEAST_FAILURES} of them with the finding"
    for at in evidence.groups:
        shares = (
            ("sensitivity", at.found, at.failures, at.active_sensitivity),
            ("specificity", at.slides - at.failures - at.false_alarms, at.slides - at.failures,
             at.active_specificity),
        )  # fmt: skip
        for name, hits, tries, active in shares:
            if active is not None and tries and hits / tries < active - MOST_WORSE:
                return f"{name} for {at.scanner} {at.stain} is worse than what is active now"
    return ""
