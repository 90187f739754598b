"""A month as it is published: frozen with the policy's version and the data it was made from."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from processing.turnaround.statistics import (
    AgeBucket,
    Figures,
    Group,
    Grouping,
    Selection,
    answered,
    figures,
    grouped,
    open_by_age,
)
from storage.records.milestones import Milestones
from storage.records.policy import Policy
from storage.records.published import DataCut

GROUPS = (
    (Grouping.PRIORITY,),
    (Grouping.SPECIMEN_CLASS,),
    (Grouping.PRIORITY, Grouping.SPECIMEN_CLASS),
    (Grouping.SITE,),
    (Grouping.UNIT,),
    (Grouping.PRIORITY, Grouping.SPECIMEN_CLASS, Grouping.SITE),
)
"""What a published month is told apart by."""


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """One month; the same cases, policy and cut give an equal one, at any time."""

    month: str
    """2026-03, of the stop."""
    policy_version: int
    cut: DataCut
    whole: Figures
    groups: tuple[tuple[Group, ...], ...]
    """In the order of GROUPS."""
    open: tuple[AgeBucket, ...]
    """At the cut, whenever received."""


def month_figures(
    policy: Policy, cases: Sequence[Milestones], month: tuple[int, int], cut: DataCut
) -> MonthFigures:
    """The figures of (year, month) from the cases as folded up to the cut; order is no matter.

    The estimate that includes open cases is beside it: `survival.survival`, with the same cut.
    """
    year, number = month
    selection = month_selection(year, number)
    those = answered(cases, selection)
    return MonthFigures(
        month=f"{year}-{number:02}",
        policy_version=policy.version,
        cut=cut,
        whole=figures(policy, those),
        groups=tuple(grouped(policy, those, by) for by in GROUPS),
        open=open_by_age(policy, cases, cut.at),
    )


def month_selection(year: int, month: int) -> Selection:
    """All cases of a calendar month."""
    return Selection(date(year, month, 1), date(year, month, monthrange(year, month)[1]))
