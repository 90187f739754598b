"""What the browser is told of direct tiles, and what the front is told when it asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import people
from storage.records.intake import IntakeState
from storage.records.people import Role
from tests.viewers.conftest import Ask, Shop
from tests.viewers.test_audit import lines
from tests.viewers.test_tiles import record_of

BEHIND_A_FRONT = {"X-Svartid-Direct": "1"}


def test_a_base_is_told_only_behind_a_front(ask: Ask, shop: Shop) -> None:
    client = ask("pathologist")
    address = f"/api/v1/slides/{shop.svs}/direct"
    behind = client.get(address, headers=BEHIND_A_FRONT).json()
    assert behind["base"] == f"/direct/{shop.svs}/"
    assert client.get(address).json() == behind | {"base": None}


def test_levels_are_told_as_they_are_stored(ask: Ask, shop: Shop) -> None:
    plan = record_of(shop, shop.svs).plan
    told = ask("pathologist").get(f"/api/v1/slides/{shop.svs}/direct").json()
    assert told["shard_tiles"] == plan.shard_tiles
    grids = [(at.level, at.size.in_tiles(plan.tile_edge)) for at in plan.levels]
    assert told["levels"] == [
        {"level": level, "columns": grid.width, "rows": grid.height} for level, grid in grids
    ]


def test_levels_that_are_not_stored_yet_are_not_told(
    ask: Ask, shop: Shop, larger_svs: Path
) -> None:
    row = shop.follow(shop.deliver(larger_svs), IntakeState.READY)
    told = ask("pathologist").get(f"/api/v1/slides/{row.slide_id}/direct").json()
    present = [at.level for at in shop.services.pyramids.describe(row.slide_id)[1]]
    assert [at["level"] for at in told["levels"]] == present
    assert len(present) < len(record_of(shop, row.slide_id).plan.levels)


@pytest.mark.parametrize(
    ("role", "status"), [(None, 401), ("guest", 403), ("pathologist", 204), ("technician", 204)]
)
def test_the_gate_follows_the_right_to_read(
    ask: Ask, shop: Shop, role: str | None, status: int
) -> None:
    assert ask(role).get(f"/direct-gate/{shop.svs}").status_code == status


@pytest.mark.parametrize("slide_id", ["f" * 20, "..%2f", "%00", "zarr.json"])
def test_the_gate_opens_for_no_other_name(ask: Ask, slide_id: str) -> None:
    assert ask("pathologist").get(f"/direct-gate/{slide_id}").status_code == 404


def test_a_viewing_is_one_line_by_whichever_way(ask: Ask, shop: Shop) -> None:
    database = shop.services.database
    secret = people.open_session(database, "pathologist", Role.PATHOLOGIST)
    principal = people.principal_of(database, secret)
    assert principal is not None
    headers = {"Authorization": f"Bearer {secret}"}
    client = ask(None)
    for path in ("direct-gate/{}", "api/v1/slides/{}/direct", "slides/{}_files/9/0_0.jpeg"):
        assert client.get("/" + path.format(shop.svs), headers=headers).status_code < 300
    assert lines(database, principal.session) == {("pathologist", "view", shop.svs): 1}
