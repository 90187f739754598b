"""The department that `svartid up --demo` makes: once, alive, and attached to what can be read."""

from __future__ import annotations

from flows import demo, demo_department
from flows.demo_department import STAFF, STORIES, UNIT
from flows.services import Services
from storage import cases, colleagues, people, work_items
from storage.records.case_state import state_of
from storage.records.case_words import CaseState
from storage.records.people import Principal, Role
from storage.records.work import WorkKind
from storage.worklist import Which
from storage.worklist import cases as listed

REAL = [code for code in demo.REAL.values() if code]
PAINTED = [at.barcode or "" for at in demo._PAINTED]


def test_people_are_made_once_and_can_sign_in(services: Services) -> None:
    made = demo_department.found(services.database)
    assert [at.member.name for at in made] == [at.name for at in STAFF]
    for at in made:
        role = people.check_password(services.database, at.member.name, at.password)
        assert role is at.member.role
    assert demo_department.found(services.database) == []
    known = {at.name: at for at in colleagues.colleagues(services.database, UNIT)}
    assert known["patolog1"].full_name == "Anne Holm"
    assert known["patolog1"].subspecialties


def test_cases_are_entered_once_with_glasses_for_what_will_come(services: Services) -> None:
    for barcodes in (REAL, PAINTED):
        demo_department.enter_cases(services.database, barcodes)
    principal = Principal("patolog1", Role.PATHOLOGIST, "x", UNIT, UNIT)
    rows = listed(services.database, principal, Which.UNIT)
    answered = {at.accession for at in STORIES if at.answer[0]}
    assert {row.accession for row in rows} == {at.accession for at in STORIES}
    for story in STORIES:
        case = cases.get(services.database, story.accession)
        assert case.assignee == story.assignee
        own = [code for code in REAL if code.startswith(story.accession)]
        assert set(own) <= set(case.slides)
        assert len(case.slides) == len(own) + story.waits
        states = {row.state for row in rows if row.accession == story.accession}
        open_states = {CaseState.IN_LAB, CaseState.SCANNING, CaseState.AWAITING}
        assert states <= ({CaseState.SIGNED} if story.answer[0] else open_states)
    waiting = work_items.listing(services.database, [WorkKind.SCAN])
    assert len(waiting) == sum(at.waits for at in STORIES if not at.answer[0])
    for accession in answered:
        case = cases.get(services.database, accession)
        assert state_of(case) is CaseState.SIGNED, "and casework sends it"
        assert case.slides


def test_without_real_slides_painted_ones_have_glasses(services: Services) -> None:
    demo_department.enter_cases(services.database, PAINTED)
    glasses = {code for at in STORIES for code in cases.get(services.database, at.accession).slides}
    assert set(PAINTED) <= glasses
    assert all(cases.get(services.database, at.accession).slides for at in STORIES)


def test_what_cannot_be_read_yet_is_waited_for(services: Services) -> None:
    demo_department.enter_cases(services.database, REAL)
    images = {"0" * 20: REAL[0]}
    assert demo_department.attach(services.database, images) == images
