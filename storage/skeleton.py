"""An original without its tiles: what is needed, with the stored tiles, to give it back whole.

The tiles of a copied level are in the pyramid already. Left over are headers, tags, tables and
gaps; they are kept packed, in the order of the file, and the proof's places say what lies between.
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.errors import StoreDamaged
from storage.proof import Places

SKELETON_FILE = ".skeleton"
_STUMBLES = (
    zipfile.BadZipFile,
    zlib.error,
    FileNotFoundError,
    ValueError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    EOFError,
)
_SOI = b"\xff\xd8"
_PIECE = 2**20

ReadTile = Callable[[int, int, int], bytes | None]
"""Stored bytes of the tile at (level, column, row)."""


@dataclass(frozen=True)
class _Tiles:
    """The tiles inside one file, in the order of their places and without overlaps."""

    levels: NDArray[np.int64]
    indexes: NDArray[np.int64]
    offsets: NDArray[np.int64]
    lengths: NDArray[np.int64]

    def gaps(self, size: int) -> Iterator[tuple[int, int]]:
        """(offset, length) of what lies before each tile, and after the last."""
        ends = self.offsets + self.lengths
        starts = np.concatenate([[0], ends])
        until = np.concatenate([self.offsets, [size]])
        yield from zip(starts.tolist(), (until - starts).tolist(), strict=True)


def write_skeleton(
    target: Path, root: Path, names: Sequence[str], places: Mapping[int, Places]
) -> None:
    """Keep what is left over of the files `names` below `root`. Errors: OSError.

    The file has its name only when it is whole and on disk.
    """
    part = target.with_name(target.name + ".part")
    sizes = {name: (root / name).stat().st_size for name in names}
    with part.open("wb") as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("skeleton.json", json.dumps({"format": 1, "files": sizes}))
            for at, name in enumerate(names):
                tiles = _tiles_in(name, places)
                with (root / name).open("rb") as file, archive.open(f"left/{at}", "w") as left:
                    for offset, length in tiles.gaps(sizes[name]):
                        file.seek(offset)
                        for piece in _read_pieces(file.read, length):
                            left.write(piece)
        out.flush()
        os.fsync(out.fileno())
    part.replace(target)


def names_in(skeleton: Path) -> list[str]:
    """The files of the original, by their names below its folder. Errors: StoreDamaged."""
    with _opened(skeleton) as archive:
        return list(json.loads(archive.read("skeleton.json"))["files"])


def restore(
    skeleton: Path, name: str, places: Mapping[int, Places], read_tile: ReadTile
) -> Iterator[bytes]:
    """One file of the original, piece by piece. Errors: StoreDamaged."""
    with _opened(skeleton) as archive:
        sizes: dict[str, int] = json.loads(archive.read("skeleton.json"))["files"]
        tiles = _tiles_in(name, places)
        rows = zip(tiles.levels.tolist(), tiles.indexes.tolist(), tiles.lengths.tolist(),
                   strict=True)  # fmt: skip
        with archive.open(f"left/{list(sizes).index(name)}") as left:
            for _, length in tiles.gaps(sizes[name]):
                yield from _read_pieces(left.read, length)
                level, index, tile_length = next(rows, (None, 0, 0))
                if level is not None:
                    yield _original_tile(places[level], (level, index, tile_length), read_tile)


def _original_tile(places: Places, tile: tuple[int, int, int], read_tile: ReadTile) -> bytes:
    """A tile as the scanner wrote it, from the tile as it is stored."""
    level, index, length = tile
    row, column = divmod(index, places.offsets.shape[1])
    stored = read_tile(level, column, row)
    if stored is None:
        raise StoreDamaged(f"level {level}, column {column}, row {row}: the tile is missing")
    data = _SOI + stored[len(places.head) :] if places.head else stored
    if len(data) != length:
        raise StoreDamaged(f"level {level}, column {column}, row {row}: the tile has changed")
    return data


def _tiles_in(name: str, places: Mapping[int, Places]) -> _Tiles:
    inside = {level: at for level, at in places.items() if at.file == name}
    if not inside:
        return _Tiles(*(np.zeros(0, np.int64) for _ in range(4)))
    levels = np.concatenate([np.full(at.offsets.size, level) for level, at in inside.items()])
    indexes = np.concatenate([np.arange(at.offsets.size) for at in inside.values()])
    offsets = np.concatenate([at.offsets.reshape(-1) for at in inside.values()])
    lengths = np.concatenate([at.lengths.reshape(-1) for at in inside.values()])
    order = np.argsort(offsets, kind="stable")
    order = order[lengths[order] > 0]
    # Some writers point several places at the same bytes: the first stands for all.
    ends = np.maximum.accumulate(np.concatenate([[0], (offsets + lengths)[order]]))[:-1]
    order = order[offsets[order] >= ends]
    return _Tiles(levels[order], indexes[order], offsets[order], lengths[order])


def _read_pieces(read: Callable[[int], bytes], length: int) -> Iterator[bytes]:
    while length:
        piece = read(min(length, _PIECE))
        if not piece:
            raise StoreDamaged("the skeleton of the original ends too early")
        length -= len(piece)
        yield piece


@contextmanager
def _opened(skeleton: Path) -> Iterator[zipfile.ZipFile]:
    """The archive; whatever its library stumbles over becomes ours."""
    try:
        with zipfile.ZipFile(skeleton) as archive:
            yield archive
    except _STUMBLES as error:
        raise StoreDamaged("the skeleton of the original cannot be read") from error
