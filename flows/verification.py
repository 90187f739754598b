"""Is every stored byte what it was when it was proved; which tile, level, column and row is not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flows.comparison import compare_slide
from flows.originals import fingerprint_of, original_path
from flows.services import Services
from flows.skeletons import restored_fingerprint, skeleton_of
from storage import ngff
from storage.cold import open_shard
from storage.errors import StoreDamaged, SvartidError
from storage.layout import Layout
from storage.merkle import ABSENT_LEAF, leaf
from storage.proof import PROOF_FILE, Proof
from storage.pyramids import shard_blocks
from storage.records.geometry import TileBlock
from storage.records.slide import JpegEncoding, PyramidPlan, Slide, StoredLevel
from storage.shards import INDEX_ENTRY_BYTES, INDEX_SUM_BYTES, Shard

Digests = NDArray[np.uint8]
"""[row, column, 32]."""
_CHANGED = "the tile's bytes have changed"


def verify_slide(services: Services, slide: Slide) -> tuple[int, list[str]]:
    """How many tiles were checked, and a line for every thing that is wrong.

    A slide that is not complete has no proof yet: it is compared with its original. One that
    went to another tier meanwhile is verified there.
    """
    folder = services.pyramids.path(slide.slide_id)
    tiles, problems = _verified(services, slide)
    if problems and services.pyramids.path(slide.slide_id) != folder:
        return verify_slide(services, slide)
    return tiles, problems


def _verified(services: Services, slide: Slide) -> tuple[int, list[str]]:
    try:
        if slide.root is None:
            return compare_slide(services, slide)
        tiles, problems = _pyramid(services, slide)
        return tiles, problems + _original(services, slide)
    except (SvartidError, OSError) as error:
        return 0, [str(error) or type(error).__name__]


def verify_quarantine(layout: Layout) -> list[str]:
    """A line for every file in quarantine that is no longer the one that came."""
    return [
        f"quarantine/{folder.name}: the bytes have changed"
        for folder in sorted(layout.quarantine.iterdir())
        if folder.is_dir() and fingerprint_of(original_path(layout, folder.name)) != folder.name
    ]


def _pyramid(services: Services, slide: Slide) -> tuple[int, list[str]]:
    folder = services.pyramids.path(slide.slide_id)
    problems = list[str]()
    if _sha256(folder / PROOF_FILE) != slide.proof:
        problems.append(f"{PROOF_FILE} has changed")
    proof = services.pyramids.proof(slide.slide_id)
    if (proof.root, proof.fingerprint) != (slide.root, slide.fingerprint):
        return 0, [*problems, f"{PROOF_FILE} leads to another root than the database knows"]
    problems += _files(folder, proof)
    record, _ = services.pyramids.describe(slide.slide_id)
    cold = services.pyramids.is_cold(folder)
    tiles, expected = 0, {folder / PROOF_FILE, *(folder / name for name in proof.files)}
    for level, channel in product(record.plan.levels, range(record.plan.planes)):
        grid = level.size.in_tiles(record.plan.tile_edge)
        digests = proof.tiles[level.level][channel * grid.height :]
        for row, column, block in shard_blocks(level, record.plan):
            path = folder / ngff.shard_key(level.level, row, column, channel)
            expected.add(path)
            problems += _shard(path, level, block, _Known(record.plan, digests, cold))
            tiles += block.columns * block.rows
    problems += [
        f"{path.relative_to(folder)} does not belong here"
        for path in sorted(folder.rglob("*"))
        if not path.is_dir() and path not in expected
    ]
    return tiles, problems


def _files(folder: Path, proof: Proof) -> list[str]:
    """Lines for small files that are missing or have changed."""
    problems = []
    for name, digest in proof.files.items():
        found = _sha256(folder / name)
        if found != digest.hex():
            problems.append(f"{name} {'is missing' if found is None else 'has changed'}")
    return problems


@dataclass(frozen=True, slots=True)
class _Known:
    """What the shards of a level are held against, and how they are kept."""

    plan: PyramidPlan
    digests: Digests
    cold: bool


def _shard(path: Path, level: StoredLevel, block: TileBlock, known: _Known) -> list[str]:
    """Lines for the tiles of a shard that are not what they were, or for the shard itself."""
    channel = f", channel {path.parts[-3]}" if known.plan.channels else ""
    named, per = f"level {level.level}{channel}", known.plan.shard_tiles
    where = f"{named}, shard {path.parent.name}/{path.name}"
    try:
        cold = known.cold and isinstance(level.encoding, JpegEncoding)
        shard = open_shard(path, per * per, cold=cold)
    except StoreDamaged as error:
        return [f"{where}: {error}"]
    if shard is None:
        return [f"{where} is missing"]
    problems = [
        f"{named}, column {x}, row {y}: {_CHANGED}"
        for (x, y), digest in _digests(shard, block, per)
        if digest != known.digests[y, x].tobytes()
    ]
    return problems or _order(shard, path, where)


def _digests(
    shard: Shard, block: TileBlock, per: int
) -> Iterator[tuple[tuple[int, int], bytes | None]]:
    """(column, row) and leaf of every tile; None for one that cannot be read."""
    for x, y in block.places():
        try:
            chunk = shard.chunk((y % per) * per + x % per)
        except StoreDamaged:
            yield (x, y), None
        else:
            yield (x, y), ABSENT_LEAF if chunk is None else leaf(chunk)


def _order(shard: Shard, path: Path, where: str) -> list[str]:
    """Chunks lie one after the other and nothing else does: no byte is without a digest."""
    lengths = shard.lengths()
    belong = sum(lengths) + len(shard.index) * INDEX_ENTRY_BYTES + INDEX_SUM_BYTES
    found = path.stat().st_size
    if found != belong or not shard.is_packed():
        return [f"{where}: {found} bytes where {belong} belong, or tiles out of order"]
    return []


def _original(services: Services, slide: Slide) -> list[str]:
    """A line when the original is not there, or no longer the one that came."""
    skeleton = skeleton_of(services.layout, slide.fingerprint)
    if skeleton is None:
        found = fingerprint_of(original_path(services.layout, slide.fingerprint))
    elif _sha256(skeleton) != slide.skeleton:
        return ["the skeleton of the original has changed"]
    else:
        proof = services.pyramids.proof(slide.slide_id)
        try:
            found = restored_fingerprint(services, slide.slide_id, skeleton, proof)
        except StoreDamaged as error:
            return [f"the original cannot be given back: {error}"]
    return [] if found == slide.fingerprint else ["the original's bytes have changed"]


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
