"""A tile made on first sight and the same tile stored later are the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from processing.paint import Painting, write_svs
from processing.pyramid import complete_levels
from processing.readers import open_slide
from processing.source_levels import copy_source_levels
from processing.tiles import Tiles
from processing.tiling import plan_pyramid
from storage import ngff
from storage.pyramids import Pyramids
from storage.records.slide import PyramidRecord
from storage.tiles import TileStore

_ID = "a" * 32


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slide whose every level has a last column and row that are alone."""
    path = tmp_path_factory.mktemp("odd") / "odd.svs"
    write_svs(Painting(1501, 1101, seed=7), path)
    return path


@pytest.mark.parametrize("lossless", [False, True])
def test_made_and_stored_tiles_are_the_same(odd: Path, tmp_path: Path, lossless: bool) -> None:
    for name in ("published", "staging", "made"):
        (tmp_path / name).mkdir()
    pyramids = Pyramids(tmp_path / "published", tmp_path / "staging", tmp_path / "cold")
    with open_slide(odd) as reader:
        levels = [type(reader.levels[0])(reader.levels[0].size)] if lossless else reader.levels
        sourced = plan_pyramid(levels, lossless=lossless)
        draft = pyramids.create(_ID)
        copy_source_levels(reader, sourced, draft, lambda _done, _total: None)
        record = PyramidRecord(_ID, "f" * 64, sourced.plan, reader.metadata)
        pyramids.publish(draft, record)
    plan = sourced.plan
    places = [
        (at.level, x, y)
        for at in plan.derived()
        for y in range(at.size.in_tiles(plan.tile_edge).height)
        for x in range(at.size.in_tiles(plan.tile_edge).width)
    ]
    made = _tiles(pyramids, tmp_path, places)
    folder, draft = pyramids.path(_ID), pyramids.resume_levels(_ID)
    complete_levels(
        plan,
        {at.level for at in plan.from_source()},
        lambda *at: folder / ngff.shard_key(*at),
        draft,
        lambda _done, _total: None,
    )
    pyramids.publish_levels(draft, record)
    for path in (tmp_path / "made" / _ID).iterdir():
        path.unlink()
    stored = _tiles(pyramids, tmp_path, places)
    assert places
    assert made == stored
    assert not list((tmp_path / "made" / _ID).iterdir())


def _tiles(
    pyramids: Pyramids, folder: Path, places: list[tuple[int, int, int]]
) -> dict[tuple[int, int, int], bytes]:
    tiles = Tiles(TileStore(pyramids), folder / "made")
    pyramid = tiles.pyramid(_ID)
    return {place: tiles.shown(pyramid, *place) for place in places}
