"""A receipt for one tile: what it is, where its bytes came from, and how that is proved."""

from __future__ import annotations

from typing import Any

from storage import ngff
from storage.errors import NotFound
from storage.proof import Places, Proof
from storage.pyramids import Pyramids
from storage.records.slide import LevelOrigin, PyramidRecord, Slide, Tier
from storage.shards import Shard


def receipt(
    pyramids: Pyramids, slide: Slide, tile: tuple[int, int, int], channel: int = 0
) -> dict[str, Any]:
    """The receipt of the tile at (level, column, row), of a channel if any, as a JSON document.

    `path` leads from the tile's digest to the root of its level, `level_path` from there to the
    root of the scan. Errors: NotFound (no such tile, or not proved yet), StoreDamaged.
    """
    level, column, row = tile
    record, _ = pyramids.describe(slide.slide_id)
    proof = pyramids.proof(slide.slide_id)
    planes = record.plan.planes
    rows, columns = proof.tiles[level].shape[:2] if level in proof.tiles else (0, 0)
    rows //= planes
    if not (0 <= row < rows and 0 <= column < columns and 0 <= channel < planes):
        raise NotFound(f"no tile {column}_{row} on level {level}")
    leaf_row = channel * rows + row  # a level's tree has its channels below one another
    return {
        "slide_id": slide.slide_id,
        "level": level,
        "column": column,
        "row": row,
        "channel": channel if record.plan.channels else None,
        "origin": record.plan.levels[level].origin.value,
        "stored": _stored(pyramids, record, tile, channel),
        "source": _source(record, proof.places.get(level), proof, tile),
        "digest": proof.tiles[level][leaf_row, column].tobytes().hex(),
        "path": _readable(proof.tile_path(level, column, leaf_row)),
        "level_root": proof.level_roots[level].hex(),
        "level_path": _readable(proof.level_path(level)),
        "root": slide.root,
    }


def _stored(
    pyramids: Pyramids, record: PyramidRecord, tile: tuple[int, int, int], channel: int
) -> dict[str, Any] | None:
    """Tier, file below the pyramid, offset and length in bytes; None for a tile that is absent."""
    (level, column, row), per = tile, record.plan.shard_tiles
    place = level, row // per, column // per, channel
    folder = pyramids.path(record.slide_id)
    shard = Shard.open(folder / ngff.shard_key(*place), per * per)
    found = shard.place((row % per) * per + column % per) if shard else None
    if found is None:
        return None
    tier = Tier.COLD if pyramids.is_cold(folder) else Tier.WARM
    return {
        "tier": tier.value,
        "file": ngff.shard_key(*place),
        "offset": found[0],
        "length": found[1],
    }


def _source(
    record: PyramidRecord, places: Places | None, proof: Proof, tile: tuple[int, int, int]
) -> dict[str, Any]:
    """The original by its SHA-256, and the byte range there where the tile is a copy."""
    level, column, row = tile
    known: dict[str, Any] = {"fingerprint": proof.fingerprint, "file": None, "offset": None,
                             "length": None, "head": None, "from_level": None}  # fmt: skip
    if record.plan.levels[level].origin is LevelOrigin.DERIVED:
        return known | {"from_level": level - 1}
    if places is None or not places.lengths[row, column]:
        return known
    return known | {
        "file": places.file,
        "offset": int(places.offsets[row, column]),
        "length": int(places.lengths[row, column]),
        "head": places.head.hex(),
    }


def _readable(path: list[tuple[str, bytes]]) -> list[dict[str, str]]:
    return [{"side": side, "digest": digest.hex()} for side, digest in path]
