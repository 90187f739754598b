"""What checks find on a slide, and what follows from it: findings, policies, reports.

Boxes are in pixels of level 0. Words and figures are those of the policy; nothing here computes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from storage.records.milestones import Priority

Figure = float | int | str | None
SCHEMA = "qc-report/1"


class QualityState(StrEnum):
    """What a check, or all of them together, come to; the worst last but for the two unknowns."""

    PASS = "pass"  # noqa: S105 - a verdict
    REVIEW = "review"
    RESCAN = "rescan"
    NOT_EVALUATED = "not_evaluated"
    ERROR = "error"


class Basis(StrEnum):
    """What a check knows things by."""

    EXACT = "exact"
    """Counts what is there."""
    RULE = "rule"
    """A measure of pixels, by thresholds."""
    MODEL = "model"
    """Something that was trained."""


class ModelMode(StrEnum):
    """How far what a model says reaches; the first is the lowest."""

    TEST = "test"
    """Run by hand, on research cohorts only."""
    SILENT = "silent"
    """Run on every slide and kept for comparison; nobody who treats sees it."""
    VISIBLE_QC = "visible_qc"
    """Part of the quality report."""
    VISIBLE_SUPPORT = "visible_support"
    """Shown to those who read the slide."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the slide that a finding is about."""

    box: tuple[int, int, int, int]
    """x, y, width, height."""
    area_mm2: float | None = None
    most: float | None = None
    """The worst value inside, in the check's unit."""


@dataclass(frozen=True, slots=True)
class MapRef:
    """Where a map lies in the run, and what its cells mean: value = stored * scale + offset."""

    path: str
    sha256: str
    cell: int
    """Pixels of level 0 along a side of a cell: a power of two, so cells are pixels of a level."""
    columns: int
    rows: int
    scale: float = 1.0
    offset: float = 0.0
    nodata: int = 255
    classes: tuple[str, ...] = ()
    """Of a mask: what 1, 2, ... stand for; 0 is nothing."""


@dataclass(frozen=True, slots=True)
class ModelRef:
    """The very model that was asked."""

    model: str
    version: str
    sha256: str
    mode: ModelMode = ModelMode.VISIBLE_QC


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check has to say."""

    check: str
    version: str
    basis: Basis
    state: QualityState
    unit: str
    figures: Mapping[str, Any]
    """Of kind `Figure`: numbers, words, or nothing."""
    reason: str = ""
    """A rule that was broken (`bad_area_pct>2`), or the word why it was not evaluated."""
    thresholds: Mapping[str, float] | None = None
    model: ModelRef | None = None
    map: MapRef | None = None
    spots: tuple[Spot, ...] = ()
    limits: tuple[str, ...] = ()
    """What the reader of the finding must know, as words the screens translate."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """When a figure of a check asks for a look or for another scan."""

    check: str
    figure: str
    review: float | None
    rescan: float | None = None
    below: bool = False
    """True where small figures are the bad ones."""


@dataclass(frozen=True, slots=True)
class TriageRule:
    """When a figure of a check makes a case more urgent, or somebody else's subject."""

    check: str
    figure: str
    limit: float
    below: bool = False
    """True where small figures are the telling ones."""
    priority: Priority | None = None
    """At least this urgent; never less than it is."""
    subspecialty: str = ""
    """Proposed to people, as a note."""
    reason: str = ""
    """In the laboratory's words; the rule itself where there are none."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is asked of slides, of one scanner and stain or of all; a change is a new version."""

    policy_id: str
    version: int
    rules: tuple[Rule, ...]
    required: tuple[str, ...] = ()
    """Checks without which nothing passes."""
    off: tuple[str, ...] = ()
    """Checks that are not run."""
    validated: tuple[str, ...] = ()
    """Checks this site has validated: they may ask for another scan by themselves."""
    scanner: str = ""
    stain: str = ""
    triage: tuple[TriageRule, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyRef:
    """The policy a verdict was reached by."""

    policy_id: str
    version: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all findings come to."""

    state: QualityState
    reasons: tuple[tuple[str, str], ...] = ()
    """(check, the rule broken), the worst first."""
    required_missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QualityReport:
    """One run of the checks on one slide; never changed, another run is another report."""

    slide_id: str
    fingerprint: str
    root: str | None
    run_id: str
    at: datetime
    pipeline: str
    policy: PolicyRef
    size: tuple[int, int]
    mpp: float | None
    tissue_mm2: float | None
    tissue_examined: float | None
    """The part of the tissue that was looked at, 0 to 1."""
    verdict: Verdict
    findings: tuple[Finding, ...]
    cpu_seconds: float
    seconds: float
    scanner: str = ""
    stain: str = ""
    schema: str = SCHEMA


@dataclass(frozen=True, slots=True)
class HumanVerdict:
    """What a person said of a run after looking: `released` or `rejected`, and why."""

    state: str
    by: str
    note: str
    at: datetime
