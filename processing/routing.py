"""Which pathologist a case goes to: rules that forbid, scores that prefer, and why. Pure.

Forbidden: another unit, another role, the absent, whoever asked for the examination, whoever has
been asked for a second opinion on it. Preferred: whom it costs least. A cost is counted in cases:
what somebody has to read already, more for a subspecialty or a language that does not fit. Equal
costs go by name, so the same facts give the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from storage.records.milestones import Priority
from storage.records.people import Colleague, Role


class Rule(StrEnum):
    """Why somebody, or why not; words that screens translate."""

    NOT_A_PATHOLOGIST = "not_a_pathologist"
    OTHER_UNIT = "other_unit"
    ABSENT = "absent"
    REQUESTER = "requester"
    CONSULTED = "consulted"
    ONLY_ONE = "only_one"
    LOAD = "load"
    SUBSPECIALTY = "subspecialty"
    LANGUAGE = "language"
    NAME = "name"
    """Nothing else tells them apart."""


FORBIDDING = (
    Rule.NOT_A_PATHOLOGIST, Rule.OTHER_UNIT, Rule.ABSENT, Rule.REQUESTER, Rule.CONSULTED,
)  # fmt: skip
_OTHER_FIELD, _NO_FIELD, _OTHER_LANGUAGE = 8.0, 4.0, 6.0
"""What it costs, in cases, to give a case to somebody of another field, of none, or to somebody
who does not read the language it was written in."""
_HURRY = {Priority.URGENT: 0.25, Priority.PACKAGE: 0.75, Priority.ROUTINE: 1.0}
"""How much a field counts: what is urgent goes to whoever has time."""
_HOME = "da"


@dataclass(frozen=True, slots=True)
class Demand:
    """What a case asks for."""

    unit: str
    subspecialty: str = ""
    language: str = _HOME
    priority: Priority = Priority.ROUTINE
    requester: str = ""
    consulted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody, and the weight of the open cases they have."""

    colleague: Colleague
    load: float = 0.0


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule, and by how many cases it told in favour of the chosen one."""

    rule: Rule
    by: float = 0.0


@dataclass(frozen=True, slots=True)
class Routing:
    """The pathologist (empty: nobody may have it), why, and why not the others.

    The first reason decided. Of the others each has one: the rule that forbids, or that tells most.
    """

    pathologist: str
    why: tuple[Reason, ...]
    others: tuple[tuple[str, Reason], ...]


def route(demand: Demand, candidates: Sequence[Candidate]) -> Routing:
    """Choose among the candidates."""
    out = [(at.colleague.name, Reason(rule)) for at in candidates if (rule := _bar(demand, at))]
    barred = {name for name, _ in out}
    fit = [at for at in candidates if at.colleague.name not in barred]
    if not fit:
        return Routing("", (), tuple(sorted(out)))
    ranked = sorted(fit, key=lambda at: (_cost(demand, at), at.colleague.name))
    chosen, rest = ranked[0], ranked[1:]
    passed = [(at.colleague.name, _reasons(demand, chosen, at)[0]) for at in rest]
    why = _reasons(demand, chosen, rest[0]) if rest else (Reason(Rule.ONLY_ONE),)
    return Routing(chosen.colleague.name, why, (*passed, *sorted(out)))


def _bar(demand: Demand, at: Candidate) -> Rule | None:
    """The first rule that forbids."""
    who = at.colleague
    if who.role is not Role.PATHOLOGIST:
        return Rule.NOT_A_PATHOLOGIST
    if not demand.unit or who.unit != demand.unit:
        return Rule.OTHER_UNIT
    if who.absent:
        return Rule.ABSENT
    asked = demand.requester.strip().casefold()
    if asked and asked in (who.name.casefold(), who.full_name.strip().casefold()):
        return Rule.REQUESTER
    return Rule.CONSULTED if who.name in demand.consulted else None


def _costs(demand: Demand, at: Candidate) -> dict[Rule, float]:
    who = at.colleague
    field = 0.0
    if demand.subspecialty and demand.subspecialty not in who.subspecialties:
        field = _OTHER_FIELD if who.subspecialties else _NO_FIELD
    read = who.languages or (_HOME,)
    return {
        Rule.SUBSPECIALTY: field * _HURRY[demand.priority],
        Rule.LANGUAGE: 0.0 if demand.language in read else _OTHER_LANGUAGE,
        Rule.LOAD: at.load,
    }


def _cost(demand: Demand, at: Candidate) -> float:
    return round(sum(_costs(demand, at).values()), 6)


def _reasons(demand: Demand, chosen: Candidate, other: Candidate) -> tuple[Reason, ...]:
    """What tells for the chosen one against another, most first; the name where nothing does."""
    mine, theirs = _costs(demand, chosen), _costs(demand, other)
    gains = [Reason(rule, round(theirs[rule] - mine[rule], 2)) for rule in mine]
    told = sorted((at for at in gains if at.by > 0), key=lambda at: -at.by)
    equal = _cost(demand, chosen) == _cost(demand, other)
    return (Reason(Rule.NAME),) if equal or not told else tuple(told)
