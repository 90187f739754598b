"""What findings say of a case's turn: more urgent, or somebody else's subject; with the reason.

Only up and only proposed: nothing here can lower, hide, withdraw or sign, and what records it
refuses anything else (`storage.records.ai_rules`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from storage.records.ai_rules import ai_actor
from storage.records.case_events import PriorityChanged
from storage.records.case_words import Severity
from storage.records.milestones import Priority
from storage.records.models import VISIBLE
from storage.records.quality import Finding, QualityState, TriageRule
from storage.records.reading_events import FlagRaised

_EVALUATED = (QualityState.PASS, QualityState.REVIEW, QualityState.RESCAN)


@dataclass(frozen=True, slots=True)
class Standing:
    """The case as it is before anything is proposed."""

    priority: Priority
    subspecialty: str
    barcode: str
    """Of the glass the findings are about."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One thing to be told of the case, and by whom."""

    actor: str
    fact: PriorityChanged | FlagRaised


def proposals(
    findings: Iterable[Finding], rules: Sequence[TriageRule], case: Standing, run_id: str
) -> list[Proposal]:
    """What to tell of a case after a run: at most one priority, the highest, and notes.

    Findings of models that may not be seen, or that were not evaluated, say nothing.
    """
    heard = {at.check: at for at in findings if _is_heard(at)}
    fired = [
        (rule, heard[rule.check])
        for rule in rules
        if rule.check in heard and _is_broken(rule, heard[rule.check])
    ]
    return [*_priority(fired, case), *_notes(fired, case, run_id)]


def _priority(fired: Sequence[tuple[TriageRule, Finding]], case: Standing) -> Iterator[Proposal]:
    best, by = case.priority, None
    for rule, finding in fired:
        if rule.priority is not None and rule.priority.rank > best.rank:
            best, by = rule.priority, (rule, finding)
    if by is not None:
        yield Proposal(_who(by[1]), PriorityChanged(best, _why(by[0])))


def _notes(
    fired: Sequence[tuple[TriageRule, Finding]], case: Standing, run_id: str
) -> Iterator[Proposal]:
    told = {case.subspecialty, ""}
    for number, (rule, finding) in enumerate(fired):
        if rule.subspecialty not in told:
            told.add(rule.subspecialty)
            text = f"{rule.subspecialty}? {_why(rule)}"
            flag = FlagRaised(f"{run_id[:24]}-{number}", Severity.NOTE, text, case.barcode)
            yield Proposal(_who(finding), flag)


def _is_heard(finding: Finding) -> bool:
    mode = finding.model.mode if finding.model else None
    return finding.state in _EVALUATED and (mode is None or mode in VISIBLE)


def _is_broken(rule: TriageRule, finding: Finding) -> bool:
    value = finding.figures.get(rule.figure)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value < rule.limit if rule.below else value > rule.limit


def _why(rule: TriageRule) -> str:
    sign = "<" if rule.below else ">"
    return rule.reason.strip() or f"{rule.check}: {rule.figure}{sign}{rule.limit:g}"


def _who(finding: Finding) -> str:
    if finding.model is None:
        return ai_actor(finding.check, finding.version)
    return ai_actor(finding.model.model, finding.model.version)
