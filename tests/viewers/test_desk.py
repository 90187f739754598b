"""A slide of a case is for those who stand in a relation to it; everybody else sees nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from processing.paint import Painting, write_svs
from storage import cases, patients, people, work_items
from storage.case_log import Said
from storage.records.case_events import CaseOrdered, SpecimenReceived
from storage.records.case_words import AssignedBy
from storage.records.milestones import Distance, Priority, SpecimenClass
from storage.records.people import Role
from storage.records.reading_events import (
    CaseAssigned,
    ConsultationRequested,
    ConsultationWithdrawn,
)
from storage.records.slide_events import ImageAvailable, ImageStored, SlideExpected
from storage.records.work import LEFT_ALONE, WorkKind, WorkState
from storage.tables import access_log, person
from tests.viewers.conftest import Shop
from viewers import desk
from viewers.app import create_app

ACCESSION, BARCODE = "DESK-1", "DESK-1-A1-1"
SAID = Said("test", "test")


@dataclass(frozen=True)
class Bound:
    """A slide that belongs to a case of the unit `north`, assigned to nobody."""

    slide_id: str
    shop: Shop

    def ask(self, name: str, role: Role, unit: str) -> TestClient:
        database = self.shop.services.database
        people.ensure_person(database, name, role)
        with database.transaction() as connection:
            connection.execute(sa.update(person).where(person.c.name == name).values(unit=unit))
        token = people.create_token(database, name, role, 1)
        headers = {"Authorization": f"Bearer {token}"}
        return TestClient(create_app(self.shop.settings), headers=headers)

    def record(self, fact: object) -> None:
        cases.record(self.shop.services.database, ACCESSION, fact, SAID)  # type: ignore[arg-type]

    def addresses(self) -> list[str]:
        at = self.slide_id
        return [
            f"/slides/{at}_files/9/0_0.jpeg",
            f"/slides/{at}.dzi",
            f"/slides/{at}/associated/label",
            f"/slides/{at}/associated/thumbnail",
            f"/api/v1/slides/{at}",
            f"/api/v1/slides/{at}/direct",
            f"/direct-gate/{at}",
            f"/api/v1/slides/{at}/tiles/0/0/0/receipt",
        ]


@pytest.fixture(scope="module")
def bound(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Bound:
    path = tmp_path_factory.mktemp("desk") / "desk.svs"
    write_svs(Painting(900, 700, seed=77, barcode=BARCODE), path)
    made = Bound(shop.ingest(path), shop)
    with shop.services.database.transaction() as connection:
        patient = patients.enter(connection, "cpr", "0101901111", "Desk Test")
    ordered = CaseOrdered(patient, "GP", "site", "north", Priority.ROUTINE, SpecimenClass.BIOPSY)
    for fact in (
        ordered,
        SpecimenReceived("A"),
        SlideExpected(BARCODE),
        ImageStored(BARCODE, made.slide_id),
        ImageAvailable(BARCODE, made.slide_id),
    ):
        made.record(fact)
    return made


@pytest.fixture(autouse=True)
def _decided_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "_FRESH", 0.0)


@pytest.mark.parametrize("role", [Role.PATHOLOGIST, Role.TECHNICIAN])
def test_the_unit_that_treats_sees_it_and_the_line_says_whose_it_is(
    bound: Bound, role: Role
) -> None:
    name = f"north-{role}"
    client = bound.ask(name, role, "north")
    assert {client.get(path).status_code for path in bound.addresses()} <= {200, 204}
    listed = client.get("/api/v1/slides").json()["slides"]
    assert bound.slide_id in {at["slide_id"] for at in listed}
    query = sa.select(access_log).where(access_log.c.name == name)
    with bound.shop.services.database.reading() as connection:
        rows = connection.execute(query.where(access_log.c.slide_id == bound.slide_id)).all()
    assert rows
    assert {(row.accession, row.basis, row.purpose) for row in rows} == {
        (ACCESSION, "unit", "treatment")
    }
    assert all(row.patient_id for row in rows)


@pytest.mark.parametrize(
    ("role", "unit"),
    [
        (Role.PATHOLOGIST, "south"),
        (Role.PATHOLOGIST, ""),
        (Role.TECHNICIAN, "south"),
        (Role.OPS, "north"),
        (Role.ADMINISTRATOR, "north"),
        (Role.CONSULTANT, "north"),
        (Role.RESEARCHER, "north"),
        (Role.GUEST, "north"),
        (Role.DEVICE, "north"),
    ],
)
def test_others_see_nothing_of_it_and_leave_no_line(bound: Bound, role: Role, unit: str) -> None:
    name = f"{unit or 'nowhere'}-{role}-other"
    client = bound.ask(name, role, unit)
    assert {client.get(path).status_code for path in bound.addresses()} == {403}
    answer = client.get("/api/v1/slides")
    if answer.status_code == 200:
        listed = {at["slide_id"] for at in answer.json()["slides"]}
        assert bound.slide_id not in listed
        assert bound.shop.svs in listed, "a slide of no case is for all who read slides"
    query = sa.select(access_log).where(
        access_log.c.name == name, access_log.c.slide_id == bound.slide_id
    )
    with bound.shop.services.database.reading() as connection:
        assert connection.execute(query).all() == []


def test_who_is_asked_sees_it_until_the_question_is_withdrawn(bound: Bound) -> None:
    client = bound.ask("consultant-1", Role.CONSULTANT, "elsewhere")
    tile = bound.addresses()[0]
    assert client.get(tile).status_code == 403
    bound.record(ConsultationRequested("q1", Distance.NATIONAL, "consultant-1", "What is it?"))
    assert client.get(tile).status_code == 200
    bound.record(ConsultationWithdrawn("q1", "not needed"))
    assert client.get(tile).status_code == 403


def test_who_hands_a_case_on_to_another_unit_loses_it(bound: Bound) -> None:
    client = bound.ask("south-reader", Role.PATHOLOGIST, "south")
    tile = bound.addresses()[0]
    bound.record(CaseAssigned("south-reader", AssignedBy.PERSON))
    assert client.get(tile).status_code == 200
    bound.record(CaseAssigned("north-reader", AssignedBy.PERSON))
    assert client.get(tile).status_code == 403


def test_a_decision_is_remembered_for_seconds_only(
    bound: Bound, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Tiles come by the hundred; a right that is taken away ends within the time of memory."""
    client = bound.ask("south-quick", Role.PATHOLOGIST, "south")
    tile = bound.addresses()[0]
    monkeypatch.setattr(desk, "_FRESH", 60.0)
    bound.record(CaseAssigned("south-quick", AssignedBy.PERSON))
    assert client.get(tile).status_code == 200
    bound.record(CaseAssigned("north-again", AssignedBy.PERSON))
    assert client.get(tile).status_code == 200
    monkeypatch.setattr(desk, "_FRESH", 0.0)
    assert client.get(tile).status_code == 403


