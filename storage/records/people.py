"""Who asks: people, programs and devices, and what their role lets them do at all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """One role a person, at one unit."""

    PATHOLOGIST = "pathologist"
    TECHNICIAN = "technician"
    SECRETARY = "secretary"
    OPS = "ops"
    ADMINISTRATOR = "administrator"
    CONSULTANT = "consultant"
    RESEARCHER = "researcher"
    GUEST = "guest"
    DEVICE = "device"
    """A scanner or a laboratory system: hands in, is handed work, reads nothing."""
    NODE = "node"
    """A PACS, an archive, another hospital: hands images in and is shown images, no more."""


class Right(StrEnum):
    """What a route or a command asks for; every route names exactly one."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    READ_SLIDES = "read_slides"
    ANNOTATE = "annotate"
    """Draw and write on a slide that one reads."""
    DELIVER_SLIDES = "deliver_slides"
    OPERATE = "operate"
    READ_CASES = "read_cases"
    ENTER_CASES = "enter_cases"
    """Order, receive and expect by hand; change priority; cancel."""
    RUN_LAB = "run_lab"
    """Scan, rescan, match unknown glasses, fulfil orders."""
    DO_WORK = "do_work"
    """Take work items and say what became of them: scanners and laboratory systems."""
    JUDGE_QUALITY = "judge_quality"
    """Look at what the checks found, and release the image or not."""
    REPORT = "report"
    """Read as the responsible pathologist: order, ask, write, sign."""
    ANSWER = "answer"
    """Give an opinion on a case that one was asked about."""
    ASSIGN = "assign"
    """Decide whose case it is, and overrule the routing."""
    SEE_TURNAROUND = "see_turnaround"
    """Figures without patients."""
    REPAIR = "repair"
    """Settle what was set aside."""
    MANAGE = "manage"
    """Goals, calendars, people, published months."""
    APPROVE_MODELS = "approve_models"
    """See what a model says of itself, and say in one's own name that it may rise."""
    SEE_SILENT = "see_silent"
    """See what models said that nobody who treats may see."""
    SEE_COHORTS = "see_cohorts"
    """Research sets: slides without anybody's name."""


_LAB = {Right.READ_SLIDES, Right.DELIVER_SLIDES, Right.READ_CASES, Right.ENTER_CASES}
_RIGHTS: dict[Role, frozenset[Right]] = {
    Role.PATHOLOGIST: frozenset(
        {Right.READ_SLIDES, Right.READ_CASES, Right.ENTER_CASES, Right.REPORT, Right.ANSWER}
        | {Right.ASSIGN, Right.SEE_TURNAROUND, Right.ANNOTATE, Right.JUDGE_QUALITY}
        | {Right.APPROVE_MODELS}
    ),
    Role.TECHNICIAN: frozenset(
        _LAB
        | {Right.RUN_LAB, Right.DO_WORK, Right.REPAIR, Right.SEE_TURNAROUND}
        | {Right.JUDGE_QUALITY}
    ),
    Role.SECRETARY: frozenset(
        {Right.READ_CASES, Right.ENTER_CASES, Right.ASSIGN, Right.REPAIR, Right.SEE_TURNAROUND}
    ),
    Role.OPS: frozenset(
        {Right.READ_SLIDES, Right.DELIVER_SLIDES, Right.OPERATE, Right.SEE_TURNAROUND}
        | {Right.APPROVE_MODELS, Right.SEE_SILENT, Right.SEE_COHORTS}
    ),
    Role.ADMINISTRATOR: frozenset(
        {Right.READ_SLIDES, Right.DELIVER_SLIDES, Right.OPERATE, Right.SEE_TURNAROUND}
        | {Right.MANAGE, Right.APPROVE_MODELS, Right.SEE_SILENT, Right.SEE_COHORTS}
    ),
    Role.CONSULTANT: frozenset({Right.READ_SLIDES, Right.READ_CASES, Right.ANSWER, Right.ANNOTATE}),
    Role.RESEARCHER: frozenset({Right.SEE_COHORTS}),
    Role.GUEST: frozenset(),
    Role.DEVICE: frozenset({Right.DELIVER_SLIDES, Right.DO_WORK}),
    Role.NODE: frozenset({Right.READ_SLIDES, Right.DELIVER_SLIDES}),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever makes a request, and the session or token it came with."""

    name: str
    role: Role
    session: str
    """Opaque and not secret: names the session in the access log."""
    site: str = ""
    unit: str = ""


SVARTID = Principal("svartid", Role.OPS, "flow")
"""svartid itself, in its flows; nobody who signs in is this very object."""


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person as others see them: who a case may go to."""

    name: str
    role: Role
    full_name: str
    site: str
    unit: str
    subspecialties: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    absent: bool = False

    @property
    def shown(self) -> str:
        """What to call them on a screen."""
        return self.full_name or self.name


def allowed(principal: Principal | None, right: Right) -> bool:
    """Whether the role has the right at all; of whose case is decided by `access.decide`."""
    if right is Right.PUBLIC:
        return True
    if principal is None:
        return False
    return right is Right.SIGNED_IN or right in _RIGHTS[principal.role]
