"""The plan of a pyramid, for any source a scanner may give."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.readers import SourceLevel
from processing.tiling import DERIVED, ENCODED, SHARD_PIXELS, Sourced, plan_pyramid
from storage.records.geometry import Size
from storage.records.slide import JpegEncoding, LevelOrigin

_JPEG = JpegEncoding(80, "420")
_ROUNDINGS = ("up", "down", "nearest")


def _smaller(base: Size, ratio: int, rounding: str) -> Size:
    def one(length: int) -> int:
        parts = {"up": -(-length // ratio), "down": length // ratio}
        return max(1, parts.get(rounding, round(length / ratio)))

    return Size(one(base.width), one(base.height))


@st.composite
def sources(draw: st.DrawFn, *, copied: bool | None = None) -> list[SourceLevel]:
    """Level 0 and some smaller ones, at powers of two or odd ratios, with or without tiles."""
    base = Size(draw(st.integers(1, 300_000)), draw(st.integers(1, 300_000)))
    edge = draw(st.sampled_from([64, 240, 256, 500, 1024, 2048]))
    has_jpeg = draw(st.booleans()) if copied is None else copied
    ratios = draw(st.sets(st.sampled_from([2, 3, 4, 5, 8, 10, 16, 32, 64]), max_size=5))
    rounding = draw(st.sampled_from(_ROUNDINGS))
    sizes = [base, *(_smaller(base, ratio, rounding) for ratio in sorted(ratios))]
    kept = [sizes[0]]
    kept += [after for before, after in pairwise(sizes) if after.width < before.width]
    return [SourceLevel(size, edge, _JPEG if has_jpeg else None) for size in kept]


@given(sources(), st.booleans())
def test_every_plan(levels: list[SourceLevel], lossless: bool) -> None:
    sourced = plan_pyramid(levels, lossless=lossless)
    plan, base = sourced.plan, levels[0].size
    assert plan.size == base
    assert [at.level for at in plan.levels] == list(range(len(plan.levels)))
    assert max(plan.levels[-1].size.width, plan.levels[-1].size.height) <= plan.tile_edge + 1
    for at in plan.levels:
        ideal = base.at_level(at.level)
        assert abs(at.size.width - ideal.width) <= 1
        assert abs(at.size.height - ideal.height) <= 1
    assert plan.shard_tiles * plan.tile_edge <= max(SHARD_PIXELS, plan.tile_edge)
    assert plan.shard_tiles & (plan.shard_tiles - 1) == 0
    _check_sources(sourced, levels)


def _check_sources(sourced: Sourced, levels: list[SourceLevel]) -> None:
    plan, of = sourced.plan, sourced.source_of
    assert of[0] == 0
    assert len(set(of.values())) == len(of)
    assert {at.level for at in plan.from_source()} == set(of)
    assert all(at.size == levels[of[at.level]].size for at in plan.from_source())
    unused = [at for index, at in enumerate(levels) if index not in of.values()]
    large = [at for at in unused if max(at.size.width, at.size.height) > plan.tile_edge]
    assert sourced.ignored == len(large)


@given(sources(copied=True))
def test_tiles_are_copied_where_there_are_any(levels: list[SourceLevel]) -> None:
    plan = plan_pyramid(levels).plan
    assert plan.tile_edge == levels[0].tile_edge
    assert all(at.origin is LevelOrigin.COPIED for at in plan.from_source())
    assert all(at.encoding == _JPEG for at in plan.from_source())
    assert all(at.encoding == DERIVED for at in plan.derived())


@given(sources(copied=False), st.booleans())
def test_pixels_are_encoded_once(levels: list[SourceLevel], lossless: bool) -> None:
    plan = plan_pyramid(levels, lossless=lossless).plan
    assert all(at.origin is LevelOrigin.ENCODED for at in plan.from_source())
    assert all(at.encoding == (None if lossless else ENCODED) for at in plan.levels)


@pytest.mark.parametrize("ratio", [3, 5, 10])
def test_odd_scanner_levels_are_ignored(ratio: int) -> None:
    base = Size(40_000, 30_000)
    levels = [SourceLevel(base, 256, _JPEG), SourceLevel(_smaller(base, ratio, "up"), 256, _JPEG)]
    sourced = plan_pyramid(levels)
    assert sourced.source_of == {0: 0}
    assert sourced.ignored == 1


def test_a_level_with_other_tiles_is_ignored() -> None:
    base = Size(40_000, 30_000)
    for other in (SourceLevel(base.at_level(2), 512, _JPEG), SourceLevel(base.at_level(2), 256)):
        assert plan_pyramid([SourceLevel(base, 256, _JPEG), other]).source_of == {0: 0}
