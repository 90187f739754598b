"""What the laboratory promises: targets and the rules of its clocks. All of it is data.

Every value can be configured (`storage.exchange.policy_json`), first of all those nobody has
stated and which are marked ASSUMED. A policy is never changed: a new version takes effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum

from storage.records.milestones import Distance, Priority, SpecimenClass


class TimeUnit(StrEnum):
    """What a target counts in."""

    WORKING_DAYS = "working_days"
    CALENDAR_DAYS = "calendar_days"
    MINUTES = "minutes"


class SourceMark(StrEnum):
    """How well founded a figure is."""

    STATED = "stated"
    """Read in the source that `basis` names."""
    ASSUMED = "assumed"
    """Ours, until the laboratory says otherwise."""


@dataclass(frozen=True, slots=True)
class Target:
    """Within `amount` units for `percent` of the cases it applies to. Errors: ValueError."""

    amount: int
    unit: TimeUnit
    percent: int = 90
    priority: Priority | None = None
    """None: any priority."""
    classes: tuple[SpecimenClass, ...] = ()
    """Empty: any class."""
    basis: str = ""
    mark: SourceMark = SourceMark.ASSUMED

    def __post_init__(self) -> None:
        least, most = (1, 100_000) if self.unit is TimeUnit.MINUTES else (0, 1000)
        _demand(least <= self.amount <= most, "amount")
        _demand(1 <= self.percent <= 100, "percent")

    def applies_to(self, priority: Priority, specimen_class: SpecimenClass) -> bool:
        """Whether a case of that priority and class is promised this."""
        return self.priority in (None, priority) and (
            not self.classes or specimen_class in self.classes
        )


@dataclass(frozen=True, slots=True)
class ClosingDay:
    """A day a site does not work though the country does; local date."""

    day: date
    name: str


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the promises. Errors: ValueError that begins with the field's name."""

    version: int
    effective_from: datetime
    """Aware; it holds for what is computed from then on."""
    targets: tuple[Target, ...]
    """The first that applies is the case's, so exceptions stand before the rule."""
    fallback: Target
    """For a case that none of the targets applies to."""
    digitisation: Mapping[Priority, Target] = field(hash=False)
    """Stained to readable, per slide."""
    consultation: Mapping[Distance, Target] = field(hash=False)
    """Requested to answered."""
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    """Working weekdays; Monday is 0. In some texts *hverdag* includes Saturday."""
    cutoff_hour: int | None = None
    """What comes at or after that local hour counts as come on the next working day."""
    closing_days: Mapping[str, tuple[ClosingDay, ...]] = field(default_factory=dict, hash=False)
    """By site, beside the public holidays."""
    warn_share: float = 0.7
    """Share of the allowed time that is used when a case is warned of."""
    exclude_external_consult: bool = False
    """Whether the net clock leaves out waiting for a consultation elsewhere."""
    backdated_after_minutes: int = 60
    """An event entered later than that after it happened is backdated."""
    pause_task_after_working_days: int = 5
    """A pause longer than that raises a task."""

    def __post_init__(self) -> None:
        _demand(self.version >= 1, "version")
        _demand(self.effective_from.tzinfo is not None, "effective_from")
        _demand(set(self.digitisation) == set(Priority), "digitisation")
        _demand(set(self.consultation) == set(Distance), "consultation")
        _demand(bool(self.weekdays) and set(self.weekdays) <= set(range(7)), "weekdays")
        _demand(self.cutoff_hour is None or 1 <= self.cutoff_hour <= 23, "cutoff_hour")
        _demand(0 < self.warn_share <= 1, "warn_share")
        _demand(self.backdated_after_minutes >= 0, "backdated_after_minutes")
        _demand(self.pause_task_after_working_days >= 0, "pause_task_after_working_days")


def target_for(policy: Policy, priority: Priority, specimen_class: SpecimenClass) -> Target:
    """What a case is promised: the first target that applies, or else the fallback."""
    for target in policy.targets:
        if target.applies_to(priority, specimen_class):
            return target
    return policy.fallback


def _demand(holds: bool, name: str) -> None:
    if not holds:
        raise ValueError(f"{name} is out of range")


_DAYS, _CALENDAR, _MINUTES = TimeUnit.WORKING_DAYS, TimeUnit.CALENDAR_DAYS, TimeUnit.MINUTES
_STATED, _ASSUMED = SourceMark.STATED, SourceMark.ASSUMED
_DPAS = "Danish Pathology Society, as stated by Hvidovre"
_CLASS = SpecimenClass
_CYTOLOGY = (_CLASS.CYTOLOGY, _CLASS.CYTOLOGY_CERVIX)
_SCAN = "stained to readable"
_REPLY = "a fully digital laboratory answers 88.9 % within 24 h"

_TARGETS = (
    Target(30, _MINUTES, 90, None, (_CLASS.FROZEN,), "Gävleborg, answer by phone", _STATED),
    # Decalcification takes its days whatever the priority: a target class, not a pause.
    Target(10, _CALENDAR, 90, None, (_CLASS.BONE_BIOPSY,), "RJAH, decalcified", _STATED),
    Target(21, _CALENDAR, 90, None, (_CLASS.BONE_RESECTION,), "RJAH, decalcified", _STATED),
    Target(1, _DAYS, 90, Priority.URGENT, (), "Manchester: 1 to 3 working days", _ASSUMED),
    Target(2, _DAYS, 90, Priority.PACKAGE, _CYTOLOGY, _DPAS, _STATED),
    Target(
        4, _DAYS, 90, Priority.PACKAGE, (_CLASS.CYTOLOGY_HEAD_NECK,),
        "Danish Health Authority; the percent is assumed", _STATED,
    ),
    Target(4, _DAYS, 90, Priority.PACKAGE, (_CLASS.BIOPSY,), _DPAS, _STATED),
    Target(7, _DAYS, 90, Priority.PACKAGE, (_CLASS.RESECTION,), _DPAS, _STATED),
    Target(
        5, _DAYS, 90, Priority.ROUTINE, (_CLASS.BIOPSY, _CLASS.RESECTION), "Hvidovre", _STATED
    ),
    Target(
        7, _DAYS, 90, Priority.ROUTINE, (_CLASS.CYTOLOGY_CERVIX,),
        "Hvidovre; the Danish Health Authority says 10", _STATED,
    ),
)  # fmt: skip

DEFAULT_POLICY = Policy(
    version=1,
    effective_from=datetime(2026, 1, 1, tzinfo=UTC),
    targets=_TARGETS,
    fallback=Target(5, _DAYS, 90, None, (), "as routine tissue"),
    digitisation={
        Priority.URGENT: Target(240, _MINUTES, 95, Priority.URGENT, (), _SCAN),
        Priority.PACKAGE: Target(480, _MINUTES, 95, Priority.PACKAGE, (), _SCAN),
        Priority.ROUTINE: Target(1440, _MINUTES, 95, Priority.ROUTINE, (), _SCAN),
    },
    consultation={
        Distance.INTERNAL: Target(1, _DAYS, 90, None, (), _REPLY),
        Distance.REGIONAL: Target(2, _DAYS, 90, None, (), _REPLY),
        Distance.NATIONAL: Target(5, _DAYS, 90, None, (), _REPLY),
        Distance.ABROAD: Target(5, _DAYS, 90, None, (), _REPLY),
    },
)
"""What holds until a laboratory says otherwise; sources with each target."""
