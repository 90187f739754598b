"""The JSON API: described, complete, and with the headers every answer carries."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections import defaultdict
from typing import Any

import pytest
from fastapi.routing import APIRoute

from processing.dicom.guard import Reason
from storage import intake, worklist
from storage.board import write_board
from storage.errors import SvartidError, Transient
from storage.events import history
from storage.records.people import Role
from tests.viewers.asgi import call
from tests.viewers.conftest import Ask, Shop
from tests.viewers.test_rights import leaves
from viewers import access, ops
from viewers.app import _context, build_api, create_app
from viewers.headers import SECURITY

SECRET = "/srv/secret/path"


def test_the_description_names_every_api_route(ask: Ask, shop: Shop) -> None:
    document = ask("pathologist").get("/api/v1/openapi.json").json()
    described = {
        (path, method.upper()) for path, item in document["paths"].items() for method in item
    }
    routes = leaves(build_api(_context(shop.settings)).router.routes)
    served = {
        (route.path_format, method)
        for route in routes
        if isinstance(route, APIRoute) and route.path.startswith(("/api/", "/slides/"))
        for method in route.methods
    }
    assert served <= described
    assert {("/healthz", "GET"), ("/readyz", "GET")} <= described
    assert not any("prefect" in path for path, _ in described)


def test_the_description_makes_sense(ask: Ask) -> None:
    document = ask("pathologist").get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.")
    assert document["info"]["title"] == "svartid"
    seen = set()
    for path, item in document["paths"].items():
        for operation in item.values():
            assert operation["summary"] or operation["description"]
            assert operation["operationId"] not in seen
            seen.add(operation["operationId"])
            assert operation["responses"]
            placed = {at["name"] for at in operation.get("parameters", []) if at["in"] == "path"}
            assert placed == set(re.findall(r"{(\w+)}", path))
    for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)):
        assert name in document["components"]["schemas"]


def test_what_the_description_offers_answers_without_failing(ask: Ask, shop: Shop) -> None:
    """Every GET it names, with ids that exist and ids that do not."""
    client = ask("ops")
    for path in client.get("/api/v1/openapi.json").json()["paths"]:
        if path == "/api/v1/changes":
            continue
        for slide_id, intake_id in (
            (shop.svs, shop.quarantined.intake_id),
            ("none", "0"),
            ("é", "%"),
        ):
            known = {"slide_id": slide_id, "intake_id": intake_id, "name": "thumbnail"}
            address = path.format_map(defaultdict(lambda: "0", known))
            answer = client.get(address)
            assert answer.status_code < 500 or path == "/readyz", (address, answer.text)


def test_the_worklist_lists_what_can_be_read(ask: Ask, shop: Shop) -> None:
    told = ask("ops").get("/api/v1/slides").json()
    assert {shop.svs, shop.dicom} <= {at["slide_id"] for at in told["slides"]}
    assert told["quarantined"] >= 1
    assert ask("pathologist").get("/api/v1/slides").json()["quarantined"] == 0
    (slide,) = [at for at in told["slides"] if at["slide_id"] == shop.svs]
    alone = ask("pathologist").get(f"/api/v1/slides/{shop.svs}").json()
    assert slide | {"channels": None, "accession": None} == alone
    assert (slide["width"], slide["height"], slide["state"]) == (1500, 1100, "complete")
    assert slide["levels"][0] == [1500, 1100]
    assert slide["mpp"] == pytest.approx(0.499, abs=0.01)
    assert {"label", "overview"} <= set(slide["associated"])


def test_intake_is_told_with_its_reason(ask: Ask, shop: Shop) -> None:
    client, row = ask("ops"), shop.quarantined
    told = client.get("/api/v1/intake?state=quarantined").json()
    (found,) = [at for at in told["intake"] if at["intake_id"] == row.intake_id]
    assert (found["state"], found["reason"]) == ("quarantined", "not_a_slide")
    assert told["counts"]["complete"] >= 2
    assert client.get(f"/api/v1/intake/{row.intake_id}").json() == found
    assert ask("technician").get(f"/api/v1/intake/{row.intake_id}").json() == found


@pytest.mark.parametrize("verb", ["retry", "release"])
def test_a_quarantined_file_is_tried_again_in_a_name(verb: str, ask: Ask, shop: Shop) -> None:
    client, row = ask("ops"), shop.quarantined
    assert client.post(f"/api/v1/intake/{row.intake_id}/{verb}").status_code == 204
    again = client.post(f"/api/v1/intake/{row.intake_id}/{verb}")
    assert (again.status_code, again.json()) == (409, {"error": "refused"})
    last = history(shop.services.database, f"slide:{row.slide_id}")[-1]
    assert (last.kind, last.actor) == ("QuarantineReleased", "ops")
    assert shop.follow(row).state.value == "quarantined"


def test_ops_sees_processes_and_disk(ask: Ask, shop: Shop) -> None:
    process = {"name": "web", "state": "running", "pid": 4711, "restarts": 2, "since": "x"}
    board = {"started_at": "x", "prefect": "down", "processes": [process]}
    write_board(shop.settings.layout, board)
    told = ask("ops").get("/api/v1/ops").json()
    assert told["processes"] == [process]
    assert told["prefect"] == {"state": "down"}
    assert told["flow_runs"] == []
    assert told["dicom_quarantine"] == []
    assert told["disk"]["total"] > told["disk"]["free"] > 0
    assert told["disk"]["pyramids"] > 10_000
    ready = ask(None).get("/readyz")
    assert (ready.status_code, ready.json()["parts"]["prefect"]) == (200, "down")


def test_ops_sees_why_a_dicom_object_lies_in_quarantine(ask: Ask, shop: Shop) -> None:
    """By its fingerprint, from where, and the reason; nothing that was read from it."""
    spoiled = b"\0" * 128 + b"DICM" + b"\x02\0\0\0UL\4\0\xff\xff\0\0" + b"Hansen^Anna"
    body = b"--x\r\nContent-Type: application/dicom\r\n\r\n" + spoiled + b"\r\n--x--\r\n"
    kind = 'multipart/related; type="application/dicom"; boundary=x'
    answer = ask("ops").post("/dicom-web/studies", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 409
    told = ask("ops").get("/api/v1/ops")
    (row,) = told.json()["dicom_quarantine"]
    assert row["sha256"] == hashlib.sha256(spoiled).hexdigest()
    assert row["reason"] in set(Reason)
    assert "Hansen" not in told.text + answer.text


@pytest.mark.parametrize(
    ("prefect", "dispatcher", "status"),
    [("starting", "running", 503), ("up", "running", 200), ("up", "backing_off", 503)],
)
def test_ready_when_every_part_is(
    prefect: str, dispatcher: str, status: int, ask: Ask, shop: Shop
) -> None:
    processes = [{"name": "dispatcher", "state": dispatcher}]
    write_board(shop.settings.layout, {"prefect": prefect, "processes": processes})
    assert ask(None).get("/readyz").status_code == status
    assert ask(None).get("/healthz").json() == {"status": "alive"}


def test_every_answer_carries_the_security_headers(ask: Ask, shop: Shop) -> None:
    cases = [
        ask(None).get("/healthz"),
        ask(None).get("/signin"),
        ask(None).get("/"),
        ask(None).get("/api/v1/slides"),
        ask(None).post("/signin", headers={"Origin": "http://evil.example"}),
        ask(None).get(f"/slides/{shop.svs}_files/9/0_0.jpeg"),
        ask("ops").get(f"/slides/{shop.svs}_files/9/0_0.jpeg"),
        ask("ops").get(f"/slides/{shop.svs}_files/99/0_0.jpeg"),
        ask("ops").get(f"/slides/{shop.svs}"),
        ask("ops").get(f"/slides/{shop.svs}/associated/label"),
        ask("ops").get("/nowhere"),
        ask("ops").get("/ops/prefect/"),
        ask("ops").delete("/api/v1/slides"),
        ask("ops").head("/api/v1/uploads/none"),
    ]
    for answer in cases:
        for name, value in SECURITY.items():
            assert answer.headers.get(name) == value, (answer.request.url, name)
        assert "server" not in answer.headers
    policy = SECURITY["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


def test_pages_need_nothing_that_the_policy_forbids(ask: Ask, shop: Shop) -> None:
    for path in ("/", f"/slides/{shop.svs}", "/ops", "/nowhere"):
        page = ask("ops", accept="text/html").get(path).text
        assert not re.search(r"<script(?![^>]*\ssrc=)", page)
        assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", page)
        assert not re.search(r"""(src|href)=["'](https?:)?//""", page)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError(SECRET), 500, "internal"),
        (SvartidError(SECRET), 500, "internal"),
        (Transient(SECRET), 503, "busy"),
        (OSError(13, "Permission denied", SECRET), 500, "internal"),
    ],
)
def test_an_error_tells_the_log_and_not_the_world(
    error: Exception,
    status: int,
    code: str,
    ask: Ask,
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object, **__: object) -> Any:  # noqa: ANN401
        raise error

    monkeypatch.setattr(worklist, "slides", broken)
    monkeypatch.setattr(ops, "read_board", broken)
    client = ask("ops")
    monkeypatch.setattr("processing.tiles.Tiles.pyramid", broken)
    with caplog.at_level(logging.ERROR, "svartid.web"):
        for path in (
            "/api/v1/slides",
            "/api/v1/ops",
            f"/slides/{shop.svs}.dzi",
            f"/slides/{shop.svs}_files/9/0_0.jpeg",
        ):
            answer = client.get(path)
            assert (answer.status_code, answer.json()) == (status, {"error": code}), path
            assert "content-security-policy" in answer.headers
    assert "svartid.web" in {record.name for record in caplog.records}
    page = ask("ops", accept="text/html").get(f"/slides/{shop.svs}.dzi")
    assert page.status_code == status
    assert SECRET not in page.text
    assert "Traceback" not in page.text


def test_with_the_database_away_nobody_is_let_in(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise Transient(SECRET)

    monkeypatch.setattr(access.people, "principal_of", away)
    token = (b"authorization", f"Bearer {shop.tokens[Role.OPS]}".encode())
    for path in ("/api/v1/slides", f"/slides/{shop.svs}_files/9/0_0.jpeg", "/"):
        answer = call(create_app(shop.settings), path, [token])
        assert (answer.status, answer.body) == (503, b'{"error":"busy"}')
        assert dict(answer.headers)[b"cache-control"] == b"no-store"
    monkeypatch.setattr(intake, "counts", away)
    ready = call(create_app(shop.settings), "/readyz")
    assert ready.status == 503
    assert b'"database":"down"' in ready.body
