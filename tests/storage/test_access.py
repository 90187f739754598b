"""The access decision against a table written from the roles' duties: every combination."""

from __future__ import annotations

import itertools

import pytest

from storage.records.access import Basis, Decision, Purpose, Relation, decide
from storage.records.people import SVARTID, Principal, Right, Role

EVERYBODY = {Right.PUBLIC, Right.SIGNED_IN}
WITHOUT_A_CASE = {
    Role.PATHOLOGIST: "read_slides read_cases enter_cases report answer assign see_turnaround "
    "annotate judge_quality approve_models",
    Role.TECHNICIAN: "read_slides deliver_slides read_cases enter_cases run_lab do_work repair "
    "see_turnaround judge_quality",
    Role.SECRETARY: "read_cases enter_cases assign repair see_turnaround",
    Role.OPS: "read_slides deliver_slides operate see_turnaround approve_models see_silent "
    "see_cohorts",
    Role.ADMINISTRATOR: "read_slides deliver_slides operate see_turnaround manage "
    "approve_models see_silent see_cohorts",
    Role.CONSULTANT: "read_slides read_cases answer annotate",
    Role.RESEARCHER: "see_cohorts",
    Role.GUEST: "",
    Role.DEVICE: "deliver_slides do_work",
    Role.NODE: "read_slides deliver_slides",
}
"""What a role may do where no patient is concerned."""
NEVER = (Role.OPS, Role.ADMINISTRATOR, Role.RESEARCHER, Role.GUEST)
IN_THE_UNIT = (Role.PATHOLOGIST, Role.TECHNICIAN, Role.SECRETARY)
PHYSICIANS = (Role.PATHOLOGIST, Role.CONSULTANT)
RELATIONS = [
    None,
    *(Relation(*each) for each in itertools.product((False, True), repeat=3)),
]


def rights_of(role: Role) -> set[Right]:
    return EVERYBODY | {Right(word) for word in WITHOUT_A_CASE[role].split()}


def expected(role: Role, right: Right, relation: Relation | None, purpose: Purpose) -> Basis | None:
    """Written without looking at how it is decided."""
    if right not in rights_of(role):
        return None
    if relation is None:
        return Basis.ROLE
    if role in NEVER or purpose in (Purpose.RESEARCH, Purpose.OPERATION):
        return None
    if role is Role.DEVICE:
        return Basis.OPERATION if right is Right.DO_WORK and relation.same_unit else None
    if role is Role.NODE:
        return Basis.OPERATION if right is Right.READ_SLIDES and relation.same_unit else None
    asked = relation.consulted and role in PHYSICIANS
    if right is Right.ANSWER:
        return Basis.CONSULTED if asked else None
    if relation.assigned and role is Role.PATHOLOGIST:
        return Basis.ASSIGNED
    if right is Right.REPORT:
        return None
    if asked and right in (Right.READ_SLIDES, Right.READ_CASES, Right.ANNOTATE):
        return Basis.CONSULTED
    return Basis.UNIT if relation.same_unit and role in IN_THE_UNIT else None


@pytest.mark.parametrize("role", Role)
def test_every_combination(role: Role) -> None:
    who = Principal("name", role, "session", "roskilde", "patologi")
    for right, relation, purpose in itertools.product(Right, RELATIONS, Purpose):
        found = decide(who, right, relation, purpose)
        wanted = expected(role, right, relation, purpose)
        assert found == Decision(wanted), (right, relation, purpose)
        assert bool(found) == (wanted is not None)


@pytest.mark.parametrize("role", NEVER)
def test_who_has_no_part_in_treatment_never_reaches_a_case(role: Role) -> None:
    """Whatever their unit, and also when a consultation asks their whole unit."""
    who = Principal("name", role, "session", "roskilde", "patologi")
    for right, relation, purpose in itertools.product(Right, RELATIONS[1:], Purpose):
        assert not decide(who, right, relation, purpose)


def test_a_device_tells_and_is_shown_nothing() -> None:
    """One that serves the whole region has no unit; what it tells of may be anybody's case."""
    for unit, same in itertools.product(("", "patologi"), (False, True)):
        who = Principal("gt450", Role.DEVICE, "session", "roskilde", unit)
        for right, relation in itertools.product(Right, RELATIONS[1:]):
            if relation is not None and relation.same_unit == same:
                told = right is Right.DO_WORK and (same or not unit)
                assert decide(who, right, relation).basis is (Basis.OPERATION if told else None)


def test_nobody_may_only_what_is_public() -> None:
    for right, relation in itertools.product(Right, RELATIONS):
        assert bool(decide(None, right, relation)) == (right is Right.PUBLIC)


def test_every_role_and_right_is_in_the_table() -> None:
    assert set(WITHOUT_A_CASE) == set(Role)
    assert set().union(*map(rights_of, Role)) == set(Right)


def test_svartid_itself_does_what_flows_do_and_no_more() -> None:
    """A person of the same name is not it."""
    again = Principal(SVARTID.name, SVARTID.role, SVARTID.session)
    for right, relation in itertools.product(Right, RELATIONS[1:]):
        may = right in (Right.READ_CASES, Right.ASSIGN, Right.DO_WORK)
        told = decide(SVARTID, right, relation, Purpose.OPERATION)
        assert told.basis is (Basis.OPERATION if may else None)
        assert not decide(SVARTID, right, relation, Purpose.TREATMENT)
        assert not decide(again, right, relation, Purpose.OPERATION) or right is Right.PUBLIC
