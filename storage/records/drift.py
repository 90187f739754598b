"""What tells whether a scanner, or a model behind a check, still measures as it did.

Figures are those of quality reports in their units; scores are in standard deviations of the
baseline. Times are aware.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Series(StrEnum):
    """Whose slides a standing is about."""

    CASES = "cases"
    """What came to be scanned: scanner, laboratory and case mix together."""
    REFERENCE = "reference"
    """The scanner's own glass, scanned every day: the scanner alone."""


class DriftState(StrEnum):
    """How a figure stands against its baseline."""

    LEARNING = "learning"
    """Too few slides yet for a baseline."""
    STEADY = "steady"
    SHIFTED = "shifted"
    """The last week is spread otherwise (PSI)."""
    OUT = "out"
    """The smoothed figure has left its limits (EWMA)."""


BREACHED = (DriftState.SHIFTED, DriftState.OUT)


@dataclass(frozen=True, slots=True)
class Observation:
    """What one run of the checks adds: the newest run of a slide."""

    run_id: str
    at: datetime
    group: str
    """The case, or the slide itself: slides of one case are alike and count as one a day."""
    figures: Mapping[str, float]
    """By the names of `processing.quality_drift.figures`."""
    alarm: bool
    """The verdict was review or rescan."""
    judged: bool
    """A person has said something of the run."""
    released: bool
    """... and that the slide is good."""
    alarms: Mapping[str, bool] = field(default_factory=dict)
    """Of every check that was evaluated: whether it asked for a look or another scan."""
    models: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Of checks that asked a model: its name and version."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One scanner and stain."""

    scanner: str
    stain: str
    series: Series = Series.CASES


@dataclass(frozen=True, slots=True)
class Point:
    """The smoothed score after a slide, a day or a batch."""

    at: datetime
    score: float
    limit: float


@dataclass(frozen=True, slots=True)
class Standing:
    """One figure of one channel, against its baseline."""

    channel: Channel
    figure: str
    """`focus_p50`, ..., `alarm_rate`, `override_rate`, or `alarm:CHECK`."""
    state: DriftState
    learnt: int
    """How many observations the baseline rests on."""
    baseline: float | None = None
    """Its median, or its rate."""
    latest: float | None = None
    """The same of the last week."""
    recent: int = 0
    """Observations in the last week."""
    psi: float | None = None
    psi_limit: float | None = None
    since: datetime | None = None
    """When the smoothed score left its limits."""
    points: tuple[Point, ...] = ()
    checks: tuple[str, ...] = ()
    """The checks it is a figure of."""
    models: tuple[tuple[str, str], ...] = ()
    """The models (name, version) behind those checks lately."""

    @property
    def breached(self) -> bool:
        """Whether somebody should look."""
        return self.state in BREACHED


@dataclass(frozen=True, slots=True)
class Breach:
    """A standing that has been out since `began_at`; `ended_at` None while it still is."""

    breach_id: str
    channel: Channel
    figure: str
    state: DriftState
    began_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A glass that is scanned every day on one scanner; `barcode` may end in `*`."""

    scanner: str
    barcode: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MissingReference:
    """Slides were scanned on `day`, and the scanner's reference glass was not."""

    scanner: str
    day: str
