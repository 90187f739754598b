"""Every route names one right, and that is what decides; health is all that is open to all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from storage.records.people import Principal, Right, Role, allowed
from tests.viewers.asgi import call
from tests.viewers.conftest import NOBODY, Ask, Shop
from viewers.app import _context, build_api, create_app

OPEN = {
    ("/healthz", "GET"),
    ("/readyz", "GET"),
    ("/static/{digest}/{path:path}", "GET"),
    ("/static-catalogue/{language}.json", "GET"),
    ("/signin", "GET"),
    ("/signin", "POST"),
    ("/signout", "POST"),
    ("/language/{code}", "GET"),
}
"""Health; and what the sign-in page is made of."""
FILLED = {
    "slide_id": "0" * 20,
    "study_uid": "1.2.3",
    "series_uid": "1.2.3.4",
    "sop_uid": "1.2.3.4.5",
    "frames": "1",
    "intake_id": "0" * 32,
    "upload_id": "0" * 32,
    "item_id": "0" * 32,
    "name": "label",
    "code": "da",
    "language": "da",
    "level": "0",
    "column": "0",
    "row": "0",
    "digest": "x",
    "path:path": "x.js",
    "accession:path": "P26-0",
    "barcode:path": "P26-0-A1-1",
    "order_id": "0" * 32,
    "consultation_id": "0" * 32,
    "flag_id": "0" * 32,
    "pause_id": "0" * 32,
    "month": "2026-01",
    "picture": "label",
    "repair_id:path": "event-0",
    "event_id": "0",
    "annotation_id": "0" * 32,
    "group_id": "0" * 32,
    "number": "0",
    "version": "1.0",
    "result_id": "0" * 32,
    "output": "fold.fold",
    "rule_id": "0" * 12,
    "workitem_uid": "1.2.3",
    "aet": "WATCH",
    "forward_id": "0" * 32,
    "run_id": "0" * 32,
    "check": "focus.radius",
}
DICOM = ("/dicom-web/", "/wado")
STREAM = "/api/v1/changes"
"""Never ends by itself; test_changes.py reads it."""


def leaves(routes: list[BaseRoute]) -> Iterator[Any]:
    """Every route, also of routers that FastAPI includes only when asked."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from leaves(inner.routes)
        else:
            yield route


def rights(route: Any) -> list[Right]:  # noqa: ANN401
    own = [route.right] if hasattr(route, "right") else []
    given = [at.dependency for at in getattr(route, "dependencies", [])]
    return own + [at.right for at in given if hasattr(at, "right")]


@pytest.fixture(scope="module")
def routes(shop: Shop) -> list[Any]:
    return list(leaves(build_api(_context(shop.settings)).router.routes))


def test_every_route_names_exactly_one_right(routes: list[Any]) -> None:
    assert len(routes) > 20
    assert [route.path for route in routes if len(rights(route)) != 1] == []


def test_a_route_without_a_right_would_be_found(shop: Shop) -> None:
    router = APIRouter()

    @router.get("/forgotten")
    def forgotten() -> None: ...

    app = build_api(_context(shop.settings))
    app.include_router(router)
    found = [at.path for at in leaves(app.router.routes) if len(rights(at)) != 1]
    assert found == ["/forgotten"]


def test_only_health_and_the_sign_in_page_are_open(routes: list[Any]) -> None:
    public = {
        (route.path, method)
        for route in routes
        if rights(route) == [Right.PUBLIC]
        for method in route.methods - {"HEAD"}
    }
    assert public == OPEN


@pytest.mark.parametrize("role", [NOBODY, *Role])
def test_access_matrix(role: str, routes: list[Any], ask: Ask, shop: Shop) -> None:
    """Each role on each route and method: let through, or told 401 or 403, or to sign in."""
    client = ask(role)
    for route in routes:
        if isinstance(route, WebSocketRoute):
            continue
        address = address_of(route.path)
        # Outside DICOMweb another node is nobody.
        is_nobody = role == NOBODY or (role == Role.NODE and not address.startswith(DICOM))
        principal = None if is_nobody else Principal("x", Role(role), "x")
        may = allowed(principal, rights(route)[0])
        for method in sorted(route.methods):
            if route.path == "/signin" and method == "POST":
                continue  # 401 there means a wrong password; test_sessions.py
            if may and route.path == STREAM:
                continue
            answer = client.request(method, address)
            told = f"{role} {method} {address}: {answer.status_code}"
            if may:
                assert answer.status_code not in {401, 403}, told
            elif principal is not None:
                assert (answer.status_code, answer.headers.get("location")) == (403, None), told
            elif hasattr(route, "right") and method in {"GET", "HEAD"}:
                assert answer.status_code == 303, told
                assert answer.headers["location"] == f"/signin?next={address}", told
            else:
                assert answer.status_code == 401, told


