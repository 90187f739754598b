"""The Zarr v3 shard as bytes: chunks one after the other, the index with its CRC-32C at the end.

Source: Zarr v3 `sharding_indexed` codec specification; index_location "end".
"""

from __future__ import annotations

import os
import struct
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from storage.errors import StoreDamaged

ABSENT = 2**64 - 1
INDEX_ENTRY_BYTES, INDEX_SUM_BYTES = 16, 4
_MOST_PARTS = 1000
"""Below IOV_MAX (1024): as many buffers as one writev takes."""

Buffer = bytes | memoryview
Chunk = tuple[Buffer, ...]
"""One chunk in as many pieces as are at hand, so that headers need not be copied in front."""


def write_shard(path: Path, chunks: Sequence[Chunk | None], *, sync: bool = False) -> int:
    """Write a whole shard beside `path` and rename it into place; returns its bytes.

    `chunks` in C order, None where a chunk is absent. With `sync` the file is on disk before
    it has its name. Errors: OSError from the disk, nothing is left then.
    """
    index = np.full((len(chunks), 2), ABSENT, dtype="<u8")
    position, parts = 0, list[Buffer]()
    for at, chunk in enumerate(chunks):
        if chunk is not None:
            length = sum(map(len, chunk))
            index[at] = position, length
            position += length
            parts.extend(chunk)
    tail = index.tobytes()
    parts.append(tail + struct.pack("<I", google_crc32c.value(tail)))
    write_parts(path, parts, sync=sync)
    return position + len(tail) + 4


def write_parts(path: Path, parts: Sequence[Buffer], *, sync: bool, alone: bool = True) -> None:
    """Write buffers to `path` through a `.part` file, so that `path` is whole or absent.

    Not `alone`: others may write the same file in this moment, each through a file of its own.
    """
    mark = "" if alone else f".{uuid.uuid4().hex[:8]}"
    part = path.with_name(f"{path.name}{mark}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    try:
        for start in range(0, len(parts), _MOST_PARTS):
            _write_all(descriptor, parts[start : start + _MOST_PARTS])
        if sync:
            os.fsync(descriptor)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    part.replace(path)


def _write_all(descriptor: int, parts: Sequence[Buffer]) -> None:
    """Hand all bytes to the kernel; writev may take fewer than it was given."""
    missing = sum(map(len, parts)) - os.writev(descriptor, parts)
    if missing:
        rest = memoryview(b"".join(parts))[-missing:]
        while rest:
            rest = rest[os.write(descriptor, rest) :]


@dataclass(slots=True)
class Shard:
    """An open shard: the file descriptor and its index of (offset, length), uint64."""

    descriptor: int
    index: NDArray[np.uint64]

    @classmethod
    def open(cls, path: Path, chunks: int) -> Shard | None:
        """Open a shard of `chunks` chunks; None when there is no such file.

        Errors: StoreDamaged when the index does not check or points outside the file.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            index = _read_index(descriptor, chunks, path)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(descriptor, index)

    def place(self, at: int) -> tuple[int, int] | None:
        """Offset and length of one chunk, None where absent."""
        offset, length = self.index[at].tolist()
        return None if length == ABSENT else (offset, length)

    def chunk(self, at: int) -> bytes | None:
        """The stored bytes of one chunk, None where absent."""
        offset, length = self.index[at].tolist()
        if length == ABSENT:
            return None
        data = os.pread(self.descriptor, length, offset)
        if len(data) != length:
            raise StoreDamaged(f"a shard ends inside chunk {at}")
        return data

    def lengths(self) -> list[int]:
        """Bytes of every chunk that is present, in C order."""
        present: list[int] = self.index[self.index[:, 1] != ABSENT][:, 1].tolist()
        return present

    def is_packed(self) -> bool:
        """True when the chunks lie one after the other in C order, without gaps."""
        present = self.index[self.index[:, 1] != ABSENT]
        return bool((np.cumsum(present[:, 1])[:-1] == present[1:, 0]).all()) and not (
            len(present) and present[0, 0]
        )

    def __del__(self) -> None:
        # Closed with the last reference, so that a cache may forget a shard somebody still reads.
        with suppress(OSError):
            os.close(self.descriptor)


def _read_index(descriptor: int, chunks: int, path: Path) -> NDArray[np.uint64]:
    length = chunks * INDEX_ENTRY_BYTES + INDEX_SUM_BYTES
    size = os.fstat(descriptor).st_size
    if size < length:
        raise StoreDamaged(f"{path.name}: shorter than its index")
    raw = os.pread(descriptor, length, size - length)
    if struct.unpack("<I", raw[-4:])[0] != google_crc32c.value(raw[:-4]):
        raise StoreDamaged(f"{path.name}: the shard's index does not match its checksum")
    index = np.frombuffer(raw[:-4], dtype="<u8").reshape(-1, 2)
    present = index[index[:, 1] != ABSENT]
    # Each on its own first: a forged sum could wrap around.
    beyond = (present > size - length).any() or (present.sum(axis=1) > size - length).any()
    if beyond:
        raise StoreDamaged(f"{path.name}: a chunk lies outside the shard")
    return index
