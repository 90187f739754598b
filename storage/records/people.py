"""Who asks: people and programs, and what their role lets them do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """One role a person; the unit and the relation to a case come with Cases."""

    PATHOLOGIST = "pathologist"
    TECHNICIAN = "technician"
    SECRETARY = "secretary"
    OPS = "ops"
    ADMINISTRATOR = "administrator"
    CONSULTANT = "consultant"
    RESEARCHER = "researcher"
    GUEST = "guest"


class Right(StrEnum):
    """What a route or a command asks for; every route names exactly one."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    READ_SLIDES = "read_slides"
    DELIVER_SLIDES = "deliver_slides"
    OPERATE = "operate"


_RIGHTS: dict[Role, frozenset[Right]] = {
    Role.PATHOLOGIST: frozenset({Right.READ_SLIDES}),
    Role.TECHNICIAN: frozenset({Right.READ_SLIDES, Right.DELIVER_SLIDES}),
    Role.SECRETARY: frozenset(),
    Role.OPS: frozenset({Right.READ_SLIDES, Right.DELIVER_SLIDES, Right.OPERATE}),
    Role.ADMINISTRATOR: frozenset({Right.READ_SLIDES, Right.DELIVER_SLIDES, Right.OPERATE}),
    Role.CONSULTANT: frozenset(),
    Role.RESEARCHER: frozenset(),
    Role.GUEST: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever makes a request, and the session or token it came with."""

    name: str
    role: Role
    session: str
    """Opaque and not secret: names the session in the access log."""


def allowed(principal: Principal | None, right: Right) -> bool:
    """The one access decision; roles without a grant get nothing (least privilege)."""
    if right is Right.PUBLIC:
        return True
    if principal is None:
        return False
    return right is Right.SIGNED_IN or right in _RIGHTS[principal.role]
