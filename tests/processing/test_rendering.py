"""Channels rendered against numbers computed another way, and tiles of channels on the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from ome_zarr_models.v05 import Image as OmeImage

from processing.auto_window import auto_window
from processing.channels_seen import channels_seen
from processing.downsample import parent_tile
from processing.halving import halve_plane
from processing.plane_codec import decode_plane, encode_plane
from processing.pyramid import complete_levels
from processing.readers import open_slide
from processing.rendering import render
from processing.source_levels import copy_source_levels
from processing.tile_codec import decode_tile
from processing.tiles import Tiles
from processing.tiling import plan_pyramid
from storage import ngff
from storage.errors import Damaged, NotFound
from storage.pyramids import Pyramids
from storage.records.channels import ShownChannel, Window
from storage.records.geometry import Region, Size
from storage.records.slide import LevelOrigin, PlaneEncoding, PyramidRecord, StoredLevel
from storage.tiles import TileStore
from tests.contracts.fluorescence import Planes, cells, halved, write_ome_tiff

_ID = "c" * 20
_SIZE = (1501, 1103)
_DEEP = PlaneEncoding("uint16")


@st.composite
def choices(draw: st.DrawFn) -> tuple[ShownChannel, ...]:
    chosen = []
    for number in draw(st.permutations(range(3)))[: draw(st.integers(0, 3))]:
        low = draw(st.integers(0, 4094))
        window = Window(low, draw(st.integers(low + 1, 4095)))
        chosen.append(ShownChannel(number, window, f"{draw(st.integers(0, 0xFFFFFF)):06X}"))
    return tuple(chosen)


@settings(max_examples=60, deadline=None)
@given(choices())
def test_light_adds_up_in_proportion(choice: tuple[ShownChannel, ...]) -> None:
    planes = np.random.default_rng(1).integers(0, 4096, (3, 40, 30)).astype(np.uint16)
    light = np.zeros((40, 30, 3))
    for shown in choice:
        low, high = shown.window.low, shown.window.high
        share = np.clip((planes[shown.number].astype(float) - low) / (high - low), 0, 1)
        light += share[:, :, None] * np.array(list(bytes.fromhex(shown.color)))
    ours = render(((planes[at.number], at) for at in choice), (40, 30))
    assert ours.dtype == np.uint8
    # The nearest value; exactly between two either is as near.
    assert np.abs(ours - np.minimum(light, 255)).max() <= 0.5 + 1e-4


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_planes_come_back_exactly_and_always_as_the_same_bytes(dtype: str) -> None:
    top = np.iinfo(dtype).max
    plane = np.random.default_rng(2).integers(0, top, (64, 64), endpoint=True).astype(dtype)
    stream = encode_plane(plane)
    assert stream == encode_plane(plane.copy())
    assert np.array_equal(decode_plane(stream, PlaneEncoding(dtype), 64), plane)
    for spoiled in (b"", stream[:12], stream[:-20], b"\xff" * 60, stream[:4] + b"\xff" * 8):
        with pytest.raises(Damaged):
            decode_plane(spoiled, PlaneEncoding(dtype), 64)
    for at in range(0, 8 * len(stream), 97):
        flipped = bytearray(stream)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises(Damaged):
            decode_plane(bytes(flipped), PlaneEncoding(dtype), 64)
    with pytest.raises(Damaged):
        decode_plane(stream, PlaneEncoding(dtype), 128)
    with pytest.raises(Damaged):
        decode_tile(stream, PlaneEncoding(dtype), 64)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_halving_is_the_mean_in_full_depth(dtype: str) -> None:
    top = np.iinfo(dtype).max
    plane = np.random.default_rng(3).integers(0, top, (512, 512), endpoint=True).astype(dtype)
    plane[:4] = top
    assert np.array_equal(halve_plane(plane), halved(plane[None])[0])


def test_a_damaged_child_is_black_and_counted() -> None:
    finer = StoredLevel(0, Size(128, 128), LevelOrigin.ENCODED, _DEEP)
    level = StoredLevel(1, Size(64, 64), LevelOrigin.DERIVED, _DEEP)
    good = encode_plane(np.full((64, 64), 4000, np.uint16))
    data, damaged = parent_tile([good, None, b"no tile", good], 64, finer, level, (0, 0))
    assert data is not None
    tile = decode_plane(data, _DEEP, 64)
    assert (damaged, tile[::32, ::32].tolist()) == (1, [[4000, 0], [0, 4000]])
    assert parent_tile([None] * 4, 64, finer, level, (0, 0)) == (None, 0)


@given(st.lists(st.integers(0, 4095), max_size=50))
def test_a_window_is_never_empty(values: list[int]) -> None:
    window = auto_window([np.array([values], np.uint16)], 4095)
    assert 0 <= window.low < window.high <= 4095


@pytest.fixture(scope="module")
def planes() -> Planes:
    return cells(_SIZE)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, planes: Planes) -> Path:
    """Phase one of a 12-bit slide without smaller copies."""
    folder = tmp_path_factory.mktemp("store")
    for name in ("published", "staging", "made", "cold"):
        (folder / name).mkdir()
    write_ome_tiff(folder / "cells.ome.tif", planes, levels=1)
    pyramids = Pyramids(folder / "published", folder / "staging", folder / "cold")
    with open_slide(folder / "cells.ome.tif") as reader:
        sourced = plan_pyramid(reader.levels, channels=channels_seen(reader))
        draft = pyramids.create(_ID)
        copy_source_levels(reader, sourced, draft, lambda _done, _total: None)
        pyramids.publish(draft, PyramidRecord(_ID, "f" * 64, sourced.plan, reader.metadata))
    return folder


def test_made_stored_and_read_by_zarr_are_the_same(store: Path, planes: Planes) -> None:
    pyramids = Pyramids(store / "published", store / "staging", store / "cold")
    tiles = Tiles(TileStore(pyramids), store / "made")
    record, _ = pyramids.describe(_ID)
    plan, expected = record.plan, [planes, halved(planes), halved(halved(planes))]
    assert [at.origin for at in plan.derived()] == [LevelOrigin.DERIVED] * 2
    pyramid = tiles.pyramid(_ID)
    shown = {}
    for level, whole in enumerate(expected):
        region = Region(0, 0, whole.shape[2], whole.shape[1])
        for channel, plane in enumerate(whole):
            assert np.array_equal(tiles.plane(pyramid, level, channel, region), plane)
        shown[level] = tiles.shown(pyramid, level, 0, 0)
    folder, draft = pyramids.path(_ID), pyramids.resume_levels(_ID)
    complete_levels(
        plan,
        {at.level for at in plan.from_source()},
        lambda *place: folder / ngff.shard_key(*place),
        draft,
        lambda _done, _total: None,
    )
    pyramids.publish_levels(draft, record)
    group = zarr.open_group(folder, mode="r")
    assert len(OmeImage.from_zarr(group).ome_attributes.multiscales[0].datasets) == 3
    fresh = Tiles(TileStore(pyramids), store / "nothing-made")
    for level, whole in enumerate(expected):
        assert group[str(level)].dtype == np.uint16
        assert np.array_equal(group[str(level)][:], whole)
        assert fresh.shown(fresh.pyramid(_ID), level, 0, 0) == shown[level]
    assert ngff.read_group((folder / "zarr.json").read_bytes())[0] == record


def test_what_there_is_not(store: Path) -> None:
    tiles = Tiles(
        TileStore(Pyramids(store / "published", store / "staging", store / "cold")), store / "made"
    )
    pyramid = tiles.pyramid(_ID)
    for level, channel in ((0, 3), (0, -1), (9, 0)):
        with pytest.raises(NotFound):
            tiles.plane(pyramid, level, channel, Region(0, 0, 10, 10))
    assert not tiles.region(pyramid, 0, Region(-50, -50, 50, 50)).any()
    assert not tiles.region(pyramid, 0, Region(0, 0, 50, 50), ()).any()
