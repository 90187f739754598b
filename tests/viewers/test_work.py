"""Work over HTTP: what a scanner asks for and says, what a technician asks for, who may what."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from flows.services import prepare_services
from storage import cases, people, work_items
from storage.database import Database
from storage.records.case_words import RescanReason, SlideState
from storage.records.people import Role
from storage.records.slide_events import ImageAvailable, ImageStored, RescanRequested
from storage.records.work import WorkKind, WorkState
from storage.settings import read_settings
from storage.tables import person
from tests.storage.lab import IDENTIFIER, order, say
from viewers.app import create_app

As = Callable[[str], TestClient]
WHO = {
    "s1": (Role.DEVICE, "", ""),
    "s2": (Role.DEVICE, "", ""),
    "r1": (Role.DEVICE, "roskilde", ""),
    "tech": (Role.TECHNICIAN, "naestved", "pato-n"),
    "far": (Role.TECHNICIAN, "roskilde", "pato-r"),
    "doc": (Role.PATHOLOGIST, "naestved", "pato-n"),
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, As]]:
    services = prepare_services(read_settings(tmp_path_factory.mktemp("lab") / "data", {}))
    tokens = {}
    for name, (role, site, unit) in WHO.items():
        people.ensure_person(services.database, name, role)
        with services.database.transaction() as connection:
            where = person.c.name == name
            connection.execute(sa.update(person).where(where).values(site=site, unit=unit))
        tokens[name] = people.create_token(services.database, name, role, 1)
    app = create_app(services.settings)

    def client(name: str) -> TestClient:
        headers = {"Authorization": f"Bearer {tokens[name]}"}
        return TestClient(app, headers=headers, raise_server_exceptions=False)

    yield services.database, client
    services.database.dispose()


@pytest.fixture
def barcode(lab: tuple[Database, As], request: pytest.FixtureRequest) -> str:
    """A glass of a case of this test's own, to be scanned."""
    accession = f"P{abs(hash(request.node.name)) % 10**8}"
    order(lab[0], accession, f"{accession}-A1")
    asked = lab[1]("tech").post("/api/v1/lab/scan", json={"barcode": f"{accession}-A1"})
    assert asked.status_code == 200
    return f"{accession}-A1"


@pytest.fixture(autouse=True)
def empty_queue(lab: tuple[Database, As]) -> Iterator[None]:
    yield
    with lab[0].transaction() as connection:
        work_items.end_all(connection, [WorkKind.SCAN], WorkState.CANCELLED, "test is over")


def path_of(item: dict[str, str], word: str) -> str:
    return f"/api/v1/work/{item['item_id']}/{word}"


def take(client: TestClient, station: str = "S1") -> dict[str, str]:
    answer = client.post("/api/v1/work/next", json={"kind": "scan", "station": station, "site": ""})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    told: dict[str, str] = answer.json()
    return told


def state(database: Database, barcode: str) -> SlideState:
    return cases.get(database, barcode.partition("-")[0]).slides[barcode].state


def test_a_scan_from_asking_to_done(lab: tuple[Database, As], barcode: str) -> None:
    database, client = lab
    scanner = client("s1")
    (waiting,) = scanner.get("/api/v1/work?kind=scan&state=offered").json()["work"]
    item = take(scanner)
    assert item | {"state": "offered", "station": ""} == waiting | {"attempts": 1}
    assert (item["barcode"], item["stain"], item["state"]) == (barcode, "HE", "claimed")
    assert scanner.post(path_of(item, "start"), json={"station": "S1"}).status_code == 200
    assert state(database, barcode) is SlideState.SCANNING
    assert scanner.post(path_of(item, "beat")).json()["state"] == "claimed"
    done = scanner.post(path_of(item, "finish"), json={"fingerprint": "a" * 64})
    assert done.json()["state"] == "done"
    assert state(database, barcode) is SlideState.SCANNED
    assert scanner.post("/api/v1/work/next", json={"station": "S1"}).status_code == 204


