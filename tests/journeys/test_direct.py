"""Tiles straight from nginx: the same bytes, the same rule and picture, over TLS and HTTP/2."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, Route

from flows.front import YES_SECONDS
from processing.paint import Painting, write_svs
from tests.journeys.direct_looks import Window, access_lines, starts_in
from tests.journeys.front import FrontDoor, front_door
from tests.journeys.running import Running, wait_for
from tests.journeys.screens import Pixels
from viewers.access import _FRESH

pytestmark = [pytest.mark.journey, pytest.mark.timeout(120)]
SIZE = (4400, 1100)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("behind")
    with Running(folder, "--behind-proxy", SVARTID_WEB_WORKERS="2") as running:
        yield running


@pytest.fixture(scope="module")
def slide_id(up: Running, tmp_path_factory: pytest.TempPathFactory) -> str:
    return painted(up, tmp_path_factory.mktemp("larger") / "larger.svs", SIZE)


def painted(up: Running, path: Path, size: tuple[int, int]) -> str:
    write_svs(Painting(*size, seed=3), path)
    (line,) = up.command("ingest", path)
    return str(line["slide_id"])


@pytest.fixture(scope="module")
def door(up: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontDoor]:
    with front_door(up, tmp_path_factory.mktemp("front")) as door:
        yield door


def plan_of(door: FrontDoor, up: Running, slide_id: str) -> dict[str, Any]:
    with door.client(up.token("pathologist")) as client:
        answer = client.get(f"/api/v1/slides/{slide_id}/direct")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_a_range_of_a_shard_is_the_tile(door: FrontDoor, up: Running, slide_id: str) -> None:
    plan = plan_of(door, up, slide_id)
    tiles = plan["shard_tiles"] ** 2
    with door.client(up.token("pathologist")) as client:
        for level, dzi in ((0, 13), (1, 12)):
            shard = f"{plan['base']}{level}/c/0/0/0"
            end = client.get(shard, headers={"Range": f"bytes=-{tiles * 16 + 4}"})
            assert end.status_code == 206
            index = np.frombuffer(end.content[:-4], "<u8").reshape(-1, 2)
            for column, row in ((0, 0), (3, 2), (5, 1)):
                start, length = index[row * plan["shard_tiles"] + column].tolist()
                span = {"Range": f"bytes={start}-{start + length - 1}"}
                part = client.get(shard, headers=span)
                ordinary = client.get(f"/slides/{slide_id}_files/{dzi}/{column}_{row}.jpeg")
                assert (part.status_code, ordinary.status_code) == (206, 200)
                assert part.content == ordinary.content
                assert part.headers["etag"] == end.headers["etag"]
        assert part.headers["content-type"] == "application/octet-stream"
        assert part.headers["x-content-type-options"] == "nosniff"


def test_another_program_gets_them_over_http_2(door: FrontDoor, up: Running, slide_id: str) -> None:
    """curl checks the certificate, asks for HTTP/2, and says what it got."""
    address = f"{door.url}/direct/{slide_id}/0/c/0/0/0"
    command = ["curl", "--silent", "--show-error", "--http2", "--cacert", str(door.certificate)]
    command += ["-H", f"Authorization: Bearer {up.token('pathologist')}", "-r", "0-1"]
    command += ["-o", "-", "-w", "%{stderr}%{http_version} %{http_code} %{ssl_verify_result}"]
    done = subprocess.run([*command, address], capture_output=True, check=True)
    assert done.stdout == b"\xff\xd8"
    assert done.stderr == b"2 206 0"


def test_who_may_not_see_the_slide_gets_nothing(
    door: FrontDoor, up: Running, slide_id: str
) -> None:
    shard = f"/direct/{slide_id}/0/c/0/0/0"
    with door.client(up.token("pathologist")) as allowed:
        assert allowed.get(shard).status_code == 200
        assert allowed.get(f"/direct/{'f' * 20}/0/c/0/0/0").status_code == 403
    strangers = [door.client(), door.client("svt_" + "x" * 43), door.client(Cookie="a=b")]
    for client, status in [*((at, 401) for at in strangers), (door.client(up.token("guest")), 403)]:
        with client:
            answer = client.get(shard)
            assert answer.status_code == status
            assert b"\xff\xd8" not in answer.content


@pytest.mark.parametrize(
    "path",
    [
        "0/zarr.json", "zarr.json", "", "0/c/0/0/", "0/c/0", "associated/label.jpg", ".hidden",
        "0/c/0/0/0.part", "0/c/0/0/0%00", "0/c/0/0/0%0a", "0/c/0/0/../../../../zarr.json",
        "0/c/0/0/%2e%2e/%2e%2e/%2e%2e/%2e%2e/zarr.json", "0/c/0/0/..%2f0", "profile.icc",
        "../../svartid.sqlite", "0/c/0/0/99999", "0/c/1/0/0", "%D9%A1/c/0/0/0",
    ],
)  # fmt: skip
def test_only_shards_of_levels_are_served(
    door: FrontDoor, up: Running, slide_id: str, path: str
) -> None:
    with door.client(up.token("pathologist")) as client:
        request = client.build_request("GET", "/")
        target = f"/direct/{slide_id}/{path}".encode()
        request.extensions["target"] = target
        answer = client.send(request)
    assert answer.status_code in {400, 404}, answer.content[:100]


def test_the_gate_is_the_fronts_alone(door: FrontDoor, up: Running, slide_id: str) -> None:
    with door.client(up.token("pathologist")) as client:
        assert client.get(f"/direct-gate/{slide_id}").status_code == 404
        assert client.get("/gate").status_code in {403, 404}
        assert client.post(f"/direct/{slide_id}/0/c/0/0/0").status_code == 405


def test_a_revoked_token_ends_within_the_seconds_that_are_promised(
    door: FrontDoor, up: Running, slide_id: str
) -> None:
    (made,) = up.command("token", "create", "--user", "leaving", "--role", "pathologist")
    with door.client(made["token"]) as client:
        assert client.get(f"/direct/{slide_id}/0/c/0/0/0").status_code == 200
        up.command("token", "revoke", "--user", "leaving")
        began = time.monotonic()
        look = f"/direct/{slide_id}/0/c/0/0/0"
        wait_for(lambda: client.get(look).status_code == 401, 30, "the token has ended")
    assert time.monotonic() - began < YES_SECONDS + _FRESH + 1


def test_one_of_two_web_processes_may_fall(door: FrontDoor, up: Running, slide_id: str) -> None:
    webs = {at["name"]: at for at in up.get("/api/v1/ops")["processes"] if "web" in at["name"]}
    assert webs.keys() == {"web", "web 2"}
    os.killpg(webs["web 2"]["pid"], signal.SIGKILL)
    token = {"Authorization": f"Bearer {up.token('pathologist')}"}
    for _ in range(20):  # each on a connection of its own
        address = f"{up.url}/slides/{slide_id}_files/13/0_0.jpeg"
        assert httpx.get(address, headers=token).status_code == 200

    def back() -> bool:
        now = up.get("/api/v1/ops")["processes"]
        return all(at["state"] == "running" for at in now) and webs["web 2"] not in now

    wait_for(back, 30, "the second is back")


def test_one_viewing_is_one_line_in_the_access_log(
    door: FrontDoor, up: Running, slide_id: str
) -> None:
    (made,) = up.command("token", "create", "--user", "counted", "--role", "pathologist")
    with door.client(made["token"]) as client:
        for column in (0, 1):
            client.get(f"/direct/{slide_id}/0/c/0/0/{column}", headers={"Range": "bytes=0-9"})
    for _ in range(8):  # by both web processes
        with up.client(None) as client:
            address = f"/slides/{slide_id}_files/13/0_0.jpeg"
            client.get(address, headers={"Authorization": f"Bearer {made['token']}"})
    assert access_lines(up, "counted") == [("view", slide_id)]


OpenWindow = Callable[[FrontDoor], Window]


@pytest.fixture
def open_window(browser: Browser, up: Running, screenshots: Path) -> Iterator[OpenWindow]:
    opened: list[Window] = []

    def open_one(door: FrontDoor) -> Window:
        opened.append(Window(browser, door, up, screenshots))
        return opened[-1]

    yield open_one
    for window in opened:
        window.context.close()


@pytest.fixture(scope="module")
def ordinary(
    browser: Browser,
    up: Running,
    slide_id: str,
    screenshots: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Pixels]:
    """The fields as they are seen with direct tiles switched off."""
    with front_door(up, tmp_path_factory.mktemp("plain"), "--no-direct") as door:
        window = Window(browser, door, up, screenshots)
        seen = window.see(slide_id)
        window.context.close()
    assert window.count("_files/") > 10
    assert window.count("/direct/") == 0
    assert plan_is_off(up, slide_id)
    return seen


def plan_is_off(up: Running, slide_id: str) -> bool:
    return up.get(f"/api/v1/slides/{slide_id}/direct", "pathologist")["base"] is None


def test_the_browser_sees_the_same_slide_by_ranges(
    open_window: OpenWindow, door: FrontDoor, slide_id: str, ordinary: list[Pixels]
) -> None:
    window = open_window(door)
    seen = window.see(slide_id)
    assert all(np.array_equal(*pair) for pair in zip(seen, ordinary, strict=True))
    assert len(np.unique(seen[0])) > 50, "there is something to see"
    assert window.count("/direct/") >= 8
    assert window.count("_files/") == 0


def test_neighbours_come_in_one_request_and_an_index_once(
    open_window: OpenWindow, door: FrontDoor, up: Running, tmp_path: Path
) -> None:
    slide_id = painted(up, tmp_path / "wide.svs", (9000, 900))
    views = [f"#x={x}&y=450&z=1" for x in (1200, 5000, 8600)]  # three shards of the largest level
    window = open_window(door)
    asked: list[tuple[str, str]] = []
    window.context.on(
        "request", lambda request: asked.append((request.url, request.headers.get("range", "")))
    )
    window.see(slide_id, views)
    indexes = [url for url, span in asked if span.startswith("bytes=-")]
    assert len(indexes) == len(set(indexes)) > 2
    spans = [(url, at[6:].split("-")) for url, at in asked if at and not at.startswith("bytes=-")]
    tiles = [len(starts_in(up, slide_id, url, int(start), int(end))) for url, (start, end) in spans]
    assert min(tiles) >= 1, "every range is of whole tiles"
    assert max(tiles) >= 2, "neighbours come together"


@pytest.mark.parametrize("spoiled", ["garbage", "whole"])
def test_what_goes_wrong_directly_comes_the_ordinary_way(
    open_window: OpenWindow, door: FrontDoor, slide_id: str, ordinary: list[Pixels], spoiled: str
) -> None:
    def spoil(route: Route) -> None:
        if spoiled == "whole":
            route.fulfill(status=200, body=b"x" * 9000)
        else:
            headers = {"Content-Range": "bytes 0-4099/9000", "ETag": '"1"'}
            route.fulfill(status=206, body=b"x" * 4100, headers=headers)

    window = open_window(door)
    window.context.route("**/direct/**", spoil)
    seen = window.see(slide_id)
    assert all(np.array_equal(*pair) for pair in zip(seen, ordinary, strict=True))
    assert window.count("_files/") > 10


def test_the_front_writes_nobodys_requests_down(door: FrontDoor, slide_id: str) -> None:
    """The last of this file: after all that was asked above."""
    told = door.log.read_text()
    assert slide_id not in told
    assert "127.0.0.1" not in told
    kept = [file for file in door.log.parent.rglob("*.log") if file != door.log]
    assert kept == []
