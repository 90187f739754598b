"""Neighbouring annotations of a group as one block of bytes: columns, exact, compressed.

Coordinates are whole numbers over a scale where that is exact (QuPath writes hundredths of a
pixel), and then differences along the outline; else doubles. Little-endian throughout.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from storage.errors import StoreDamaged

_MAGIC: Final = b"SVA1"
_SCALES: Final = (1, 2, 10, 64, 100, 1000, 4096)
_LEVEL: Final = 6
_MOST: Final = 2**30
_MOST_BYTES: Final = 2**29

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Block:
    """Annotations side by side; `points` of ring after ring, rings of part after part."""

    ids: bytes
    """Sixteen bytes each."""
    parts: Array
    """How many of each annotation; u4."""
    rings: Array
    """How many of each part; u4."""
    lengths: Array
    """Points of each ring; u4."""
    points: Array
    """[point, x or y]; f8, level-0 pixels."""
    measured: Mapping[str, Array] = field(default_factory=dict)
    """By name, NaN where one has none; f8."""
    units: Mapping[str, str] = field(default_factory=dict)
    rest: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """By place in the block, what one says beside what the group says of all."""

    @property
    def count(self) -> int:
        """Annotations."""
        return len(self.parts)

    @property
    def lengths_of_each(self) -> Array:
        """Points of each annotation."""
        of_part = np.add.reduceat(self.lengths, starts(self.rings))
        return np.add.reduceat(of_part, starts(self.parts))

    @property
    def middles(self) -> Array:
        """[annotation, x or y]: the mean of its points; f8."""
        lengths = self.lengths_of_each
        return np.add.reduceat(self.points, starts(lengths)) / lengths[:, None]

    def without_points(self) -> Block:
        """All but the points, where they are kept elsewhere."""
        return replace(self, points=np.empty((0, 2)))

    def taken(self, order: Array) -> Block:
        """Some of its annotations, in that order."""
        part_of = spread(starts(self.parts), self.parts, order)
        rings = self.rings[part_of]
        ring_of = spread(starts(self.rings), self.rings, part_of)
        point_of = spread(starts(self.lengths), self.lengths, ring_of)
        chosen = np.frombuffer(self.ids, np.dtype("V16"))[order]
        return Block(
            ids=chosen.tobytes(),
            parts=self.parts[order],
            rings=rings,
            lengths=self.lengths[ring_of],
            points=self.points[point_of],
            measured={name: values[order] for name, values in self.measured.items()},
            units=self.units,
            rest={
                place: self.rest[int(at)]
                for place, at in enumerate(order)
                if self.rest and int(at) in self.rest
            },
        )


def starts(counts: Array) -> Array:
    """Where each of consecutive runs begins."""
    return np.concatenate(([0], np.cumsum(counts, dtype=np.int64)[:-1]))


def spread(begin: Array, counts: Array, chosen: Array) -> Array:
    """The places of all members of the chosen runs."""
    lengths = counts[chosen].astype(np.int64)
    if not len(lengths):
        return np.empty(0, np.int64)
    within = np.arange(lengths.sum()) - np.repeat(starts(lengths), lengths)
    places: Array = np.repeat(begin[chosen], lengths) + within
    return places


def encode(block: Block) -> bytes:
    """The block as bytes."""
    scale, coordinates = _to_whole(block.points)
    columns: dict[str, Array] = {
        "ids": np.frombuffer(block.ids, np.uint8),
        "parts": block.parts.astype("<u4"),
        "rings": block.rings.astype("<u4"),
        "lengths": block.lengths.astype("<u4"),
        "points": coordinates,
    }
    for number, values in enumerate(block.measured.values()):
        columns[f"m{number}"] = values.astype("<f8")
    head = {
        "scale": scale,
        "columns": [[name, at.dtype.str, at.size] for name, at in columns.items()],
        "measured": list(block.measured),
        "units": dict(block.units),
        "rest": {str(place): dict(said) for place, said in block.rest.items()},
    }
    told = json.dumps(head, ensure_ascii=False).encode("utf-8", "surrogatepass")
    body = b"".join([struct.pack("<I", len(told)), told, *(_planes(at) for at in columns.values())])
    return _MAGIC + zlib.compress(body, _LEVEL)


def decode(data: bytes) -> Block:
    """The block again. Errors: StoreDamaged."""
    try:
        if data[:4] != _MAGIC:
            raise ValueError("another kind of block")
        unpacking = zlib.decompressobj()
        body = unpacking.decompress(data[4:], _MOST_BYTES)
        if not unpacking.eof:
            raise ValueError("cut off, or larger than any block")
        (length,) = struct.unpack_from("<I", body)
        head = json.loads(body[4 : 4 + length].decode("utf-8", "surrogatepass"))
        columns = _columns(body, 4 + length, head["columns"])
        block = Block(
            ids=columns["ids"].tobytes(),
            parts=columns["parts"],
            rings=columns["rings"],
            lengths=columns["lengths"],
            points=_from_whole(head["scale"], columns["points"]),
            measured={name: columns[f"m{number}"] for number, name in enumerate(head["measured"])},
            units=head["units"],
            rest={int(place): said for place, said in head["rest"].items()},
        )
        return _checked(block)
    except (ValueError, KeyError, TypeError, struct.error, zlib.error) as error:
        raise StoreDamaged("annotations do not read back") from error


def _checked(block: Block) -> Block:
    """Only what fits together: blocks come in files, too. Errors: ValueError."""
    counts = (block.parts, block.rings, block.lengths)
    below = (len(block.rings), len(block.lengths), len(block.points) or None)
    for many, number in zip(counts, below, strict=True):
        if not len(many) or many.min() < 1:
            raise ValueError("something is empty")
        if number is not None and int(many.sum(dtype=np.int64)) != number:
            raise ValueError("counts that do not add up")
    columns = [len(block.ids) // 16, *(len(at) for at in block.measured.values())]
    if any(number != block.count for number in columns):
        raise ValueError("columns of several lengths")
    return block


def _columns(body: bytes, at: int, told: list[tuple[str, str, int]]) -> dict[str, Array]:
    columns = dict[str, Array]()
    for name, kind, size in told:
        dtype = np.dtype(kind)
        raw = np.frombuffer(body, np.uint8, size * dtype.itemsize, at)
        # Byte planes: the first bytes of all numbers, then the second ones, as they compress best.
        whole = np.ascontiguousarray(raw.reshape(dtype.itemsize, size).T)
        columns[name] = whole.view(dtype).reshape(size)
        at += raw.size
    return columns


def _planes(values: Array) -> bytes:
    raw = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
    return raw.reshape(-1, values.dtype.itemsize).T.tobytes()


def _to_whole(points: Array) -> tuple[int, Array]:
    """Scale and differences between neighbours, or 0 and the doubles themselves."""
    for scale in _SCALES:
        whole = np.rint(points * scale)
        if np.abs(whole).max(initial=0) < _MOST and np.array_equal(whole / scale, points):
            steps = np.diff(whole.astype(np.int64), axis=0, prepend=0)
            if np.abs(steps).max(initial=0) < _MOST:
                return scale, steps.astype("<i4").T.reshape(-1)
    return 0, points.astype("<f8").T.reshape(-1)


def _from_whole(scale: int, values: Array) -> Array:
    pairs = values.reshape(2, -1).T
    if not scale:
        return np.ascontiguousarray(pairs)
    return np.ascontiguousarray(np.cumsum(pairs, axis=0, dtype=np.int64) / scale)


def joined(blocks: Iterable[Block]) -> Block:
    """Blocks of one group as one."""
    several = list(blocks)
    counts = [at.count for at in several]
    names = list(dict.fromkeys(name for at in several for name in at.measured))
    units = {name: unit for at in several for name, unit in at.units.items()}
    rest = dict[int, Mapping[str, Any]]()
    for begin, at in zip(np.cumsum([0, *counts]).tolist(), several, strict=False):
        rest |= {begin + place: said for place, said in at.rest.items()}
    return Block(
        ids=b"".join(at.ids for at in several),
        parts=np.concatenate([at.parts for at in several]),
        rings=np.concatenate([at.rings for at in several]),
        lengths=np.concatenate([at.lengths for at in several]),
        points=np.concatenate([at.points for at in several]),
        measured={
            name: np.concatenate(
                [at.measured.get(name, np.full(at.count, np.nan)) for at in several]
            )
            for name in names
        },
        units=units,
        rest=rest,
    )
