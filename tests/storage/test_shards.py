"""Shards: what is written is read, by us and by zarr-python; what is damaged is told."""

from __future__ import annotations

import os
import resource
import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.errors import StoreDamaged
from storage.shards import Chunk, Shard, write_parts, write_shard

_PIECES = st.lists(st.binary(max_size=200), min_size=1, max_size=3)
_CHUNKS = st.lists(st.none() | _PIECES.map(tuple), min_size=1, max_size=40)


@given(_CHUNKS, st.booleans())
@settings(deadline=None)
def test_round_trip(chunks: list[Chunk | None], sync: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shard"
        assert write_shard(path, chunks, sync=sync) == path.stat().st_size
        assert os.listdir(folder) == ["shard"]
        shard = Shard.open(path, len(chunks))
        assert shard is not None
        for at, chunk in enumerate(chunks):
            assert shard.chunk(at) == (None if chunk is None else b"".join(chunk))


def test_more_parts_than_one_system_call_takes(tmp_path: Path) -> None:
    chunks: list[Chunk | None] = [
        None if at % 7 == 3 else (b"head", memoryview(at.to_bytes(4, "big")), b"")
        for at in range(4096)
    ]
    write_shard(tmp_path / "shard", chunks)
    shard = Shard.open(tmp_path / "shard", 4096)
    assert shard is not None
    assert shard.chunk(3) is None
    assert shard.chunk(4095) == b"head" + (4095).to_bytes(4, "big")


def test_no_shard_is_no_error(tmp_path: Path) -> None:
    assert Shard.open(tmp_path / "none", 4) is None


@given(st.integers(0, 16 * 5 + 3), st.integers(0, 7))
@settings(deadline=None)
def test_a_flipped_bit_in_the_index_is_found(at: int, bit: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shard"
        write_shard(path, [(b"one",), None, (b"two", b"three"), None, (b"",)])
        data = bytearray(path.read_bytes())
        data[len(data) - 16 * 5 - 4 + at] ^= 1 << bit
        path.write_bytes(data)
        with pytest.raises(StoreDamaged):
            Shard.open(path, 5)


@pytest.mark.parametrize("kept", [0, 1, 19, 20, 30])
def test_a_shard_cut_short_is_found(kept: int, tmp_path: Path) -> None:
    path = tmp_path / "shard"
    write_shard(path, [(b"0123456789" * 3,)])
    os.truncate(path, kept)
    with pytest.raises(StoreDamaged):
        Shard.open(path, 1)


def test_a_sound_index_that_points_outside_is_found(tmp_path: Path) -> None:
    """A shard whose chunks were lost in the middle keeps a checksum that is right."""
    path = tmp_path / "shard"
    write_shard(path, [(b"x" * 100,), (b"y" * 100,)])
    path.write_bytes(path.read_bytes()[150:])
    with pytest.raises(StoreDamaged, match="outside"):
        Shard.open(path, 2)


def test_nothing_is_left_when_the_disk_refuses(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            write_parts(tmp_path / "shard", [b"x" * 5000], sync=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_descriptors_come_back(tmp_path: Path) -> None:
    write_shard(tmp_path / "shard", [(b"x",)])
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        Shard.open(tmp_path / "shard", 1)
        with pytest.raises(StoreDamaged):
            Shard.open(tmp_path / "shard", 2)
    assert len(os.listdir("/proc/self/fd")) == before


def test_zarr_python_reads_what_we_write(tmp_path: Path) -> None:
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=(40, 32), chunks=(8, 16), shards=(32, 32), dtype="uint8",
        compressors=None, fill_value=255,
    )  # fmt: skip
    expected = np.full((40, 32), 255, np.uint8)
    for shard_row, rows in ((0, 4), (1, 1)):
        chunks = list[Chunk | None]()
        for row in range(4):
            for column in range(2):
                number = shard_row * 8 + row * 2 + column
                if row >= rows or number == 3:
                    chunks.append(None)
                    continue
                pixels = np.full((8, 16), number, np.uint8)
                y, x = shard_row * 32 + row * 8, column * 16
                expected[y : y + 8, x : x + 16] = pixels
                chunks.append((pixels[:3].tobytes(), pixels[3:].tobytes()))
        path = tmp_path / "a.zarr" / "c" / str(shard_row) / "0"
        path.parent.mkdir(parents=True)
        write_shard(path, chunks)
    assert np.array_equal(np.asarray(array[:]), expected)


def test_we_read_what_zarr_python_writes(tmp_path: Path) -> None:
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=(32, 32), chunks=(8, 16), shards=(32, 32), dtype="uint8",
        compressors=None, fill_value=0,
    )  # fmt: skip
    array[8:16, 16:] = 7
    shard = Shard.open(tmp_path / "a.zarr" / "c" / "0" / "0", 8)
    assert shard is not None
    assert shard.chunk(3) == bytes([7]) * 128
    assert shard.chunk(2) is None


def test_the_index_is_at_the_end_in_little_endian(tmp_path: Path) -> None:
    """As the specification says, and as zarrita.js takes for granted."""
    write_shard(tmp_path / "shard", [(b"abc",), None])
    data = (tmp_path / "shard").read_bytes()
    assert data[:3] == b"abc"
    assert struct.unpack("<4Q", data[3:35]) == (0, 3, 2**64 - 1, 2**64 - 1)
    assert len(data) == 3 + 32 + 4
