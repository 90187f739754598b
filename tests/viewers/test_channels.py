"""Channels over HTTP: rendered as asked, known by their ETag; what is no choice is refused."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from storage.records.geometry import deep_zoom_top
from tests.contracts.fluorescence import Planes, cells, write_ome_tiff
from tests.viewers.conftest import NOBODY, Ask, Shop

_SIZE = (1501, 1103)


@pytest.fixture(scope="module")
def planes() -> Planes:
    return cells(_SIZE)


@pytest.fixture(scope="module")
def slide(shop: Shop, planes: Planes, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("cells") / "cells.ome.tif"
    write_ome_tiff(path, planes)
    return shop.ingest(path)


def tile(slide: str, query: str = "", place: str = "11/1_1") -> str:
    return f"/slides/{slide}_files/{place}.jpeg{query}"


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(float)


def test_a_chosen_tile_is_what_numpy_says(ask: Ask, slide: str, planes: Planes) -> None:
    answer = ask("pathologist").get(tile(slide, "?channels=1:100-900:80FF00,2:50-2000:ff0000"))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    part = planes[:, 512:1024, 512:1024].astype(float)
    green, red = np.clip((part[1] - 100) / 800, 0, 1), np.clip((part[2] - 50) / 1950, 0, 1)
    expected = np.stack([green * 128 + red * 255, green * 255, 0 * green], axis=2).clip(0, 255)
    apart = np.abs(pixels(answer.content) - expected)
    assert apart.mean() < 2
    assert np.percentile(apart, 99) < 14


def test_the_slides_own_windows_and_none_at_all(ask: Ask, slide: str) -> None:
    client = ask("pathologist")
    document = client.get(f"/api/v1/slides/{slide}").json()
    assert (document["channels"]["bits"], document["channels"]["most"]) == (12, 4095)
    own = ",".join(
        f"{at}:{channel['low']}-{channel['high']}:{channel['color']}"
        for at, channel in enumerate(document["channels"]["list"])
    )
    plain, chosen = client.get(tile(slide)), client.get(tile(slide, f"?channels={own}"))
    assert plain.content == chosen.content
    assert plain.headers["etag"] == chosen.headers["etag"]
    assert pixels(client.get(tile(slide, "?channels=")).content).max() == 0
    assert pixels(plain.content).max() > 200
    assert client.get(f"/slides/{slide}/associated/thumbnail").status_code == 200


def test_every_level_is_rendered(ask: Ask, slide: str, shop: Shop) -> None:
    client, (width, height) = ask("pathologist"), _SIZE
    top = deep_zoom_top(shop.services.pyramids.describe(slide)[0].plan.size)
    for level in range(top + 1):
        answer = client.get(tile(slide, "?channels=0:60-3000:FFFFFF", f"{level}/0_0"))
        assert answer.status_code == 200
        shown = pixels(answer.content)
        whole = -(-width >> (top - level)), -(-height >> (top - level))
        assert shown.shape[:2] == ((512, 512) if level > top - 3 else whole[::-1])
    assert client.get(tile(slide, "?channels=0:60-3000:FFFFFF", "11/3_0")).status_code == 404


def test_a_known_choice_is_not_rendered_again(ask: Ask, slide: str) -> None:
    client = ask("pathologist")
    one, other = (
        "?channels=0:0-900:0000FF,1:0-900:00ff00",
        "?channels=1:0-900:00FF00,0:0-900:0000ff",
    )
    first = client.get(tile(slide, one))
    assert "immutable" in first.headers["cache-control"]
    assert "private" in first.headers["cache-control"]
    known = {"If-None-Match": first.headers["etag"]}
    again = client.get(tile(slide, other), headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(tile(slide, one.replace("900", "901")), headers=known).status_code == 200
    assert client.get(tile(slide, one, "11/0_0"), headers=known).status_code == 200
    head = client.head(tile(slide, one))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize(
    "choice",
    [
        "0",
        "0:0-4095",
        "0:0-4095:GGGGGG",
        "0:0-4095:00FF0",
        "3:0-4095:00FF00",
        "-1:0-4095:00FF00",
        "99:0-4095:00FF00",
        "0:0-4096:00FF00",
        "0:900-900:00FF00",
        "0:900-100:00FF00",
        "0:-5-100:00FF00",
        "0:0-4095:00FF00,0:0-10:FF0000",
        "0:0-4095:00FF00,",
        ",0:0-4095:00FF00",
        "0:0-4095:00FF00;1:0-4095:00FF00",
        " 0:0-4095:00FF00",
        "0:0-4095:00FF00%0A",
        "%D9%A0:0-4095:00FF00",
        "0:0-99999999999999999999:00FF00",
        "%FF%FE",
        "0:0-1:FFFFFF," * 500,
        "0:0-4095:00FF00&channels=1:0-4095:00FF00",
        "<script>",
    ],
)
def test_what_is_no_choice_is_refused(choice: str, ask: Ask, slide: str) -> None:
    answer = ask("pathologist").get(tile(slide, f"?channels={choice}"))
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})
    assert answer.headers["cache-control"] == "no-store"


def test_brightfield_takes_no_choice(ask: Ask, shop: Shop) -> None:
    client = ask("pathologist")
    assert client.get(f"/api/v1/slides/{shop.svs}").json()["channels"] is None
    plain, asked = (client.get(tile(shop.svs, query)) for query in ("", "?channels=0:0-1:FFFFFF"))
    assert plain.content == asked.content
    field = "x=0&y=0&width=100&height=100"
    assert client.get(f"/api/v1/slides/{shop.svs}/windows?{field}").status_code == 404


def test_windows_from_a_field(ask: Ask, slide: str, planes: Planes) -> None:
    client, address = ask("pathologist"), f"/api/v1/slides/{slide}/windows"
    field = {"x": 200, "y": 100, "width": 700, "height": 600}
    found = client.get(address, params=field).json()["windows"]
    for window, plane in zip(found, planes[:, 100:700, 200:900], strict=True):
        low, high = np.quantile(plane, [0.01, 0.999], method="inverted_cdf")
        assert (window["low"], window["high"]) == (low, high)
    whole = client.get(address, params={"x": 0, "y": 0, "width": 1501, "height": 1103})
    assert len(whole.json()["windows"]) == 3
    for wrong in ({"x": -1}, {"width": 0}, {"width": 10**9}, {"y": "a"}):
        assert client.get(address, params=field | wrong).status_code == 422
    assert client.get(address, params=field | {"x": 5000}).status_code == 404
    assert ask(NOBODY).get(address, params=field).status_code == 401


def test_a_damaged_tile_is_an_error_and_not_a_picture(ask: Ask, shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "other.ome.tif"
    write_ome_tiff(path, cells((600, 500), seed=9))
    slide = shop.ingest(path)
    (shard,) = (shop.services.pyramids.path(slide) / "0/c/1").rglob("0/0")
    data = bytearray(shard.read_bytes())
    data[1000] ^= 4
    shard.write_bytes(data)
    client = ask("pathologist")
    assert client.get(tile(slide, "?channels=0:0-900:FFFFFF", "10/0_0")).status_code == 200
    answer = client.get(tile(slide, "", "10/0_0"))
    assert (answer.status_code, answer.json()) == (500, {"error": "damaged"})
