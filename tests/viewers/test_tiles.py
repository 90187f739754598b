"""Tiles at Deep Zoom addresses: the stored bytes, cached for good, and every level there is."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from storage import ngff
from storage.records.geometry import Size, deep_zoom_top
from storage.records.intake import IntakeState
from storage.records.slide import LevelOrigin, PyramidRecord
from storage.shards import Shard
from tests.viewers.conftest import Ask, Shop


def record_of(shop: Shop, slide_id: str) -> PyramidRecord:
    return shop.services.pyramids.describe(slide_id)[0]


def address(slide_id: str, deep_zoom_level: int, column: int = 0, row: int = 0) -> str:
    return f"/slides/{slide_id}_files/{deep_zoom_level}/{column}_{row}.jpeg"


def picture(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def stored_tile(shop: Shop, slide_id: str, level: int, column: int, row: int) -> bytes | None:
    """Read from the shard as the test sees it, past every cache."""
    per = record_of(shop, slide_id).plan.shard_tiles
    key = ngff.shard_key(level, row // per, column // per)
    shard = Shard.open(shop.services.pyramids.path(slide_id) / key, per * per)
    return shard and shard.chunk(row % per * per + column % per)


def test_every_tile_is_the_stored_bytes(ask: Ask, shop: Shop) -> None:
    client, plan = ask("pathologist"), record_of(shop, shop.svs).plan
    top, count = deep_zoom_top(plan.size), 0
    for at in plan.levels:
        grid = at.size.in_tiles(plan.tile_edge)
        for row in range(grid.height):
            for column in range(grid.width):
                answer = client.get(address(shop.svs, top - at.level, column, row))
                assert answer.status_code == 200
                assert answer.content == stored_tile(shop, shop.svs, at.level, column, row)
                count += 1
    assert count > 30


def test_headers_of_a_tile(ask: Ask, shop: Shop) -> None:
    top = deep_zoom_top(record_of(shop, shop.svs).plan.size)
    answer = ask("pathologist").get(address(shop.svs, top))
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert re.fullmatch(r'"[0-9a-f-]+"', answer.headers["etag"])
    assert "set-cookie" not in answer.headers


def test_a_known_tile_is_not_sent_again(ask: Ask, shop: Shop) -> None:
    client = ask("pathologist")
    first = client.get(address(shop.svs, 9))
    for known in (first.headers["etag"], f'"other", W/{first.headers["etag"]}'):
        again = client.get(address(shop.svs, 9), headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["cache-control"] == first.headers["cache-control"]
    changed = client.get(address(shop.svs, 9), headers={"If-None-Match": '"other"'})
    assert changed.status_code == 200


def test_head_is_get_without_the_body(ask: Ask, shop: Shop) -> None:
    client = ask("pathologist")
    get, head = client.get(address(shop.svs, 9)), client.head(address(shop.svs, 9))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == get.headers


@pytest.mark.parametrize(
    ("level", "column", "row"),
    [
        (11, 6, 0),
        (11, 0, 5),
        (11, 9999999, 0),
        (10, 3, 0),
        (3, 1, 1),
        (0, 1, 0),
        (0, 0, 1),
        (12, 0, 0),
        (99, 0, 0),
    ],
)
def test_outside_the_grid_is_not_found(
    level: int, column: int, row: int, ask: Ask, shop: Shop
) -> None:
    assert record_of(shop, shop.svs).plan.size == Size(1500, 1100)
    answer = ask("pathologist").get(address(shop.svs, level, column, row))
    assert (answer.status_code, answer.json()) == (404, {"error": "not_found"})


@pytest.mark.parametrize(
    "tail",
    [
        "_files/11/0_0.png",
        "_files/11/-1_0.jpeg",
        "_files/11/0_0.jpeg/x",
        "_files/x/0_0.jpeg",
        "_files/11/0.jpeg",
        "_files/",
        "_files/11/00000000000_0.jpeg",
    ],
)
def test_other_addresses_are_not_found(tail: str, ask: Ask, shop: Shop) -> None:
    assert ask("pathologist").get(f"/slides/{shop.svs}{tail}").status_code == 404
    assert ask("pathologist").get(f"/slides/{'f' * 20}_files/1/0_0.jpeg").status_code == 404


@pytest.mark.parametrize("name", ["svs", "dicom"])
def test_levels_below_one_tile_have_their_exact_size(name: str, ask: Ask, shop: Shop) -> None:
    slide_id = getattr(shop, name)
    plan, client = record_of(shop, slide_id).plan, ask("pathologist")
    top, smallest = deep_zoom_top(plan.size), plan.levels[-1]
    coarser = None
    for deep_zoom_level in range(top - smallest.level):
        answer = client.get(address(slide_id, deep_zoom_level))
        size = plan.size.at_level(top - deep_zoom_level)
        with picture(answer.content) as shown:
            assert shown.size == (size.width, size.height)
            mean = np.asarray(shown.convert("RGB")).mean(axis=(0, 1))
        if coarser is not None:
            assert np.abs(mean - coarser).max() < 30
        coarser = mean
    with picture(client.get(address(slide_id, 0)).content) as shown:
        assert shown.size == (1, 1)


def test_the_descriptor_says_what_the_tiles_are(ask: Ask, shop: Shop) -> None:
    for slide_id in (shop.svs, shop.dicom):
        plan = record_of(shop, slide_id).plan
        answer = ask("pathologist").get(f"/slides/{slide_id}.dzi")
        assert answer.headers["content-type"] == "application/xml"
        assert f'TileSize="{plan.tile_edge}"' in answer.text
        assert 'Overlap="0"' in answer.text
        assert 'Format="jpeg"' in answer.text
        assert f'<Size Width="{plan.size.width}" Height="{plan.size.height}"/>' in answer.text
    assert ask("pathologist").get(f"/slides/{'f' * 20}.dzi").status_code == 404


def test_levels_not_yet_stored_are_what_phase_two_stores(
    ask: Ask, shop: Shop, larger_svs: Path
) -> None:
    """The slide is read in but not complete: every tile is answered, and stays the same."""
    row = shop.follow(shop.deliver(larger_svs), IntakeState.READY)
    assert row.state is IntakeState.READY
    client, plan = ask("pathologist"), record_of(shop, row.slide_id).plan
    top = deep_zoom_top(plan.size)
    derived = [at for at in plan.levels if at.origin is LevelOrigin.DERIVED]
    assert derived
    assert not any(stored_tile(shop, row.slide_id, at.level, 0, 0) for at in derived), (
        "phase two has not run"
    )
    shown = {}
    for at in reversed(plan.levels):
        grid = at.size.in_tiles(plan.tile_edge)
        for y in range(grid.height):
            for x in range(grid.width):
                answer = client.get(address(row.slide_id, top - at.level, x, y))
                assert answer.status_code == 200, (at.level, x, y)
                shown[at.level, x, y] = answer.content
    shop.follow(row)
    shutil.rmtree(shop.services.layout.made / row.slide_id, ignore_errors=True)
    differ = [at for at, data in shown.items() if stored_tile(shop, row.slide_id, *at) != data]
    assert differ == []
    for at in derived:
        again = client.get(address(row.slide_id, top - at.level)).content
        assert again == shown[at.level, 0, 0]


def test_associated_images(ask: Ask, shop: Shop) -> None:
    client = ask("pathologist")
    for name in ("label", "overview", "thumbnail"):
        answer = client.get(f"/slides/{shop.svs}/associated/{name}")
        assert answer.status_code == 200
        with picture(answer.content) as shown:
            assert answer.headers["content-type"] == f"image/{shown.format.lower()}"  # type: ignore[union-attr]
        assert answer.headers["cache-control"].startswith("private")
    assert client.get(f"/slides/{shop.svs}/associated/other").status_code == 404
