"""What a model says in silence is out of reach of all who treat, by every address there is."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import replace
from typing import Any

import pytest
from starlette.routing import WebSocketRoute

from storage import cohorts, model_results, models
from storage.catalogue import get_slide
from storage.database import now
from storage.records.cohorts import CohortQuery
from storage.records.models import LADDER, Admission, AdmissionTest, Model, ModelResult
from storage.records.people import Principal, Right, Role, allowed
from storage.records.quality import ModelMode
from tests.flows.guests import card_of, evidence, manifest_of, weights
from tests.viewers.conftest import NOBODY, Ask, Shop
from tests.viewers.quality_reports import GOOD, enter, finding
from tests.viewers.test_rights import FILLED, STREAM, leaves, rights
from viewers.app import _context, build_api

SHOWN = models.Reason("tried", evidence())
TREATING = (Role.PATHOLOGIST, Role.TECHNICIAN, Role.SECRETARY, Role.CONSULTANT)
SILENT = (ModelMode.TEST, ModelMode.SILENT)
LISE, OLAV = (Principal(name, Role.OPS, "test") for name in ("lise", "olav"))


def admitted(shop: Shop, name: str, mode: ModelMode) -> Model:
    """A model that has risen to a mode in the ordinary way."""
    services, data = shop.services, weights()
    manifest = manifest_of(data, name)
    models.add(services.database, services.layout, manifest, card_of(manifest), data, "test")
    passed = Admission((AdmissionTest("shape", True, None, None),), now(), "test")
    known = models.enter_admission(services.database, name, manifest.version, passed)
    for step in LADDER[1 : LADDER.index(mode) + 1]:
        for who in (LISE, OLAV):
            known = models.approve(services.database, known, step, who, SHOWN)
    return known


def said(shop: Shop, model: Model, mode: ModelMode, slide_id: str) -> ModelResult:
    """A result that would be recognised anywhere."""
    slide = get_slide(shop.services.database, slide_id)
    found = ModelResult(
        uuid.uuid4().hex, model.manifest.name, model.manifest.version, model.manifest.sha256,
        slide_id, slide.fingerprint, slide.root, mode, now(), {marker(mode): 0.5}, {}, 1.0,
    )  # fmt: skip
    return model_results.enter(shop.services.database, found, "test")


def marker(mode: ModelMode) -> str:
    return f"figure-of-{mode.value}-{hashlib.sha256(mode.value.encode()).hexdigest()[:8]}"


@pytest.fixture(scope="module")
def results(shop: Shop) -> dict[ModelMode, ModelResult]:
    """One of each mode, and a report of quality in which a silent model speaks too."""
    found = {}
    for mode in LADDER:
        model = admitted(shop, f"guest-{mode.value.replace('_', '-')}", mode)
        found[mode] = said(shop, model, mode, shop.svs)
    spoken = finding("fold.area", {marker(ModelMode.SILENT): 99.0}, mode=ModelMode.SILENT)
    enter(shop.services.database, shop.services.layout, shop.svs, (*GOOD, spoken))
    return found


def addresses(shop: Shop, results: dict[ModelMode, ModelResult]) -> list[tuple[str, Right]]:
    """Every address that answers to GET, filled with what there is to find."""
    found = []
    for route in leaves(build_api(_context(shop.settings)).router.routes):
        if isinstance(route, WebSocketRoute) or "GET" not in route.methods:
            continue
        if route.path == STREAM or "prefect" in route.path:
            continue
        for result in results.values():
            own = {"slide_id": shop.svs, "name": result.name, "version": result.version,
                   "result_id": result.result_id, "output": "fold.fold"}  # fmt: skip
            path = route.path
            for name, value in (FILLED | own).items():
                path = path.replace("{" + name + "}", value)
            found.append((path, rights(route)[0]))
    return sorted(set(found))


@pytest.mark.parametrize("role", [NOBODY, *Role])
def test_access_matrix_of_what_models_say(
    role: str, ask: Ask, shop: Shop, results: dict[ModelMode, ModelResult]
) -> None:
    """Roles by modes by every address: who reads a figure, and where."""
    client = ask(role)
    seen: dict[ModelMode, set[str]] = {mode: set() for mode in LADDER}
    for address, _ in addresses(shop, results):
        text = client.get(address).text
        for mode in LADDER:
            if marker(mode) in text:
                seen[mode].add(address)
    who = None if role in (NOBODY, Role.NODE) else Principal("x", Role(role), "x")
    may_judge, may_read = allowed(who, Right.SEE_SILENT), allowed(who, Right.READ_SLIDES)
    own = f"/api/v1/slides/{shop.svs}/models"
    for mode in LADDER:
        judged = {f"/api/v1/models/{results[mode].name}/1.0/results"} if may_judge else set()
        read = {own} if may_read and mode not in SILENT else set()
        assert seen[mode] == judged | read, (role, mode)
    if role in TREATING:
        assert not seen[ModelMode.TEST] | seen[ModelMode.SILENT]


def test_what_was_silent_stays_so_and_what_falls_is_gone(ask: Ask, shop: Shop) -> None:
    model = admitted(shop, "rises", ModelMode.VISIBLE_QC)
    earlier = said(shop, model, ModelMode.SILENT, shop.dicom)
    heard = said(shop, model, ModelMode.VISIBLE_QC, shop.dicom)
    other = replace(heard, result_id=uuid.uuid4().hex, root="0" * 64)
    model_results.enter(shop.services.database, other, "test")
    reader, address = ask("pathologist"), f"/api/v1/slides/{shop.dicom}/models"
    shown = [at["result_id"] for at in reader.get(address).json()["results"]]
    assert shown == [heard.result_id]  # not the silent one, not that of another pyramid
    judged = ask("ops").get("/api/v1/models/rises/1.0/results").json()["results"]
    assert {at["result_id"]: at["retired"] for at in judged} == {
        earlier.result_id: False, heard.result_id: False, other.result_id: True,
    }  # fmt: skip
    step = {"to": "silent", "note": "false alarms"}
    assert ask("pathologist").post("/api/v1/models/rises/1.0/demote", json=step).status_code == 200
    assert reader.get(address).json() == {"results": []}


def test_a_model_rises_by_two_people_over_http(ask: Ask, shop: Shop) -> None:
    admitted(shop, "asked", ModelMode.TEST)
    address, step = "/api/v1/models/asked/1.0/approvals", {"to": "silent", "note": "card read"}
    assert ask("technician").post(address, json=step).status_code == 403
    assert ask("pathologist").post(address, json=step | {"note": ""}).status_code == 422
    first = ask("pathologist").post(address, json=step).json()
    assert (first["mode"], len(first["approvals"])) == ("test", 1)
    assert ask("pathologist").post(address, json=step).status_code == 409
    assert ask("ops").post(address, json=step).json()["mode"] == "silent"
    assert ask("ops").post(address, json=step).status_code == 409


def test_models_are_told_without_what_they_say(
    ask: Ask, results: dict[ModelMode, ModelResult]
) -> None:
    told: dict[str, Any] = ask("pathologist").get("/api/v1/models").json()
    known = {at["name"]: at for at in told["models"]}
    assert known["guest-silent"]["card"]["known_failures"] == ["red pen"]
    assert marker(ModelMode.SILENT) not in str(told)
    assert ask("pathologist").get("/api/v1/models/guest-silent/9").status_code == 404


def test_a_researcher_sees_sets_and_no_slide(ask: Ask, shop: Shop) -> None:
    cohorts.create(shop.services.database, "seen", CohortQuery(), "test")
    told = ask("researcher").get("/api/v1/cohorts/seen/1")
    assert told.json()["count"] == len(told.json()["slides"]) >= 2
    for known in (shop.svs, shop.dicom):
        assert known not in told.text
        assert known not in ask("researcher").get("/api/v1/cohorts").text
    assert ask("researcher").get("/api/v1/slides").status_code == 403
    assert ask("pathologist").get("/api/v1/cohorts").status_code == 403
    assert ask("researcher").get("/api/v1/cohorts/seen/9").status_code == 404
