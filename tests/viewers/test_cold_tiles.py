"""A cold slide is shown like any other, and its tiles keep the ETags they had."""

from __future__ import annotations

import asyncio

import pytest

from flows.cold import move_to
from storage.cold import thaw_tile
from storage.records.geometry import deep_zoom_top
from storage.records.slide import Tier
from tests.viewers.conftest import Ask, Shop

_ALIKE = ("etag", "content-type", "content-length", "cache-control")


def addresses(shop: Shop) -> list[str]:
    plan = shop.services.pyramids.describe(shop.dicom)[0].plan
    top, found = deep_zoom_top(plan.size), [f"/slides/{shop.dicom}_files/3/0_0.jpeg"]
    for at in plan.levels:
        grid = at.size.in_tiles(plan.tile_edge)
        found += [
            f"/slides/{shop.dicom}_files/{top - at.level}/{column}_{row}.jpeg"
            for row in range(grid.height)
            for column in range(grid.width)
        ]
    return [*found, f"/slides/{shop.dicom}/associated/thumbnail", f"/slides/{shop.dicom}.dzi"]


def test_cold_tiles_are_the_warm_ones(
    ask: Ask, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = ask("pathologist")
    asked = addresses(shop)
    before = [client.get(at) for at in asked]
    assert {answer.status_code for answer in before} == {200}
    thawed_in_loop = []

    def thaw(chunk: bytes) -> bytes:
        thawed_in_loop.append(asyncio._get_running_loop() is not None)
        return thaw_tile(chunk)

    move_to(shop.services, shop.dicom, Tier.COLD, "tester")
    monkeypatch.setattr("storage.cold.thaw_tile", thaw)
    try:
        for at, warm in zip(asked, before, strict=True):
            cold = client.get(at)
            assert (cold.status_code, cold.content) == (200, warm.content)
            assert [cold.headers.get(name) for name in _ALIKE] == [
                warm.headers.get(name) for name in _ALIKE
            ]
            if "etag" in warm.headers:
                again = client.get(at, headers={"If-None-Match": warm.headers["etag"]})
                assert again.status_code == 304
        told = client.get(f"/api/v1/slides/{shop.dicom}").json()
        assert told["tier"] == "cold"
        assert thawed_in_loop
        assert not any(thawed_in_loop), "thawing holds up nobody else's tiles"
    finally:
        move_to(shop.services, shop.dicom, Tier.WARM, "tester")
    assert client.get(asked[1]).content == before[1].content