def test_an_image_that_nobody_knows_is_for_those_who_find_out(bound: Bound, tmp_path: Path) -> None:
    """Its label may name anybody: a pathologist sees it when it has found its glass."""
    path = tmp_path / "nobodys.svs"
    write_svs(Painting(900, 700, seed=78, barcode="DESK-9-A1-1"), path)
    held = Bound(bound.shop.ingest(path), bound.shop)
    with bound.shop.services.database.transaction() as connection:
        item = work_items.offer(connection, WorkKind.UNKNOWN_SLIDE, "test", slide_id=held.slide_id)
    for role in (Role.PATHOLOGIST, Role.OPS, Role.ADMINISTRATOR, Role.CONSULTANT):
        client = held.ask(f"held-{role}", role, "north")
        assert {client.get(at).status_code for at in held.addresses()} == {403}, role
        listed = client.get("/api/v1/slides").json()["slides"]
        assert held.slide_id not in {at["slide_id"] for at in listed}, role
    technician = held.ask("held-technician", Role.TECHNICIAN, "north")
    assert {technician.get(at).status_code for at in held.addresses()} <= {200, 204}
    with bound.shop.services.database.transaction() as connection:
        work_items.end(connection, item.item_id, WorkState.CANCELLED, LEFT_ALONE)
    assert held.ask("held-ops", Role.OPS, "north").get(held.addresses()[1]).status_code == 200
