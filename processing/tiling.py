"""The plan of a pyramid from what the source has; pure arithmetic, nothing is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from processing.readers.base import SourceLevel
from storage.records.channels import Channels
from storage.records.geometry import Size, level_count
from storage.records.slide import (
    Encoding,
    JpegEncoding,
    LevelOrigin,
    PlaneEncoding,
    PyramidPlan,
    StoredLevel,
)

ENCODED_EDGE = 512
"""Tile edge for sources that have no JPEG tiles to copy."""
SHARD_PIXELS = 4096
"""Shards are at most this wide: 2048 makes three times the files, 8192 takes twice the memory."""
ENCODED = JpegEncoding(90, "444")
DERIVED = JpegEncoding(80, "420")


@dataclass(frozen=True, slots=True)
class Sourced:
    """A pyramid's plan, and which source level each of its own comes from."""

    plan: PyramidPlan
    source_of: dict[int, int]
    """Pyramid level to index of the source level."""
    ignored: int
    """Source levels larger than a tile that fit no level of ours."""


def plan_pyramid(
    levels: Sequence[SourceLevel], *, lossless: bool = False, channels: Channels | None = None
) -> Sourced:
    """Levels at 1, 2, 4 … down to one tile; copied where the scanner has them, else derived.

    Level 0 decides: with JPEG tiles they are copied and their edge is the pyramid's, otherwise
    its pixels are encoded once, as JPEG or losslessly. Channels are always kept losslessly.
    """
    base = levels[0]
    copied = base.jpeg is not None and base.tile_edge is not None and channels is None
    edge = base.tile_edge if copied and base.tile_edge else ENCODED_EDGE
    source_of = _match(levels, edge, copied)
    encoding: Encoding = None if lossless else ENCODED
    if channels is not None:
        encoding = PlaneEncoding(channels.dtype)
    stored = []
    for level in range(level_count(base.size, edge)):
        source = source_of.get(level)
        if source is None:
            derived = DERIVED if copied else encoding
            size = base.size.at_level(level)
            stored.append(StoredLevel(level, size, LevelOrigin.DERIVED, derived))
            continue
        origin = LevelOrigin.COPIED if copied else LevelOrigin.ENCODED
        written = levels[source].jpeg if copied else encoding
        stored.append(StoredLevel(level, levels[source].size, origin, written))
    plan = PyramidPlan(edge, _shard_tiles(edge), tuple(stored), channels)
    used = {source_of[at.level] for at in plan.from_source()}
    ignored = [
        at for index, at in enumerate(levels) if index not in used and _longest(at.size) > edge
    ]
    return Sourced(plan, source_of, len(ignored))


def _longest(size: Size) -> int:
    return max(size.width, size.height)


def _match(levels: Sequence[SourceLevel], edge: int, copied: bool) -> dict[int, int]:
    """Source levels that are a power of two smaller, within the scanner's rounding."""
    base, found, count = levels[0].size, {0: 0}, level_count(levels[0].size, edge)
    for index, candidate in enumerate(levels[1:], 1):
        level = round_log2(base, candidate.size)
        same_tiles = not copied or (candidate.jpeg is not None and candidate.tile_edge == edge)
        fits = 0 < level < count and _off_by(base.at_level(level), candidate.size) <= 1
        if same_tiles and fits and level not in found:
            found[level] = index
    return found


def round_log2(base: Size, smaller: Size) -> int:
    """How many halvings lie between two sizes, rounded."""
    ratio = max(base.width / smaller.width, base.height / smaller.height)
    return max(range(32), key=lambda level: -abs(2**level / ratio - 1))


def _off_by(expected: Size, found: Size) -> int:
    return max(abs(expected.width - found.width), abs(expected.height - found.height))


def _shard_tiles(edge: int) -> int:
    tiles = 1
    while tiles * 2 * edge <= SHARD_PIXELS:
        tiles *= 2
    return tiles