def address_of(path: str) -> str:
    for name, value in FILLED.items():
        path = path.replace("{" + name + "}", value)
    assert "{" not in path, path
    return path


@pytest.mark.parametrize("role", [NOBODY, *Role])
def test_tiles_need_the_right_to_read(role: str, ask: Ask, shop: Shop) -> None:
    nobody = role in (NOBODY, Role.NODE)
    may = not nobody and allowed(Principal("x", Role(role), "x"), Right.READ_SLIDES)
    expected = 200 if may else 401 if nobody else 403
    assert ask(role).get(f"/slides/{shop.svs}_files/0/0_0.jpeg").status_code == expected
    assert ask(role).get("/slides/nothing_files/0/0_0.jpeg").status_code == (
        404 if may else expected
    )


@pytest.mark.parametrize("role", [NOBODY, "pathologist", "technician", "guest"])
def test_prefects_events_are_for_ops(role: str, ask: Ask) -> None:
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        ask(role).websocket_connect("/ops/prefect/api/events/out"),
    ):
        pass
    assert refused.value.code == 1008


def test_refusals_have_one_shape(ask: Ask, shop: Shop) -> None:
    cases = [
        (ask(None).get("/api/v1/slides"), 401, "no_access"),
        (ask("guest").get("/api/v1/slides"), 403, "no_access"),
        (ask().get("/api/v1/slides/none"), 404, "not_found"),
        (ask().get("/nowhere"), 404, "not_found"),
        (ask().delete("/api/v1/slides"), 405, "method_not_allowed"),
        (ask().get("/api/v1/intake?state=nonsense"), 422, "invalid_request"),
        (ask().post(f"/slides/{shop.svs}_files/0/0_0.jpeg"), 405, "method_not_allowed"),
        (ask().post("/api/v1/intake/none/retry"), 404, "not_found"),
    ]
    for answer, status, code in cases:
        assert (answer.status_code, answer.json()) == (status, {"error": code})
        assert answer.headers["cache-control"] == "no-store"
        assert ("allow" in answer.headers) == (status == 405)


def test_people_are_refused_by_a_page(ask: Ask) -> None:
    for address, role, status in (("/ops", "pathologist", 403), ("/nowhere", "ops", 404)):
        answer = ask(role, accept="text/html").get(address, headers={"Accept-Language": "en"})
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
        assert f"Code {status}" in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "/slides/../ops",
        "/slides/..%2fops.dzi",
        "/slides/%2e%2e%2f%2e%2e.dzi",
        "/slides/..%2f..%2fetc%2fpasswd_files/0/0_0.jpeg",
        "/slides/%2e%2e/associated/label",
        "/slides/{svs}/associated/..%2f..%2fzarr.json",
        "/slides/{svs}/associated/zarr.json",
        "/api/v1/slides/..%2f..%2fsvartid.sqlite",
        "/static/x/..%2f..%2fapp.py",
        "/static/x/%2e%2e/%2e%2e/app.py",
        "/static/x/../app.py",
        "/static/x//etc/passwd",
        "/static/x/%00.js",
        "/api/v1/slides/%00",
        "/api/v1/uploads/..",
    ],
)
def test_no_way_out_of_the_store(address: str, shop: Shop) -> None:
    token = f"Bearer {shop.tokens[Role.TECHNICIAN]}".encode()
    path = address.replace("{svs}", shop.svs)
    answer = call(create_app(shop.settings), path, [(b"authorization", token)])
    assert (answer.status, answer.body) in [
        (404, b'{"error":"not_found"}'),
        (405, b'{"error":"method_not_allowed"}'),
    ]
