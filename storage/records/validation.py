"""On what a site lets a check ask for another scan by itself: a count of slides, not an opinion."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_SLIDES, LEAST_FAILURES = 300, 30
"""Slides read by people, and bad ones among them, below which nothing can be said of a check."""


@dataclass(frozen=True, slots=True)
class Validation:
    """What a check said of slides that people had judged."""

    check: str
    slides: int
    failures: int
    """Slides that people found bad."""
    found: int
    """Bad ones that the check asked to be scanned again."""
    false_alarms: int
    """Good ones that it did."""
    sensitivity: tuple[float, float, float]
    """Share, and the lower and upper end of Wilson's 95 % interval."""
    specificity: tuple[float, float, float]
    note: str = ""
    """Where the slides came from, who read them."""
    forced: str = ""
    """Why it counts although the slides are too few; empty where they are not."""

    @property
    def is_enough(self) -> bool:
        """Whether the slides are as many as they have to be."""
        return self.slides >= LEAST_SLIDES and self.failures >= LEAST_FAILURES
