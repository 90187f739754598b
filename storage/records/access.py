"""The one access decision: role, unit, relation to the case, purpose.

People, tokens, tiles, pages, streams and flows all ask `decide`. It says why as well, and that
reason is written into the access log beside what was done.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from storage.records.people import SVARTID, Principal, Right, Role, allowed


class Purpose(StrEnum):
    """What the data is wanted for; research and education come with their own rooms."""

    TREATMENT = "treatment"
    QUALITY = "quality"
    OPERATION = "operation"
    RESEARCH = "research"


class Basis(StrEnum):
    """What a permission rests on."""

    ROLE = "role"
    """No patient is concerned, or the slide belongs to no case."""
    UNIT = "unit"
    """The case is treated in the person's own unit."""
    ASSIGNED = "assigned"
    CONSULTED = "consulted"
    OPERATION = "operation"
    """A flow of svartid itself, or a device that tells what it did."""


@dataclass(frozen=True, slots=True)
class Relation:
    """How somebody stands to a case."""

    same_unit: bool = False
    assigned: bool = False
    consulted: bool = False
    """Asked for an opinion that has not been withdrawn."""
    unidentified: bool = False
    """An image that has not found its glass: it may show anybody's name."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether, and on what basis; an empty basis is a refusal."""

    basis: Basis | None

    def __bool__(self) -> bool:
        return self.basis is not None


REFUSED = Decision(None)
TREATING = (Role.PATHOLOGIST, Role.TECHNICIAN, Role.SECRETARY)
"""Roles for which the unit is reason enough."""
GIVING_OPINIONS = (Role.PATHOLOGIST, Role.CONSULTANT)
"""A consultation may ask a whole unit; not everybody there is a physician."""
_FOR_CONSULTED = (Right.READ_SLIDES, Right.READ_CASES, Right.ANNOTATE)
_OF_FLOWS = (Right.READ_CASES, Right.ASSIGN, Right.DO_WORK)
"""What happens by itself: reports are delivered, cases given away, images find their glass."""
_PERSONAL = (Right.REPORT,)
"""Rights that only the responsible pathologist has over a case."""


def decide(
    principal: Principal | None,
    right: Right,
    relation: Relation | None = None,
    purpose: Purpose = Purpose.TREATMENT,
) -> Decision:
    """May `principal` do it; `relation` None: no case is concerned.

    Roles without a part in treatment never reach a case, whatever their unit: operating svartid
    needs no patient data. Break-glass will be one more basis here.
    """
    if principal is SVARTID:
        own = purpose is Purpose.OPERATION and right in _OF_FLOWS
        return Decision(Basis.OPERATION) if own else REFUSED
    if principal is None or not allowed(principal, right):
        return Decision(Basis.ROLE) if right is Right.PUBLIC else REFUSED
    if relation is None:
        return Decision(Basis.ROLE)
    if purpose is not Purpose.TREATMENT and purpose is not Purpose.QUALITY:
        return REFUSED
    if relation.unidentified:  # somebody's, and nobody knows whose: for those who find out
        return Decision(Basis.UNIT) if allowed(principal, Right.RUN_LAB) else REFUSED
    consulted = relation.consulted and principal.role in GIVING_OPINIONS
    if right is Right.ANSWER:
        return Decision(Basis.CONSULTED) if consulted else REFUSED
    if relation.assigned and principal.role is Role.PATHOLOGIST:
        return Decision(Basis.ASSIGNED)
    if consulted and right in _FOR_CONSULTED:
        return Decision(Basis.CONSULTED)
    if principal.role is Role.DEVICE:  # tells what happened, and is shown nothing
        own = relation.same_unit or not principal.unit
        return Decision(Basis.OPERATION) if own and right is Right.DO_WORK else REFUSED
    if principal.role is Role.NODE:  # one without a unit serves them all
        own = relation.same_unit or not principal.unit
        return Decision(Basis.OPERATION) if own and right is Right.READ_SLIDES else REFUSED
    if right in _PERSONAL or not relation.same_unit or principal.role not in TREATING:
        return REFUSED
    return Decision(Basis.UNIT)
