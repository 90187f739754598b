"""The arithmetic of levels and tiles, for any size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.records.geometry import (
    Region,
    Size,
    TileBlock,
    deep_zoom_top,
    level_count,
    tile_region,
)

_PIXELS = st.integers(1, 2_000_000)
_SIZES = st.builds(Size, _PIXELS, _PIXELS)
_EDGES = st.sampled_from([64, 240, 256, 496, 500, 512, 1024])
_PLACES = st.integers(-3_000_000, 3_000_000)
_REGIONS = st.builds(Region, _PLACES, _PLACES, _PIXELS, _PIXELS)


@given(_SIZES, st.integers(0, 30))
def test_a_level_is_the_one_before_halved_and_rounded_up(size: Size, level: int) -> None:
    finer, coarser = size.at_level(level), size.at_level(level + 1)
    assert coarser.width == (finer.width + 1) // 2
    assert coarser.height == (finer.height + 1) // 2
    assert size.at_level(0) == size


@given(_SIZES, _EDGES)
def test_tiles_cover_the_image_and_no_more(size: Size, edge: int) -> None:
    grid = size.in_tiles(edge)
    assert (grid.width - 1) * edge < size.width <= grid.width * edge
    assert (grid.height - 1) * edge < size.height <= grid.height * edge
    assert tile_region(grid.width - 1, grid.height - 1, edge).clipped(size) is not None
    assert tile_region(grid.width, 0, edge).clipped(size) is None
    assert tile_region(0, grid.height, edge).clipped(size) is None


@given(_SIZES, _EDGES)
def test_the_last_level_is_the_first_that_fits_a_tile(size: Size, edge: int) -> None:
    count = level_count(size, edge)
    last = size.at_level(count - 1)
    assert max(last.width, last.height) <= edge
    if count > 1:
        before = size.at_level(count - 2)
        assert max(before.width, before.height) > edge


@given(_REGIONS, _SIZES)
def test_clipping(region: Region, size: Size) -> None:
    inside = region.clipped(size)
    if inside is None:
        apart = region.x >= size.width or region.y >= size.height
        assert apart or region.right <= 0 or region.bottom <= 0
        return
    assert region.x <= inside.x < inside.right <= region.right
    assert region.y <= inside.y < inside.bottom <= region.bottom
    assert 0 <= inside.x < inside.right <= size.width
    assert 0 <= inside.y < inside.bottom <= size.height
    assert inside.clipped(size) == inside
    whole = Region(0, 0, size.width, size.height)
    assert inside.width == min(region.right, whole.right) - max(region.x, 0)


@given(_SIZES)
def test_deep_zoom_ends_at_one_pixel(size: Size) -> None:
    top = deep_zoom_top(size)
    assert size.at_level(top) == Size(1, 1)
    assert top == 0 or max(size.at_level(top - 1).width, size.at_level(top - 1).height) == 2


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 9), st.integers(1, 9))
def test_a_block_names_each_of_its_tiles_once(
    column: int, row: int, columns: int, rows: int
) -> None:
    places = list(TileBlock(column, row, columns, rows).places())
    assert len(set(places)) == len(places) == columns * rows
    assert places == sorted(places, key=lambda place: (place[1], place[0]))
    assert places[0] == (column, row)
    assert places[-1] == (column + columns - 1, row + rows - 1)


@pytest.mark.parametrize(("width", "height"), [(0, 1), (1, 0), (-1, 5)])
def test_nothing_is_empty(width: int, height: int) -> None:
    with pytest.raises(ValueError, match="at least 1x1"):
        Size(width, height)
    with pytest.raises(ValueError, match="at least 1x1"):
        Region(0, 0, width, height)