def test_a_device_is_told_of_glasses_and_never_of_patients(
    lab: tuple[Database, As], barcode: str
) -> None:
    accession = barcode.partition("-")[0]
    say(lab[0], accession, ImageStored(barcode, accession), ImageAvailable(barcode, accession))
    region = (0.25, 0.25, 0.5, 0.5)
    say(lab[0], accession, RescanRequested(barcode, RescanReason.DIRT, "of Nancy Ann", region))
    item = take(lab[1]("s1"))
    assert (item["barcode"], item["rescan"]) == (barcode, "dirt")
    assert item["region"] == [0.25, 0.25, 0.5, 0.5]
    for secret in ("Nancy", IDENTIFIER, "naestved", "pato-n", "accession", "patient", "note"):
        assert secret not in str(item)


def test_failed_scans_come_back_and_end(lab: tuple[Database, As], barcode: str) -> None:
    scanner = lab[1]("s1")
    for attempt in (1, 2, 3):
        item = take(scanner)
        assert item["attempts"] == attempt
        failed = scanner.post(path_of(item, "fail"), json={"reason": "focus"}).json()
    assert (failed["state"], failed["reason"]) == ("failed", "focus")
    assert state(lab[0], barcode) is SlideState.FAILED
    left = lab[1]("tech").get("/api/v1/work?state=failed").json()["work"]
    assert barcode in [at["barcode"] for at in left]
    assert lab[1]("far").get("/api/v1/work?state=failed").json()["work"] == []


def test_conflicts_say_why(lab: tuple[Database, As], barcode: str) -> None:
    one, other = lab[1]("s1"), lab[1]("s2")
    item = take(one)
    for word, reason in (("start", "claimed_by_another"), ("beat", "claimed_by_another")):
        answer = other.post(path_of(item, word))
        assert (answer.status_code, answer.json()) == (409, {"error": "illegal", "reason": reason})
    body = {"reason": "jammed"}
    for name in ("s2", "far"):
        assert lab[1](name).post(path_of(item, "fail"), json=body).status_code == 409
    assert lab[1]("tech").post(path_of(item, "fail"), json=body).json()["state"] == "offered"
    lost = one.post(path_of(item, "finish"))
    assert (lost.status_code, lost.json()["reason"]) == (409, "not_claimed")
    assert one.post("/api/v1/work/none/beat").json() == {"error": "not_found"}


def test_a_scanner_gets_the_work_of_its_site(lab: tuple[Database, As], barcode: str) -> None:
    asked = {"station": "R", "site": "naestved"}  # its own site counts, not what it says
    assert lab[1]("r1").post("/api/v1/work/next", json=asked).status_code == 204
    assert lab[1]("r1").get("/api/v1/work").json() == {"work": []}
    assert take(lab[1]("s1"))["barcode"] == barcode


def test_a_technician_asks_for_a_scan_of_a_glass_of_the_unit(
    lab: tuple[Database, As], barcode: str
) -> None:
    tech = lab[1]("tech")
    placed = tech.post("/api/v1/lab/scan", json={"barcode": barcode, "rack": "R1", "slot": "3"})
    assert (placed.json()["rack"], placed.json()["slot"]) == ("R1", "3")
    body = {"barcode": barcode}
    assert lab[1]("far").post("/api/v1/lab/scan", json=body).status_code == 403
    assert lab[1]("doc").post("/api/v1/lab/scan", json=body).status_code == 403
    assert lab[1]("s1").post("/api/v1/lab/scan", json=body).status_code == 403
    assert tech.post("/api/v1/lab/scan", json={"barcode": "P9-A9"}).status_code == 404


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("next", {"kind": "consultation"}),
        ("next", {"station": "x" * 41}),
        ("next", {"more": 1}),
        (f"{'0' * 32}/fail", {}),
        (f"{'0' * 32}/fail", {"reason": "x" * 201}),
        (f"{'0' * 32}/finish", {"fingerprint": "abc"}),
    ],
)
def test_what_is_not_understood(
    lab: tuple[Database, As], address: str, body: dict[str, object]
) -> None:
    answer = lab[1]("s1").post(f"/api/v1/work/{address}", json=body)
    assert (answer.status_code, answer.json()) == (422, {"error": "invalid_request"})


def test_a_zero_byte_is_no_text(lab: tuple[Database, As]) -> None:
    bad = lab[1]("tech").post("/api/v1/lab/scan", json={"barcode": "a\0b"})
    assert bad.status_code == 422


def test_reading_roles_have_no_part_in_it(lab: tuple[Database, As]) -> None:
    assert lab[1]("doc").get("/api/v1/work").status_code == 403
    assert lab[1]("doc").post("/api/v1/work/next", json={}).status_code == 403
